//! The client itself: addresses, and one way to send.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use dev2prod_api::{FEATURES_HEADER, Feature, parse_features};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, Request, RequestBuilder, Response, Url};

use crate::error::ClientError;
use crate::options::{Access, ClientOptions};
use crate::reply;
use crate::session::Session;

/// What servers of this API expect of programs: another agent is taken for a browser by some.
const USER_AGENT: &str = concat!(
    "Apache-HttpClient/4.5 (dev2prod ",
    env!("CARGO_PKG_VERSION_MAJOR"),
    ".",
    env!("CARGO_PKG_VERSION_MINOR"),
    ")"
);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next call: less than servers and proxies keep theirs.
const IDLE_CONNECTION: Duration = Duration::from_secs(4);

/// A server of the Dev2Prod API, as one caller. Cheap to clone; clones share the session.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) access: Access,
    pub(crate) login_tenant: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) session: tokio::sync::Mutex<Option<Session>>,
    offered: Mutex<Option<BTreeSet<Feature>>>,
}

/// A server of the Dev2Prod API, as one caller in one tenant.
#[derive(Clone, Debug)]
pub struct InTenant {
    pub(crate) client: Client,
    tenant: String,
}

/// Whether the address never leaves this machine.
fn is_this_machine(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

impl Client {
    /// A client of the server that the options name; nothing is sent yet.
    ///
    /// Redirects are never followed, so that credentials go nowhere else.
    pub fn new(options: ClientOptions) -> Result<Self, ClientError> {
        install_crypto();
        let base = base_url(&options.url)?;
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .referer(false)
            .pool_idle_timeout(IDLE_CONNECTION)
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout));
        if let Some(pem) = &options.ca_pem {
            let certificates = Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|certificates| !certificates.is_empty())
                .ok_or_else(|| {
                    ClientError::Usage("the CA file holds no certificate in PEM form".to_owned())
                })?;
            builder = builder.tls_certs_merge(certificates);
        } else if base.scheme() == "http" {
            // Without TLS a machine without any certificates will do.
            builder = builder.tls_certs_only([]);
            if is_this_machine(&base) {
                // A proxy for the world outside leads nowhere from here.
                builder = builder.no_proxy();
            }
        }
        let http = builder.build().map_err(|error| {
            let mut why = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                why = format!("{why}: {error}");
                source = error.source();
            }
            ClientError::Usage(format!("could not set up the connection: {why}"))
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                base,
                access: options.access,
                login_tenant: options.login_tenant,
                timeout: options.timeout,
                session: tokio::sync::Mutex::new(None),
                offered: Mutex::new(None),
            }),
        })
    }

    /// The calls that concern one tenant.
    pub fn in_tenant(&self, tenant: impl Into<String>) -> InTenant {
        InTenant {
            client: self.clone(),
            tenant: tenant.into(),
        }
    }

    /// The address of the server.
    pub fn url(&self) -> &str {
        self.inner.base.as_str().trim_end_matches('/')
    }

    /// Signs in now rather than at the first call, so that wrong credentials show early.
    pub async fn sign_in(&self) -> Result<(), ClientError> {
        self.inner.token().await.map(drop)
    }

    /// What the server offers beyond the documented API; empty if it does not say.
    pub async fn features(&self) -> Result<BTreeSet<Feature>, ClientError> {
        if let Some(offered) = self.inner.offered() {
            return Ok(offered);
        }
        match &self.inner.access {
            Access::Password { .. } => self.sign_in().await?,
            Access::Anonymous | Access::Token(_) => {
                // Whatever is answered there, the header is what counts.
                let request = self.request(Method::GET, &["healthz"])?;
                self.inner.exchange(request).await?;
            }
        }
        Ok(self.inner.offered().unwrap_or_default())
    }

    /// A request to these segments of the path, with the timeout of a short call.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<RequestBuilder, ClientError> {
        let url = address(&self.inner.base, path)?;
        Ok(self
            .inner
            .http
            .request(method, url)
            .timeout(self.inner.timeout))
    }

    /// Sends what `build` makes, with the caller's credentials; if the session turns out to have
    /// expired, signs in again and sends it once more. A reply that says no is an error.
    pub(crate) async fn send(
        &self,
        build: impl Fn() -> Result<RequestBuilder, ClientError>,
    ) -> Result<Response, ClientError> {
        let token = self.inner.token().await?;
        let response = self.inner.exchange(token.sign(build()?)).await?;
        let response = if token.may_have_expired(&response) {
            self.inner.forget(&token).await;
            let token = self.inner.token().await?;
            self.inner.exchange(token.sign(build()?)).await?
        } else {
            response
        };
        reply::accepted(response).await
    }
}

