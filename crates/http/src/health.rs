//! Whether the server lives, and whether it can work.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use dev2prod_engine::Engine;

use crate::problem::ApiError;

/// How long the database and the files may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Whether the process lives
///
/// It looks at nothing else, so that a supervisor does not restart a server whose disk is slow.
#[utoipa::path(get, path = "", tag = "Server",
    responses((status = 200, description = "It does.", body = String, content_type = "text/plain")))]
pub(crate) async fn get_liveness() -> &'static str {
    "ok\n"
}

/// Whether the server can work: database and files answer
#[utoipa::path(get, path = "", tag = "Server",
    responses((status = 200, description = "It can.", body = String, content_type = "text/plain")))]
pub(crate) async fn get_readiness(State(engine): State<Engine>) -> Result<&'static str, ApiError> {
    let pings = async {
        engine
            .store()
            .ping()
            .await
            .map_err(|error| not_ready("database", error))?;
        engine
            .blobs()
            .ping()
            .await
            .map_err(|error| not_ready("file store", error))
    };
    match tokio::time::timeout(ANSWER_MAX, pings).await {
        Ok(answer) => answer.map(|()| "ready\n"),
        Err(elapsed) => Err(not_ready("database or the file store", elapsed)),
    }
}

fn not_ready(what: &str, cause: impl std::error::Error + Send + Sync + 'static) -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not_ready",
        format!("the {what} does not answer; the log says why"),
    )
    .caused_by(cause)
}
