//! One file for each reason to refuse.

use dev2prod_model::digest::{item_digest, sha256};
use dev2prod_model::item::Revision;
use dev2prod_model::section::Section;

use super::parts::Parts;
use super::raw::{RawEntry, many_entries, zip_of};
use crate::{Carried, ItemLine, Limits, ManifestParts, Seal, SigningKey, Writer, WriterOptions};

/// A file that has to be refused.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is.
    pub name: &'static str,
    /// The code that it is refused with.
    pub code: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Files that are refused with one code.
fn of<const N: usize>(code: &'static str, files: [(&'static str, Vec<u8>); N]) -> Vec<Case> {
    let case = |(name, bytes)| Case { name, code, bytes };
    files.into_iter().map(case).collect()
}

/// The bytes of the attachment in [`sample`].
const FILE: &[u8] = b"How to reach the service desk, on one page.\n";

/// A small sound bundle: metadata, a form that refers to it, a record and a file with its bytes.
pub fn sample() -> Vec<u8> {
    sealed(&Seal::Unsigned)
}

/// The same as [`sample`], signed.
pub fn signed_sample() -> Vec<u8> {
    sealed(&Seal::Sign(&SigningKey::from_seed(&[7; 32])))
}

fn sealed(seal: &Seal<'_>) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), WriterOptions::default());
    let file = format!(r#"{{"Name":"desk.txt","Sha256":"{}"}}"#, sha256(FILE));
    let items: [(Section, &str, &str, &str); 5] = [
        (
            Section::Metadata,
            "Incident",
            r#"{"Label":"Incident"}"#,
            "[]",
        ),
        (
            Section::Metadata,
            "Incident.Urgency",
            r#"{"Label":"Urgency","Order":2}"#,
            "[]",
        ),
        (
            Section::FormLayouts,
            "Incident/Default",
            r#"{"Fields":["Incident.Urgency"]}"#,
            r#"[{"Key":"Incident.Urgency","PackageName":"metadata"}]"#,
        ),
        (
            Section::Data,
            "Person/ann@example.com",
            r#"{"Name":"Ann"}"#,
            "[]",
        ),
        (Section::Attachments, "desk.txt", &file, "[]"),
    ];
    let mut last = None;
    for (section, key, body, references) in items {
        if last.replace(section) != Some(section) {
            writer
                .begin_section(section)
                .expect("sections are in order");
        }
        let line = ItemLine {
            key: &key.parse().expect("a good key"),
            digest: &item_digest(body, references),
            revision: Revision(1),
            carried: Carried::Selected,
            body,
            references,
            base: None,
        };
        writer.item(&line).expect("items are in order");
    }
    writer
        .attachment(&sha256(FILE), &mut &FILE[..])
        .expect("these are its bytes");
    writer
        .finish_sealed(sample_manifest(), seal)
        .expect("a Vec takes every byte")
        .0
}

fn sample_manifest() -> ManifestParts {
    let json = serde_json::json!({
        "Package": { "Id": 54321, "Name": "Everything" },
        "Origin": {
            "Id": "6f1c1a2e-0d5b-4c53-9a37-0d2f3a1b9c44",
            "TenantId": "123456789",
            "Server": "https://dev.example.com",
        },
    });
    let part = |name: &str| json[name].clone();
    ManifestParts {
        package_bundle_name: "Package-54321-123456789-2025-01-27 09-44".to_owned(),
        package: serde_json::from_value(part("Package")).expect("a package"),
        mode: dev2prod_model::package::Mode::Full,
        scope: Section::ALL.to_vec(),
        excluded: Vec::new(),
        remove: Vec::new(),
        removed_bases: Vec::new(),
        origin: serde_json::from_value(part("Origin")).expect("an origin"),
        source_revision: Revision(1),
        time_ms: 1_737_971_051_843,
        catalogue: dev2prod_model::digest::sha256(b"catalogue"),
        secrets: Vec::new(),
    }
}

const METADATA: &str = "sections/metadata/0001.ndjson";
const INDEX: &str = "sections/metadata/index.ndjson";

/// Every case: what is no archive, archives that lie, strange manifests, and bundles whose items
/// are not what they should be. None is larger than 10 MB.
pub fn cases() -> Vec<Case> {
    let bytes = sample();
    let sound = Parts::of(&bytes);
    [
        files(&bytes),
        names(&sound),
        archives(&sound),
        manifests(&sound),
        signatures(),
        items(&sound),
        missing_and_more(&sound),
        lines(&sound),
        shapes(&sound),
    ]
    .concat()
}

fn files(sound: &[u8]) -> Vec<Case> {
    let mut moved = sound.to_vec();
    let size_at = moved.len() - 10;
    moved[size_at] ^= 1;
    let mut changed = sound.to_vec();
    // The first packed byte of the first entry: after its header and name.
    changed[30 + METADATA.len()] ^= 0x10;
    let half = sound[..sound.len() / 2].to_vec();
    let most = sound[..sound.len() - 1].to_vec();
    let text = b"PackageName,Key\nmetadata,Incident\n".repeat(9);
    let other = zip_of(&[
        RawEntry::new("package.xml", "<package/>"),
        RawEntry::new("a/b", ""),
    ]);
    let max = u32::try_from(Limits::default().entries_max).expect("a small number");
    [
        of(
            "not_a_zip",
            [("an empty file", Vec::new()), ("a text", text)],
        ),
        of(
            "truncated",
            [("the first half", half), ("all but the last byte", most)],
        ),
        of(
            "damaged_directory",
            [("a table of contents elsewhere", moved)],
        ),
        of("damaged_entry", [("a changed byte", changed)]),
        of(
            "not_a_dev2prod_bundle",
            [("an archive of something else", other)],
        ),
        of("not_a_dev2prod_bundle", [("an empty archive", zip_of(&[]))]),
        of(
            "too_many_entries",
            [("100,001 entries", many_entries(max + 1))],
        ),
    ]
    .concat()
}

fn signatures() -> Vec<Case> {
    let signed = Parts::of(&signed_sample());
    let altered = |from: &str, to: &str| signed.clone().replace("manifest.json", from, to).zip();
    let mismatches = [
        (
            "a signed bundle in another's name",
            altered("6f1c1a2e-0d5b", "6f1c1a2e-0d5c"),
        ),
        (
            "a signature of another algorithm",
            altered("Ed25519", "Ed448"),
        ),
    ];
    let revision = signed
        .clone()
        .replace(INDEX, "\"Revision\":1", "\"Revision\":9")
        .zip();
    [
        of("signature_mismatch", mismatches),
        of(
            "digest_mismatch",
            [("a signed bundle with another revision", revision)],
        ),
    ]
    .concat()
}

fn names(sound: &Parts) -> Vec<Case> {
    let with = |name: &str| sound.clone().with(name, "x").zip();
    let unknown = [
        ("a strange file", with("readme.txt")),
        ("a folder", with("sections/")),
    ];
    let outside = [
        ("a path above", with("../../etc/cron.d/x")),
        ("a path from the root", with("/etc/passwd")),
        ("a path of another system", with("..\\x")),
    ];
    let mut twice = sound.entries();
    twice.extend(twice.last().cloned());
    [
        of("unknown_entry", unknown),
        of("entry_outside", outside),
        of(
            "duplicate_entry",
            [("two entries of one name", zip_of(&twice))],
        ),
    ]
    .concat()
}

fn archives(sound: &Parts) -> Vec<Case> {
    let altered = |alter: fn(&mut RawEntry)| {
        let mut entries = sound.entries();
        let chunk = |entry: &&mut RawEntry| entry.name == METADATA.as_bytes();
        alter(entries.iter_mut().find(chunk).expect("a chunk of metadata"));
        zip_of(&entries)
    };
    let inside = altered(|entry| entry.declared_packed_bytes = Some(100_000));
    let encrypted = altered(|entry| entry.flags = 1);
    let packed = altered(|entry| entry.method = Some(12));
    let renamed = altered(|entry| entry.local_name = Some(b"x".repeat(METADATA.len())));
    let shorter = altered(|entry| entry.declared_bytes = Some(1_000_000));
    let bomb = altered(|entry| entry.declared_bytes = Some(300_000_000));
    let hidden_bomb = altered(|entry| {
        entry.declared_bytes = Some(1_000);
        entry.bytes = vec![b'\n'; 4_000_000];
    });
    [
        of("damaged_directory", [("an entry inside another", inside)]),
        of(
            "unsupported_entry",
            [("encrypted", encrypted), ("packed otherwise", packed)],
        ),
        of(
            "damaged_entry",
            [
                ("another name inside", renamed),
                ("less than declared", shorter),
            ],
        ),
        of("ratio_too_high", [("a bomb that declares all", bomb)]),
        of(
            "larger_than_declared",
            [("a bomb that declares little", hidden_bomb)],
        ),
    ]
    .concat()
}

fn manifests(sound: &Parts) -> Vec<Case> {
    let to = |from: &str, to: &str| sound.clone().replace("manifest.json", from, to).zip();
    let without = sound.clone().without("manifest.json").zip();
    let version = "\"Version\": 1";
    let invalid = [
        ("no version", to(version, "\"Version\": \"1\"")),
        (
            "two versions",
            to(version, "\"Version\": 1, \"Version\": 1"),
        ),
        ("an unknown section", to("\"workflow\"", "\"workflows\"")),
        (
            "sections out of order",
            to("\"workflow\"", "\"resourceBundles\""),
        ),
        ("another mode", to("\"Full\"", "\"Most\"")),
        (
            "no JSON at all",
            sound.clone().with("manifest.json", "Format: 1").zip(),
        ),
    ];
    let other = [
        ("another format", to("dev2prod-bundle", "other")),
        ("no manifest", without),
    ];
    let count = to("\"Count\": 2", "\"Count\": 3");
    let scope = to("\"Scope\": [\n    \"metadata\",", "\"Scope\": [");
    [
        of("not_a_dev2prod_bundle", other),
        of(
            "newer_format_version",
            [("a later version", to(version, "\"Version\": 3"))],
        ),
        of("invalid_manifest", invalid),
        of("count_mismatch", [("another count", count)]),
        of("digest_mismatch", [("another scope", scope)]),
    ]
    .concat()
}

/// The lines of the chunk of metadata, each with its line feed.
fn chunk_lines(sound: &Parts) -> Vec<String> {
    let text = String::from_utf8_lossy(&sound.0[METADATA]).into_owned();
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn items(sound: &Parts) -> Vec<Case> {
    let lines = chunk_lines(sound);
    let chunk = |lines: &[&String]| {
        let text: String = lines.iter().map(|line| line.as_str()).collect();
        sound.clone().with(METADATA, text)
    };
    let to = |from: &str, to: &str| sound.clone().replace(METADATA, from, to).zip();
    let (first, second) = (&lines[0], &lines[1]);
    let reversed = chunk(&[second, first]).resealed().zip();
    let twice = chunk(&[first, second, second]);
    let attachment = format!("attachments/{}", sha256(FILE));
    let file = sound.clone().with(&attachment, "other").zip();
    let key_mismatch = [
        ("an item that no index has", twice.clone().zip()),
        ("an item that no chunk has", chunk(&[first]).zip()),
        (
            "an item of another key",
            to("\"Key\":\"Incident\"", "\"Key\":\"Incidenu\""),
        ),
    ];
    [
        of(
            "digest_mismatch",
            [("a changed item", to("\"Order\":2", "\"Order\":3"))],
        ),
        of("digest_mismatch", [("changed bytes of a file", file)]),
        of("not_sorted", [("items out of order", reversed)]),
        of("duplicate_key", [("a key twice", twice.resealed().zip())]),
        of("key_mismatch", key_mismatch),
    ]
    .concat()
}

fn missing_and_more(sound: &Parts) -> Vec<Case> {
    let without = |name: &str| sound.clone().without(name).zip();
    let chunk = chunk_lines(sound).concat();
    let unlisted = [
        ("a chunk too many", {
            let name = "sections/metadata/0002.ndjson";
            sound.clone().with(name, chunk).zip()
        }),
        ("an index of nothing", {
            let name = "sections/workflow/index.ndjson";
            sound.clone().with(name, "").zip()
        }),
        ("a chunk passed over", {
            let (from, to) = ("\"Chunk\":1", "\"Chunk\":2");
            sound.clone().replace(INDEX, from, to).zip()
        }),
    ];
    [
        of(
            "missing_entry",
            [
                ("no index", without(INDEX)),
                ("no chunk", without(METADATA)),
            ],
        ),
        of("unlisted_entry", unlisted),
    ]
    .concat()
}

fn lines(sound: &Parts) -> Vec<Case> {
    let value = |to: &[u8]| {
        let altered = sound.clone().replace(METADATA, "\"Urgency\"", to);
        altered.resealed().zip()
    };
    let deep = [[b'['; 64], [b']'; 64]].concat();
    let broken = [
        ("invalid UTF-8", value(b"\"\xff\"")),
        ("a name twice", value(b"1,\"Label\":1")),
        ("a number out of range", value(b"1e400")),
        ("a number that is not exact", value(b"9007199254740993")),
        ("another spelling", value(b" 1")),
        ("half a character", value(br#""\ud800""#)),
        ("too deep", value(&deep)),
        ("no JSON", value(b"}")),
    ];
    of("invalid_line", broken)
}

fn shapes(sound: &Parts) -> Vec<Case> {
    let chunk = |from: &str, to: &str| {
        let altered = sound.clone().replace(METADATA, from, to);
        altered.resealed().zip()
    };
    let index = |from: &str, to: &str| sound.clone().replace(INDEX, from, to).zip();
    let mut unended = sound.0[METADATA].clone();
    unended.pop();
    let misshapen = [
        (
            "a body that is no object",
            chunk(r#"{"Label":"Incident"}"#, "[1]"),
        ),
        (
            "references that are no list",
            chunk(r#""References":[]"#, r#""References":1"#),
        ),
        (
            "a key that is none",
            chunk(r#""Key":"Incident""#, r#""Key":"""#),
        ),
        (
            "no line feed at the end",
            sound.clone().with(METADATA, unended).zip(),
        ),
        (
            "an index in another spelling",
            index(r#""Chunk":1"#, r#""Chunk": 1"#),
        ),
        (
            "an index with another member",
            index(r#""Chunk":1"#, r#""Chunk":1,"X":1"#),
        ),
        (
            "an index that carries for no reason",
            index("Selected", "Because"),
        ),
    ];
    of("invalid_line", misshapen)
}
