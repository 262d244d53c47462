//! Paths as clients write them: with doubled and trailing slashes.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The request with a path that has no empty segments, before it is routed. Only raw slashes are
/// meant: a `/` of a key is written `%2F`, and stays.
pub(crate) fn normalized(mut request: Request) -> Request {
    if let Some(uri) = tidy(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// The tidied address; `None` if it is tidy as it is.
fn tidy(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let untidy = path.contains("//") || (path.len() > 1 && path.ends_with('/'));
    if !untidy {
        return None;
    }
    let mut tidied = String::with_capacity(path.len());
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        tidied.push('/');
        tidied.push_str(segment);
    }
    if tidied.is_empty() {
        tidied.push('/');
    }
    if let Some(query) = uri.query() {
        tidied.push('?');
        tidied.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(tidied).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expected: Option<&str>) {
        let tidied = tidy(&address.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(tidied.as_deref(), expected, "{address}");
    }

    #[test]
    fn empty_segments_go_and_all_else_stays() {
        check("/rest/1/dev2prod/import/", Some("/rest/1/dev2prod/import"));
        check(
            "//rest//1/dev2prod///import?a=//&b=/",
            Some("/rest/1/dev2prod/import?a=//&b=/"),
        );
        check("http://host//rest/1/", Some("http://host/rest/1"));
        check("//", Some("/"));
        check("/", None);
        check("/rest/1/content/data/a%2F%2Fb%2F", None);
        check(
            "/rest/1/content/data/a%2F/",
            Some("/rest/1/content/data/a%2F"),
        );
    }
}
