//! How failed logins are slowed: the arithmetic, without a clock.

/// The failure that costs the first wait; those before it cost nothing, for people mistype.
const FAILURES_UNTIL_WAIT: u32 = 5;
/// The wait after the first failure that costs; each further one doubles it.
const FIRST_WAIT_MS: i64 = 1_000;
/// The longest wait.
const LONGEST_WAIT_MS: i64 = 15 * 60_000;
/// After this long without an attempt the failures are forgotten.
pub(super) const FORGET_MS: i64 = 4 * LONGEST_WAIT_MS;

/// The failed logins of one login from one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Throttle {
    failures: u32,
    last_ms: i64,
}

impl Throttle {
    /// How long the next attempt has to wait; `None` if it may be made now.
    pub(super) fn wait_ms(&self, now_ms: i64) -> Option<i64> {
        let since_ms = now_ms - self.last_ms;
        // A clock that was set back must not lock anybody out for longer than the wait itself.
        let left_ms = wait_after_ms(self.failures) - since_ms.max(0);
        (left_ms > 0).then_some(left_ms)
    }

    /// Counts a failure.
    pub(super) fn failed(&mut self, now_ms: i64) {
        let forgotten = self.failures > 0 && now_ms - self.last_ms >= FORGET_MS;
        self.failures = if forgotten {
            1
        } else {
            self.failures.saturating_add(1)
        };
        self.last_ms = now_ms;
    }

    /// Forgets all failures: the password was right.
    pub(super) fn succeeded(&mut self) {
        *self = Self::default();
    }
}

/// The wait after so many failures in a row.
fn wait_after_ms(failures: u32) -> i64 {
    match failures.checked_sub(FAILURES_UNTIL_WAIT) {
        None => 0,
        Some(doublings) => (FIRST_WAIT_MS << doublings.min(20)).min(LONGEST_WAIT_MS),
    }
}

/// Milliseconds as whole seconds for `Retry-After`: rounded up, so that whoever obeys is not early.
pub(super) fn retry_after_s(wait_ms: i64) -> u64 {
    wait_ms.max(0).unsigned_abs().div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn four_failures_are_free_and_each_one_from_the_fifth_doubles_the_wait() {
        let waits: Vec<_> = (0..18).map(wait_after_ms).collect();
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000,
                256_000, 512_000, 900_000, 900_000, 900_000
            ]
        );
        assert_eq!(wait_after_ms(u32::MAX), LONGEST_WAIT_MS);
    }

    #[test]
    fn seconds_to_wait_are_rounded_up() {
        assert_eq!([0, 1, 1_000, 1_001].map(retry_after_s), [1, 1, 1, 2]);
    }

    proptest! {
        #[test]
        fn whoever_waits_as_told_may_try_and_whoever_does_not_may_not(
            gaps_ms in prop::collection::vec(0..2_000_000_i64, 1..30),
        ) {
            let mut throttle = Throttle::default();
            let mut now_ms = 1_700_000_000_000;
            for gap_ms in gaps_ms {
                throttle.failed(now_ms);
                if let Some(wait_ms) = throttle.wait_ms(now_ms) {
                    prop_assert!((1..=LONGEST_WAIT_MS).contains(&wait_ms));
                    prop_assert_eq!(throttle.wait_ms(now_ms + wait_ms), None);
                    prop_assert_eq!(throttle.wait_ms(now_ms + wait_ms - 1), Some(1));
                    prop_assert!(throttle.wait_ms(now_ms - 10 * wait_ms) <= Some(wait_ms));
                }
                now_ms += gap_ms;
            }
            throttle.succeeded();
            prop_assert_eq!(throttle.wait_ms(now_ms), None);
        }
    }
}
