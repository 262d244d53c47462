//! The header `Range` (RFC 9110, 14.2): one range of bytes. Several at once are not offered, and
//! whoever asks for them gets the whole, as the RFC allows.

/// What a `Range` means for something of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// From the first to before the second.
    Part(u64, u64),
    /// Nothing that is there.
    Nothing,
}

/// Reads the header; what cannot be read is passed over, as the RFC asks.
pub(super) fn wanted(range: Option<&str>, length: u64) -> Wanted {
    range
        .and_then(|range| read(range, length))
        .unwrap_or(Wanted::Whole)
}

fn read(range: &str, length: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // Numbers beyond all lengths are as good as the largest.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (first, last) = (first.trim(), last.trim());
    let (start, end) = if first.is_empty() {
        (length.saturating_sub(number(last)?), length)
    } else if last.is_empty() {
        (number(first)?, length)
    } else {
        let (first, last) = (number(first)?, number(last)?);
        if last < first {
            return None;
        }
        (first, last.saturating_add(1).min(length))
    };
    Some(if start < end {
        Wanted::Part(start, end)
    } else {
        Wanted::Nothing
    })
}

#[cfg(test)]
mod tests {
    use super::Wanted::*;
    use super::*;

    #[test]
    fn a_range_is_cut_to_what_is_there() {
        for (range, expected) in [
            ("bytes=0-3", Part(0, 4)),
            ("bytes=4-", Part(4, 10)),
            ("bytes=-3", Part(7, 10)),
            ("bytes=-30", Part(0, 10)),
            ("bytes=8-99", Part(8, 10)),
            ("Bytes = 0-0", Part(0, 1)),
            ("bytes=9-99999999999999999999999", Part(9, 10)),
            ("bytes=10-", Nothing),
            ("bytes=-0", Nothing),
            ("bytes=10-12", Nothing),
            ("bytes=3-1", Whole),
            ("bytes=0-1,3-4", Whole),
            ("bytes=a-b", Whole),
            ("bytes=-", Whole),
            ("items=0-1", Whole),
            ("bytes", Whole),
        ] {
            assert_eq!(wanted(Some(range), 10), expected, "{range}");
        }
        assert_eq!(wanted(None, 10), Whole);
    }
}
