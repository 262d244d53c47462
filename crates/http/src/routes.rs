//! The one table of routes: path, who may, what it may refuse beyond the usual, and the handlers.
//! The router and the OpenAPI document are both made of it.

use utoipa_axum::routes;

use crate::admin::{audit, roles, tenants, users};
use crate::attachments::{download, upload};
use crate::content::{item, lines, past};
use crate::dev2prod::{
    bindings, cancel, changes, drift, events, export, history, import, review, settings, undo,
};
use crate::openapi::{Table, Who};
use crate::{auth, docs, health, packages, tokens, trust};

/// All routes.
pub(crate) fn table() -> Table {
    let mut table = Table::new();
    promotion(&mut table);
    files(&mut table);
    package_manager(&mut table);
    trusted(&mut table);
    content(&mut table);
    sign_in(&mut table);
    administration(&mut table);
    server(&mut table);
    table
}

#[rustfmt::skip] // A table reads by its columns.
fn promotion(table: &mut Table) {
    let rest = "/rest/{tenant}/dev2prod";
    table.on(format!("{rest}/export/types/{{package_id}}"), Who::PROMOTER, &[409, 413], routes!(export::start_export));
    table.on(format!("{rest}/export/{{id}}"), Who::VIEWER, &[], routes!(export::get_export));
    table.on(format!("{rest}/export/{{id}}/cancel"), Who::PROMOTER, &[409], routes!(cancel::cancel_export));
    table.on(format!("{rest}/import"), Who::PROMOTER, &[409, 413], routes!(import::start_import));
    table.on(format!("{rest}/import/{{id}}"), Who::VIEWER, &[], routes!(import::get_import));
    table.on(format!("{rest}/import/{{id}}/undo"), Who::PROMOTER, &[409, 413], routes!(undo::start_undo));
    table.on(format!("{rest}/import/{{id}}/changes"), Who::VIEWER, &[409], routes!(changes::list_changes));
    table.on(format!("{rest}/import/{{id}}/cancel"), Who::PROMOTER, &[409], routes!(cancel::cancel_import));
    table.on(format!("{rest}/events"), Who::VIEWER, &[503], routes!(events::follow_operations));
    table.on(format!("{rest}/import/{{id}}/approve"), Who::Approver, &[409, 413], routes!(review::approve_import));
    table.on(format!("{rest}/import/{{id}}/reject"), Who::Approver, &[409, 413], routes!(review::reject_import));
    table.on(format!("{rest}/settings"), Who::VIEWER, &[], routes!(settings::get_settings));
    table.on(format!("{rest}/settings"), Who::TENANT_ADMIN, &[413], routes!(settings::replace_settings));
    table.on(format!("{rest}/drift"), Who::VIEWER, &[410], routes!(drift::list_drift));
    table.on(format!("{rest}/bindings"), Who::VIEWER, &[], routes!(bindings::get_bindings));
    table.on(format!("{rest}/bindings"), Who::TENANT_ADMIN, &[412, 413, 423, 507], routes!(bindings::replace_bindings));
    table.on(format!("{rest}/exports"), Who::VIEWER, &[], routes!(history::list_exports));
    table.on(format!("{rest}/imports"), Who::VIEWER, &[], routes!(history::list_imports));
}

#[rustfmt::skip]
fn files(table: &mut Table) {
    let rest = "/rest/{tenant}";
    table.on(format!("{rest}/ces/attachment"), Who::PROMOTER, &[413, 415, 507], routes!(upload::upload_attachment));
    table.on(format!("{rest}/ces/attachment/{{file_id}}"), Who::PROMOTER, &[412, 416], routes!(download::download_attachment));
    table.also(format!("{rest}/frs/file-list"), "frs", Who::PROMOTER, &[413, 415, 507], routes!(upload::upload_attachment));
    table.also(format!("{rest}/frs/file-list/{{file_id}}"), "frs", Who::PROMOTER, &[412, 416], routes!(download::download_attachment));
    table.also(format!("{rest}/dev2prod/ces/attachment/{{file_id}}"), "dev2prod", Who::PROMOTER, &[412, 416], routes!(download::download_attachment));
}

#[rustfmt::skip]
fn package_manager(table: &mut Table) {
    let packages = "/rest/{tenant}/dev2prod/packages";
    table.on(packages, Who::VIEWER, &[], routes!(packages::list_packages));
    table.on(packages, Who::TENANT_ADMIN, &[409, 413], routes!(packages::create_package));
    table.on(format!("{packages}/{{package_id}}"), Who::VIEWER, &[], routes!(packages::get_package));
    table.on(format!("{packages}/{{package_id}}"), Who::TENANT_ADMIN, &[413], routes!(packages::replace_package));
    table.on(format!("{packages}/{{package_id}}"), Who::TENANT_ADMIN, &[], routes!(packages::delete_package));
    table.on(format!("{packages}/{{package_id}}/items"), Who::VIEWER, &[410], routes!(packages::list_package_items));
}

