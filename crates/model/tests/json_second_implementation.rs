//! Reading, canonical writing and digests agree with a second implementation, `canonical.py`, over
//! thousands of generated texts: proper ones in every spelling, and improper ones.

#![cfg(test)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use dev2prod_model::json::{self, JsonLimits};
use dev2prod_model::{digest, json::check_canonical};

const TEXTS: usize = 4_000;

/// The same texts in every run: SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// A JSON text with free spelling: space anywhere, any escape, any form of a number.
fn text(chance: &mut Chance, out: &mut String, depth: u32) {
    space(chance, out);
    match chance.below(if depth == 0 { 6 } else { 9 }) {
        0 => out.push_str(chance.of(&["null", "true", "false"])),
        1 | 2 => string(chance, out),
        3..=5 => number(chance, out),
        6 => {
            out.push('[');
            for index in 0..chance.below(5) {
                separate(out, index);
                text(chance, out, depth - 1);
            }
            out.push(']');
        }
        _ => object(chance, out, depth),
    }
    space(chance, out);
}

fn object(chance: &mut Chance, out: &mut String, depth: u32) {
    out.push('{');
    for index in 0..chance.below(7) {
        separate(out, index);
        space(chance, out);
        string(chance, out);
        space(chance, out);
        out.push(':');
        text(chance, out, depth.saturating_sub(1));
    }
    out.push('}');
}

fn separate(out: &mut String, index: u64) {
    if index > 0 {
        out.push(',');
    }
}

fn space(chance: &mut Chance, out: &mut String) {
    if chance.one_in(4) {
        out.push_str(chance.of(&[" ", "\n", "\t", "\r\n", "  "]));
    }
}

fn string(chance: &mut Chance, out: &mut String) {
    out.push('"');
    for _ in 0..chance.below(8) {
        let c = match chance.below(9) {
            0 => chance.of(&['"', '\\', '/', '\u{8}', '\u{c}', '\n', '\r', '\t']),
            1 => char::from(u8::try_from(chance.below(0x20)).unwrap()),
            2 => chance.of(&[
                '\u{7f}', '\u{80}', 'é', 'ß', '\u{2028}', '€', 'e', '\u{301}',
            ]),
            3 => chance.of(&['\u{d7ff}', '\u{e000}', '\u{fb33}', '\u{fffd}', '\u{ffff}']),
            4 => chance.of(&['\u{10000}', '😀', '𝒜', '\u{10ffff}']),
            _ => char::from(b'a' + u8::try_from(chance.below(4)).unwrap()),
        };
        spell(chance, out, c);
    }
    if chance.one_in(400) {
        out.push_str(chance.of(&["\\ud800", "\\udc00x", "\\ud83d\\u0041", "\\ude00\\ud83d"]));
    }
    out.push('"');
}

fn spell(chance: &mut Chance, out: &mut String, c: char) {
    let short = match c {
        '"' | '\\' => Some(c),
        '/' => Some('/'),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        _ => None,
    };
    let must = c < ' ' || c == '"' || c == '\\';
    match short {
        Some(short) if chance.one_in(2) => out.extend(['\\', short]),
        _ if must || chance.one_in(4) => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                if chance.one_in(2) {
                    out.push_str(&format!("\\u{unit:04x}"));
                } else {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
        _ => out.push(c),
    }
}

fn number(chance: &mut Chance, out: &mut String) {
    let text = match chance.below(8) {
        0 => chance.below(1_000).to_string(),
        1 => format!("-{}", chance.below(10_000_000_000)),
        2 => format!("{}.{}", chance.below(100), chance.below(1_000_000)),
        3 => format!("{}e{}", chance.below(1_000), chance.below(40)),
        4 => format!(
            "-{}.{}E-{}",
            chance.below(10),
            chance.below(1_000),
            chance.below(30)
        ),
        5 => shortest(chance),
        6 => chance
            .of(&[
                "-0", "0.0", "-0.0e3", "1e21", "1e-7", "0.000001", "5e-324", "1.0e0", "1E+2",
            ])
            .to_owned(),
        // Near 2^53, and now and then what cannot be kept.
        _ if chance.one_in(25) => chance
            .of(&[
                "9007199254740993",
                "1e400",
                "1e-400",
                "0.1000000000000000055",
            ])
            .to_owned(),
        _ => (9_007_199_254_740_992 - chance.below(5)).to_string(),
    };
    out.push_str(&text);
}

/// Any binary64 at all, in its shortest spelling of 17 digits or fewer.
fn shortest(chance: &mut Chance) -> String {
    let value = f64::from_bits(chance.next());
    if value.is_finite() {
        format!("{value:e}")
    } else {
        "0".to_owned()
    }
}

/// Makes a text improper, or not: what the two implementations say is compared, not expected.
fn spoil(chance: &mut Chance, text: &mut Vec<u8>) {
    if text.is_empty() || !chance.one_in(8) {
        return;
    }
    let at = usize::try_from(chance.below(text.len() as u64)).unwrap();
    match chance.below(3) {
        0 => drop(text.remove(at)),
        1 => text.insert(at, chance.of(b"{}[],:\"0-.eE x\\\x01\xff\xc3")),
        _ => text.truncate(at),
    }
}

fn ours(text: &[u8]) -> String {
    let limits = JsonLimits::default();
    match json::parse(text, &limits) {
        Ok(value) => {
            let canonical = json::canonical(&value);
            assert_eq!(check_canonical(canonical.as_bytes(), &limits), Ok(()));
            let same = text == canonical.as_bytes();
            assert_eq!(json::is_canonical(text, &limits), same, "{canonical}");
            let again = json::parse(canonical.as_bytes(), &limits).unwrap();
            assert_eq!(again, value, "one representation for each value");
            format!(
                "ok {} {}",
                digest::item_digest(&canonical, "[]"),
                base64(canonical.as_bytes())
            )
        }
        Err(error) => {
            assert!(!json::is_canonical(text, &limits), "{error}");
            format!("refused {}", error.code())
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let of = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = of(0) << 16 | of(1) << 8 | of(2);
        for place in 0..4_usize {
            let sign = (bits >> (18 - 6 * place)) & 63;
            let used = place <= chunk.len();
            out.push(if used {
                char::from(SIGNS[sign as usize])
            } else {
                '='
            });
        }
    }
    out
}

#[test]
fn both_implementations_say_the_same_of_every_text() {
    let mut chance = Chance(7);
    let mut texts = Vec::new();
    for _ in 0..TEXTS {
        let mut out = String::new();
        object(&mut chance, &mut out, 4);
        let mut bytes = out.into_bytes();
        spoil(&mut chance, &mut bytes);
        texts.push(bytes);
    }
    let theirs = second_implementation(&texts);
    let (mut accepted, mut refused) = (0, 0);
    for (text, theirs) in texts.iter().zip(&theirs) {
        let ours = ours(text);
        let shown = String::from_utf8_lossy(text);
        // Where two things are wrong with a text, either may be named.
        match (ours.starts_with("ok"), theirs.starts_with("ok")) {
            (false, false) => refused += 1,
            _ => {
                assert_eq!(&ours, theirs, "{shown}");
                accepted += 1;
            }
        }
    }
    assert_eq!(theirs.len(), TEXTS);
    assert!(
        accepted > TEXTS / 2 && refused > TEXTS / 20,
        "{accepted} and {refused}"
    );
}

fn second_implementation(texts: &[Vec<u8>]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/canonical.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs python3 on the PATH: it is the second implementation");
    let mut stdin = python.stdin.take().unwrap();
    let lines: String = texts.iter().map(|text| base64(text) + "\n").collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}
