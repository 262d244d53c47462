//! Times for people.

/// A moment in ISO 8601, to the second, in UTC; epoch milliseconds in.
pub(crate) fn iso(epoch_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(epoch_ms - epoch_ms.rem_euclid(1_000))
        .map_or_else(|_| format!("{epoch_ms} ms"), |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_moment_reads_as_iso_8601() {
        assert_eq!(super::iso(1_737_971_051_843), "2025-01-27T09:44:11Z");
        assert_eq!(super::iso(i64::MAX), format!("{} ms", i64::MAX));
    }
}
