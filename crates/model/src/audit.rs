//! What is noted of administration and of those who were kept out, and how a flood of failures is
//! kept from filling a disk.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::id::TenantId;
use crate::sender::Sender;

/// Something that was asked for, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When, in epoch milliseconds.
    pub at_ms: i64,
    /// The tenant that it was about.
    pub tenant: Option<TenantId>,
    /// Who asked, or said to be.
    pub login: Option<String>,
    /// From where.
    pub sender: Sender,
    /// What was asked for: the id of the operation in the API's description.
    pub action: String,
    /// The path, which names what it was about.
    pub path: String,
    /// What else is worth knowing; never a secret.
    pub detail: Option<Value>,
    /// The status of the answer.
    pub status: u16,
    /// The code of a refusal.
    pub code: Option<String>,
}

impl AuditEntry {
    /// Whether it was done.
    pub fn is_done(&self) -> bool {
        self.status < 400
    }

    /// What makes failures alike: all but when, on which path, and with what.
    fn kind(&self) -> String {
        let Self {
            tenant,
            login,
            sender,
            action,
            status,
            code,
            ..
        } = self;
        let address = sender.address;
        format!("{tenant:?} {login:?} {address:?} {action} {status} {code:?}")
    }
}

/// How a failure is noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The hour that it is counted in, from the epoch.
    pub hour: i64,
    /// What it is counted under.
    pub kind: String,
    /// How many of this kind there were in this hour, itself included.
    pub count: u64,
    /// Whether it stands for failures of many kinds.
    pub rest: bool,
}

/// Failures of this hour, counted by kind.
///
/// A kind is written when its count reaches 1, 2, 4, 8 and so on, so that a flood costs few writes
/// and what stands written is at least half of the truth. Beyond [`Failures::KINDS_MAX`] kinds an
/// hour the rest is counted together.
#[derive(Debug, Default)]
pub struct Failures {
    hour: i64,
    counts: BTreeMap<String, u64>,
}

impl Failures {
    /// The most kinds of failures that are told apart in one hour.
    pub const KINDS_MAX: usize = 200;
    const HOUR_MS: i64 = 3_600_000;
    /// What the rest is counted under; no kind of its own is written so.
    const REST: &'static str = "the rest";

    /// Counts a failure; what is to be written of it, if anything.
    pub fn note(&mut self, entry: &AuditEntry) -> Option<Noted> {
        let hour = entry.at_ms.div_euclid(Self::HOUR_MS);
        if hour != self.hour {
            self.hour = hour;
            self.counts.clear();
        }
        let own = entry.kind();
        let rest = !self.counts.contains_key(&own) && self.counts.len() >= Self::KINDS_MAX;
        let kind = if rest { Self::REST.to_owned() } else { own };
        let count = self.counts.entry(kind.clone()).or_default();
        *count += 1;
        let count = *count;
        count.is_power_of_two().then_some(Noted {
            hour,
            kind,
            count,
            rest,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failure(login: &str, at_ms: i64) -> AuditEntry {
        AuditEntry {
            at_ms,
            tenant: None,
            login: Some(login.to_owned()),
            sender: Sender::default(),
            action: "sign_in".to_owned(),
            path: "/auth".to_owned(),
            detail: None,
            status: 401,
            code: None,
        }
    }

    #[test]
    fn repetitions_are_written_ever_more_rarely() {
        let mut failures = Failures::default();
        let written = (0..1_000).filter_map(|n| failures.note(&failure("ann", n)));
        let counts: Vec<_> = written.map(|noted| noted.count).collect();
        assert_eq!(counts, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
        let next = failures.note(&failure("ann", Failures::HOUR_MS)).unwrap();
        assert_eq!((next.hour, next.count), (1, 1), "each hour for itself");
    }

    #[test]
    fn kinds_beyond_the_limit_are_counted_together() {
        let mut failures = Failures::default();
        for n in 0..Failures::KINDS_MAX {
            let noted = failures.note(&failure(&format!("user{n}"), 0)).unwrap();
            assert!(!noted.rest, "{n}");
        }
        for count in 1..=2 {
            let noted = failures
                .note(&failure(&format!("other{count}"), 0))
                .unwrap();
            assert!(noted.rest);
            assert_eq!(noted.count, count);
        }
        let known = failures.note(&failure("user7", 0)).unwrap();
        assert!(!known.rest, "who is known is counted apart");
    }

    proptest! {
        #[test]
        fn a_flood_of_any_shape_is_written_seldom(logins in prop::collection::vec(0..1_000_u32, 1..3_000)) {
            let mut failures = Failures::default();
            let noted = logins.iter().filter_map(|n| failures.note(&failure(&n.to_string(), 0)));
            let mut last = BTreeMap::new();
            let mut writes = 0;
            for noted in noted {
                writes += 1;
                last.insert(noted.kind, noted.count);
            }
            prop_assert!(last.len() <= Failures::KINDS_MAX + 1);
            prop_assert!(writes <= 12 * (Failures::KINDS_MAX + 1));
            let told: u64 = last.values().sum();
            prop_assert!(told * 2 > logins.len() as u64);
        }
    }
}
