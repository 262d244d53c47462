//! Signing in, and the session that comes of it.

use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use dev2prod_api::{Credentials, Problem};

use crate::client::{Inner, address};
use crate::error::ClientError;
use crate::options::Access;
use crate::reply;

/// Sessions last about an hour. A stream that cannot be sent twice begins with one younger than
/// this.
const FRESH: Duration = Duration::from_secs(20 * 60);

/// The names of the login, newest first; older servers know only the second.
const LOGINS: [&str; 2] = ["token", "login"];

/// A session as it was opened.
#[derive(Debug)]
pub(crate) struct Session {
    token: SecretString,
    opened: Instant,
}

/// What a request is signed with.
pub(crate) enum Token {
    /// Nothing.
    None,
    /// The session of a login.
    Session(SecretString),
    /// A long-lived token.
    Bearer(SecretString),
}

impl Token {
    /// The request with these credentials; marked so that they are never logged.
    pub(crate) fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        let (name, text) = match self {
            Self::None => return request,
            Self::Session(token) => (COOKIE, format!("SMAX_AUTH_TOKEN={}", token.expose_secret())),
            Self::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.expose_secret())),
        };
        match HeaderValue::from_str(&text) {
            Ok(mut value) => {
                value.set_sensitive(true);
                request.header(name, value)
            }
            // A token that no header can carry opens nothing: the server answers 401.
            Err(_) => request,
        }
    }

    /// Whether another session could make the difference.
    pub(crate) fn may_have_expired(&self, response: &Response) -> bool {
        matches!(self, Self::Session(_)) && response.status() == StatusCode::UNAUTHORIZED
    }
}

impl Inner {
    /// The credentials of the next request; signs in if there is no session.
    pub(crate) async fn token(&self) -> Result<Token, ClientError> {
        self.token_younger_than(Duration::MAX).await
    }

    /// As [`Self::token`], for a stream that cannot be sent twice.
    pub(crate) async fn fresh_token(&self) -> Result<Token, ClientError> {
        self.token_younger_than(FRESH).await
    }

    async fn token_younger_than(&self, age: Duration) -> Result<Token, ClientError> {
        let (login, password) = match &self.access {
            Access::Anonymous => return Ok(Token::None),
            Access::Token(token) => return Ok(Token::Bearer(token.clone())),
            Access::Password { login, password } => (login, password),
        };
        // Held while signing in: calls at the same time wait for one session.
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|s| s.opened.elapsed() < age) {
            return Ok(Token::Session(session.token.clone()));
        }
        let token = self.log_in(login, password).await?;
        *session = Some(Session {
            token: token.clone(),
            opened: Instant::now(),
        });
        Ok(Token::Session(token))
    }

    /// Drops a session that the server no longer takes, unless another call already replaced it.
    pub(crate) async fn forget(&self, token: &Token) {
        let mut session = self.session.lock().await;
        let Token::Session(expired) = token else {
            return;
        };
        if session
            .as_ref()
            .is_some_and(|s| s.token.expose_secret() == expired.expose_secret())
        {
            *session = None;
        }
    }

    async fn log_in(
        &self,
        login: &str,
        password: &SecretString,
    ) -> Result<SecretString, ClientError> {
        let mut answer = self.ask_for_token(LOGINS[0], login, password).await;
        if answer
            .as_ref()
            .is_err_and(|error| matches!(error.status(), Some(404 | 405)))
        {
            answer = self.ask_for_token(LOGINS[1], login, password).await;
        }
        match answer {
            // Many servers answer a wrong password as a bad request.
            Err(ClientError::Problem { url, problem, .. }) if problem.status == 400 => {
                Err(self.refused_login(url, problem))
            }
            Err(ClientError::NotAuthorized { url, problem, .. }) => {
                Err(self.refused_login(url, problem))
            }
            answer => answer,
        }
    }

    fn refused_login(&self, url: String, problem: Box<Problem>) -> ClientError {
        ClientError::NotAuthorized {
            url,
            problem,
            tenant: self.login_tenant.clone(),
        }
    }

    async fn ask_for_token(
        &self,
        name: &str,
        login: &str,
        password: &SecretString,
    ) -> Result<SecretString, ClientError> {
        let path = ["auth", "authentication-endpoint", "authenticate", name];
        let url = address(&self.base, &path)?;
        let mut request = self
            .http
            .request(Method::POST, url)
            .timeout(self.timeout)
            .json(&Credentials {
                login: login.to_owned(),
                password: password.expose_secret().to_owned(),
            });
        if let Some(tenant) = &self.login_tenant {
            request = request.query(&[("TENANTID", tenant)]);
        }
        let response = reply::accepted(self.exchange_repeatable(request).await?).await?;
        let url = crate::client::shown(response.url());
        let text = reply::text(response).await?;
        let token = text.trim().trim_matches('"');
        if token.is_empty() || !token.bytes().all(|byte| (b'!'..=b'~').contains(&byte)) {
            return Err(ClientError::Unexpected {
                url,
                what: "the login gave no token".to_owned(),
            });
        }
        if token.contains(['<', '{', ';', ',']) {
            let problem = Problem::new(401, "no_token", "the login gave a page, not a token");
            return Err(ClientError::NotAuthorized {
                url,
                problem: Box::new(problem),
                tenant: None,
            });
        }
        Ok(SecretString::from(token.to_owned()))
    }
}
