//! What every handler has at hand.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use dev2prod_api::Feature;
use dev2prod_engine::Engine;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// What the server does.
    pub engine: Engine,
    /// How it speaks.
    pub options: Options,
}

/// How the server speaks HTTP.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the header `Dev2Prod-Features` of every reply names.
    pub features: BTreeSet<Feature>,
    /// The largest JSON body of a request. Content and files are streams with limits of their own.
    pub json_bytes_max: usize,
    /// The streams of events.
    pub events: EventLimits,
    /// Canceled when the server stops: replies that would never end, end then.
    pub stopping: CancellationToken,
}

/// What clients that follow operations may take up.
#[derive(Clone, Debug)]
pub struct EventLimits {
    /// The streams that may be open at the same time; the next client is asked to come again.
    pub streams: Arc<Semaphore>,
    /// The events that wait for one client.
    pub waiting_max: usize,
    /// How long a client may leave them waiting before its stream is given up.
    pub taken_within: Duration,
    /// How often a client that is told nothing hears that the stream is alive.
    pub alive_every: Duration,
    /// How often it is looked whether the caller still may.
    pub allowed_every: Duration,
}

impl Default for EventLimits {
    fn default() -> Self {
        Self {
            streams: Arc::new(Semaphore::new(256)),
            waiting_max: 32,
            taken_within: Duration::from_secs(30),
            alive_every: Duration::from_secs(15),
            allowed_every: Duration::from_secs(5),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            features: Feature::ALL.iter().copied().collect(),
            json_bytes_max: 1024 * 1024,
            events: EventLimits::default(),
            stopping: CancellationToken::new(),
        }
    }
}

impl AppState {
    /// The state of a server that offers everything this version knows.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            options: Options::default(),
        }
    }
}

impl FromRef<AppState> for Engine {
    fn from_ref(state: &AppState) -> Self {
        state.engine.clone()
    }
}
