//! The list of failpoints is the list of those in the sources.

use std::collections::BTreeSet;
use std::path::Path;

fn points_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            points_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.split("fail_point!(\"").skip(1);
            found.extend(
                names
                    .filter_map(|rest| rest.split('"').next())
                    .map(str::to_owned),
            );
        }
    }
}

#[test]
fn every_failpoint_is_listed_and_every_listed_one_is_there() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::new();
    for each in std::fs::read_dir(crates).unwrap() {
        points_in(&each.unwrap().path().join("src"), &mut found);
    }
    let listed = dev2prod_engine::FAILPOINTS
        .iter()
        .chain(dev2prod_engine::HOUSEKEEPING_FAILPOINTS)
        .map(|&name| name.to_owned());
    assert_eq!(listed.collect::<BTreeSet<_>>(), found);
}
