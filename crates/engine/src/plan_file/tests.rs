use dev2prod_model::item::Digest;
use dev2prod_model::plan::{Action, Reason};

use super::*;

fn entry(number: usize, action: Action, reason: Reason) -> Entry {
    Entry {
        item: ItemRef::new(
            Section::Metadata,
            format!("key-{number:06}").parse().unwrap(),
        ),
        action,
        reason,
        base: None,
        target: None,
        package: None,
        result: None,
        references: Vec::new(),
        settles: None,
        unsettles: false,
        chunk: Some(1),
        dangling: Vec::new(),
        merge: None,
        referred: None,
        own: None,
    }
}

fn write(entries: &[Entry]) -> (tempfile::NamedTempFile, Digest) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = PlanWriter::new(file.reopen().unwrap());
    for entry in entries {
        writer.push(entry).unwrap();
    }
    writer.count_unchanged(Section::Data, 7);
    writer.count_unchanged(Section::Workflow, 0);
    let written = writer.finish().unwrap();
    (file, written)
}

#[test]
fn a_plan_reads_back_as_it_was_written_at_every_chunk_boundary() {
    for count in [
        0,
        1,
        CHUNK_ENTRIES - 1,
        CHUNK_ENTRIES,
        CHUNK_ENTRIES + 1,
        2 * CHUNK_ENTRIES,
    ] {
        let entries: Vec<_> = (0..count)
            .map(|n| entry(n, Action::Added, Reason::New))
            .collect();
        let (file, _) = write(&entries);
        let reader = PlanReader::open(file.path()).unwrap();
        let chunks = &reader.index().chunks;
        assert_eq!(chunks.len(), count.div_ceil(CHUNK_ENTRIES));
        let read: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| reader.entries(chunk).unwrap())
            .collect();
        assert_eq!(read, entries);
        assert_eq!(
            reader.index().unchanged,
            BTreeMap::from([(Section::Data, 7)])
        );
    }
}

#[test]
fn the_index_counts_by_action_and_reason() {
    let (file, _) = write(&[
        entry(1, Action::Added, Reason::New),
        entry(2, Action::Failed, Reason::Conflict),
        entry(3, Action::Added, Reason::New),
    ]);
    let index = PlanReader::open(file.path()).unwrap().index().clone();
    assert_eq!(index.count(|count| count.action == Action::Added), 2);
    assert_eq!(index.count(|count| count.reason == Reason::Conflict), 1);
    assert_eq!(index.count(|_| true), 3);
}

#[test]
fn the_same_plan_has_the_same_digest_and_another_has_not() {
    let one = [entry(1, Action::Added, Reason::New)];
    let other = [entry(1, Action::Added, Reason::Adopted)];
    assert_eq!(write(&one).1, write(&one).1);
    assert_ne!(write(&one).1, write(&other).1);
}

#[test]
fn entries_out_of_order_are_refused() {
    let file = tempfile::tempfile().unwrap();
    let mut writer = PlanWriter::new(file);
    writer.push(&entry(2, Action::Added, Reason::New)).unwrap();
    let again = writer.push(&entry(2, Action::Added, Reason::New));
    assert!(matches!(again, Err(PlanFileError::OutOfOrder(..))));
}

#[test]
fn a_damaged_plan_is_told_from_a_readable_one() {
    use std::io::Write;
    for bytes in [&b"short"[..], &[0xff; 64][..], b"{}\x02\0\0\0\0\0\0\0"] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        assert!(matches!(
            PlanReader::open(file.path()),
            Err(PlanFileError::Unreadable(_))
        ));
    }
}
