//! A bundle as a folder: what is unpacked is packed again, and what was edited counts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dev2prod_bundle::{
    Carried, Folder, FolderError, Limits, Reader, Seal, SigningKey, Summary, Verified, Writer,
    WriterOptions, pack, unpack,
};
use dev2prod_model::digest::{canonical_references, item_digest, sha256};
use dev2prod_model::item::ItemRef;
use dev2prod_model::json;
use dev2prod_model::section::Section;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Content, line, manifest_parts, open, open_and_verify};

fn unpacked(bundle: &[u8], folder: &Path) -> Result<Verified, FolderError> {
    let reader = open(bundle, &Limits::default()).unwrap();
    unpack(&reader, folder, false, &mut |_, _| {})
}

fn packed(folder: &Path) -> Result<(Vec<u8>, Summary), FolderError> {
    let folder = Folder::open(folder, &std::env::temp_dir(), &Limits::default())?;
    pack(&folder, Vec::new(), WriterOptions::default(), &mut |_| ())
}

/// Index entries and bodies: all that an import looks at.
fn items(bundle: &[u8]) -> Vec<String> {
    let reader = open(bundle, &Limits::default()).unwrap();
    let mut all = Vec::new();
    for section in Section::ALL {
        for entry in reader.index(section).unwrap().map(Result::unwrap) {
            let mut chunk = reader
                .chunk(section, entry.chunk)
                .unwrap()
                .map(Result::unwrap);
            let item = chunk.find(|item| item.key == entry.key).unwrap();
            let (digest, revision, carried) = (entry.digest, entry.revision, entry.carried);
            all.push(format!(
                "{section} {item:?} {digest} {revision} {carried:?}"
            ));
        }
    }
    all
}

fn written(content: &Content, seal: &Seal<'_>) -> (Vec<u8>, Summary) {
    let mut writer = Writer::new(Vec::new(), WriterOptions::default());
    let mut last = None;
    for (item, (body, references)) in &content.items {
        if last.replace(item.section) != Some(item.section) {
            writer.begin_section(item.section).unwrap();
        }
        let digest = item_digest(body, references);
        writer.item(&line(item, &digest, body, references)).unwrap();
    }
    for file in &content.files {
        writer.attachment(&sha256(file), &mut &file[..]).unwrap();
    }
    writer.finish_sealed(manifest_parts(), seal).unwrap()
}

fn content() -> impl Strategy<Value = Content> {
    let key = prop_oneof![
        "[a-zA-Z0-9/~\"\\\\ .éß日😀%:*-]{1,12}",
        "(con|NUL|aux\\.x|\\.\\.|\\.git|~|-rf)",
        "[aA./]{1,4}",
        "[éA/]{300,400}",
    ];
    let item = (0_usize..17, key).prop_filter_map("a key", |(section, key)| {
        Some(ItemRef::new(Section::ALL[section], key.parse().ok()?))
    });
    let body = ("\\PC{0,40}", any::<f64>(), any::<i32>()).prop_map(|(text, float, number)| {
        let float = if float.is_finite() { float } else { 0.5 };
        json::canonical(
            &json!({"Text": text, "Float": float, "Number": number, "\u{e000}": [null]}),
        )
    });
    let references = vec((0_usize..17, "[a-z]{1,3}"), 0..3).prop_map(|named| {
        let items: Vec<_> = named
            .into_iter()
            .map(|(section, key)| ItemRef::new(Section::ALL[section], key.parse().unwrap()))
            .collect();
        canonical_references(&items)
    });
    let files = vec(vec(any::<u8>(), 0..200), 0..3);
    (btree_map(item, (body, references), 0..25), files)
        .prop_map(|(items, files)| Content { items, files })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_folder_gives_the_bundle_that_it_came_from(content in content(), signed in any::<bool>()) {
        let key = SigningKey::from_seed(&[7; 32]);
        let seal = if signed { Seal::Sign(&key) } else { Seal::Unsigned };
        let (bundle, before) = written(&content, &seal);
        let folder = tempfile::tempdir().unwrap();
        let verified = unpacked(&bundle, folder.path()).unwrap();
        prop_assert_eq!(verified.items, content.items.len() as u64);
        let (again, after) = packed(folder.path()).unwrap();
        prop_assert_eq!(&after.manifest, &before.manifest, "the same digests, the same signature");
        prop_assert_eq!(after.attachments, before.attachments);
        prop_assert_eq!(items(&again), items(&bundle));
        open_and_verify(&again, &Limits::default()).unwrap();

        let mut names = BTreeMap::new();
        for section in Section::ALL {
            let files = fs::read_dir(folder.path().join("items").join(section.name()));
            for file in files.into_iter().flatten() {
                let name = file.unwrap().file_name().into_string().unwrap();
                let folded = (section, name.to_lowercase());
                prop_assert_eq!(names.insert(folded, name), None, "told apart without case");
            }
        }
    }
}

