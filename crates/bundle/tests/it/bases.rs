//! Bundles that carry what had been delivered of their items.

use dev2prod_bundle::hostile::Parts;
use dev2prod_bundle::{
    BaseLine, Folder, Limits, RemovedBase, Summary, VERSION, VERSION_WITH_BASES, Writer,
    WriterOptions, pack, unpack,
};
use dev2prod_model::digest::{item_digest, sha256};
use dev2prod_model::item::{ItemRef, Revision};
use dev2prod_model::plan::CarriedBase;
use dev2prod_model::section::Section;

use crate::support::{line, manifest_parts, open, open_and_verify};

const METADATA: &str = "sections/metadata/0001.ndjson";
const INDEX: &str = "sections/metadata/index.ndjson";
const MANIFEST: &str = "manifest.json";
const BEFORE: (&str, &str) = (r#"{"Label":"before"}"#, "[]");
const NOW: (&str, &str) = (
    r#"{"Label":"now"}"#,
    r#"[{"Key":"b","PackageName":"metadata"}]"#,
);

fn base(since: i64) -> CarriedBase {
    CarriedBase {
        digest: item_digest(BEFORE.0, BEFORE.1),
        since: Revision(since),
    }
}

fn item(key: &str) -> ItemRef {
    ItemRef::new(Section::Metadata, key.parse().unwrap())
}

/// `a` with its base, `b` as it was delivered, `c` whose base is not known any more, `d` without
/// one; `gone` is removed.
fn bundle(options: WriterOptions) -> (Vec<u8>, Summary) {
    let mut writer = Writer::new(Vec::new(), options);
    writer.begin_section(Section::Metadata).unwrap();
    for (key, texts, base) in [
        ("a", NOW, Some((base(3), Some(BEFORE)))),
        ("b", BEFORE, Some((base(4), None))),
        ("c", NOW, Some((base(5), None))),
        ("d", NOW, None),
    ] {
        let (body, references) = texts;
        let (item, digest) = (item(key), item_digest(body, references));
        let mut line = line(&item, &digest, body, references);
        line.base = base.map(|(base, texts)| BaseLine { base, texts });
        writer.item(&line).unwrap();
    }
    let mut parts = manifest_parts();
    parts.removed_bases = vec![RemovedBase {
        item: item("gone"),
        base: base(2),
    }];
    writer.finish(parts).unwrap()
}

fn bases(bundle: &[u8]) -> Vec<String> {
    open_and_verify(bundle, &Limits::default()).unwrap();
    let reader = open(bundle, &Limits::default()).unwrap();
    let mut all = Vec::new();
    for entry in reader.index(Section::Metadata).unwrap().map(Result::unwrap) {
        let mut chunk = reader.chunk(Section::Metadata, entry.chunk).unwrap();
        let item = chunk.find(|item| item.as_ref().unwrap().key == entry.key);
        let since = entry.base.map(|base| base.since.0);
        all.push(format!(
            "{} {since:?} {:?}",
            entry.key,
            item.unwrap().unwrap().base
        ));
    }
    let removed = reader.manifest().removed_bases.iter();
    all.extend(removed.map(|gone| format!("{} {}", gone.item, gone.base.since)));
    all
}

#[test]
fn what_had_been_delivered_travels_with_an_item() {
    let (bytes, summary) = bundle(WriterOptions::default());
    assert_eq!(summary.manifest.version, VERSION_WITH_BASES);
    insta::assert_snapshot!(bases(&bytes).join("\n"), @r#"
    a Some(3) Some(("{\"Label\":\"before\"}", "[]"))
    b Some(4) None
    c Some(5) None
    d None None
    metadata gone 2
    "#);
}

#[test]
fn without_any_it_is_a_bundle_that_every_release_reads() {
    let mut writer = Writer::new(Vec::new(), WriterOptions::default());
    writer.begin_section(Section::Metadata).unwrap();
    let (item, digest) = (item("a"), item_digest(NOW.0, NOW.1));
    writer.item(&line(&item, &digest, NOW.0, NOW.1)).unwrap();
    let (_, summary) = writer.finish(manifest_parts()).unwrap();
    assert_eq!(summary.manifest.version, VERSION);
}

#[test]
fn a_base_that_does_not_fit_into_a_line_is_left_to_the_receiver() {
    let mut options = WriterOptions::default();
    // The names of a line and its key may take 8 KiB.
    options.limits.line_bytes_max = 8 * 1024 + 70;
    let (bytes, _) = bundle(options.clone());
    insta::assert_snapshot!(bases(&bytes)[0], @r#"a Some(3) None"#);
    options.limits.line_bytes_max += 20;
    let (bytes, _) = bundle(options);
    assert!(bases(&bytes)[0].contains("before"));
}

#[test]
fn a_folder_holds_it_too() {
    let (bytes, summary) = bundle(WriterOptions::default());
    let folder = tempfile::tempdir().unwrap();
    let reader = open(&bytes, &Limits::default()).unwrap();
    unpack(&reader, folder.path(), false, &mut |_, _| {}).unwrap();
    let folder = Folder::open(folder.path(), &std::env::temp_dir(), &Limits::default()).unwrap();
    let (again, packed) = pack(&folder, Vec::new(), WriterOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(bases(&again), bases(&bytes));
    assert_eq!(packed.manifest, summary.manifest);
}

#[test]
fn a_base_that_is_not_what_it_says_is_refused() {
    let (bytes, _) = bundle(WriterOptions::default());
    let code = |parts: Parts| {
        let verified = open_and_verify(&parts.zip(), &Limits::default());
        verified.unwrap_err().code()
    };
    let parts = || Parts::of(&bytes);
    let digest = item_digest(BEFORE.0, BEFORE.1).to_string();
    let other = sha256(b"other").to_string();
    let first = format!(r#","Base":{{"Digest":"{digest}","Since":3}}"#);
    let short = r#""BaseReferences":[],"#;
    let cases = [
        parts().replace(METADATA, "before\"},\"BaseR", "after\"},\"BaseR"),
        parts().replace(
            INDEX,
            &format!("{digest}\",\"Since\":3"),
            format!("{other}\",\"Since\":3"),
        ),
        parts().replace(INDEX, &first, ""),
        parts().replace(METADATA, short, ""),
        parts().replace(
            METADATA,
            r#""BaseBody":{"Label":"before"}"#,
            r#""BaseBody":1"#,
        ),
        parts().replace(METADATA, short, r#""BaseReferences":1,"#),
        parts().replace(MANIFEST, "\"Version\": 2", "\"Version\": 1"),
        parts().replace(MANIFEST, "\"Version\": 2", "\"Version\": 3"),
    ];
    let codes: Vec<_> = cases.into_iter().map(code).collect();
    insta::assert_snapshot!(codes.join("\n"), @"
    digest_mismatch
    digest_mismatch
    invalid_manifest
    invalid_line
    invalid_line
    invalid_line
    invalid_manifest
    newer_format_version
    ");
}

#[test]
fn nothing_is_written_that_would_be_refused() {
    let mut writer = Writer::new(Vec::new(), WriterOptions::default());
    writer.begin_section(Section::Metadata).unwrap();
    let (item, digest) = (item("a"), item_digest(NOW.0, NOW.1));
    for texts in [
        (r#"{"Label": "before"}"#, "[]"),
        (r#"{"Label":"other"}"#, "[]"),
    ] {
        let mut line = line(&item, &digest, NOW.0, NOW.1);
        line.base = Some(BaseLine {
            base: base(1),
            texts: Some(texts),
        });
        assert!(writer.item(&line).is_err(), "{texts:?}");
    }
}

/// The file was written once and is not made again.
#[test]
fn version_2_is_read_as_it_was_written() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/v2.zip");
    let bytes = std::fs::read(path).unwrap();
    let (written, _) = bundle(WriterOptions::default());
    assert_eq!(bases(&bytes), bases(&written));
}
