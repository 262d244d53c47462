//! Conditional requests: entity tags (RFC 9110, 8.8.3 and 13.1).

use axum::http::HeaderMap;
use axum::http::header::{HeaderName, HeaderValue};
use dev2prod_model::item::Digest;

/// The strong entity tag of something that a digest names.
pub(crate) fn etag(digest: &Digest) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{digest}\"")).expect("a digest is hexadecimal digits")
}

/// The entity tags of a header such as `If-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tags {
    /// `*`: any version at all.
    Any,
    /// These, without quotes; whether each is weak.
    These(Vec<(String, bool)>),
}

impl Tags {
    /// The tags that the header lists; `None` without the header.
    pub(crate) fn of(headers: &HeaderMap, name: HeaderName) -> Option<Self> {
        let mut lines = headers.get_all(name).into_iter().peekable();
        lines.peek()?;
        let mut tags = Vec::new();
        for line in lines {
            let text = line.to_str().unwrap_or_default();
            if text.trim() == "*" {
                return Some(Self::Any);
            }
            // Our tags hold no commas, so a foreign one that does is cut in parts that match none.
            tags.extend(
                text.split(',')
                    .map(str::trim)
                    .filter(|tag| !tag.is_empty())
                    .map(|tag| {
                        let (tag, weak) = tag
                            .strip_prefix("W/")
                            .map_or((tag, false), |tag| (tag, true));
                        (tag.trim_matches('"').to_owned(), weak)
                    }),
            );
        }
        Some(Self::These(tags))
    }

    /// Whether one of them is the version of this digest, by the strong comparison.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.find(digest, |weak| !weak)
    }

    /// Whether one of them is the version of this digest, by the weak comparison.
    pub(crate) fn has_weakly(&self, digest: &Digest) -> bool {
        self.find(digest, |_| true)
    }

    /// Those of them that are digests, and strong: no other can be one of ours.
    pub(crate) fn digests(&self) -> Vec<Digest> {
        match self {
            Self::Any => Vec::new(),
            Self::These(tags) => {
                let strong = tags.iter().filter(|(_, weak)| !weak);
                strong.filter_map(|(tag, _)| tag.parse().ok()).collect()
            }
        }
    }

    fn find(&self, digest: &Digest, counts: impl Fn(bool) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => {
                let digest = digest.to_string();
                tags.iter()
                    .any(|(tag, weak)| *tag == digest && counts(*weak))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::IF_MATCH;

    use super::*;

    fn tags(text: &str) -> Tags {
        let mut headers = HeaderMap::new();
        headers.insert(IF_MATCH, HeaderValue::from_str(text).unwrap());
        Tags::of(&headers, IF_MATCH).unwrap()
    }

    #[test]
    fn a_weak_tag_is_found_by_the_weak_comparison_only() {
        let digest = Digest([0xab; 32]);
        let own = "ab".repeat(32);
        for (text, strong, weak) in [
            (format!("\"{own}\""), true, true),
            (format!("\"x\", \"{own}\""), true, true),
            (own.clone(), true, true),
            (format!("W/\"{own}\""), false, true),
            ("*".to_owned(), true, true),
            ("\"x\"".to_owned(), false, false),
            (",".to_owned(), false, false),
        ] {
            let tags = tags(&text);
            assert_eq!(
                (tags.has(&digest), tags.has_weakly(&digest)),
                (strong, weak),
                "{text}"
            );
        }
        assert_eq!(Tags::of(&HeaderMap::new(), IF_MATCH), None);
    }
}