/// A signed bundle of two items and an attachment, unpacked.
fn sample() -> (tempfile::TempDir, Summary) {
    let mut content = Content::default();
    for (key, body) in [
        ("Incident", r#"{"a":1,"b":"x"}"#),
        ("Person/ann", r#"{"c":2}"#),
    ] {
        let item = ItemRef::new(Section::Metadata, key.parse().unwrap());
        content
            .items
            .insert(item, (body.to_owned(), "[]".to_owned()));
    }
    content.files.push(b"bytes".to_vec());
    let key = SigningKey::from_seed(&[7; 32]);
    let (bundle, summary) = written(&content, &Seal::Sign(&key));
    let folder = tempfile::tempdir().unwrap();
    unpacked(&bundle, folder.path()).unwrap();
    (folder, summary)
}

fn incident(folder: &Path) -> PathBuf {
    folder.join("items/metadata/Incident~1.json")
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
}

#[test]
fn an_item_s_file_is_made_to_be_read() {
    let (folder, _) = sample();
    insta::assert_snapshot!(fs::read_to_string(incident(folder.path())).unwrap(), @r#"
    {
      "Key": "Incident",
      "Body": {
        "a": 1,
        "b": "x"
      },
      "References": [],
      "Revision": 15,
      "Carried": "Selected"
    }
    "#);
}

#[test]
fn what_was_edited_counts_and_nobody_vouches_for_it() {
    let (folder, before) = sample();
    assert!(before.manifest.signature.is_some());
    edit(&incident(folder.path()), |item| {
        item["Body"]["b"] = "y".into();
    });
    let added = folder.path().join("items/workflow/incident.json");
    fs::create_dir_all(added.parent().unwrap()).unwrap();
    fs::write(&added, r#"{"Key":"incident","Body":{"new":true}}"#).unwrap();
    fs::write(folder.path().join("items/workflow/.gitkeep"), "").unwrap();
    fs::write(folder.path().join("README.md"), "kept").unwrap();
    let (bundle, after) = packed(folder.path()).unwrap();
    assert_ne!(
        after.manifest.content_digest,
        before.manifest.content_digest
    );
    assert_eq!(after.manifest.signature, None);
    assert_eq!(after.manifest.item_count(), 3);
    open_and_verify(&bundle, &Limits::default()).unwrap();
    let reader = open(&bundle, &Limits::default()).unwrap();
    let added = reader
        .index(Section::Workflow)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(added.revision, before.manifest.source_revision);
    assert_eq!(added.carried, Carried::Selected);
}

#[test]
fn a_revision_that_was_edited_voids_the_signature() {
    let (folder, before) = sample();
    edit(&incident(folder.path()), |item| {
        item["Revision"] = 9.into();
    });
    let after = packed(folder.path()).unwrap().1;
    assert_eq!(
        after.manifest.content_digest,
        before.manifest.content_digest
    );
    assert_eq!(after.manifest.signature, None);
}

#[test]
fn what_is_no_unpacked_bundle_is_refused_with_its_place() {
    #[track_caller]
    fn refused(change: impl FnOnce(&Path), expected: &str) {
        let (folder, _) = sample();
        change(folder.path());
        let error = packed(folder.path()).unwrap_err().to_string();
        let error = error.replace(folder.path().to_str().unwrap(), "DIR");
        assert!(error.starts_with(expected), "{error}");
    }
    let text = |name: &'static str, text: &'static str| {
        move |folder: &Path| fs::write(folder.join(name), text).unwrap()
    };
    refused(
        |folder| fs::remove_file(folder.join("bundle.json")).unwrap(),
        "DIR is no unpacked bundle: it has no bundle.json",
    );
    refused(
        text("bundle.json", "{}"),
        "DIR is no unpacked bundle: bundle.json: ",
    );
    refused(
        text("bundle.json", r#"{"Format":"dev2prod-folder","Version":2}"#),
        "DIR is no unpacked bundle: bundle.json: it has version 2",
    );
    refused(
        |folder| fs::create_dir(folder.join("items/metaData")).unwrap(),
        "DIR/items/metaData is not named like one of the 17 sections",
    );
    let item = "items/metadata/Incident~1.json";
    refused(
        text(item, "{"),
        "DIR/items/metadata/Incident~1.json holds no item: ",
    );
    refused(
        text(item, r#"{"Key":"Incident","Body":1}"#),
        "DIR/items/metadata/Incident~1.json holds no item: its Body is not an object",
    );
    refused(
        text(item, r#"{"Key":"Incident","Body":{"a":9007199254740993}}"#),
        "DIR/items/metadata/Incident~1.json holds no item: ",
    );
    refused(
        text(item, r#"{"Key":"Incident","Body":{},"Typo":1}"#),
        "DIR/items/metadata/Incident~1.json holds no item: unknown field `Typo`",
    );
    refused(
        text(item, r#"{"Key":"incident","Body":{}}"#),
        "DIR/items/metadata/Incident~1.json holds another item than its name says: for that key \
         it is 'incident.json'",
    );
    refused(
        text("items/metadata/x y.json", r#"{"Key":"x y","Body":{}}"#),
        "DIR/items/metadata/x y.json holds another item than its name says: for that key it is \
         'x%20y.json'",
    );
    let bytes = format!("attachments/{}", sha256(b"bytes"));
    refused(
        |folder| fs::write(folder.join(&bytes), "other").unwrap(),
        &format!("DIR/{bytes} is not named by the SHA-256 of its bytes: that is "),
    );
    refused(
        text("attachments/logo.png", "x"),
        "DIR/attachments/logo.png is not named by the SHA-256 of its bytes: that is ",
    );
}

#[test]
fn only_an_earlier_bundle_is_replaced_and_only_if_asked() {
    let (folder, _) = sample();
    let root = folder.path();
    let mut content = Content::default();
    let item = ItemRef::new(Section::Data, "Person/bob".parse().unwrap());
    content
        .items
        .insert(item, ("{}".to_owned(), "[]".to_owned()));
    let (bundle, _) = written(&content, &Seal::Unsigned);
    fs::write(root.join("README.md"), "kept").unwrap();

    let error = unpacked(&bundle, root).unwrap_err();
    assert!(matches!(error, FolderError::Occupied { .. }), "{error}");
    assert!(incident(root).exists());
    let replace = |bundle: &[u8], root: &Path| {
        let reader: Reader = open(bundle, &Limits::default()).unwrap();
        unpack(&reader, root, true, &mut |_, _| {})
    };
    replace(&bundle, root).unwrap();
    assert!(!incident(root).exists() && !root.join("attachments").exists());
    assert!(root.join("items/data/Person%2fbob~1.json").exists());
    let mut left: Vec<_> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["README.md", "bundle.json", "items"]);

    let own = tempfile::tempdir().unwrap();
    fs::create_dir(own.path().join("items")).unwrap();
    fs::write(own.path().join("items/mine.txt"), "mine").unwrap();
    let error = replace(&bundle, own.path()).unwrap_err();
    assert!(matches!(error, FolderError::NotUnpacked { .. }), "{error}");
    assert!(own.path().join("items/mine.txt").exists());
}

#[test]
fn a_bundle_that_is_not_whole_leaves_the_folder_as_it_was() {
    let (folder, _) = sample();
    for case in dev2prod_bundle::hostile::cases() {
        let Ok(reader) = open(&case.bytes, &Limits::default()) else {
            continue;
        };
        if dev2prod_bundle::verify(&reader, &mut |_, _| {}).is_ok() {
            continue;
        }
        assert!(unpack(&reader, folder.path(), true, &mut |_, _| {}).is_err());
        assert!(incident(folder.path()).exists());
    }
}
