//! From where a request comes.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use dev2prod_engine::Engine;
use dev2prod_model::sender::Sender;

use crate::state::AppState;

/// An engine that knows from where the request comes that it works for.
pub(crate) struct AskedFrom(pub(crate) Engine);

impl FromRequestParts<AppState> for AskedFrom {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let sender = sender(&parts.extensions, &parts.headers);
        Ok(Self(state.engine.asked_from(sender)))
    }
}

/// The peer's address, and the program that the caller says it is.
pub(crate) fn sender(extensions: &Extensions, headers: &HeaderMap) -> Sender {
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    Sender::new(peer(extensions), agent)
}

/// The address of the peer. Deliberately not what a header says, for a caller writes those.
pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(peer)| peer.ip())
}
