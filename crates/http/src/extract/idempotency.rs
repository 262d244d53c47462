//! The header `Idempotency-Key`.

use axum::http::request::Parts;
use dev2prod_engine::operations::IdempotencyRequest;
use dev2prod_model::digest::Hasher;

use crate::problem::ApiError;

/// The key of a request that may be repeated without harm, if it has one.
pub(crate) struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    const HEADER: &'static str = "idempotency-key";

    /// The key of the request.
    pub(crate) fn of(parts: &Parts) -> Result<Self, ApiError> {
        let mut keys = parts.headers.get_all(Self::HEADER).into_iter();
        let Some(key) = keys.next() else {
            return Ok(Self(None));
        };
        let malformed = |detail| ApiError::invalid("malformed_idempotency_key", detail);
        if keys.next().is_some() {
            return Err(malformed("Idempotency-Key is there twice: send one"));
        }
        let key = key
            .to_str()
            .map_err(|_| malformed("Idempotency-Key is not printable ASCII"))?;
        Ok(Self(Some(key.to_owned())))
    }

    /// The promise that requests with this key are this request: its method, path, query and body.
    pub(crate) fn request(self, parts: &Parts, body: &[u8]) -> Option<IdempotencyRequest> {
        let mut hasher = Hasher::new();
        let head = [
            parts.method.as_str(),
            parts.uri.path(),
            parts.uri.query().unwrap_or(""),
        ];
        for text in head {
            hasher.update(text.as_bytes());
            // No method, path or query holds one, so that no two requests look alike.
            hasher.update(b"\n");
        }
        hasher.update(body);
        self.0.map(|key| IdempotencyRequest {
            key,
            request: hasher.finish(),
        })
    }
}
