//! Each limit, kept to the last: at the limit a bundle is read, one beyond it is refused.

use dev2prod_bundle::{BundleError, Limits, Reader, WriteError, Writer, WriterOptions, hostile};
use dev2prod_model::digest::item_digest;
use dev2prod_model::item::ItemRef;
use dev2prod_model::section::Section;

use crate::support::{Content, line, manifest_parts, open_and_verify};

/// The sample is read with `exact`, and refused with `code` by limits that `tighten` makes.
fn check(code: &str, set: impl Fn(&mut Limits, u64), exact: u64) {
    let sound = hostile::sample();
    let limits_of = |value| {
        let mut limits = Limits::default();
        set(&mut limits, value);
        limits
    };
    open_and_verify(&sound, &limits_of(exact)).unwrap();
    let refused = open_and_verify(&sound, &limits_of(exact - 1)).unwrap_err();
    assert_eq!(refused.code(), code, "{refused}");
}

fn sample() -> Reader {
    crate::support::open(&hostile::sample(), &Limits::default()).unwrap()
}

#[test]
fn entries() {
    let count = sample().entries().count() as u64;
    check(
        "too_many_entries",
        |limits, max| limits.entries_max = max,
        count,
    );
}

#[test]
fn unpacked_bytes() {
    let bytes = sample().entries().map(|(_, bytes)| bytes).sum();
    check(
        "unpacked_too_large",
        |limits, max| limits.unpacked_bytes_max = max,
        bytes,
    );
}

#[test]
fn manifest_bytes() {
    let (_, bytes) = sample().entries().next().unwrap();
    check(
        "manifest_too_large",
        |limits, max| limits.manifest_bytes_max = max,
        bytes,
    );
}

#[test]
fn items() {
    check(
        "too_many_items",
        |limits, max| limits.items_max = max,
        sample().manifest().item_count(),
    );
}

#[test]
fn line_bytes() {
    let parts = hostile::Parts::of(&hostile::sample());
    let chunks = parts.0.iter().filter(|(name, _)| name.contains("/0"));
    let longest = chunks.flat_map(|(_, bytes)| bytes.split(|&byte| byte == b'\n'));
    let longest = longest.map(<[u8]>::len).max().unwrap() as u64;
    check(
        "line_too_long",
        |limits, max| limits.line_bytes_max = max,
        longest,
    );
}

#[test]
fn depth() {
    let set = |limits: &mut Limits, max| limits.depth_max = usize::try_from(max).unwrap();
    // The manifest, too, is read with this limit; its lists of sections are three deep.
    check("invalid_manifest", set, 3);
    let deep = |depth: usize| {
        let lists = [&b"["[..]; 64][..depth - 1].concat();
        let lists = [&lists[..], &vec![b']'; depth - 1]].concat();
        hostile::Parts::of(&hostile::sample())
            .replace("sections/metadata/0001.ndjson", "\"Urgency\"", lists)
            .resealed()
            .zip()
    };
    open_and_verify(&deep(64), &Limits::default()).unwrap();
    let refused = open_and_verify(&deep(65), &Limits::default()).unwrap_err();
    assert!(
        matches!(
            refused,
            BundleError::InvalidLine {
                detail: "too_deep",
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn ratio_beyond_the_free_bytes() {
    let mut content = Content::default();
    content.files.push(vec![0; 100_000]);
    let (bundle, _) = content.write(WriterOptions::default());
    let unpacked: u64 = crate::support::open(&bundle, &Limits::default())
        .unwrap()
        .entries()
        .map(|(_, bytes)| bytes)
        .sum();
    let ratio = unpacked.div_ceil(bundle.len() as u64);
    assert!(ratio > 10, "zeros pack well");
    let limits = |ratio_max, ratio_free_bytes| Limits {
        ratio_max,
        ratio_free_bytes,
        ..Limits::default()
    };
    open_and_verify(&bundle, &limits(ratio, 0)).unwrap();
    let refused = open_and_verify(&bundle, &limits(ratio - 1, 0)).unwrap_err();
    assert_eq!(refused.code(), "ratio_too_high");
    open_and_verify(&bundle, &limits(ratio - 1, unpacked)).unwrap();
    let refused = open_and_verify(&bundle, &limits(ratio - 1, unpacked - 1)).unwrap_err();
    assert_eq!(refused.code(), "ratio_too_high");
}

/// Writes three items and a file with these limits and says what stopped it.
fn write_with(limits: Limits) -> Result<u64, &'static str> {
    let write = || {
        let options = WriterOptions {
            limits,
            ..WriterOptions::default()
        };
        let mut writer = Writer::new(Vec::new(), options);
        writer.begin_section(Section::Data)?;
        for key in ["a", "b", "c"] {
            let item = ItemRef::new(Section::Data, key.parse().unwrap());
            let body = format!("{{\"Key\":\"{key}\"}}");
            writer.item(&line(&item, &item_digest(&body, "[]"), &body, "[]"))?;
        }
        let zeros = vec![0; 100_000];
        writer.attachment(&dev2prod_model::digest::sha256(&zeros), &mut &zeros[..])?;
        let (bundle, summary) = writer.finish(manifest_parts())?;
        open_and_verify(&bundle, &limits).expect("what is finished is read");
        Ok(summary.bytes)
    };
    write().map_err(|error: WriteError| match error {
        WriteError::OverLimit(refusal) => refusal.code(),
        other => panic!("{other}"),
    })
}

#[test]
fn a_writer_stops_before_it_makes_what_no_reader_takes() {
    let limits = Limits::default();
    assert!(write_with(limits).is_ok());
    let cases = [
        (
            "too_many_entries",
            Limits {
                entries_max: 3,
                ..limits
            },
        ),
        (
            "too_many_items",
            Limits {
                items_max: 2,
                ..limits
            },
        ),
        (
            "line_too_long",
            Limits {
                line_bytes_max: 45,
                ..limits
            },
        ),
        (
            "unpacked_too_large",
            Limits {
                unpacked_bytes_max: 100_100,
                ..limits
            },
        ),
        (
            "manifest_too_large",
            Limits {
                manifest_bytes_max: 1_000,
                ..limits
            },
        ),
        (
            "ratio_too_high",
            Limits {
                ratio_max: 10,
                ratio_free_bytes: 1,
                ..limits
            },
        ),
    ];
    for (code, limits) in cases {
        assert_eq!(write_with(limits), Err(code));
    }
    assert!(
        write_with(Limits {
            entries_max: 4,
            items_max: 3,
            line_bytes_max: 46,
            ..limits
        })
        .is_ok()
    );
}
