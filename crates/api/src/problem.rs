//! The problem document (RFC 9457) that every error reply is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The media type of a problem document.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// An error reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the kind of problem is told by `Code`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The documented word for the status.
    pub title: String,
    /// The status of the reply.
    pub status: u16,
    /// What is wrong and what to do.
    pub detail: String,
    /// Names this occurrence: the id under which the server logged it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(nullable = false)]
    pub instance: Option<String>,
    /// One of a closed, documented set.
    #[serde(rename = "Code")]
    pub code: String,
    /// Further members that the code calls for, such as `Errors`.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

impl Problem {
    /// A problem of this status and code, with the documented title.
    pub fn new(status: u16, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: title(status).to_owned(),
            status,
            detail: detail.into(),
            instance: None,
            code: code.into(),
            extensions: Map::new(),
        }
    }

    /// The problem with one more member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// The problem with the name of its occurrence.
    #[must_use]
    pub fn at(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }
}

/// The word for a status: the documented one where there is one, otherwise that of HTTP.
pub const fn title(status: u16) -> &'static str {
    match status {
        400 => "Invalid Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Page/Resource was not found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Content",
        423 => "Locked",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ if status >= 500 => "Internal Server Error",
        _ => "Invalid Request",
    }
}
