//! Finding the token that a request carries.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};

/// The cookies that clients of this API family carry a token in, in the order in which they count.
pub(crate) const COOKIES: [&str; 2] = ["SMAX_AUTH_TOKEN", "LWSSO_COOKIE_KEY"];

/// The token of `Authorization: Bearer`, or else of one of the [`COOKIES`].
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    bearer(headers).or_else(|| COOKIES.into_iter().find_map(|name| cookie(headers, name)))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Clients write cookies as they like: with or without a space after `;`, quoted or not, in one
/// header or in several.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .filter(|(found, _)| found.trim() == name)
        .map(|(_, value)| value.trim().trim_matches('"'))
        .find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(headers: &[(axum::http::HeaderName, &'static str)], expected: Option<&str>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        assert_eq!(token(&map), expected, "{headers:?}");
    }

    #[test]
    fn a_token_is_found_however_it_is_sent() {
        check(&[(COOKIE, "SMAX_AUTH_TOKEN=a.b.c")], Some("a.b.c"));
        check(&[(COOKIE, "LWSSO_COOKIE_KEY=a.b.c")], Some("a.b.c"));
        check(&[(COOKIE, "x=1;SMAX_AUTH_TOKEN=a")], Some("a"));
        check(&[(COOKIE, "x=1; SMAX_AUTH_TOKEN = \"a\" ;y=2")], Some("a"));
        check(&[(COOKIE, "x=1"), (COOKIE, "SMAX_AUTH_TOKEN=a")], Some("a"));
        check(
            &[(COOKIE, "LWSSO_COOKIE_KEY=b; SMAX_AUTH_TOKEN=a")],
            Some("a"),
        );
        check(
            &[(COOKIE, "SMAX_AUTH_TOKEN=; LWSSO_COOKIE_KEY=b")],
            Some("b"),
        );
        check(
            &[(COOKIE, "SMAX_AUTH_TOKEN=a=="), (COOKIE, "z")],
            Some("a=="),
        );
        check(
            &[(AUTHORIZATION, "bearer  a"), (COOKIE, "SMAX_AUTH_TOKEN=b")],
            Some("a"),
        );
        check(
            &[(AUTHORIZATION, "Basic YTpi"), (COOKIE, "SMAX_AUTH_TOKEN=b")],
            Some("b"),
        );
    }

    #[test]
    fn what_carries_no_token_has_none() {
        check(&[], None);
        check(&[(AUTHORIZATION, "Bearer ")], None);
        check(&[(AUTHORIZATION, "Bearer")], None);
        check(&[(COOKIE, "XSMAX_AUTH_TOKEN=a")], None);
        check(&[(COOKIE, "smax_auth_token")], None);
    }
}
