//! What is written is read, in the same order and with the same bytes.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use dev2prod_bundle::{
    BundleError, Carried, Compression, Limits, Notary, Reader, VerifiedItem, WriteError, Writer,
    WriterOptions, hostile, verify_noting,
};
use dev2prod_model::digest::{canonical_references, item_digest, sha256};
use dev2prod_model::item::{ItemRef, Key};
use dev2prod_model::json;
use dev2prod_model::section::Section;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Content, file_of, line, manifest_parts, open, open_and_verify, packed};

fn item() -> impl Strategy<Value = ItemRef> {
    let key = "[a-zA-Z0-9/~\"\\\\ .éß日😀]{1,12}";
    (0_usize..17, key)
        .prop_map(|(section, key)| ItemRef::new(Section::ALL[section], key.parse().unwrap()))
}

fn content() -> impl Strategy<Value = Content> {
    let body = ("\\PC{0,40}", any::<i32>(), vec(any::<bool>(), 0..4))
        .prop_map(|(text, number, flags)| json!({"Text": text, "Number": number, "Flags": flags}));
    let references = vec(item(), 0..3).prop_map(|items| canonical_references(&items));
    let item_value = (body, references).prop_map(|(body, refs)| (json::canonical(&body), refs));
    let files = vec(vec(any::<u8>(), 0..2000), 0..3);
    (btree_map(item(), item_value, 0..40), files)
        .prop_map(|(items, files)| Content { items, files })
}

/// All items of a bundle, read through its indexes and chunks.
fn read_items(reader: &Reader) -> BTreeMap<ItemRef, (String, String)> {
    let mut items = BTreeMap::new();
    for section in Section::ALL {
        let mut chunk = None;
        for entry in reader.index(section).unwrap() {
            let entry = entry.unwrap();
            if chunk
                .as_ref()
                .is_none_or(|(number, _)| *number != entry.chunk)
            {
                chunk = Some((entry.chunk, reader.chunk(section, entry.chunk).unwrap()));
            }
            let (_, lines) = chunk.as_mut().unwrap();
            let item = lines.next().unwrap().unwrap();
            assert_eq!(item.key, entry.key);
            assert_eq!(entry.digest, item_digest(&item.body, &item.references));
            assert_eq!(usize::try_from(entry.revision.0), Ok(item.body.len()));
            items.insert(entry.item(), (item.body, item.references));
        }
    }
    items
}

/// Notes all that it is told.
struct Everything;

impl Notary for Everything {
    type Notes = Vec<(ItemRef, (String, String))>;

    fn begin(&self, _section: Section) -> std::io::Result<Self::Notes> {
        Ok(Vec::new())
    }

