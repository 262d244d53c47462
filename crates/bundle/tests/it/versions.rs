//! Bundles of every format version that was ever written stay readable.

use std::fmt::Write;
use std::fs::File;
use std::path::Path;

use dev2prod_bundle::{Limits, Reader, verify};
use dev2prod_model::section::Section;

fn listing(sample: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/samples")
        .join(sample);
    let reader = Reader::open(File::open(path).unwrap(), &Limits::default()).unwrap();
    let mut listing = serde_json::to_string_pretty(reader.manifest()).unwrap() + "\n";
    for (name, bytes) in reader.entries() {
        writeln!(listing, "{bytes:>6} {name}").unwrap();
    }
    for section in Section::ALL {
        for entry in reader.index(section).unwrap() {
            let entry = entry.unwrap();
            let mut chunk = reader
                .chunk(section, entry.chunk)
                .unwrap()
                .map(Result::unwrap);
            let item = chunk.find(|item| item.key == entry.key).unwrap();
            writeln!(listing, "{}", serde_json::to_string(&entry).unwrap()).unwrap();
            writeln!(listing, "  {} {}", item.body, item.references).unwrap();
        }
    }
    let verified = verify(&reader, &mut |_, _| {}).unwrap();
    writeln!(listing, "{verified:?}").unwrap();
    listing
}

/// The files were written once, by the first release that wrote their version, and are not made
/// again.
#[test]
fn version_1_is_read_as_it_was_written() {
    insta::assert_snapshot!(listing("v1.zip"));
    assert_eq!(
        listing("v1-zstd.zip"),
        listing("v1.zip"),
        "packed with zstd"
    );
}
