//! Content to measure with: configuration items of about a kibibyte, the same on every machine.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

/// Sections and their share of a hundred items.
const SHARES: [(&str, u64); 9] = [
    ("SLTTenantSetting", 4),
    ("metadata", 30),
    ("indexConfiguration", 6),
    ("formLayouts", 12),
    ("rulesInEntity", 16),
    ("workflow", 10),
    ("uiComponentConfig", 8),
    ("resourceBundles", 10),
    ("data", 4),
];

/// Bodies are between 0.6 and 1.4 times this long.
const BODY_BYTES_MEAN: u64 = 1024;

const WORDS: [&str; 48] = [
    "account",
    "address",
    "amount",
    "approval",
    "asset",
    "balance",
    "batch",
    "billing",
    "budget",
    "calendar",
    "carrier",
    "category",
    "change",
    "channel",
    "contact",
    "contract",
    "cost",
    "customer",
    "delivery",
    "department",
    "device",
    "document",
    "employee",
    "entity",
    "event",
    "expense",
    "gateway",
    "group",
    "incident",
    "invoice",
    "journal",
    "label",
    "location",
    "manager",
    "order",
    "owner",
    "period",
    "policy",
    "priority",
    "product",
    "project",
    "quote",
    "request",
    "schedule",
    "service",
    "shipment",
    "team",
    "vendor",
];

/// Text that is not ASCII, so that encoding is part of what is measured.
const FOREIGN: [&str; 6] = ["Größe", "façade", "請求書", "заказ", "فاتورة", "Łódź"];

const LOCALES: [&str; 5] = ["de-DE", "en-US", "fr-FR", "ja-JP", "pt-BR"];

/// Writes `items` lines as `POST …/content` takes them.
///
/// An item depends on its number alone, so that a smaller content is the beginning of a larger
/// one; neighbours differ in section and key, as if written in random order.
pub(super) fn write_content(out: &mut impl Write, items: u64) -> io::Result<()> {
    for number in 0..items {
        let (section, key) = name_of(number);
        let body = body_of(number, section, &key);
        let line = json!({"PackageName": section, "Key": key, "Body": body, "References": []});
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn name_of(number: u64) -> (&'static str, String) {
    let mut chance = Chance::new(number);
    // 37 and 100 have no common divisor: every hundred items have the shares of the table.
    let mut place = number * 37 % 100;
    let mut section = SHARES[0].0;
    for (name, share) in SHARES {
        section = name;
        if place < share {
            break;
        }
        place -= share;
    }
    (
        section,
        format!("{}.{}_{number:06x}", chance.word(), chance.word()),
    )
}

fn body_of(number: u64, section: &str, key: &str) -> Value {
    // Another sequence than the one that made the key.
    let mut chance = Chance::new(number ^ (1 << 40));
    let mut label = Map::new();
    for _ in 0..2 {
        label.insert(
            chance.one_of(&LOCALES).to_owned(),
            chance.sentence(2).into(),
        );
    }
    let words = 6 + chance.below(8);
    let mut body = json!({
        "active": chance.below(10) > 0,
        "description": chance.sentence(words),
        "label": label,
        "name": key,
        "revision": 1 + chance.below(40),
        "tags": [chance.word(), chance.word()],
    });
    let wanted = BODY_BYTES_MEAN * (60 + chance.below(81)) / 100;
    let mut parts = Vec::new();
    let mut length = body.to_string().len() + r#","parts":[]"#.len();
    while (length as u64) < wanted {
        let part = part_of(&mut chance, section);
        length += part.to_string().len() + 1;
        parts.push(part);
    }
    body["parts"] = parts.into();
    body
}

/// One element of a body, in a shape that is usual for its section.
fn part_of(chance: &mut Chance, section: &str) -> Value {
    match section {
        "metadata" | "indexConfiguration" => json!({
            "label": chance.sentence(3),
            "max_length": 32 << chance.below(8),
            "name": chance.name(),
            "required": chance.below(3) == 0,
        }),
        "formLayouts" | "uiComponentConfig" => json!({
            "columns": 1 + chance.below(4),
            "field": chance.name(),
            "help": chance.sentence(5),
            "visible_if": {"field": chance.name(), "op": "eq", "value": chance.below(10_000)},
        }),
        "workflow" | "rulesInEntity" => json!({
            "action": chance.one_of(&["assign", "escalate", "notify", "reject", "set_field"]),
            "if": [{"field": chance.name(), "op": "ne", "value": chance.word()}],
            "target": chance.name(),
            "timeout_s": 30 * chance.below(120),
        }),
        "resourceBundles" => json!({
            "key": chance.name(),
            "locale": chance.one_of(&LOCALES),
            "text": chance.sentence(6),
        }),
        _ => json!({
            "code": format!("{}-{:04}", chance.word(), chance.below(10_000)),
            "rank": chance.below(1_000),
            "text": chance.sentence(4),
        }),
    }
}

/// A sequence of numbers that its start decides (SplitMix64).
struct Chance {
    state: u64,
}

impl Chance {
    fn new(start: u64) -> Self {
        Self {
            state: start.wrapping_mul(0x2545_f491_4f6c_dd1d),
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap_or(0)]
    }

    fn word(&mut self) -> &'static str {
        self.one_of(&WORDS)
    }

    fn name(&mut self) -> String {
        format!("{}_{}", self.word(), self.word())
    }

    fn sentence(&mut self, words: u64) -> String {
        let mut chosen: Vec<_> = (0..words).map(|_| self.word()).collect();
        if self.below(5) == 0 {
            chosen[0] = self.one_of(&FOREIGN);
        }
        chosen.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn lines(items: u64) -> Vec<String> {
        let mut out = Vec::new();
        write_content(&mut out, items).expect("writing to memory");
        String::from_utf8(out)
            .expect("JSON is UTF-8")
            .lines()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn a_smaller_content_is_the_beginning_of_a_larger_one() {
        assert_eq!(lines(20), lines(50)[..20]);
    }

    #[test]
    fn items_have_the_shares_sizes_and_distinct_keys_that_are_promised() {
        let mut shares = BTreeMap::new();
        let mut keys = BTreeSet::new();
        let mut bytes = 0;
        for line in lines(1_000) {
            let item: Value = serde_json::from_str(&line).expect("a line is JSON");
            *shares.entry(item["PackageName"].to_string()).or_insert(0) += 1;
            bytes += item["Body"].to_string().len();
            keys.insert(item["Key"].to_string());
        }
        assert_eq!(keys.len(), 1_000);
        let promised: BTreeMap<_, _> = SHARES
            .iter()
            .map(|(name, share)| (format!("\"{name}\""), share * 10))
            .collect();
        assert_eq!(shares, promised);
        let mean = bytes / 1_000;
        assert!((1_000..1_200).contains(&mean), "mean body of {mean} bytes");
    }

    #[test]
    fn the_content_never_changes_unnoticed() {
        insta::assert_snapshot!(lines(3)[2]);
    }
}
