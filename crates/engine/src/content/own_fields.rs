//! Fields that stay with their tenant: not shown, and not lost by writing without them.

use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::json;
use dev2prod_model::section::Section;
use serde_json::Value;

use crate::error::{EngineError, EngineResult};
use crate::ports::{PutItem, StoredItem};

/// The body as it may be shown: canonical JSON without fields that stay with their tenant, for
/// secrets are among them.
pub(super) fn shown(catalogue: &Catalogue, stored: StoredItem) -> EngineResult<String> {
    if !stored.head.local {
        return Ok(stored.body);
    }
    let mut body = parse(&stored.body)?;
    catalogue.strip_local(stored.head.item.section, &mut body);
    Ok(json::canonical(&body))
}

/// Puts the stored body's own fields into the new one where it leaves them out. What travels stays
/// as it is, and so do digest and links.
pub(super) fn keep(
    catalogue: &Catalogue,
    put: &mut PutItem,
    stored_body: &str,
) -> EngineResult<()> {
    let section = put.item.section;
    let given = parse(&put.body)?;
    let kept = keep_absent(catalogue, section, given, &parse(stored_body)?);
    put.local = catalogue.has_local(section, &kept);
    put.body = json::canonical(&kept);
    Ok(())
}

/// Reads a body that this server wrote.
pub(super) fn parse(body: &str) -> EngineResult<Value> {
    json::parse_own(body).map_err(EngineError::internal)
}

fn keep_absent(catalogue: &Catalogue, section: Section, given: Value, stored: &Value) -> Value {
    let travelling = catalogue.travelling(section, &given);
    let with_stored = catalogue.keep_local(section, travelling.clone(), stored);
    let mut given = given;
    fill(&mut given, with_stored, &travelling);
    given
}

/// Gives `given` the members that only `other` has. Both hold all of `travelling`, and beside it
/// only members that stay with the tenant; where both have such a member the given one counts.
fn fill(given: &mut Value, other: Value, travelling: &Value) {
    match (given, other, travelling) {
        (Value::Object(given), Value::Object(other), Value::Object(travelling)) => {
            for (name, value) in other {
                match (given.get_mut(&name), travelling.get(&name)) {
                    (None, _) => {
                        given.insert(name, value);
                    }
                    (Some(given), Some(travelling)) => fill(given, value, travelling),
                    (Some(_), None) => {}
                }
            }
        }
        (Value::Array(given), Value::Array(other), Value::Array(travelling)) => {
            for ((given, other), travelling) in given.iter_mut().zip(other).zip(travelling) {
                fill(given, other, travelling);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(given: &str, stored: &str) -> String {
        let value = |text: &str| parse(text).unwrap();
        let kept = keep_absent(
            &Catalogue::standard(),
            Section::FeatureInstances,
            value(given),
            &value(stored),
        );
        json::canonical(&kept)
    }

    #[test]
    fn what_is_left_out_stays_and_what_is_given_counts() {
        let stored = r#"{"id":"7","name":"sso","settings":{"password":"old","url":"a"}}"#;
        insta::assert_snapshot!(
            kept(r#"{"name":"sso","settings":{"url":"b"}}"#, stored),
            @r#"{"id":"7","name":"sso","settings":{"password":"old","url":"b"}}"#
        );
        insta::assert_snapshot!(
            kept(r#"{"id":"8","settings":{"password":"new"}}"#, stored),
            @r#"{"id":"8","settings":{"password":"new"}}"#
        );
        insta::assert_snapshot!(
            kept(r#"{"name":"sso"}"#, stored),
            @r#"{"id":"7","name":"sso"}"#
        );
    }

    #[test]
    fn a_field_that_is_an_object_is_taken_whole() {
        let stored = r#"{"settings":{"password":{"a":1}}}"#;
        assert_eq!(
            kept(r#"{"settings":{"password":{"b":2}}}"#, stored),
            r#"{"settings":{"password":{"b":2}}}"#
        );
    }
}