#[rustfmt::skip]
fn trusted(table: &mut Table) {
    let trust = "/rest/{tenant}/dev2prod/trust";
    let server = format!("{trust}/{{server_name}}");
    table.on(trust, Who::VIEWER, &[], routes!(trust::list_trusted_servers));
    table.on(&server, Who::TENANT_ADMIN, &[409, 413], routes!(trust::put_trusted_server));
    table.on(&server, Who::TENANT_ADMIN, &[], routes!(trust::delete_trusted_server));
    table.on("/signing-key", Who::Anyone, &[], routes!(trust::get_signing_key));
}

#[rustfmt::skip]
fn content(table: &mut Table) {
    let content = "/rest/{tenant}/content";
    let (by_path, by_query) = (format!("{content}/{{package_name}}/{{key}}"), format!("{content}/{{package_name}}"));
    table.on(content, Who::TENANT_ADMIN, &[], routes!(lines::list_content));
    table.on(content, Who::TENANT_ADMIN, &[413, 415, 423, 507], routes!(lines::upload_content));
    table.on(&by_path, Who::TENANT_ADMIN, &[], routes!(item::get_item));
    table.on(&by_path, Who::TENANT_ADMIN, &[412, 413, 423, 507], routes!(item::put_item));
    table.on(&by_path, Who::TENANT_ADMIN, &[412, 423, 507], routes!(item::delete_item));
    table.on(format!("{by_path}/history"), Who::TENANT_ADMIN, &[], routes!(past::list_item_history));
    table.also(format!("{by_query}/history"), "by_query", Who::TENANT_ADMIN, &[], routes!(past::list_item_history));
    table.also(&by_query, "by_query", Who::TENANT_ADMIN, &[], routes!(item::get_item));
    table.also(&by_query, "by_query", Who::TENANT_ADMIN, &[412, 413, 423, 507], routes!(item::put_item));
    table.also(&by_query, "by_query", Who::TENANT_ADMIN, &[412, 423, 507], routes!(item::delete_item));
}

#[rustfmt::skip]
fn sign_in(table: &mut Table) {
    let authenticate = "/auth/authentication-endpoint/authenticate";
    table.on(format!("{authenticate}/token"), Who::Anyone, &[401, 413, 429], routes!(auth::sign_in));
    table.also(format!("{authenticate}/login"), "login", Who::Anyone, &[401, 413, 429], routes!(auth::sign_in));
    table.on("/admin/tokens", Who::SignedIn, &[], routes!(tokens::list_tokens));
    table.on("/admin/tokens", Who::SignedIn, &[403, 409, 413], routes!(tokens::create_token));
    table.on("/admin/tokens/{token_id}", Who::SignedIn, &[], routes!(tokens::delete_token));
}

#[rustfmt::skip]
fn administration(table: &mut Table) {
    let (tenant, user) = ("/admin/tenants/{tenant}", "/admin/users/{login}");
    let role = format!("{user}/roles/{{tenant}}");
    table.on("/admin/tenants", Who::SignedIn, &[], routes!(tenants::list_tenants));
    table.on("/admin/tenants", Who::SystemAdmin, &[409, 413], routes!(tenants::create_tenant));
    table.on(tenant, Who::SystemAdminOrViewer, &[], routes!(tenants::get_tenant));
    table.on(tenant, Who::SystemAdmin, &[413], routes!(tenants::change_tenant));
    table.on(tenant, Who::SystemAdmin, &[409], routes!(tenants::delete_tenant));
    table.on("/admin/users", Who::SystemAdmin, &[], routes!(users::list_users));
    table.on("/admin/users", Who::SystemAdmin, &[409, 413], routes!(users::create_user));
    table.on(user, Who::SystemAdmin, &[409, 413], routes!(users::change_user));
    table.on(user, Who::SystemAdmin, &[409], routes!(users::delete_user));
    table.on(&role, Who::SystemAdminOrTenantAdmin, &[413], routes!(roles::give_role));
    table.on(&role, Who::SystemAdminOrTenantAdmin, &[], routes!(roles::take_role));
    table.on("/admin/audit", Who::SystemAdmin, &[], routes!(audit::list_audit));
    table.on("/rest/{tenant}/dev2prod/audit", Who::TENANT_ADMIN, &[], routes!(audit::list_tenant_audit));
}

#[rustfmt::skip]
fn server(table: &mut Table) {
    table.on("/healthz", Who::Anyone, &[], routes!(health::get_liveness));
    table.on("/readyz", Who::Anyone, &[503], routes!(health::get_readiness));
    table.on("/openapi.json", Who::Anyone, &[], routes!(docs::get_openapi));
    table.on("/docs", Who::Anyone, &[], routes!(docs::get_docs));
}
