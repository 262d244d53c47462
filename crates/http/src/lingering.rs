//! Reading on after a refusal. A client that is still sending when its connection closes loses the
//! reply with it, and never learns why it was refused.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use bytes::Bytes;
use futures::{Stream, StreamExt};

/// How much is read for nothing, and how long.
const BYTES_MAX: usize = 64 * 1024 * 1024;
const TIME_MAX: Duration = Duration::from_secs(30);

/// What a handler leaves of a body.
pub(crate) struct Rest(Option<Shared>);

/// A body that the handler and afterwards its rest read from; `None` once it has ended.
#[derive(Clone)]
struct Shared(Arc<Mutex<Option<BodyDataStream>>>);

/// The body for the handler, and its rest for afterwards.
pub(crate) fn split(body: Body) -> (Body, Rest) {
    if body.is_end_stream() {
        return (body, Rest(None));
    }
    let shared = Shared(Arc::new(Mutex::new(Some(body.into_data_stream()))));
    (Body::from_stream(shared.clone()), Rest(Some(shared)))
}

impl Rest {
    /// Reads on for a while beside the reply, if anything is left.
    pub(crate) fn drain(self) {
        let Some(mut rest) = self.0.filter(Shared::is_open) else {
            return;
        };
        tokio::spawn(tokio::time::timeout(TIME_MAX, async move {
            let mut read = 0;
            while let Some(Ok(bytes)) = rest.next().await {
                read += bytes.len();
                if read > BYTES_MAX {
                    return;
                }
            }
        }));
    }
}

impl Shared {
    fn is_open(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }
}

impl Stream for Shared {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = body.as_mut() else {
            return Poll::Ready(None);
        };
        let next = Pin::new(stream).poll_next(cx);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            *body = None;
        }
        next
    }
}
