//! Fields that stay with their tenant: not shown, and not lost by writing without them. Secrets are
//! shown as marks; a mark that is sent keeps what is there, and a secret that is left out goes.

use dev2prod_model::binding::{ItemRules, Rules};
use dev2prod_model::json;
use dev2prod_model::secret;
use serde_json::Value;

use super::prepare::Given;
use crate::error::{EngineError, EngineResult};
use crate::ports::{PutItem, StoredItem};

/// The body as it may be shown: canonical JSON with marks for secrets, without the other fields
/// that stay with their tenant.
pub(super) fn shown(rules: &Rules, stored: StoredItem) -> EngineResult<String> {
    let of_item = rules.of(&stored.head.item);
    if !stored.head.local && !of_item.adds_secrets() {
        return Ok(stored.body);
    }
    let body = secret::shown(&of_item, parse(&stored.body)?);
    Ok(json::canonical(&body))
}

/// Puts the stored body's own fields into the new one where it leaves them out, and takes out the
/// marks that keep nothing. What travels stays as it is, and so do digest and links.
pub(super) fn keep(rules: &Rules, given: &mut Given, stored: &Value) -> EngineResult<()> {
    let of_item = rules.of(&given.put.item);
    let mut body = keep_absent(&of_item, parse(&given.put.body)?, stored);
    if given.keeps {
        let marks = secret::marks(&of_item, stored);
        let same_places = of_item.travelling(&body) == of_item.travelling(stored);
        let there = |pointer: &str| {
            let found = marks.iter().any(|mark| mark == pointer);
            found && (same_places || !secret::goes_by_place(pointer))
        };
        drop_marks(&of_item, given, &mut body, &there);
    }
    let put = &mut given.put;
    put.local = of_item.has_local(&body);
    put.body = json::canonical(&body);
    Ok(())
}

/// Takes all marks out that were sent: there is nothing that they could keep.
pub(super) fn keep_nothing(rules: &Rules, given: &mut Given) -> EngineResult<()> {
    if !given.keeps {
        return Ok(());
    }
    let of_item = rules.of(&given.put.item);
    let mut body = parse(&given.put.body)?;
    drop_marks(&of_item, given, &mut body, &|_| false);
    let put: &mut PutItem = &mut given.put;
    put.local = of_item.has_local(&body);
    put.body = json::canonical(&body);
    Ok(())
}

/// Takes out the marks that stand neither for a value that was sent nor for one that is there.
fn drop_marks(
    rules: &ItemRules<'_>,
    given: &Given,
    body: &mut Value,
    is_there: &dyn Fn(&str) -> bool,
) {
    let sent = |pointer: &str| given.secrets.iter().any(|taken| taken.pointer == pointer);
    secret::drop_marks(rules, body, &|pointer| sent(pointer) || is_there(pointer));
}

/// Reads a body that this server wrote.
pub(super) fn parse(body: &str) -> EngineResult<Value> {
    json::parse_own(body).map_err(EngineError::internal)
}

fn keep_absent(rules: &ItemRules<'_>, given: Value, stored: &Value) -> Value {
    let travelling = rules.travelling(&given);
    let mut with_stored = travelling.clone();
    rules.never_travelling().put_back(&mut with_stored, stored);
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
    use std::sync::Arc;

    use dev2prod_model::catalogue::Catalogue;
    use dev2prod_model::content_line::ContentLine;
    use dev2prod_model::item::ItemRef;
    use dev2prod_model::section::Section;

    use super::super::prepare::given;
    use super::*;

    fn kept(sent: &str, stored: &str) -> String {
        let rules = Rules::plain(Arc::new(Catalogue::standard()));
        let line = ContentLine {
            item: ItemRef::new(Section::FeatureInstances, "sso".parse().unwrap()),
            body: parse(sent).unwrap(),
            references: Vec::new(),
        };
        let mut given = given(&rules, line);
        keep(&rules, &mut given, &parse(stored).unwrap()).unwrap();
        given.put.body
    }

    #[test]
    fn what_is_left_out_stays_and_what_is_given_counts() {
        let stored = r#"{"id":"7","name":"sso","settings":{"url":"a"}}"#;
        insta::assert_snapshot!(
            kept(r#"{"name":"sso","settings":{"url":"b"}}"#, stored),
            @r#"{"id":"7","name":"sso","settings":{"url":"b"}}"#
        );
        insta::assert_snapshot!(
            kept(r#"{"id":"8","settings":{}}"#, stored),
            @r#"{"id":"8","settings":{}}"#
        );
    }

    #[test]
    fn a_secret_is_kept_by_its_mark_given_by_a_value_and_removed_without() {
        let stored = r#"{"settings":{"password":{"Secret":"set"},"url":"a"}}"#;
        for (sent, becomes) in [
            (
                r#"{"settings":{"password":{"Secret":"set"},"url":"b"}}"#,
                r#"{"settings":{"password":{"Secret":"set"},"url":"b"}}"#,
            ),
            (
                r#"{"settings":{"password":"new"}}"#,
                r#"{"settings":{"password":{"Secret":"set"}}}"#,
            ),
            (r#"{"settings":{}}"#, r#"{"settings":{}}"#),
            // Nothing is there that this mark could keep.
            (
                r#"{"settings":{"apiKey":{"Secret":"set"}}}"#,
                r#"{"settings":{}}"#,
            ),
        ] {
            assert_eq!(kept(sent, stored), becomes, "{sent}");
        }
    }
}
