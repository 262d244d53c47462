//! The schemas of the wire types hang together: what one refers to is there.

use std::collections::BTreeSet;

use dev2prod_api as api;
use serde_json::Value;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(components(schemas(
    api::Approve,
    api::AuditPage,
    api::Bindings,
    api::ChangesPage,
    api::ContentLine,
    api::ContentUploaded,
    api::Credentials,
    api::ExportStatus,
    api::ExportsPage,
    api::ImportRequest,
    api::ImportStatus,
    api::ImportsPage,
    api::ItemWrite,
    api::ItemsPage,
    api::LineError,
    api::PackageRequest,
    api::PackagesPage,
    api::PastPage,
    api::Problem,
    api::Reject,
    api::Review,
    api::RoleWrite,
    api::Started,
    api::TenantChange,
    api::TenantCreate,
    api::TenantSettings,
    api::TenantsPage,
    api::TokenCreate,
    api::TokenCreated,
    api::TokensPage,
    api::Uploaded,
    api::UserChange,
    api::UserCreate,
    api::UsersPage,
)))]
struct Schemas;

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("$ref", Value::String(to)) => {
                        found.insert(to.trim_start_matches("#/components/schemas/").to_owned());
                    }
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_schema_that_is_referred_to_is_there() {
    let document = serde_json::to_value(Schemas::openapi()).unwrap();
    let there: BTreeSet<_> = document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let mut referred = BTreeSet::new();
    references(&document, &mut referred);
    assert!(referred.len() > 20, "{referred:?}");
    let missing: Vec<_> = referred.difference(&there).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn an_export_status_requires_what_is_documented() {
    let document = serde_json::to_value(Schemas::openapi()).unwrap();
    let status = &document["components"]["schemas"]["ExportStatus"];
    insta::assert_snapshot!(status["required"].to_string(), @r#"["id","PackageBundleName","Status","FileId","StartTime","LastUpdateTime","ItemCount","Statistics","OperationType","CreatedBy"]"#);
    insta::assert_snapshot!(status["properties"]["FileId"].to_string(), @r##"{"oneOf":[{"$ref":"#/components/schemas/FileId","description":"The file to download; null until `COMPLETED`."},{"type":"null"}]}"##);
}
