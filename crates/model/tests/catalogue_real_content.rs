//! Real content of another shape, when it is there: no rule may take anything in it for a
//! reference, an id or a secret.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::process::Command;

use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::content_line::ContentLine;
use dev2prod_model::json::{self, JsonLimits};

/// Two releases of an open-source CRM's configuration, beside the project where somebody put it.
fn releases() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/npsp");
    folder.is_dir().then_some(folder)
}

#[test]
fn real_content_is_read_and_nothing_is_made_up_about_it() {
    let Some(folder) = releases() else {
        println!("skipped: ../shared/data/npsp is not beside the project");
        return;
    };
    let catalogue = Catalogue::standard();
    for (release, items) in [("3.220", 23_619), ("3.236", 27_309)] {
        let file = folder.join(release).join("items.ndjson.gz");
        let output = Command::new("gzip").args(["-dc"]).arg(&file).output();
        let output = output.expect("this test needs gzip on the PATH to read real content");
        assert!(output.status.success());
        let mut read = 0;
        for line in output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let line = ContentLine::parse(line, &JsonLimits::default()).unwrap();
            let section = line.item.section;
            assert_eq!(
                catalogue.references(section, &line.body),
                [],
                "{}",
                line.item
            );
            assert!(!catalogue.has_local(section, &line.body), "{}", line.item);
            let canonical = line.canonical_body();
            assert!(json::is_canonical(
                canonical.as_bytes(),
                &JsonLimits::default()
            ));
            read += 1;
        }
        assert_eq!(read, items, "{release}");
    }
}
