//! Makes a router and an OpenAPI document of the same routes.

mod describe;
mod document;

use axum::Router;
use dev2prod_model::access::Role;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::state::AppState;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Anybody.
    Anyone,
    /// Anybody with a token; it is about what is theirs.
    SignedIn,
    /// Whoever has this role, or one that includes it, in the tenant of the path.
    Role(Role),
    /// Whoever approves plans in the tenant of the path, whatever the role there.
    Approver,
    /// A system administrator.
    SystemAdmin,
    /// A system administrator, or whoever has a role in the tenant of the path.
    SystemAdminOrViewer,
    /// A system administrator, or an administrator of the tenant of the path.
    SystemAdminOrTenantAdmin,
}

impl Who {
    pub(crate) const VIEWER: Self = Self::Role(Role::Viewer);
    pub(crate) const PROMOTER: Self = Self::Role(Role::Promoter);
    pub(crate) const TENANT_ADMIN: Self = Self::Role(Role::TenantAdmin);
}

/// Routes, as a router and as a document.
pub(crate) struct Table(OpenApiRouter<AppState>);

impl Table {
    pub(crate) fn new() -> Self {
        Self(OpenApiRouter::with_openapi(document::empty()))
    }

    /// Adds handlers at a path. `refuses` are statuses beyond those that every such route may
    /// answer.
    pub(crate) fn on(
        &mut self,
        path: impl Into<String>,
        who: Who,
        refuses: &[u16],
        handlers: UtoipaMethodRouter<AppState>,
    ) {
        self.add(&path.into(), None, who, refuses, handlers);
    }

    /// Adds handlers that are at another path already; `alias` tells their operation ids apart.
    pub(crate) fn also(
        &mut self,
        path: impl Into<String>,
        alias: &str,
        who: Who,
        refuses: &[u16],
        handlers: UtoipaMethodRouter<AppState>,
    ) {
        self.add(&path.into(), Some(alias), who, refuses, handlers);
    }

    pub(crate) fn into_parts(self) -> (Router<AppState>, OpenApi) {
        self.0.split_for_parts()
    }

    fn add(
        &mut self,
        path: &str,
        alias: Option<&str>,
        who: Who,
        refuses: &[u16],
        (schemas, mut paths, router): UtoipaMethodRouter<AppState>,
    ) {
        // Handlers do not know their path: it is said once, here.
        let mut item = PathItem::default();
        for (_, part) in std::mem::take(&mut paths.paths) {
            item.merge_operations(part);
        }
        for operation in operations(&mut item) {
            if let (Some(alias), Some(id)) = (alias, &mut operation.operation_id) {
                *id = format!("{id}_{alias}");
            }
            describe::describe(operation, path, who, refuses);
        }
        paths.paths.insert(path.to_owned(), item);
        let table = std::mem::take(&mut self.0);
        self.0 = table.routes((schemas, paths, router));
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}
