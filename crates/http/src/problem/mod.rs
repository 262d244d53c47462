//! Every error reply: what the engine says, as a problem document (RFC 9457).
//!
//! A handler's error travels to the boundary as a [`Refusal`] beside an empty reply; there it gets
//! the id of its request and becomes a document. So that id, log line and document always agree.

mod from_engine;

use std::any::Any;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use dev2prod_api::{PROBLEM_CONTENT_TYPE, Problem};

/// What only a log may show of an error.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// What a handler answers if it cannot do what is asked.
#[derive(Debug)]
pub(crate) struct ApiError {
    refusal: Box<Refusal>,
    headers: HeaderMap,
}

/// A problem on its way to the boundary.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    problem: Problem,
    cause: Option<Cause>,
}

impl ApiError {
    /// A problem of this status and code; `detail` says what to do.
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let problem = Problem::new(status.as_u16(), code, sentence(detail.into()));
        Self {
            refusal: Box::new(Refusal {
                problem,
                cause: None,
            }),
            headers: HeaderMap::new(),
        }
    }

    /// What was sent is wrong.
    pub(crate) fn invalid(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// More bytes than the limit.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// No credentials, or none that are good.
    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail).header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"dev2prod\""),
        )
    }

    /// A fault of ours or of the machine: the caller hears nothing but that.
    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server could not do this; its log says why, under the id that instance names",
        )
        .caused_by(cause)
    }

    /// A handler that panicked.
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Self::internal(format!("a handler panicked: {text}"))
    }

    /// The same with what a log may show.
    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.refusal.cause = Some(Arc::from(cause.into()));
        self
    }

    /// The same with a header.
    pub(crate) fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The same with a further member.
    pub(crate) fn member(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.refusal.problem = self.refusal.problem.with(name, value);
        self
    }

    /// When to try again.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.refusal.problem.status)
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.headers_mut() = self.headers;
        response.extensions_mut().insert(*self.refusal);
        response
    }
}

/// The code of the problem that a reply is, if it is one.
pub(crate) fn code(response: &Response) -> Option<String> {
    let refusal = response.extensions().get::<Refusal>()?;
    Some(refusal.problem.code.clone())
}

/// The reply with its problem, if it is one, as a document under the id of its request; and what
/// the log is to show.
pub(crate) fn finish(
    mut response: Response,
    method: &Method,
    request_id: &str,
) -> (Response, Option<Cause>) {
    let status = response.status();
    let refusal = response.extensions_mut().remove::<Refusal>();
    let refusal = match refusal {
        Some(refusal) => refusal,
        // What axum itself refuses: no reply of ours is an error without a problem.
        None if status.is_client_error() || status.is_server_error() => {
            *ApiError::new(status, "refused", "the request was refused").refusal
        }
        None => return (response, None),
    };
    let problem = refusal.problem.at(request_id);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(PROBLEM_CONTENT_TYPE),
    );
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    *response.body_mut() = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(body)
    };
    (response, refusal.cause)
}

/// An error with all its causes, for the log.
pub(crate) fn chain(cause: &(dyn Error + Send + Sync)) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

/// With a capital letter and a full stop: the engine's messages are clauses.
fn sentence(clause: String) -> String {
    let mut chars = clause.chars();
    let Some(first) = chars.next() else {
        return clause;
    };
    let mut text: String = first.to_uppercase().chain(chars).collect();
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_becomes_a_sentence() {
        let sentence = |text: &str| sentence(text.to_owned());
        assert_eq!(sentence("ändern: now"), "Ändern: now.");
        assert_eq!(sentence("Done."), "Done.");
        assert_eq!(sentence("'x' is none"), "'x' is none.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn the_log_hears_every_cause() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("inner"));
        assert_eq!(chain(&error), "outer: inner");
    }
}
