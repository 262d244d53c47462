//! Content that is made up: as much as is asked for, each release different from the one before.

use std::fmt::Write;
use std::ops::Range;

/// Lines of content: for each number an entity type, a form that refers to it, and a record.
///
/// A number's items change when `release` of it does.
pub(crate) fn lines(numbers: Range<u32>, release: impl Fn(u32) -> u32) -> String {
    let mut out = String::new();
    for number in numbers {
        let release = release(number);
        let note = format!("Note {release} on {number}. ").repeat(6);
        writeln!(
            out,
            r#"{{"PackageName":"metadata","Key":"E{number:06}","Body":{{"Note":"{note}","Release":{release}}},"References":[]}}
{{"PackageName":"formLayouts","Key":"E{number:06}/Form","Body":{{"Columns":{release},"Note":"{note}"}},"References":[{{"PackageName":"metadata","Key":"E{number:06}"}}]}}
{{"PackageName":"data","Key":"Desk/{number:06}","Body":{{"Note":"{note}","Seats":{release}}},"References":[]}}"#
        )
        .expect("a String takes every text");
    }
    out
}

/// A line that names a file's bytes.
pub(crate) fn attachment(key: &str, bytes: &[u8]) -> String {
    let sha256 = dev2prod_model::digest::sha256(bytes);
    let length = bytes.len();
    format!(
        r#"{{"PackageName":"attachments","Key":"{key}","Body":{{"Name":"{key}","ContentType":"text/plain","ContentLength":{length},"Sha256":"{sha256}"}},"References":[]}}
"#
    )
}
