//! How far a string is simply itself: most of the time of reading and writing goes here.

/// How many bytes at the beginning need no escape in a JSON string: up to the first quotation
/// mark, backslash or control character, or all.
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let mut chunks = bytes.chunks_exact(8);
    let mut done = 0;
    for chunk in &mut chunks {
        let word = chunk.try_into().map_or(0, u64::from_le_bytes);
        let special = special(word);
        if special != 0 {
            return done + special.trailing_zeros() as usize / 8;
        }
        done += 8;
    }
    let rest = chunks.remainder();
    let special = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < 0x20;
    done + rest.iter().position(special).unwrap_or(rest.len())
}

/// Marks the high bit of bytes that need an escape. Up to the first mark it is exact; a borrow
/// may add marks after it, which nobody looks at.
fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::plain_len;

    #[test]
    fn each_byte_is_found_at_each_place() {
        for byte in 0..=u8::MAX {
            for place in 0..20 {
                for filler in [b' ', b'a', b'#', b'!', b'[', b']', 0x7f, 0x80, 0xff] {
                    let mut bytes = [filler; 20];
                    bytes[place] = byte;
                    let escaped = byte < 0x20 || byte == b'"' || byte == b'\\';
                    let expected = if escaped { place } else { 20 };
                    assert_eq!(plain_len(&bytes), expected, "{byte} at {place} in {filler}");
                }
            }
        }
        assert_eq!(plain_len(b""), 0);
        assert_eq!(plain_len(b"\"\"\"\"\"\"\"\"\"\"\"\""), 0);
    }
}
