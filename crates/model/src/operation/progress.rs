//! How far an operation is, how fast it goes, and when its step may end.

use serde::{Deserialize, Serialize};

use crate::id::OperationId;

/// A step of the work, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Choosing what a package carries.
    Selecting,
    /// Writing the bundle.
    Writing,
    /// Checking the bundle.
    Verifying,
    /// Working out the plan.
    Planning,
    /// Writing the next revision, unseen by readers.
    Staging,
    /// Reading back what was staged.
    Checking,
}

/// How far the work is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Progress {
    /// The step.
    pub phase: Phase,
    /// Items done in this step.
    pub items_done: u64,
    /// Items of this step in all; `None` until known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_total: Option<u64>,
    /// Bytes done in this step.
    pub bytes_done: u64,
    /// Bytes of this step in all; `None` until known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
    /// When this step began, in epoch milliseconds; whoever keeps the progress notes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub since_ms: Option<i64>,
    /// When this was counted, in epoch milliseconds; whoever keeps the progress notes it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub counted_ms: Option<i64>,
    /// The target's record of the bundle, once that is open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bundle: Option<OperationId>,
}

/// How fast a step goes, and when it may end if it goes on so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Items in a second, rounded down.
    pub items_per_second: u64,
    /// Bytes in a second, rounded down.
    pub bytes_per_second: u64,
    /// When the step may end, in epoch milliseconds; `None` where it is not known how much is to
    /// do, or nothing is done yet.
    pub end_ms: Option<i64>,
}

impl Progress {
    /// The beginning of a step.
    pub fn at(phase: Phase) -> Self {
        Self {
            phase,
            items_done: 0,
            items_total: None,
            bytes_done: 0,
            bytes_total: None,
            since_ms: None,
            counted_ms: None,
            bundle: None,
        }
    }

    /// The same as kept at `now_ms` after `before`: a step that goes on began when it began.
    #[must_use]
    pub fn kept(mut self, before: Option<&Self>, now_ms: i64) -> Self {
        let since_ms = before
            .filter(|before| before.phase == self.phase && before.items_done <= self.items_done)
            .and_then(|before| before.since_ms);
        self.since_ms = Some(since_ms.unwrap_or(now_ms));
        self.counted_ms = Some(now_ms);
        self
    }

    /// How fast the step has gone from its beginning to when it was counted; `None` while less
    /// than a [`Pace::SURE_MS`] of it has passed, for such a pace would be a guess.
    pub fn pace(&self) -> Option<Pace> {
        let (since_ms, counted_ms) = (self.since_ms?, self.counted_ms?);
        let took_ms = u64::try_from(counted_ms.checked_sub(since_ms)?).ok()?;
        if took_ms < Pace::SURE_MS {
            return None;
        }
        let left_ms = left_ms(self.bytes_done, self.bytes_total, took_ms)
            .or_else(|| left_ms(self.items_done, self.items_total, took_ms));
        Some(Pace {
            items_per_second: per_second(self.items_done, took_ms),
            bytes_per_second: per_second(self.bytes_done, took_ms),
            end_ms: left_ms.and_then(|left_ms| counted_ms.checked_add(left_ms)),
        })
    }
}

impl Pace {
    /// How much of a step has to pass before its pace is told, in milliseconds.
    pub const SURE_MS: u64 = 500;
}

fn per_second(done: u64, took_ms: u64) -> u64 {
    let rate = u128::from(done) * 1_000 / u128::from(took_ms.max(1));
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// What is left to do takes as long, for each of it, as what is done took.
fn left_ms(done: u64, total: Option<u64>, took_ms: u64) -> Option<i64> {
    let left = total?.saturating_sub(done);
    let all = u128::from(left) * u128::from(took_ms);
    i64::try_from(all.checked_div(u128::from(done))?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(items_done: u64, items_total: Option<u64>, took_ms: i64) -> Progress {
        Progress {
            items_done,
            items_total,
            since_ms: Some(1_000),
            counted_ms: Some(1_000 + took_ms),
            ..Progress::at(Phase::Planning)
        }
    }

    #[test]
    fn a_pace_is_told_once_it_is_no_guess() {
        let pace = |done, total, took_ms| {
            counted(done, total, took_ms)
                .pace()
                .map(|pace| (pace.items_per_second, pace.end_ms))
        };
        assert_eq!(pace(100, Some(400), 499), None);
        assert_eq!(pace(100, Some(400), 500), Some((200, Some(3_000))));
        assert_eq!(pace(400, Some(400), 2_000), Some((200, Some(3_000))));
        assert_eq!(pace(500, Some(400), 2_000), Some((250, Some(3_000))));
        assert_eq!(pace(0, Some(400), 2_000), Some((0, None)));
        assert_eq!(pace(100, None, 2_000), Some((50, None)));
        assert_eq!(pace(1, Some(2), -5), None, "a clock that was put back");
        assert_eq!(Progress::at(Phase::Planning).pace(), None);
    }

    #[test]
    fn bytes_tell_the_end_better_than_items() {
        let progress = Progress {
            bytes_done: 1_000,
            bytes_total: Some(4_000),
            ..counted(9, Some(10), 1_000)
        };
        let pace = progress.pace().unwrap();
        assert_eq!((pace.bytes_per_second, pace.end_ms), (1_000, Some(5_000)));
    }

    #[test]
    fn a_step_that_goes_on_began_when_it_began() {
        let first = Progress::at(Phase::Staging).kept(None, 10);
        assert_eq!((first.since_ms, first.counted_ms), (Some(10), Some(10)));
        let next = Progress {
            items_done: 5,
            ..Progress::at(Phase::Staging)
        };
        let next = next.kept(Some(&first), 30);
        assert_eq!((next.since_ms, next.counted_ms), (Some(10), Some(30)));
        let again = Progress::at(Phase::Staging).kept(Some(&next), 40);
        assert_eq!(again.since_ms, Some(40), "it was begun anew");
        let other = Progress::at(Phase::Checking).kept(Some(&next), 50);
        assert_eq!(other.since_ms, Some(50));
    }

    proptest! {
        #[test]
        fn a_pace_never_overflows_and_an_end_is_never_past(
            done: u64, total: Option<u64>, bytes: u64, bytes_total: Option<u64>,
            since_ms: i64, counted_ms: i64,
        ) {
            let progress = Progress {
                items_done: done,
                items_total: total,
                bytes_done: bytes,
                bytes_total,
                since_ms: Some(since_ms),
                counted_ms: Some(counted_ms),
                ..Progress::at(Phase::Writing)
            };
            if let Some(end_ms) = progress.pace().and_then(|pace| pace.end_ms) {
                prop_assert!(end_ms >= counted_ms);
            }
        }
    }
}
