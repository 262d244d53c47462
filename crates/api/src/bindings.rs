//! The values that stay a tenant's own whatever a package brings.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use dev2prod_model::item::Revision;
use dev2prod_model::section::Section;

use crate::words;

/// A rule for fields of items: with exactly one of `Keep`, `Set` and `Secret`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Binding {
    /// The items' section.
    #[schema(value_type = words::PackageName)]
    pub package_name: Section,
    /// The items' keys: a glob over the whole key, in which `*` is any text.
    pub key: String,
    /// The field, as a JSON pointer; `*` is every member or element.
    pub path: String,
    /// `true`: the tenant keeps its own value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub keep: Option<bool>,
    /// The value that the field has in the tenant.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        deserialize_with = "given"
    )]
    pub set: Option<Value>,
    /// `true`: the field is secret. It never travels, and its value is shown to nobody.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub secret: Option<bool>,
    /// `true`: an import fails where the tenant has no value of its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub required: Option<bool>,
}

/// A tenant's bindings. Of two rules for the same field of the same item the later one counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Bindings {
    /// The rules, at most 1,000.
    pub bindings: Vec<Binding>,
    /// The tenant's revision; passed over when it is sent back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<i64>, nullable = false)]
    pub revision: Option<Revision>,
}

/// Reads a value that is there, which may be `null`.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_is_read_and_written_as_it_is_and_null_is_a_value() {
        for rule in [
            json!({"PackageName": "data", "Key": "*", "Path": "/a", "Set": null}),
            json!({"PackageName": "data", "Key": "*", "Path": "/a", "Keep": true, "Required": true}),
            json!({"PackageName": "data", "Key": "*", "Path": "/a", "Secret": true}),
        ] {
            let read: Binding = serde_json::from_value(rule.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), rule);
        }
    }
}
