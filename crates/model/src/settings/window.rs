//! Weekly times at which imports may begin, in a fixed offset from UTC.
//!
//! An offset and not a time zone, so that what is meant does not change with a table of the
//! machine's: who wants summer time changes the offset.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: u16 = 24 * 60;
const DAY_MS: i64 = DAY_MINUTES as i64 * MINUTE_MS;
const WEEK_MS: i64 = 7 * DAY_MS;
/// From the epoch, a Thursday, back to the Monday before it.
const MONDAY_MS: i64 = 3 * DAY_MS;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Day {
    /// The first day.
    Monday,
    /// The second day.
    Tuesday,
    /// The third day.
    Wednesday,
    /// The fourth day.
    Thursday,
    /// The fifth day.
    Friday,
    /// The sixth day.
    Saturday,
    /// The seventh day.
    Sunday,
}

/// A time of day to the minute, `00:00` to `24:00`, the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime {
    minutes: u16,
}

/// How far a clock is ahead of UTC (`+02:00`) or behind it (`-05:30`); at most 14 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UtcOffset {
    minutes: i16,
}

/// A time of one day of the week: from its first minute to before its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Span {
    /// The day.
    pub day: Day,
    /// Its beginning.
    pub from: ClockTime,
    /// Its end, later on the same day: what goes over midnight is two.
    pub to: ClockTime,
}

/// What becomes of an import outside the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outside {
    /// It waits until the window opens.
    #[default]
    Wait,
    /// It is refused.
    Refuse,
}

/// Weekly times at which imports may begin: at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct ImportWindow {
    times: Vec<Span>,
    utc_offset: UtcOffset,
    outside: Outside,
}

/// A window as it is written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Written {
    times: Vec<Span>,
    #[serde(default)]
    utc_offset: UtcOffset,
    #[serde(default)]
    outside: Outside,
}

/// Why a window cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    /// Not a time of day.
    #[error("'{0}' is no time of day: write it from 00:00 to 24:00, such as 22:30")]
    Time(String),
    /// Not an offset.
    #[error("'{0}' is no offset from UTC: write it from -14:00 to +14:00, such as +02:00")]
    Offset(String),
    /// It would never open.
    #[error("the window has no Times and would never open: name some, or leave ImportWindow out")]
    Empty,
    /// More times than a window has.
    #[error("the window has {found} Times, and may have {max}", max = ImportWindow::TIMES_MAX)]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// A time that does not end after it begins.
    #[error(
        "Times[{index}] is from {from} to {to}, and has to end after it begins: what goes over \
         midnight is two, one to 24:00 and one from 00:00 of the next day"
    )]
    Backwards {
        /// Which one.
        index: usize,
        /// Its beginning.
        from: ClockTime,
        /// Its end.
        to: ClockTime,
    },
}

impl ImportWindow {
    /// The most times of a window.
    pub const TIMES_MAX: usize = 50;

    /// A window that opens at these times.
    pub fn new(
        times: Vec<Span>,
        utc_offset: UtcOffset,
        outside: Outside,
    ) -> Result<Self, InvalidWindow> {
        match times.len() {
            0 => return Err(InvalidWindow::Empty),
            found if found > Self::TIMES_MAX => return Err(InvalidWindow::TooMany { found }),
            _ => {}
        }
        let backwards = times.iter().position(|span| span.from >= span.to);
        if let Some(index) = backwards {
            let Span { from, to, .. } = times[index];
            return Err(InvalidWindow::Backwards { index, from, to });
        }
        Ok(Self {
            times,
            utc_offset,
            outside,
        })
    }

    /// Its times, as they were given.
    pub fn times(&self) -> &[Span] {
        &self.times
    }

    /// The clock that its times are told by.
    pub fn utc_offset(&self) -> UtcOffset {
        self.utc_offset
    }

    /// What becomes of an import outside.
    pub fn outside(&self) -> Outside {
        self.outside
    }

    /// Whether it is open at this moment, in epoch milliseconds.
    pub fn is_open(&self, at_ms: i64) -> bool {
        let week_ms = self.week_ms(at_ms);
        self.times.iter().any(|span| span.holds(week_ms))
    }

    /// The first moment, not before this one, at which it is open; in epoch milliseconds. It comes
    /// within a week.
    pub fn opens_ms(&self, at_ms: i64) -> i64 {
        if self.is_open(at_ms) {
            return at_ms;
        }
        let week_ms = self.week_ms(at_ms);
        let waits = self.times.iter().map(|span| {
            let wait_ms = span.begins_ms() - week_ms;
            wait_ms.rem_euclid(WEEK_MS)
        });
        at_ms.saturating_add(waits.min().unwrap_or(0))
    }

