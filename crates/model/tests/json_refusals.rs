//! What the strict reader refuses, and the sentence it says about it.

#![cfg(test)]

use dev2prod_model::json::{JsonLimits, check_canonical, is_canonical, parse};
use insta::assert_snapshot;

fn refusal(text: &[u8]) -> String {
    let limits = JsonLimits {
        depth_max: 4,
        bytes_max: 200,
    };
    assert!(!is_canonical(text, &limits));
    let error = parse(text, &limits).unwrap_err();
    assert_eq!(check_canonical(text, &limits), Err(error.clone()));
    format!("{}: {error}", error.code())
}

#[test]
fn each_refusal_says_what_where_and_what_to_do() {
    let texts: [&[u8]; 25] = [
        b"",
        b"{",
        b"{\"a\" 1}",
        b"{\"a\":1,}",
        b"{a:1}",
        b"{\"a\":[1 2]}",
        b"{\"a\":01}",
        b"{\"a\":1.}",
        b"{\"a\":+1}",
        b"{\"a\":NaN}",
        b"{\"a\":tru}",
        b"{\"a\":\"b",
        b"{\"a\":\"\x01\"}",
        b"{\"a\":\"\\x41\"}",
        b"{\"a\":\"\\u12g4\"}",
        b"\xEF\xBB\xBF{}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":{\"b/c\":[true,{\"d\":1,\"e\":2,\"d\":3}]}}",
        b"{\"a\":{\"~\":\"\\ud83d\"}}",
        b"{\"a\":\"\\udc00\\ud800\"}",
        b"{\"a\":[0,9007199254740993]}",
        b"{\"a\":1e400}",
        b"[[[[[1]]]]]",
        b"{} {}",
        &[b' '; 201],
    ];
    let refusals: Vec<_> = texts.iter().map(|text| refusal(text)).collect();
    assert_snapshot!(refusals.join("\n"), @r#"
    not_json: this is not JSON: expected a value, found the end (byte 0)
    not_json: this is not JSON: expected a name in quotation marks, found the end (byte 1)
    not_json: this is not JSON: expected ':' after a name, found '1' (byte 5)
    not_json: this is not JSON: expected a name in quotation marks, found '}' (byte 7)
    not_json: this is not JSON: expected a name in quotation marks, found 'a' (byte 1)
    not_json: this is not JSON: expected ',' or ']', found '2' (at /a, byte 8)
    not_json: this is not JSON: expected a number without zeros in front, found '1' (at /a, byte 6)
    not_json: this is not JSON: expected a digit, found '}' (at /a, byte 7)
    not_json: this is not JSON: expected a value, found '+' (at /a, byte 5)
    not_json: this is not JSON: expected a value, found 'N' (at /a, byte 5)
    not_json: this is not JSON: expected a value, found 't' (at /a, byte 5)
    not_json: this is not JSON: expected '"' at the end of a string, found the end (at /a, byte 7)
    not_json: this is not JSON: expected an escape such as \n for a control character, found the control character U+0001 (at /a, byte 6)
    not_json: this is not JSON: expected one of " \ / b f n r t u after '\', found 'x' (at /a, byte 7)
    not_json: this is not JSON: expected four hexadecimal digits after '\u', found 'g' (at /a, byte 10)
    not_json: this is not JSON: expected a value, found a byte order mark (byte 0)
    not_utf8: the text is not UTF-8; send JSON in UTF-8 (byte 6)
    duplicate_name: the name 'd' occurs twice in one object; keep one of them (at /a/b~1c/1, byte 31)
    lone_surrogate: '\ud83d' is half of a surrogate pair; write the character itself or both halves (at /a/~0, byte 11)
    lone_surrogate: '\udc00' is half of a surrogate pair; write the character itself or both halves (at /a, byte 6)
    number_not_exact: the number 9007199254740993 cannot be kept exactly: it would become 9007199254740992; send it as a string (at /a/1, byte 8)
    number_not_exact: the number 1e400 cannot be kept exactly: it would become infinite; send it as a string (at /a, byte 5)
    too_deep: objects and arrays are nested more than 4 deep (at /0/0/0/0, byte 4)
    trailing_data: something follows the JSON value; send one value and nothing after it (byte 3)
    too_large: the JSON is 201 bytes long; the most is 200
    "#);
}

#[test]
fn proper_json_in_another_form_is_told_apart_from_improper() {
    let limits = JsonLimits::default();
    for (text, offset) in [
        ("{ }", 1),
        ("{\"b\":1,\"a\":2}", 2),
        ("{\"a\":1.0}", 6),
        ("{\"a\":-0}", 5),
        ("{\"a\":1e21}", 7),
        ("[\"\\/\"]", 2),
        ("[\"\\u0041\"]", 2),
        ("[\"\\u000A\"]", 3),
        ("[\"\\u001F\"]", 7),
        ("{}\n", 2),
    ] {
        let error = check_canonical(text.as_bytes(), &limits).unwrap_err();
        assert_eq!(
            (error.code(), error.offset),
            ("not_canonical", offset),
            "{text}"
        );
    }
    assert!(is_canonical(
        b"{\"a\":[1,-1,0.5,1e+21,\"\\u001f\\n/\"],\"b\":{}}",
        &limits
    ));
}

#[test]
fn limits_are_met_exactly() {
    let limits = JsonLimits {
        depth_max: 64,
        bytes_max: 130,
    };
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(nested(64).as_bytes(), &limits).is_ok());
    assert!(is_canonical(nested(64).as_bytes(), &limits));
    assert_eq!(
        parse(nested(65).as_bytes(), &limits).unwrap_err().code(),
        "too_deep"
    );
    assert!(!is_canonical(nested(65).as_bytes(), &limits));
    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    assert!(parse(long(130).as_bytes(), &limits).is_ok());
    assert_eq!(
        parse(long(131).as_bytes(), &limits).unwrap_err().code(),
        "too_large"
    );
    assert!(!is_canonical(long(131).as_bytes(), &limits));
}
