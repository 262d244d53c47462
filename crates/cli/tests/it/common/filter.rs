//! Leaves out what differs from run to run.

use std::sync::OnceLock;

use regex_lite::Regex;

const PATTERNS: [(&str, &str); 8] = [
    (r"after \d+ seconds", "after [n] seconds"),
    (r"127\.0\.0\.1:\d+", "[address]"),
    (r"\b[0-9a-f]{64}\b", "[digest]"),
    (
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        "[uuid]",
    ),
    (r"\b[0-9a-f]{24}\b", "[id]"),
    (r"\b20\d\d-\d\d-\d\d \d\d[:-]\d\d(:\d\d)?", "[time]"),
    (
        r#"("(?:StartTime|LastUpdateTime|CreatedTime|TimeToLive)": )\d+"#,
        "${1}[ms]",
    ),
    (r"[\d.]+ [KM]?i?B\b", "[size]"),
];

/// The text with names for what differs from run to run.
pub(crate) fn filtered(text: &str) -> String {
    static COMPILED: OnceLock<Vec<(Regex, &str)>> = OnceLock::new();
    let compiled = COMPILED.get_or_init(|| {
        PATTERNS
            .iter()
            .map(|(pattern, name)| (Regex::new(pattern).unwrap(), *name))
            .collect()
    });
    compiled
        .iter()
        .fold(text.to_owned(), |text, (pattern, name)| {
            pattern.replace_all(&text, *name).into_owned()
        })
}
