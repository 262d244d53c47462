//! Following the operations of a tenant by server-sent events.
//!
//! A stream ends when the server stops, when its caller may not read operations any more, and when
//! its client does not take what it is sent; who comes again with `Last-Event-ID` misses nothing.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use dev2prod_api::OperationEvent;
use dev2prod_engine::operations::{Follower, Told};
use dev2prod_engine::{Engine, accounts};
use dev2prod_model::access::{HistoryRead, Scope, authorize};
use futures::stream;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::extract::{Allowed, Presented};
use crate::problem::ApiError;
use crate::state::{AppState, EventLimits};

/// The header in which a client names the last event it saw.
const LAST_EVENT_ID: &str = "last-event-id";
/// How long a client waits before it comes again, in milliseconds.
const RETRY: Duration = Duration::from_secs(1);
/// When to come again where there are too many streams, in seconds.
const RETRY_AFTER_S: u64 = 10;

/// Follows the operations of the tenant
///
/// An event `operation` for each export, dry run and import that is not over, and from then on
/// whenever one changes. After a break, `Last-Event-ID` goes on after the last event seen: each
/// operation that changed since is told once, as it stands then. A comment comes every 15 seconds.
#[utoipa::path(get, path = "", tag = "Promotion",
    params(("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event seen.")),
    responses((status = 200, description = "Events `operation`, each with such a document.", body = OperationEvent, content_type = "text/event-stream")))]
pub(crate) async fn follow_operations(
    State(state): State<AppState>,
    Presented(token): Presented,
    Allowed(scope): Allowed<HistoryRead>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limits = state.options.events.clone();
    let place = limits.streams.clone().try_acquire_owned().map_err(|_| {
        ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_streams",
            "too many clients follow operations: ask for the status now and then instead, or come again",
        )
        .retry_after(RETRY_AFTER_S)
    })?;
    let last = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let follower = Follower::begin(&state.engine, scope.clone(), last).await?;
    let (events, received) = mpsc::channel(limits.waiting_max);
    let feed = Feed {
        engine: state.engine,
        stopping: state.options.stopping,
        limits,
        token,
        scope,
        follower,
        events,
        sent: Instant::now(),
        _place: place,
    };
    tokio::spawn(feed.run());
    let received = stream::unfold(received, async |mut received| {
        let event: Event = received.recv().await?;
        Some((Ok::<_, Infallible>(event), received))
    });
    let mut response = Sse::new(received).into_response();
    // Proxies that gather replies would hold events back.
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// What fills a client's stream; it ends with it.
struct Feed {
    engine: Engine,
    stopping: CancellationToken,
    limits: EventLimits,
    token: SecretString,
    scope: Scope<HistoryRead>,
    follower: Follower,
    events: mpsc::Sender<Event>,
    sent: Instant,
    _place: OwnedSemaphorePermit,
}

/// The client is gone, or does not take what it is sent.
struct Left;

impl Feed {
    async fn run(mut self) {
        let stopping = self.stopping.clone();
        // Why it ends is of no use to a client that has left, and the others come again.
        let _ = stopping.run_until_cancelled(self.feed()).await;
    }

    async fn feed(&mut self) -> Result<(), Left> {
        self.send(Event::default().retry(RETRY)).await?;
        let mut allowed = Instant::now();
        loop {
            if allowed.elapsed() >= self.limits.allowed_every {
                if !self.is_allowed().await {
                    return Ok(());
                }
                allowed = Instant::now();
            }
            let told = match self.follower.next(&self.engine).await {
                Ok(told) => told,
                Err(error) => {
                    tracing::warn!(%error, tenant = %self.scope.tenant(), "could not read which operations changed; the client comes again");
                    return Ok(());
                }
            };
            let nothing = told.is_empty();
            for told in told {
                self.send(event(&told)).await?;
            }
            if !nothing {
                continue;
            }
            if self.sent.elapsed() >= self.limits.alive_every {
                self.send(Event::default().comment("alive")).await?;
            }
            tokio::select! {
                () = self.events.closed() => return Err(Left),
                () = self.follower.moved() => {}
            }
        }
    }

    async fn send(&mut self, event: Event) -> Result<(), Left> {
        let limit = self.limits.taken_within;
        let sent = self.events.send_timeout(event, limit).await;
        self.sent = Instant::now();
        sent.map_err(|_| Left)
    }

    /// Whether the caller still may: its token may have ended, its role may have been taken.
    async fn is_allowed(&self) -> bool {
        let caller = accounts::authenticate(&self.engine, self.token.expose_secret()).await;
        caller.is_ok_and(|caller| authorize::<HistoryRead>(&caller, self.scope.tenant()).is_ok())
    }
}

fn event(told: &Told) -> Event {
    let document = OperationEvent::from_operation(&told.operation, told.waiting_for);
    let text = serde_json::to_string(&document).expect("such a document is always JSON");
    Event::default()
        .id(&told.mark)
        .event("operation")
        .data(text)
}