    fn note(&self, notes: &mut Self::Notes, item: VerifiedItem<'_>) -> Result<(), BundleError> {
        let texts = (item.body.to_owned(), item.references.to_owned());
        notes.push((ItemRef::new(item.section, item.key.clone()), texts));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read(content in content(), zstd in any::<bool>()) {
        let compression = if zstd { Compression::Zstd } else { Compression::Deflate };
        let (bundle, summary) = content.write(packed(compression));
        prop_assert_eq!(summary.bytes, bundle.len() as u64);
        let reader = open(&bundle, &Limits::default()).unwrap();
        prop_assert_eq!(reader.manifest(), &summary.manifest);
        prop_assert_eq!(read_items(&reader), content.items.clone());
        let mut last = (0, 0);
        let (verified, noted) = verify_noting(&reader, &Everything, &mut |items, bytes| {
            assert!(last <= (items, bytes), "progress only grows");
            last = (items, bytes);
        }).unwrap();
        let items = content.items.clone();
        prop_assert_eq!(noted.concat(), items.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(verified.items, content.items.len() as u64);
        prop_assert!(content.items.is_empty() && content.files.is_empty()
            || last == (verified.items, verified.bytes));
        prop_assert_eq!(verified.content_digest, summary.manifest.content_digest);
        prop_assert_eq!(verified.attachments, summary.attachments);
        for file in &content.files {
            let mut read = Vec::new();
            reader.attachment(&sha256(file)).unwrap().unwrap().read_to_end(&mut read).unwrap();
            prop_assert_eq!(&read, file);
        }
        let spool = reader.spool_index(&std::env::temp_dir()).unwrap();
        prop_assert_eq!(spool.count(), verified.items);
        for item in content.items.keys() {
            prop_assert_eq!(spool.find(item).unwrap().unwrap().item(), item.clone());
        }
    }
}

/// Enough content for several chunks of a section.
fn large() -> Content {
    let mut content = Content::default();
    for number in 0..2_000 {
        let key = format!("Incident.Field{number:05}").parse().unwrap();
        let text = format!("{number} ").repeat(100);
        let body = json::canonical(&json!({"Label": text}));
        content.items.insert(
            ItemRef::new(Section::Metadata, key),
            (body, "[]".to_owned()),
        );
    }
    content.files.push(b"one".to_vec());
    content
}

#[test]
fn chunks_are_cut_at_half_a_mebibyte() {
    let (bundle, _) = large().write(WriterOptions::default());
    let reader = open(&bundle, &Limits::default()).unwrap();
    let chunks: Vec<_> = reader
        .entries()
        .filter(|(name, _)| name.to_string().starts_with("sections/metadata/0"))
        .map(|(_, bytes)| bytes)
        .collect();
    assert_eq!(chunks.len(), 2);
    assert!((524_288..525_000).contains(&chunks[0]), "{chunks:?}");
    assert_eq!(read_items(&reader), large().items);
}

#[test]
fn the_same_content_gives_the_same_bytes_but_for_the_manifest() {
    let content = large();
    let (first, _) = content.write(WriterOptions::default());
    let mut later = Writer::new(Vec::new(), WriterOptions::default());
    later.begin_section(Section::Metadata).unwrap();
    for (item, (body, references)) in &content.items {
        later
            .item(&line(
                item,
                &item_digest(body, references),
                body,
                references,
            ))
            .unwrap();
    }
    later.begin_section(Section::Workflow).unwrap();
    later.attachment(&sha256(b"one"), &mut &b"one"[..]).unwrap();
    let parts = dev2prod_bundle::ManifestParts {
        time_ms: 1,
        catalogue: dev2prod_model::digest::sha256(b"catalogue"),
        ..manifest_parts()
    };
    let (second, summary) = later.finish(parts).unwrap();

    let (mut first, mut second) = (hostile::Parts::of(&first), hostile::Parts::of(&second));
    let manifests = [
        first.0.remove("manifest.json"),
        second.0.remove("manifest.json"),
    ];
    assert_ne!(manifests[0], manifests[1]);
    let digest = summary.manifest.content_digest.to_string();
    assert!(
        manifests
            .iter()
            .flatten()
            .all(|text| String::from_utf8_lossy(text).contains(&digest))
    );
    assert_eq!(first.0, second.0);
    let (once, twice) = (
        content.write(packed(Compression::Zstd)),
        content.write(packed(Compression::Zstd)),
    );
    assert_eq!(once.0, twice.0);
}

#[test]
fn another_reader_of_zips_finds_the_same_entries() {
    let (bundle, _) = large().write(WriterOptions::default());
    let reader = open(&bundle, &Limits::default()).unwrap();
    let mut other = zip::ZipArchive::new(Cursor::new(&bundle)).unwrap();
    let mut names: Vec<_> = other
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    names.sort_unstable();
    let mut ours: Vec<_> = reader.entries().map(|(name, _)| name.to_string()).collect();
    ours.sort_unstable();
    assert_eq!(names, ours);
    for name in names {
        let mut entry = other.by_name(&name).unwrap();
        let time = entry.last_modified().unwrap();
        assert_eq!(
            (time.year(), time.month(), time.day(), time.hour()),
            (1980, 1, 1, 0),
            "{name}"
        );
        std::io::copy(&mut entry, &mut std::io::sink()).unwrap();
    }
}

#[test]
fn only_sections_with_items_get_files_and_the_manifest_lists_all_covered() {
    let parts = hostile::Parts::of(&hostile::sample());
    let names: Vec<_> = parts.0.keys().map(String::as_str).collect();
    insta::assert_snapshot!(names.join("\n"), @r"
    attachments/01aada2bb74cc8f2ee344235b585b4b6dd2f86fa352753597f059c773448c0fe
    manifest.json
    sections/attachments/0001.ndjson
    sections/attachments/index.ndjson
    sections/data/0001.ndjson
    sections/data/index.ndjson
    sections/formLayouts/0001.ndjson
    sections/formLayouts/index.ndjson
    sections/metadata/0001.ndjson
    sections/metadata/index.ndjson
    ");
    let reader = open(&hostile::sample(), &Limits::default()).unwrap();
    let counts: Vec<_> = reader
        .manifest()
        .sections
        .iter()
        .map(|entry| entry.count)
        .collect();
    assert_eq!(counts, [2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn a_missing_attachment_is_named_and_left_to_the_import() {
    let sound = hostile::Parts::of(&hostile::sample());
    let name = sound.0.keys().next().unwrap().clone();
    let verified = open_and_verify(&sound.without(&name).zip(), &Limits::default()).unwrap();
    assert_eq!(verified.missing_attachment_count, 1);
    let (key, digest) = &verified.missing_attachments[0];
    assert_eq!(
        (key.as_str(), format!("attachments/{digest}")),
        ("desk.txt", name)
    );
}

#[test]
fn a_writer_refuses_what_its_caller_mixed_up() {
    let key = |text: &str| ItemRef::new(Section::Data, text.parse().unwrap());
    let digest = item_digest("{}", "[]");
    let started = || {
        let mut writer = Writer::new(std::io::sink(), WriterOptions::default());
        writer.begin_section(Section::Data).unwrap();
        writer.item(&line(&key("b"), &digest, "{}", "[]")).unwrap();
        writer
    };
    let refuse = |result: Result<(), WriteError>| result.unwrap_err().to_string();
    let messages = [
        refuse(started().item(&line(&key("b"), &digest, "{}", "[]"))),
        refuse(started().item(&line(&key("a"), &digest, "{}", "[]"))),
        refuse(started().item(&line(&key("c"), &digest, "{\"a\":1}", "[]"))),
        refuse(started().item(&line(&key("c"), &digest, "{ }", "[]"))),
        refuse(started().item(&line(&key("c"), &digest, "[]", "[]"))),
        refuse(started().begin_section(Section::Metadata)),
        refuse(started().begin_section(Section::Data)),
        refuse(started().attachment(&digest, &mut &b"x"[..]).map(drop)),
        refuse(
            Writer::new(std::io::sink(), WriterOptions::default()).item(&line(
                &key("a"),
                &digest,
                "{}",
                "[]",
            )),
        ),
    ];
    insta::assert_snapshot!(messages.join("\n"), @r"
    the key 'b' of data was given after 'b'; keys go up, each once
    the key 'a' of data was given after 'b'; keys go up, each once
    the bytes of the item 'c' of data do not match the digest 3e2f8a1689dab63cf7b4eab40b84927481054dfecb9195f8d2543028fc5f2273: they give 0aff9a0eb96186ac93794bfadd89caa267bb6a6dd3228611b4aed4663705e6d2
    the text of item 'c' of data is not canonical JSON
    the text of item 'c' of data is not canonical JSON
    the section metadata was begun after data; sections go in the seed's order
    the section data was begun after data; sections go in the seed's order
    the bytes of attachments/3e2f8a1689dab63cf7b4eab40b84927481054dfecb9195f8d2543028fc5f2273 do not match the digest 3e2f8a1689dab63cf7b4eab40b84927481054dfecb9195f8d2543028fc5f2273: they give 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
    an item was given before its section was begun
    ");
}

#[test]
fn an_attachment_is_written_once() {
    let mut writer = Writer::new(Vec::new(), WriterOptions::default());
    let digest = sha256(b"bytes");
    assert!(!writer.has_attachment(&digest));
    assert!(writer.attachment(&digest, &mut &b"bytes"[..]).unwrap());
    assert!(writer.has_attachment(&digest));
    assert!(!writer.attachment(&digest, &mut std::io::empty()).unwrap());
    let (bundle, summary) = writer.finish(manifest_parts()).unwrap();
    assert_eq!(summary.attachments, 1);
    let reader = open(&bundle, &Limits::default()).unwrap();
    assert_eq!(reader.attachments().collect::<Vec<_>>(), [(digest, 5)]);
}

#[test]
fn an_unfinished_bundle_is_none() {
    struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let written = std::sync::Arc::default();
    let mut writer = Writer::new(
        Shared(std::sync::Arc::clone(&written)),
        WriterOptions::default(),
    );
    writer.attachment(&sha256(b"x"), &mut &b"x"[..]).unwrap();
    drop(writer);
    let refused = open(&written.lock().unwrap(), &Limits::default()).unwrap_err();
    assert!(
        matches!(refused.code(), "not_a_dev2prod_bundle" | "truncated"),
        "{refused}"
    );
}

#[test]
fn parts_of_one_bundle_are_read_side_by_side() {
    let (bundle, _) = large().write(WriterOptions::default());
    let reader = Reader::open(file_of(&bundle), &Limits::default()).unwrap();
    let mut chunks: Vec<_> = (1..=2)
        .map(|number| reader.chunk(Section::Metadata, number).unwrap())
        .collect();
    let mut counts = [0; 2];
    loop {
        let read: Vec<_> = chunks.iter_mut().map(Iterator::next).collect();
        if read.iter().all(Option::is_none) {
            break;
        }
        for (count, item) in counts.iter_mut().zip(read) {
            *count += usize::from(item.transpose().unwrap().is_some());
        }
    }
    assert_eq!(counts.iter().sum::<usize>(), 2_000);
    let keys: Vec<Key> = reader
        .index(Section::Metadata)
        .unwrap()
        .map(|e| e.unwrap().key)
        .collect();
    assert!(keys.is_sorted());
    assert_eq!(reader.index(Section::Data).unwrap().count(), 0);
    assert!(reader.chunk(Section::Data, 1).is_err());
    let carried = reader
        .index(Section::Metadata)
        .unwrap()
        .map(|entry| entry.unwrap().carried);
    assert!(
        carried
            .into_iter()
            .any(|carried| carried != Carried::Selected)
    );
}

/// A disk with room for so many bytes.
struct Disk(usize);

impl std::io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let written = bytes.len().min(self.0);
        self.0 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_said_wherever_it_happens() {
    let write = |room| {
        let mut writer = Writer::new(Disk(room), WriterOptions::default());
        writer.begin_section(Section::Data)?;
        let item = ItemRef::new(Section::Data, "a".parse().unwrap());
        writer.item(&line(&item, &item_digest("{}", "[]"), "{}", "[]"))?;
        writer.attachment(&sha256(b"bytes"), &mut &b"bytes"[..])?;
        Ok(writer.finish(manifest_parts())?.1.bytes)
    };
    let bytes = usize::try_from(write(usize::MAX).unwrap()).unwrap();
    for room in 0..bytes {
        let error: WriteError = write(room).unwrap_err();
        assert!(matches!(error, WriteError::Io(_)), "{room}: {error}");
    }
    assert!(write(bytes).is_ok());
}

#[test]
fn more_than_65535_entries_are_written_and_read() {
    let limits = Limits {
        entries_max: 70_001,
        ..Limits::default()
    };
    let options = WriterOptions {
        limits,
        ..WriterOptions::default()
    };
    let mut writer = Writer::new(Vec::new(), options);
    let files = || (0_u32..70_000).map(u32::to_le_bytes);
    for file in files() {
        writer.attachment(&sha256(&file), &mut &file[..]).unwrap();
    }
    let (bundle, _) = writer.finish(manifest_parts()).unwrap();
    let reader = open(&bundle, &limits).unwrap();
    assert_eq!(reader.attachments().count(), 70_000);
    let mut last = Vec::new();
    let digest = sha256(&files().next_back().unwrap());
    reader
        .attachment(&digest)
        .unwrap()
        .unwrap()
        .read_to_end(&mut last)
        .unwrap();
    assert_eq!(last, 69_999_u32.to_le_bytes());
}