    /// How far its own week is, which begins on Monday.
    fn week_ms(&self, at_ms: i64) -> i64 {
        let ahead_ms = i64::from(self.utc_offset.minutes) * MINUTE_MS;
        (at_ms.rem_euclid(WEEK_MS) + ahead_ms + MONDAY_MS).rem_euclid(WEEK_MS)
    }
}

impl Span {
    fn begins_ms(&self) -> i64 {
        self.day as i64 * DAY_MS + self.from.ms()
    }

    fn holds(&self, week_ms: i64) -> bool {
        let to_ms = self.day as i64 * DAY_MS + self.to.ms();
        (self.begins_ms()..to_ms).contains(&week_ms)
    }
}

impl ClockTime {
    fn ms(self) -> i64 {
        i64::from(self.minutes) * MINUTE_MS
    }
}

impl FromStr for ClockTime {
    type Err = InvalidWindow;

    fn from_str(text: &str) -> Result<Self, InvalidWindow> {
        hours_and_minutes(text)
            .filter(|minutes| *minutes <= DAY_MINUTES)
            .map(|minutes| Self { minutes })
            .ok_or_else(|| InvalidWindow::Time(shortened(text)))
    }
}

impl FromStr for UtcOffset {
    type Err = InvalidWindow;

    fn from_str(text: &str) -> Result<Self, InvalidWindow> {
        const MINUTES_MAX: i16 = 14 * 60;
        let signed = match text.as_bytes().first() {
            Some(b'+') => Some(1),
            Some(b'-') => Some(-1),
            _ => None,
        };
        let minutes = signed.and_then(|sign: i16| {
            let minutes = i16::try_from(hours_and_minutes(&text[1..])?).ok()?;
            (minutes <= MINUTES_MAX).then_some(sign * minutes)
        });
        minutes
            .map(|minutes| Self { minutes })
            .ok_or_else(|| InvalidWindow::Offset(shortened(text)))
    }
}

/// The minutes of `HH:MM`.
fn hours_and_minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60).then_some(hours * 60 + minutes)
}

fn shortened(text: &str) -> String {
    text.chars().take(50).collect()
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minutes < 0 { '-' } else { '+' };
        let minutes = self.minutes.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidWindow;

            fn try_from(text: String) -> Result<Self, InvalidWindow> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    )*};
}

as_text!(ClockTime, UtcOffset);

impl TryFrom<Written> for ImportWindow {
    type Error = InvalidWindow;

    fn try_from(written: Written) -> Result<Self, InvalidWindow> {
        Self::new(written.times, written.utc_offset, written.outside)
    }
}

