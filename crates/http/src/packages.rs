//! The Package Manager.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use dev2prod_api::{
    InvalidPackage, ItemsPage, Notice, Package, PackageItem, PackageRequest, PackagesPage,
    PageQuery, Selected, Why,
};
use dev2prod_engine::{Engine, drift, packages, selection};
use dev2prod_model::access::{PackageRead, PackageWrite, Scope};
use dev2prod_model::id::PackageId;
use dev2prod_model::package::Selection;
use serde_json::json;

use crate::dev2prod::history::PAGE_SIZE;
use crate::extract::{Allowed, InPath, JsonBody, Params};
use crate::journal::Journal;
use crate::problem::ApiError;

/// Lists packages
#[utoipa::path(get, path = "", tag = "Package Manager",
    responses((status = 200, description = "By number.", body = PackagesPage)))]
pub(crate) async fn list_packages(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<PackageRead>,
) -> Result<Json<PackagesPage>, ApiError> {
    let packages = packages::list(&engine, &scope).await?;
    let items: Vec<_> = packages.into_iter().map(Package::from).collect();
    Ok(Json(PackagesPage {
        total_count: items.len() as u64,
        items,
    }))
}

/// Makes a package, under the `Id` asked for or the next number
#[utoipa::path(post, path = "", tag = "Package Manager", request_body = PackageRequest,
    responses((status = 201, description = "The package.", body = Package)))]
pub(crate) async fn create_package(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<PackageWrite>,
    journal: Journal,
    JsonBody(body): JsonBody<PackageRequest>,
) -> Result<(StatusCode, Json<Package>), ApiError> {
    let id = body.id;
    let (name, selected) = body.into_parts()?;
    let selection = selected_by(&engine, &scope, selected).await?;
    let package = packages::create(&engine, &scope, id, &name, &selection).await?;
    journal.notes(json!({"Id": package.id, "Name": package.name}));
    Ok((StatusCode::CREATED, Json(package.into())))
}

/// Shows a package
#[utoipa::path(get, path = "", tag = "Package Manager",
    responses((status = 200, description = "The package.", body = Package)))]
pub(crate) async fn get_package(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<PackageRead>,
    InPath(id): InPath<PackageId>,
) -> Result<Json<Package>, ApiError> {
    Ok(Json(packages::get(&engine, &scope, id).await?.into()))
}

/// Replaces a package's name and selection; its number stays
#[utoipa::path(put, path = "", tag = "Package Manager", request_body = PackageRequest,
    responses((status = 200, description = "The package.", body = Package)))]
pub(crate) async fn replace_package(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<PackageWrite>,
    InPath(id): InPath<PackageId>,
    journal: Journal,
    JsonBody(body): JsonBody<PackageRequest>,
) -> Result<Json<Package>, ApiError> {
    if let Some(other) = body.id.filter(|other| *other != id) {
        return Err(ApiError::invalid(
            "package_id_contradicted",
            format!("the body names package {other}, the path {id}: a package keeps its number"),
        ));
    }
    let (name, selected) = body.into_parts()?;
    let selection = selected_by(&engine, &scope, selected).await?;
    journal.notes(json!({ "Name": name }));
    Ok(Json(
        packages::replace(&engine, &scope, id, &name, &selection)
            .await?
            .into(),
    ))
}

/// What the request selects; what drifted is looked up now.
async fn selected_by(
    engine: &Engine,
    scope: &Scope<PackageWrite>,
    selected: Selected,
) -> Result<Selection, ApiError> {
    match selected {
        Selected::These(selection) => Ok(selection),
        Selected::Drift {
            origin,
            exclude,
            dependencies,
        } => {
            let drift = drift::selection(engine, scope, origin, exclude, dependencies);
            Ok(drift.await?)
        }
    }
}

/// Deletes a package; its number is not given again
#[utoipa::path(delete, path = "", tag = "Package Manager",
    responses((status = 204, description = "It is gone.")))]
pub(crate) async fn delete_package(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<PackageWrite>,
    InPath(id): InPath<PackageId>,
) -> Result<StatusCode, ApiError> {
    packages::delete(&engine, &scope, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists what an export of a package would carry now, and why
#[utoipa::path(get, path = "", tag = "Package Manager", params(PageQuery),
    responses((status = 200, description = "A page; all pages show one revision.", body = ItemsPage)))]
pub(crate) async fn list_package_items(
    State(engine): State<Engine>,
    Allowed(scope): Allowed<PackageRead>,
    InPath(id): InPath<PackageId>,
    Params(query): Params<PageQuery>,
) -> Result<Json<ItemsPage>, ApiError> {
    let size = query.size.unwrap_or(PAGE_SIZE);
    let page = selection::listing(&engine, &scope, id, query.cursor.as_deref(), size).await?;
    Ok(Json(ItemsPage {
        items: page.items.into_iter().map(item).collect(),
        total_count: page.total,
        next_cursor: page.next,
        revision: page.revision,
        warnings: page.warnings.first.iter().map(Notice::from).collect(),
    }))
}

fn item(listed: selection::Listed) -> PackageItem {
    let (why, required_by) = match listed.why {
        selection::Why::Selected => (Why::Selected, Vec::new()),
        selection::Why::RequiredBy(chain) => (Why::RequiredBy, chain),
    };
    PackageItem {
        package_name: listed.item.section,
        key: listed.item.key,
        digest: listed.digest,
        why,
        required_by,
    }
}

impl From<InvalidPackage> for ApiError {
    fn from(error: InvalidPackage) -> Self {
        Self::invalid("contradictory_package", error.to_string())
    }
}
