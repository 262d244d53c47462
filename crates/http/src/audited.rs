//! Which requests the audit trail notes: what administers, and what was refused because of who asked.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use dev2prod_engine::{Engine, audit};
use dev2prod_model::audit::AuditEntry;
use dev2prod_model::sender::Sender;
use utoipa::openapi::OpenApi;

use crate::journal::Journal;

/// The longest path that is noted, in characters.
const PATH_CHARS_MAX: usize = 300;

/// Whatever is below these in a tenant administers it, unless it only reads.
const ADMINISTERS: [&str; 4] = ["/packages", "/settings", "/bindings", "/trust"];

/// The operation ids of all routes by method and pattern.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actions(Arc<HashMap<(Method, String), String>>);

impl Actions {
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut actions = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in [
                (Method::GET, &item.get),
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::DELETE, &item.delete),
                (Method::PATCH, &item.patch),
            ] {
                let id = operation.as_ref().and_then(|it| it.operation_id.clone());
                actions.extend(id.map(|id| ((method, path.clone()), id)));
            }
        }
        Self(Arc::new(actions))
    }

    fn find(&self, method: &Method, route: &str) -> Option<&str> {
        let method = match *method {
            Method::HEAD => Method::GET,
            _ => method.clone(),
        };
        self.0.get(&(method, route.to_owned())).map(String::as_str)
    }
}

/// A request that was answered.
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a Method,
    /// The pattern of the path.
    pub(crate) route: &'a str,
    /// The path as it was sent, without the query.
    pub(crate) path: &'a str,
    pub(crate) sender: Sender,
    pub(crate) tenant: Option<&'a str>,
    pub(crate) journal: &'a Journal,
    pub(crate) status: StatusCode,
    /// The code of the problem.
    pub(crate) code: Option<&'a str>,
}

impl Answered<'_> {
    /// Notes it, if it is one to be noted. A trail that cannot be written is logged: what was done
    /// is done.
    pub(crate) async fn note(self, engine: &Engine, actions: &Actions) {
        let Some(action) = actions.find(self.method, self.route) else {
            return;
        };
        if !self.is_noted() {
            return;
        }
        let entry = AuditEntry {
            at_ms: engine.now_ms(),
            tenant: self.tenant.and_then(|id| id.parse().ok()),
            login: self.journal.who(),
            sender: self.sender,
            action: action.to_owned(),
            path: self.path.chars().take(PATH_CHARS_MAX).collect(),
            detail: self.journal.detail(),
            status: self.status.as_u16(),
            code: self.code.map(str::to_owned),
        };
        if let Err(error) = audit::note(engine, entry).await {
            tracing::error!(
                error = crate::problem::chain(&error),
                "the audit trail could not be written"
            );
        }
    }

    fn is_noted(&self) -> bool {
        let kept_out = match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                true
            }
            StatusCode::NOT_FOUND => self.code == Some("unknown_tenant"),
            _ => false,
        };
        kept_out || (self.administers() && !self.status.is_server_error())
    }

    fn administers(&self) -> bool {
        if matches!(*self.method, Method::GET | Method::HEAD) {
            return false;
        }
        if self.route.starts_with("/admin/") {
            return true;
        }
        let Some(rest) = self.route.strip_prefix("/rest/{tenant}/dev2prod") else {
            return false;
        };
        let reviews = ["/approve", "/reject"];
        ADMINISTERS.iter().any(|part| rest.starts_with(part))
            || reviews.iter().any(|end| rest.ends_with(end))
    }
}
