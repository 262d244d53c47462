//! Numbers, checked from their text.

use serde_json::{Number, Value};

/// Integers up to this are printed as they are, and are the same in every reader.
const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

/// No number that binary64 holds needs more significant digits to be told apart.
const DIGITS_MAX: usize = 17;

/// A number's mathematical value: `0.d₁d₂…dₙ × 10^exponent`, without zeros at either end.
/// Zero has no digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: [u8; DIGITS_MAX],
    len: usize,
    exponent: i64,
}

impl Decimal {
    /// The value of a JSON number; `None` if it has more than 17 significant digits.
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let negative = bytes.first() == Some(&b'-');
        let mut this = Self {
            negative,
            digits: [0; DIGITS_MAX],
            len: 0,
            exponent: 0,
        };
        let mut zeros = 0;
        let mut point = false;
        let mut rest = &bytes[usize::from(negative)..];
        while let Some((&byte, after)) = rest.split_first() {
            match byte {
                b'.' => point = true,
                b'0'..=b'9' => {
                    if byte == b'0' && this.len == 0 {
                        this.exponent -= i64::from(point);
                    } else {
                        this.exponent += i64::from(!point);
                        zeros = this.digit(byte, zeros)?;
                    }
                }
                _ => {
                    this.exponent = this.exponent.saturating_add(exponent(after));
                    break;
                }
            }
            rest = after;
        }
        if this.len == 0 {
            this = Self {
                negative: false,
                digits: [0; DIGITS_MAX],
                len: 0,
                exponent: 0,
            };
        }
        Some(this)
    }

    /// Takes one digit after `zeros` zeros that are only significant if a digit follows them;
    /// answers how many zeros are pending then.
    fn digit(&mut self, byte: u8, zeros: usize) -> Option<usize> {
        if byte == b'0' {
            return Some(zeros + 1);
        }
        let at = self.len + zeros;
        if at >= DIGITS_MAX {
            return None;
        }
        self.digits[at] = byte - b'0';
        self.len = at + 1;
        Some(0)
    }
}

/// The exponent after `e`; beyond any number's if it does not fit.
fn exponent(text: &[u8]) -> i64 {
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let size = digits.iter().fold(0_i64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(i64::from(digit.wrapping_sub(b'0')))
    });
    if negative { -size } else { size }
}

/// Reads the text of a JSON number; `Err` says what it would become if its value is not kept.
pub(super) fn read(text: &str) -> Result<Value, String> {
    if let Some(small) = small_integer(text) {
        return Ok(Value::from(small));
    }
    let value: f64 = text.parse().map_err(|_| "no number".to_owned())?;
    if !value.is_finite() {
        return Err("infinite".to_owned());
    }
    let mut buffer = ryu_js::Buffer::new();
    let printed = buffer.format_finite(value);
    match Decimal::of(text) {
        Some(decimal) if Decimal::of(printed) == Some(decimal) => Ok(number(value)),
        _ => Err(printed.to_owned()),
    }
}

/// The value of an integer of at most 15 digits, which binary64 always holds.
pub(super) fn small_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.len() > 15 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits
        .bytes()
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    Some(if digits.len() < text.len() {
        -size
    } else {
        size
    })
}

/// One representation for each value, so that equal numbers compare equal: an integer where every
/// reader holds it, binary64 otherwise.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= SAFE_INTEGER_MAX {
        // Exact: an integer of at most 2^53.
        Value::from(value as i64)
    } else {
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }
}

/// Prints a number as ECMAScript does, which is what RFC 8785 asks for.
pub(super) fn write(out: &mut String, number: &Number) {
    const SAFE: i64 = 1 << 53;
    match number.as_i64() {
        Some(integer) if (-SAFE..=SAFE).contains(&integer) => write_integer(out, integer),
        _ => {
            let value = number.as_f64().unwrap_or(0.0);
            out.push_str(ryu_js::Buffer::new().format(value));
        }
    }
}

/// The decimal digits, without the machinery of `write!`: integers are the most frequent numbers.
fn write_integer(out: &mut String, integer: i64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = integer.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if integer < 0 {
        out.push('-');
    }
    out.extend(digits[start..].iter().copied().map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept, as it is printed; or why not.
    fn check(text: &str) -> Result<String, String> {
        let value = read(text)?;
        let mut out = String::new();
        write(&mut out, value.as_number().unwrap());
        assert_eq!(
            read(&out).as_ref(),
            Ok(&value),
            "reading what was printed gives the same"
        );
        Ok(out)
    }

    #[test]
    fn a_number_is_kept_if_its_value_is() {
        for (text, printed) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0e5", "0"),
            ("0e99999999999999999999", "0"),
            ("1.0", "1"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("100e-2", "1"),
            ("0.1", "0.1"),
            ("-1.50", "-1.5"),
            ("999999999999999", "999999999999999"),
            ("9007199254740991", "9007199254740991"),
            ("9007199254740992", "9007199254740992"),
            ("1152921504606847000", "1152921504606847000"),
            ("100000000000000000000", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("1000000000000000000000", "1e+21"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("0.30000000000000004", "0.30000000000000004"),
        ] {
            assert_eq!(check(text), Ok(printed.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_number_that_would_change_is_refused_with_what_it_would_become() {
        for (text, becomes) in [
            ("9007199254740993", "9007199254740992"),
            ("1152921504606846976", "1152921504606847000"),
            ("0.1000000000000000055", "0.1"),
            ("0.1000000000000000055511151231257827", "0.1"),
            ("12345678901234567890", "12345678901234567000"),
            ("1e400", "infinite"),
            ("-1e400", "infinite"),
            ("1e99999999999999999999", "infinite"),
            ("1e-400", "0"),
            ("4.9e-324", "5e-324"),
            ("1.00000000000000000001", "1"),
        ] {
            assert_eq!(check(text), Err(becomes.to_owned()), "{text}");
        }
    }
}
