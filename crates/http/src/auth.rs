//! Signing in, as clients of this API family do it.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use dev2prod_api::Credentials;
use dev2prod_engine::accounts;
use dev2prod_model::id::TenantId;
use dev2prod_model::json::JsonLimits;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::extract::{all_params, object, peer, read_body};
use crate::journal::Journal;
use crate::problem::ApiError;
use crate::state::AppState;

/// Opens a session
///
/// The reply is the bare token, three parts joined by dots, good for an hour unless the server is
/// set otherwise. Send it as the cookie `SMAX_AUTH_TOKEN` or `LWSSO_COOKIE_KEY`, or as
/// `Authorization: Bearer`. With `TENANTID` the login must have a role in that tenant. Failed
/// logins of one name from one address are slowed.
#[utoipa::path(post, path = "", tag = "Signing in",
    params(("TENANTID" = Option<String>, Query, description = "A tenant that the session is for.")),
    request_body(content = Credentials,
        description = "Member names are read in either case; a `Content-Type` is not needed."),
    responses((status = 200, description = "The token.", body = String, content_type = "text/plain")))]
pub(crate) async fn sign_in(
    State(state): State<AppState>,
    journal: Journal,
    request: Request,
) -> Result<impl IntoResponse, ApiError> {
    // Where the caller is, so that guesses from there can be slowed.
    let from = peer(request.extensions()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let tenant = tenant(&request)?;
    let body = read_body(request.into_body(), state.options.json_bytes_max).await?;
    let (login, password) = credentials(object(&body, &JsonLimits::default())?)?;
    journal.claims(&login);
    let token = accounts::sign_in(&state.engine, &login, &password, from, tenant.as_ref()).await?;
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((headers, token.expose_secret().to_owned()))
}

fn tenant(request: &Request) -> Result<Option<TenantId>, ApiError> {
    let params = all_params(request.uri())?;
    let tenant = params
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("TENANTID"));
    let tenant = tenant.filter(|(_, value)| !value.is_empty());
    tenant
        .map(|(_, value)| value.parse().map_err(dev2prod_engine::EngineError::from))
        .transpose()
        .map_err(ApiError::from)
}

/// `Login` and `Password` in whatever case; other members are passed over, for clients send some.
fn credentials(members: Map<String, Value>) -> Result<(String, SecretString), ApiError> {
    let mut login = None;
    let mut password = None;
    for (name, value) in members {
        let place = match name.to_ascii_lowercase().as_str() {
            "login" => &mut login,
            "password" => &mut password,
            _ => continue,
        };
        let Value::String(text) = value else {
            return Err(ApiError::invalid(
                "malformed_body",
                format!("{name} is not a string"),
            ));
        };
        if place.replace(text).is_some() {
            return Err(ApiError::invalid(
                "malformed_body",
                format!("{name} is there twice"),
            ));
        }
    }
    let missing = |name| {
        ApiError::invalid(
            "missing_member",
            format!("the member {name} is missing in the body"),
        )
    };
    let login = login.ok_or_else(|| missing("Login"))?;
    let password = password.ok_or_else(|| missing("Password"))?;
    Ok((login, password.into()))
}
