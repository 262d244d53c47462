//! What the table knows of an operation and its handler does not: ids in the path, who may, and
//! what is refused.

use std::collections::BTreeSet;

use dev2prod_api::{PROBLEM_CONTENT_TYPE, title};
use dev2prod_model::access::{Grant, Role};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder,
};

use super::Who;

/// Completes the description of an operation that is at this path.
pub(super) fn describe(operation: &mut Operation, path: &str, who: Who, refuses: &[u16]) {
    let names: Vec<_> = path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    let mut parameters: Vec<_> = names.iter().map(|name| in_path(name)).collect();
    if names.contains(&"package_name") && !names.contains(&"key") {
        parameters.push(in_query(
            "Key",
            "Key",
            "The key of the item.",
            Required::True,
        ));
    }
    parameters.extend(operation.parameters.take().into_iter().flatten());
    if names.contains(&"tenant") {
        let about = "The tenant again; refused if it contradicts the path.";
        parameters.push(in_query("TENANTID", "TenantId", about, Required::False));
    }
    let takes = !parameters.is_empty() || operation.request_body.is_some();
    operation.parameters = (!parameters.is_empty()).then_some(parameters);
    operation.security = (who != Who::Anyone).then(|| security(who));
    let about = operation.description.take().filter(|text| !text.is_empty());
    operation.description = Some(
        [about, Some(role(who).to_owned())]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n\n"),
    );

    let mut refused: BTreeSet<u16> = refuses.iter().copied().collect();
    refused.insert(500);
    refused.extend(takes.then_some(400));
    refused.extend((who != Who::Anyone).then_some(401));
    refused.extend((!matches!(who, Who::Anyone | Who::SignedIn)).then_some(403));
    refused.extend((!names.is_empty()).then_some(404));
    for status in refused {
        operation
            .responses
            .responses
            .insert(status.to_string(), RefOr::T(refusal(status)));
    }
}

fn role(who: Who) -> &'static str {
    match who {
        Who::Anyone => "For anybody, without signing in.",
        Who::SignedIn => "For anybody who is signed in.",
        Who::Role(Role::Viewer) => "Role: `Viewer`.",
        Who::Role(Role::Promoter) => "Role: `Promoter`.",
        Who::Role(Role::TenantAdmin) => "Role: `TenantAdmin`.",
        Who::Approver => "Role: `Approver`, which no other role includes.",
        Who::SystemAdmin => "For system administrators.",
        Who::SystemAdminOrViewer => "For system administrators, and for `Viewer` of the tenant.",
        Who::SystemAdminOrTenantAdmin => {
            "For system administrators, and for `TenantAdmin` of the tenant."
        }
    }
}

/// Any one of the ways to show a token does; OpenAPI lets each name the role.
fn security(who: Who) -> Vec<SecurityRequirement> {
    let role: &[&str] = match who {
        Who::Anyone | Who::SignedIn => &[],
        Who::Role(role) => &[role.name()],
        Who::Approver => &[Grant::APPROVER],
        Who::SystemAdmin | Who::SystemAdminOrViewer | Who::SystemAdminOrTenantAdmin => {
            &["SystemAdmin"]
        }
    };
    ["session", "session_lwsso", "bearer"]
        .map(|scheme| SecurityRequirement::new(scheme, role.iter().copied()))
        .to_vec()
}

fn in_path(name: &str) -> RefOr<Parameter> {
    let uuid = || {
        let format = SchemaFormat::Custom("uuid".to_owned());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(format))
    };
    let number = || {
        let format = SchemaFormat::KnownFormat(KnownFormat::Int64);
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(format))
            .minimum(Some(1))
    };
    let (schema, about) = match name {
        "tenant" => (named("TenantId"), "The tenant."),
        "package_id" => (RefOr::T(number().into()), "The package."),
        "id" => (named("OperationId"), "The operation."),
        "file_id" => (named("FileId"), "The file."),
        "login" => (named("Login"), "The user."),
        "token_id" => (RefOr::T(uuid().into()), "The token."),
        "package_name" => (named("PackageName"), "The section of the item."),
        "key" => (
            named("Key"),
            "The key of the item, as one segment: `/` is `%2F`.",
        ),
        _ => (
            RefOr::T(ObjectBuilder::new().schema_type(Type::String).into()),
            "",
        ),
    };
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(schema));
    RefOr::T(parameter.build())
}

fn in_query(name: &str, schema: &str, about: &str, required: Required) -> RefOr<Parameter> {
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(required)
        .description(Some(about))
        .schema(Some(named(schema)));
    RefOr::T(parameter.build())
}

fn named(schema: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(schema))
}

fn refusal(status: u16) -> Response {
    let content = ContentBuilder::new().schema(Some(named("Problem"))).build();
    let response = ResponseBuilder::new()
        .description(title(status))
        .content(PROBLEM_CONTENT_TYPE, content);
    let (name, about) = match status {
        401 => ("WWW-Authenticate", "How to sign in."),
        423 | 429 | 503 => ("Retry-After", "Seconds until another try is worth it."),
        _ => return response.build(),
    };
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    let header = HeaderBuilder::new()
        .schema(Some(text))
        .description(Some(about))
        .build();
    response.header(name, header).build()
}
