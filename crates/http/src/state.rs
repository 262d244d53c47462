//! What every handler has at hand.

use std::collections::BTreeSet;

use axum::extract::FromRef;
use dev2prod_api::Feature;
use dev2prod_engine::Engine;

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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            features: Feature::ALL.iter().copied().collect(),
            json_bytes_max: 1024 * 1024,
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
