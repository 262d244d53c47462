//! Reading JSON of servers that we did not write: names in any case, absence as a value.

use serde_json::Value;

/// The member of one of these names, exactly so if there is one, otherwise in any case; a null is
/// absent.
pub(crate) fn member<'a>(value: &'a Value, names: &[&str]) -> Option<&'a Value> {
    let members = value.as_object()?;
    let exact = names.iter().find_map(|name| members.get(*name));
    let any_case = || {
        names.iter().find_map(|name| {
            members
                .iter()
                .find(|(member, _)| member.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
    };
    exact.or_else(any_case).filter(|value| !value.is_null())
}

/// The text of a member; a number as its digits.
pub(crate) fn text(value: &Value, names: &[&str]) -> Option<String> {
    match member(value, names)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The count of a member; absent if it is none.
pub(crate) fn count(value: &Value, names: &[&str]) -> Option<u64> {
    match member(value, names)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The time of a member, in epoch milliseconds.
pub(crate) fn time(value: &Value, names: &[&str]) -> Option<i64> {
    member(value, names)?.as_i64()
}

/// Whether a member is true, said in any way.
pub(crate) fn truth(value: &Value, names: &[&str]) -> Option<bool> {
    match member(value, names)? {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The entries of a member that may be a list, a single entry, or nothing.
pub(crate) fn entries<'a>(value: &'a Value, names: &[&str]) -> Vec<&'a Value> {
    match member(value, names) {
        None => Vec::new(),
        Some(Value::Array(entries)) => entries.iter().filter(|entry| !entry.is_null()).collect(),
        Some(Value::Object(members)) if members.is_empty() => Vec::new(),
        Some(Value::String(text)) if text.is_empty() => Vec::new(),
        Some(Value::Bool(false)) => Vec::new(),
        Some(entry) => vec![entry],
    }
}

/// The sentence in an entry of any shape; its JSON if there is none to be found.
pub(crate) fn sentence(entry: &Value) -> String {
    const NAMES: [&str; 8] = [
        "Message",
        "ErrorMessage",
        "detail",
        "Description",
        "error_description",
        "Text",
        "Reason",
        "Error",
    ];
    match entry {
        Value::String(text) => text.clone(),
        Value::Object(_) => {
            let inner = NAMES.iter().find_map(|name| member(entry, &[name]));
            match inner {
                Some(inner @ (Value::String(_) | Value::Object(_))) => sentence(inner),
                Some(_) | None => entry.to_string(),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => entry.to_string(),
    }
}

/// The id in the answer to what makes something: `Id`, `id` and `guid` alike.
pub(crate) fn id(value: &Value) -> Option<String> {
    text(value, &["Id", "guid"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_has_many_names() {
        for (answer, expected) in [
            (json!({"Id": "a"}), Some("a")),
            (json!({"id": "a"}), Some("a")),
            (json!({"guid": "a"}), Some("a")),
            (json!({"GUID": "a", "name": "b"}), Some("a")),
            (json!({"Id": 7}), Some("7")),
            (json!({"Id": ""}), None),
            (json!({"Id": null}), None),
            (json!({}), None),
            (json!("a"), None),
        ] {
            assert_eq!(id(&answer).as_deref(), expected, "{answer}");
        }
    }

    #[test]
    fn a_count_that_is_missing_or_no_count_is_absent() {
        for (value, expected) in [
            (json!({"Failed": 3}), Some(3)),
            (json!({"failed": "3"}), Some(3)),
            (json!({"Failed": null}), None),
            (json!({"Failed": -1}), None),
            (json!({"Failed": [1]}), None),
            (json!({}), None),
        ] {
            assert_eq!(count(&value, &["Failed"]), expected, "{value}");
        }
    }

    #[test]
    fn entries_of_any_shape_are_entries() {
        for (value, expected) in [
            (json!({"Errors": []}), 0),
            (json!({"Errors": null}), 0),
            (json!({"Errors": {}}), 0),
            (json!({"Errors": ""}), 0),
            (json!({"Errors": false}), 0),
            (json!({}), 0),
            (json!({"Errors": ["a", {"b": 1}, null]}), 2),
            (json!({"errors": "a"}), 1),
            (json!({"Errors": {"a": 1}}), 1),
            (json!({"Errors": 3}), 1),
        ] {
            assert_eq!(entries(&value, &["Errors"]).len(), expected, "{value}");
        }
    }

    #[test]
    fn the_sentence_of_an_entry_is_found() {
        for (entry, expected) in [
            (json!("a b"), "a b"),
            (json!({"Message": "a"}), "a"),
            (json!({"errorMessage": "a", "Code": 3}), "a"),
            (json!({"error": {"message": "a"}}), "a"),
            (json!({"error": 3}), r#"{"error":3}"#),
            (json!([1]), "[1]"),
        ] {
            assert_eq!(sentence(&entry), expected, "{entry}");
        }
    }
}
