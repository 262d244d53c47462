//! Reading replies: what a server said, whoever it is.

use std::time::Duration;

use dev2prod_api::{Problem, title};
use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::shown;
use crate::error::ClientError;
use crate::lenient;

/// The most bytes of a reply that are kept in memory. Streams are not read this way.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most characters of a foreign reply that an error repeats.
const SHOWN_CHARS_MAX: usize = 300;

/// A reply that says yes; one that says no is an error with what it said.
pub(crate) async fn accepted(response: Response) -> Result<Response, ClientError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let url = shown(response.url());
    if status.is_redirection() {
        let to = response.headers().get(LOCATION);
        let to = to
            .and_then(|to| to.to_str().ok())
            .unwrap_or("another address");
        return Err(ClientError::Unexpected {
            url,
            what: format!(
                "a redirect to {to}, which is not followed; use that address if it is the server's"
            ),
        });
    }
    let retry_after = retry_after(&response);
    // What it says is worth having, but that it said no is what counts.
    let body = text(response).await.unwrap_or_default();
    let problem = Box::new(problem(status, &body));
    Err(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ClientError::NotAuthorized {
            url,
            problem,
            tenant: None,
        },
        _ => ClientError::Problem {
            url,
            problem,
            retry_after,
        },
    })
}

/// How long a reply asks to wait before the next call.
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// What a reply that says no tells, as a problem document whatever it was.
fn problem(status: StatusCode, body: &str) -> Problem {
    let parsed: Option<Value> = serde_json::from_str(body).ok();
    if let Some(problem) = parsed
        .as_ref()
        .and_then(|value| serde_json::from_value(value.clone()).ok())
    {
        return problem;
    }
    let said = parsed.as_ref().map(lenient::sentence);
    let mut detail = cut(said.as_deref().unwrap_or(body));
    if detail.is_empty() {
        detail = "no reason was given".to_owned();
    }
    let status = status.as_u16();
    let mut problem = Problem::new(status, format!("http_{status}"), detail);
    problem.title = title(status).to_owned();
    problem
}

/// The whole text of a reply.
pub(crate) async fn text(response: Response) -> Result<String, ClientError> {
    let url = shown(response.url());
    let bytes = bytes(response).await?;
    String::from_utf8(bytes).map_err(|_| ClientError::Unexpected {
        url,
        what: "text that is not UTF-8".to_owned(),
    })
}

async fn bytes(mut response: Response) -> Result<Vec<u8>, ClientError> {
    let url = shown(response.url());
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > REPLY_BYTES_MAX => {
                return Err(ClientError::Unexpected {
                    url,
                    what: format!("more than {REPLY_BYTES_MAX} bytes"),
                });
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) => return Err(ClientError::transport(url, error)),
        }
    }
}

/// The JSON of a reply, whatever it is.
pub(crate) async fn value(response: Response) -> Result<Value, ClientError> {
    json(response).await
}

/// The JSON of a reply, as our own server writes it.
pub(crate) async fn json<T: DeserializeOwned>(response: Response) -> Result<T, ClientError> {
    let url = shown(response.url());
    let text = text(response).await?;
    serde_json::from_str(&text).map_err(|error| ClientError::Unexpected {
        url,
        what: format!("{error} in: {}", cut(&text)),
    })
}

/// The beginning of a text, on one line.
pub(crate) fn cut(text: &str) -> String {
    let line: Vec<_> = text.split_whitespace().collect();
    let line = line.join(" ");
    if line.chars().count() <= SHOWN_CHARS_MAX {
        return line;
    }
    let mut cut: String = line.chars().take(SHOWN_CHARS_MAX).collect();
    cut.push('…');
    cut
}

/// What comes in time; otherwise a connection that stands still counts as broken.
pub(crate) async fn within<T>(
    idle: Duration,
    url: &str,
    future: impl Future<Output = T>,
) -> Result<T, ClientError> {
    tokio::time::timeout(idle, future)
        .await
        .map_err(|error| ClientError::BrokenOff {
            url: url.to_owned(),
            source: Box::new(error),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_made_of_whatever_was_said() {
        let cases = [
            (
                r#"{"type":"about:blank","title":"Forbidden","status":403,"detail":"not you","Code":"role_too_low"}"#,
                "role_too_low: not you",
            ),
            (
                r#"{"message":"no such package"}"#,
                "http_404: no such package",
            ),
            (r#"{"error":{"Message":"gone"}}"#, "http_404: gone"),
            (r#"["a","b"]"#, r#"http_404: ["a","b"]"#),
            (
                "<html>\n  <h1>Not Found</h1>",
                "http_404: <html> <h1>Not Found</h1>",
            ),
            ("", "http_404: no reason was given"),
        ];
        for (body, expected) in cases {
            let problem = problem(StatusCode::NOT_FOUND, body);
            assert_eq!(format!("{}: {}", problem.code, problem.detail), expected);
        }
        let long = problem(StatusCode::BAD_GATEWAY, &"x".repeat(1_000));
        assert_eq!(long.detail.chars().count(), 301);
    }
}