impl From<ImportWindow> for Written {
    fn from(window: ImportWindow) -> Self {
        let ImportWindow {
            times,
            utc_offset,
            outside,
        } = window;
        Self {
            times,
            utc_offset,
            outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn days() -> impl Strategy<Value = Day> {
        prop_oneof![
            Just(Day::Monday),
            Just(Day::Tuesday),
            Just(Day::Wednesday),
            Just(Day::Thursday),
            Just(Day::Friday),
            Just(Day::Saturday),
            Just(Day::Sunday),
        ]
    }

    fn spans() -> impl Strategy<Value = Span> {
        let minutes = (0..DAY_MINUTES).prop_flat_map(|from| (Just(from), from + 1..=DAY_MINUTES));
        (days(), minutes).prop_map(|(day, (from, to))| Span {
            day,
            from: ClockTime { minutes: from },
            to: ClockTime { minutes: to },
        })
    }

    fn windows() -> impl Strategy<Value = ImportWindow> {
        let offsets = (-14 * 60..=14 * 60_i16).prop_map(|minutes| UtcOffset { minutes });
        let outside = prop_oneof![Just(Outside::Wait), Just(Outside::Refuse)];
        (prop::collection::vec(spans(), 1..6), offsets, outside)
            .prop_map(|(times, offset, outside)| ImportWindow::new(times, offset, outside).unwrap())
    }

    /// Whole minutes and odd milliseconds around now, before the epoch, and at the ends of time.
    fn moments() -> impl Strategy<Value = i64> {
        prop_oneof![
            (-100_000_000..100_000_000_i64).prop_map(|minute| minute * MINUTE_MS),
            -4_000_000_000_000..4_000_000_000_000_i64,
            Just(i64::MIN),
            Just(i64::MAX),
        ]
    }

    proptest! {
        #[test]
        fn it_opens_within_a_week_and_not_before_it_is_open(window in windows(), at in moments()) {
            let opens = window.opens_ms(at);
            prop_assert!(opens >= at);
            prop_assert!(opens.saturating_sub(at) < WEEK_MS);
            if opens < i64::MAX {
                prop_assert!(window.is_open(opens));
                // Nothing opens between: a time begins at a whole minute.
                prop_assert!(opens == at || !window.is_open(opens - 1));
            }
            prop_assert_eq!(opens == at || at == i64::MAX, window.is_open(at) || at == i64::MAX);
        }

        #[test]
        fn no_minute_before_the_opening_is_open(
            window in windows(),
            minute in -100_000_000..100_000_000_i64,
        ) {
            let at = minute * MINUTE_MS;
            let opens = window.opens_ms(at);
            let minutes = (at..opens).step_by(usize::try_from(MINUTE_MS).unwrap());
            prop_assert!(minutes.into_iter().all(|minute| !window.is_open(minute)));
        }

        #[test]
        fn every_week_is_alike(window in windows(), at in -4_000_000_000_000..4_000_000_000_000_i64) {
            prop_assert_eq!(window.is_open(at), window.is_open(at + WEEK_MS));
            prop_assert_eq!(window.opens_ms(at) + WEEK_MS, window.opens_ms(at + WEEK_MS));
        }

        #[test]
        fn a_clock_that_is_ahead_opens_earlier(times in prop::collection::vec(spans(), 1..6),
            minutes in 0..=14 * 60_i16, at in -4_000_000_000_000..4_000_000_000_000_i64)
        {
            let window = |minutes| {
                ImportWindow::new(times.clone(), UtcOffset { minutes }, Outside::Wait).unwrap()
            };
            let ahead_ms = i64::from(minutes) * MINUTE_MS;
            prop_assert_eq!(window(minutes).is_open(at), window(0).is_open(at + ahead_ms));
        }

        #[test]
        fn a_window_reads_back(window in windows()) {
            let text = serde_json::to_string(&window).unwrap();
            prop_assert_eq!(serde_json::from_str::<ImportWindow>(&text).unwrap(), window);
        }
    }

    #[track_caller]
    fn refused(text: &str) -> String {
        let error = serde_json::from_str::<ImportWindow>(text).unwrap_err();
        error.to_string()
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        let one = |from: &str, to: &str| {
            format!(r#"{{"Times":[{{"Day":"Monday","From":"{from}","To":"{to}"}}]}}"#)
        };
        insta::assert_snapshot!(refused(r#"{"Times":[]}"#), @"the window has no Times and would never open: name some, or leave ImportWindow out");
        insta::assert_snapshot!(refused(&one("22:00", "06:00")), @"Times[0] is from 22:00 to 06:00, and has to end after it begins: what goes over midnight is two, one to 24:00 and one from 00:00 of the next day");
        for (from, to) in [
            ("8:00", "09:00"),
            ("08:60", "09:00"),
            ("00:00", "24:01"),
            ("a", "09:00"),
        ] {
            assert!(
                refused(&one(from, to)).contains("is no time of day"),
                "{from} {to}"
            );
        }
        for offset in ["2", "+2:00", "Z", "+14:01", "-15:00", "02:00", "é"] {
            let text = format!(
                r#"{{"Times":[{{"Day":"Monday","From":"00:00","To":"24:00"}}],"UtcOffset":"{offset}"}}"#
            );
            assert!(refused(&text).contains("is no offset from UTC"), "{offset}");
        }
        assert!(refused(&one("01:00", "02:00").replace("Monday", "Caturday")).contains("Caturday"));
    }

    #[test]
    fn a_window_has_a_limited_number_of_times() {
        let span = Span {
            day: Day::Monday,
            from: "00:00".parse().unwrap(),
            to: "24:00".parse().unwrap(),
        };
        let window = |count| {
            ImportWindow::new(vec![span; count], UtcOffset::default(), Outside::Wait).map(|_| ())
        };
        assert_eq!(window(ImportWindow::TIMES_MAX), Ok(()));
        let found = ImportWindow::TIMES_MAX + 1;
        assert_eq!(window(found), Err(InvalidWindow::TooMany { found }));
    }
}