impl InTenant {
    /// The tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The server.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A request to these segments below `/rest/{tenant}/`.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &[&str],
    ) -> Result<RequestBuilder, ClientError> {
        let mut segments = vec!["rest", self.tenant.as_str()];
        segments.extend_from_slice(path);
        self.client.request(method, &segments)
    }
}

impl Inner {
    /// Sends a request and notes what the server says it offers. What only reads is sent once
    /// more if the connection breaks: a kept one may have been closed at the other end.
    pub(crate) async fn exchange(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let request = built(request)?;
        let repeatable = request.method().is_safe();
        self.execute(request, repeatable).await
    }

    /// As [`Self::exchange`], for a call that may be repeated although it does not only read.
    pub(crate) async fn exchange_repeatable(
        &self,
        request: RequestBuilder,
    ) -> Result<Response, ClientError> {
        self.execute(built(request)?, true).await
    }

    async fn execute(&self, request: Request, repeatable: bool) -> Result<Response, ClientError> {
        let url = shown(request.url());
        let again = repeatable.then(|| request.try_clone()).flatten();
        let sent = self.http.execute(request).await;
        let sent = sent.map_err(|error| ClientError::transport(url.clone(), error));
        let response = match (sent, again) {
            (Err(ClientError::BrokenOff { .. }), Some(again)) => {
                let sent = self.http.execute(again).await;
                sent.map_err(|error| ClientError::transport(url, error))?
            }
            (sent, _) => sent?,
        };
        self.note_features(&response);
        Ok(response)
    }

    fn note_features(&self, response: &Response) {
        let header = response.headers().get(FEATURES_HEADER);
        let features = header
            .and_then(|header| header.to_str().ok())
            .map(parse_features);
        if features.is_some() || response.status().is_success() {
            *self.offered.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(features.unwrap_or_default());
        }
    }

    /// Whether the server is known to offer this; nothing is sent to find out.
    pub(crate) fn offers(&self, feature: Feature) -> bool {
        self.offered()
            .is_some_and(|offered| offered.contains(&feature))
    }

    fn offered(&self) -> Option<BTreeSet<Feature>> {
        self.offered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn built(request: RequestBuilder) -> Result<Request, ClientError> {
    request
        .build()
        .map_err(|error| ClientError::Usage(format!("the request cannot be sent: {error}")))
}

/// An address as errors show it: without what a query may hold.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn base_url(text: &str) -> Result<Url, ClientError> {
    let usage = |why: &str| ClientError::Usage(format!("the address of the server {why}"));
    let url = Url::parse(text.trim()).map_err(|error| {
        usage(&format!(
            "cannot be read: {error}; it is like https://company.net"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(usage("begins with https:// or http:// and a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(usage("must not hold a login or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(usage("ends before any ? or #"));
    }
    Ok(url)
}

/// The address of these segments below the server's own.
pub(crate) fn address(base: &Url, path: &[&str]) -> Result<Url, ClientError> {
    if let Some(bad) = path.iter().find(|part| matches!(**part, "" | "." | "..")) {
        return Err(ClientError::Usage(format!(
            "'{bad}' cannot be part of an address"
        )));
    }
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    Ok(url)
}

/// The whole program uses one provider of cryptography; whoever installs it first decides.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_path_of_the_server_and_escapes_the_rest() {
        let base = base_url("https://company.net/saw/").unwrap();
        let url = address(&base, &["rest", "1", "a/b c"]).unwrap();
        assert_eq!(url.as_str(), "https://company.net/saw/rest/1/a%2Fb%20c");
        for bad in ["", ".", ".."] {
            assert!(address(&base, &["rest", bad]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_showing_it() {
        for bad in [
            "company.net",
            "ftp://company.net",
            "https://ann:s3cret@company.net",
            "https://company.net/?x=1",
        ] {
            let error = base_url(bad).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_client_never_shows_its_secrets() {
        let access = Access::password("ann", "s3cret");
        let client = Client::new(ClientOptions::new("http://127.0.0.1:1", access)).unwrap();
        assert!(!format!("{client:?}").contains("s3cret"));
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_refused() {
        let mut options = ClientOptions::new("https://company.net", Access::Anonymous);
        options.ca_pem = Some(b"not a certificate".to_vec());
        let error = Client::new(options).unwrap_err();
        assert!(matches!(error, ClientError::Usage(_)), "{error}");
    }
}
