//! Just enough of Rust's grammar to tell code from comments and strings.

use std::iter::Peekable;
use std::str::CharIndices;

/// The same text with the insides of comments, strings and character literals blanked.
///
/// Lines and columns stay where they were, so that a finding in it is a finding in the source.
pub(crate) fn code_only(text: &str) -> String {
    let mut lexer = Lexer {
        text,
        chars: text.char_indices().peekable(),
        out: String::new(),
    };
    lexer.out.reserve(text.len());
    lexer.run();
    lexer.out
}

/// One attribute of a source: the text between the brackets, and the line it starts in.
pub(crate) struct Attribute<'a> {
    pub(crate) line: usize,
    pub(crate) content: &'a str,
}

/// Every attribute of a text made by [`code_only`], inner ones (`#![…]`) included.
pub(crate) fn attributes(code: &str) -> Vec<Attribute<'_>> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices('#') {
        let rest = code[at + 1..].trim_start_matches('!');
        let Some(inside) = rest.strip_prefix('[') else {
            continue;
        };
        let mut depth = 1;
        let end = inside.char_indices().find_map(|(index, c)| {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            (depth == 0).then_some(index)
        });
        if let Some(end) = end {
            let line = 1 + code[..at].matches('\n').count();
            found.push(Attribute {
                line,
                content: &inside[..end],
            });
        }
    }
    found
}

struct Lexer<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    out: String,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some((at, c)) = self.chars.next() {
            let rest = &self.text[at..];
            if rest.starts_with("//") {
                self.blank(c);
                self.line_comment();
            } else if rest.starts_with("/*") {
                self.blank(c);
                self.block_comment();
            } else if c == '"' {
                self.out.push(c);
                self.string();
            } else if let Some(hashes) = raw_string(&self.text[..at], rest) {
                self.raw_string(c, hashes);
            } else if c == '\'' && is_character(rest) {
                self.out.push(c);
                self.character();
            } else {
                self.out.push(c);
            }
        }
    }

    fn blank(&mut self, c: char) {
        self.out.push(if c == '\n' { '\n' } else { ' ' });
    }

    fn line_comment(&mut self) {
        while let Some((_, c)) = self.chars.next_if(|(_, c)| *c != '\n') {
            self.blank(c);
        }
    }

    fn block_comment(&mut self) {
        // The opening slash is taken; its star is not, and must not serve as a closing one too.
        let mut depth = 1;
        let mut previous = ' ';
        self.chars.next();
        self.out.push(' ');
        while let Some((_, c)) = self.chars.next() {
            self.blank(c);
            match (previous, c) {
                ('*', '/') => depth -= 1,
                ('/', '*') => depth += 1,
                _ => {
                    previous = c;
                    continue;
                }
            }
            previous = ' ';
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        while let Some((_, c)) = self.chars.next() {
            match c {
                '"' => {
                    self.out.push(c);
                    return;
                }
                '\\' => {
                    self.blank(c);
                    if let Some((_, escaped)) = self.chars.next() {
                        self.blank(escaped);
                    }
                }
                _ => self.blank(c),
            }
        }
    }

    fn raw_string(&mut self, first: char, hashes: usize) {
        self.out.push(first);
        for _ in 0..=hashes {
            if let Some((_, c)) = self.chars.next() {
                self.out.push(c);
            }
        }
        let close = format!("\"{}", "#".repeat(hashes));
        while let Some((at, c)) = self.chars.next() {
            if self.text[at..].starts_with(&close) {
                self.out.push_str(&close);
                for _ in 0..hashes {
                    self.chars.next();
                }
                return;
            }
            self.blank(c);
        }
    }

    fn character(&mut self) {
        let mut escaped = false;
        while let Some((_, c)) = self.chars.next() {
            if c == '\'' && !escaped {
                self.out.push(c);
                return;
            }
            escaped = c == '\\' && !escaped;
            self.blank(c);
        }
    }
}

/// The number of hashes if a raw string starts here, as `r"`, `r#"` or after a `b` or `c`.
fn raw_string(before: &str, rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('r')?;
    let mut earlier = before.chars().rev();
    let previous = match earlier.next() {
        Some('b' | 'c') => earlier.next(),
        other => other,
    };
    if previous.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    inner[hashes..].starts_with('"').then_some(hashes)
}

/// Whether a quote opens a character and not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_blanked_and_all_else_stays() {
        let source = r###"
let a = "todo!()"; // todo!()
/* todo!() /* nested */ still */ let b = r#"x " todo!()"#;
let c = '"'; let d: &'static str = b"\" todo!()";
let e = '\''; let f = br"\"; let g = for_r"";
//* todo!()
/**/ live();
"###;
        let code = code_only(source);
        let lines: Vec<_> = code
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let expected = [
            "let a = \"       \";",
            "let b = r#\"           \"#;",
            "let c = ' '; let d: &'static str = b\"          \";",
            "let e = '  '; let f = br\" \"; let g = for_r\"\";",
            "live();",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn lines_keep_their_numbers() {
        let source = "a\n/* b\nc */\n\"d\ne\"\nf";
        assert_eq!(
            code_only(source).matches('\n').count(),
            source.matches('\n').count()
        );
    }

    #[test]
    fn an_attribute_reaches_to_its_own_bracket() {
        let code = "#![a]\nx[1]\n#[b(c[2],\n d)] # e\n#[f";
        let found: Vec<_> = attributes(code)
            .iter()
            .map(|a| (a.line, a.content))
            .collect();
        assert_eq!(found, [(1, "a"), (3, "b(c[2],\n d)")]);
    }
}
