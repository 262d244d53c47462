//! Which answer each of the engine's errors is: one match, and no other place decides a status.

use axum::http::StatusCode;
use dev2prod_api::LineError;
use dev2prod_engine::content::parse_line_place;
use dev2prod_engine::{Detail, EngineError};
use dev2prod_model::access::Denied;
use serde_json::{Value, json};

use super::ApiError;

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Invalid {
                code,
                message,
                details,
                total,
            } => {
                let problem = Self::invalid(code, message);
                if details.is_empty() {
                    return problem;
                }
                let errors: Vec<_> = details.into_iter().map(entry).collect();
                problem.member("Errors", errors).member("ErrorCount", total)
            }
            EngineError::Unauthenticated(message) => Self::unauthenticated(message),
            EngineError::Denied(denied) => denied.into(),
            EngineError::NotFound { code, message } => {
                Self::new(StatusCode::NOT_FOUND, code, message)
            }
            EngineError::Conflict { code, message } => {
                Self::new(StatusCode::CONFLICT, code, message)
            }
            EngineError::PreconditionFailed(message) => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                message,
            ),
            EngineError::Gone(message) => Self::new(StatusCode::GONE, "gone", message),
            EngineError::TooLarge(message) => Self::too_large(message),
            EngineError::Locked {
                message,
                retry_after_s,
            } => Self::new(StatusCode::LOCKED, "locked", message).retry_after(retry_after_s),
            EngineError::TooManyAttempts {
                message,
                retry_after_s,
            } => Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", message)
                .retry_after(retry_after_s),
            EngineError::TooSlow(message) => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message)
            }
            EngineError::NoSpace(message) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "no_space", message)
            }
            EngineError::Internal(cause) => Self::internal(cause),
        }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        let (status, code) = match &denied {
            Denied::UnknownTenant(_) => (StatusCode::NOT_FOUND, "unknown_tenant"),
            Denied::RoleTooLow { .. } => (StatusCode::FORBIDDEN, "role_too_low"),
            Denied::NotApprover { .. } => (StatusCode::FORBIDDEN, "not_approver"),
            Denied::OwnPlan(_) => (StatusCode::FORBIDDEN, "own_plan"),
            Denied::NotSystemAdmin => (StatusCode::FORBIDDEN, "not_system_admin"),
        };
        Self::new(status, code, denied.to_string())
    }
}

/// An entry of a problem's `Errors`. A place is a line of an upload, a JSON pointer into a body, or
/// words.
fn entry(detail: Detail) -> Value {
    let Detail {
        place,
        code,
        message,
    } = detail;
    if let Some((line, pointer)) = parse_line_place(&place) {
        let pointer = (!pointer.is_empty()).then(|| pointer.to_owned());
        return json!(LineError {
            line,
            code,
            message,
            pointer
        });
    }
    if place.is_empty() || place.starts_with('/') {
        return json!({ "Pointer": place, "Code": code, "Message": message });
    }
    json!({ "Place": place, "Code": code, "Message": message })
}
