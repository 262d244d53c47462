//! A whole server in this process, with a development and a production tenant and one user of each
//! role. Requests go through the router; no socket is needed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use dev2prod_engine::accounts::{create_user, first_admin, set_role, sign_in};
use dev2prod_engine::runner::{Runner, RunnerHandle};
use dev2prod_engine::tenants::{self, NewTenant};
use dev2prod_engine::{Clock, Engine, Parts, Settings, SystemClock, SystemRandom};
use dev2prod_http::{AppState, Options, router};
use dev2prod_model::access::{Grant, Role, authorize_server};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::tenant::TenantKind;
use dev2prod_storage::{Embedded, EmbeddedOptions};
use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

/// The development tenant.
pub(crate) const DEV: &str = "123456789";
/// The production tenant.
pub(crate) const PROD: &str = "987654321";
/// The tenant that only `outsider` knows of.
pub(crate) const OTHER: &str = "555500000";
/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse";
/// An API token as no server makes it.
const IDS: &str = "x-request-id";

/// The machine's clock, and how far a test has put it forward.
#[derive(Default)]
struct ShiftedClock(AtomicI64);

/// So far forward that the clock panics when it is asked.
const BROKEN: i64 = i64::MAX;

impl Clock for ShiftedClock {
    fn now_ms(&self) -> i64 {
        let ahead = self.0.load(Ordering::Relaxed);
        assert_ne!(ahead, BROKEN, "the clock is broken");
        SystemClock.now_ms() + ahead
    }
}

/// A server.
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) router: Router,
    pub(crate) folder: TempDir,
    clock: Arc<ShiftedClock>,
    tokens: BTreeMap<&'static str, String>,
    runner: Option<RunnerHandle>,
}

impl App {
    /// A server with `admin`, who is nothing but its administrator, and in both tenants `viewer`,
    /// `promoter` and `tenantadmin`, and `approver`, who is a viewer besides; in the third there is only `outsider`.
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings::default(), Options::default()).await
    }

    pub(crate) async fn start_with(settings: Settings, options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = Embedded::open(folder.path(), EmbeddedOptions::default())
            .await
            .unwrap();
        let clock = Arc::new(ShiftedClock::default());
        let engine = Engine::new(Parts {
            store: kept.store,
            blobs: kept.blobs,
            catalogue: Arc::new(Catalogue::standard()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            random: Arc::new(SystemRandom),
            secret_key: kept.secret_key,
            settings,
        });
        let mut app = Self {
            router: router(AppState {
                engine: engine.clone(),
                options,
            }),
            engine,
            folder,
            clock,
            tokens: BTreeMap::new(),
            runner: None,
        };
        app.populate().await;
        app
    }

    async fn populate(&mut self) {
        let engine = self.engine.clone();
        first_admin(&engine, "admin".parse().unwrap(), Some(PASSWORD.into()))
            .await
            .unwrap();
        self.sign_in("admin").await;
        let account = engine
            .store()
            .account(&"admin".parse().unwrap())
            .await
            .unwrap();
        let scope = authorize_server(&account.unwrap().1).unwrap();
        for (id, kind) in [
            (DEV, TenantKind::Development),
            (PROD, TenantKind::Production),
            (OTHER, TenantKind::Development),
        ] {
            let new = NewTenant {
                id: Some(id.parse().unwrap()),
                name: format!("Tenant {id}"),
                kind,
            };
            tenants::create(&engine, &scope, new).await.unwrap();
            let within = scope.roles_of(&id.parse().unwrap());
            set_role(&engine, &within, scope.login(), None)
                .await
                .unwrap();
        }
        for (login, role, own) in [
            ("viewer", Role::Viewer, &[DEV, PROD][..]),
            ("approver", Role::Viewer, &[DEV, PROD]),
            ("promoter", Role::Promoter, &[DEV, PROD]),
            ("tenantadmin", Role::TenantAdmin, &[DEV, PROD]),
            ("outsider", Role::TenantAdmin, &[OTHER]),
        ] {
            let name = login.parse().unwrap();
            create_user(&engine, &scope, name, &PASSWORD.into(), false)
                .await
                .unwrap();
            for tenant in own {
                let within = scope.roles_of(&tenant.parse().unwrap());
                let grant = Grant {
                    role,
                    approver: login == "approver",
                };
                set_role(&engine, &within, &login.parse().unwrap(), Some(grant))
                    .await
                    .unwrap();
            }
            self.sign_in(login).await;
        }
    }

    async fn sign_in(&mut self, login: &'static str) {
        let from = std::net::IpAddr::from([127, 0, 0, 1]);
        let token = sign_in(&self.engine, login, &PASSWORD.into(), from, None)
            .await
            .unwrap();
        self.tokens.insert(login, token.expose_secret().to_owned());
    }

    /// Starts to work operations off. What is being written at this moment is cut off, as what an
    /// earlier process left; so content is written before.
    pub(crate) async fn run(&mut self) {
        self.runner = Some(Runner::start(self.engine.clone()).await.unwrap());
    }

    /// Puts the clock forward.
    pub(crate) fn pass(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap();
        self.clock.0.fetch_add(ms, Ordering::Relaxed);
    }

    /// Has whoever asks for the time panic, or not any more.
    pub(crate) fn break_clock(&self, broken: bool) {
        self.clock
            .0
            .store(if broken { BROKEN } else { 0 }, Ordering::Relaxed);
    }

    /// The session of a user.
    pub(crate) fn token(&self, login: &str) -> &str {
        &self.tokens[login]
    }

    /// A request to this path.
    pub(crate) fn call(&self, method: Method, path: impl Into<String>) -> Call<'_> {
        Call {
            app: self,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Body::empty(),
        }
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    pub(crate) fn delete(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    /// Writes items into a tenant, each given as section, key and body.
    pub(crate) async fn write(&self, tenant: &str, items: &[(&str, &str, &str)]) {
        let lines: String = items
            .iter()
            .map(|(section, key, body)| {
                format!("{{\"PackageName\":\"{section}\",\"Key\":\"{key}\",\"Body\":{body}}}\n")
            })
            .collect();
        let call = self
            .post(format!("/rest/{tenant}/content"))
            .by("tenantadmin")
            .body(lines);
        call.send().await.expect(StatusCode::OK);
    }

    /// Uploads a file as a form; answers its id.
    pub(crate) async fn upload(&self, tenant: &str, name: &str, bytes: &[u8]) -> String {
        let reply = self
            .post(format!("/rest/{tenant}/ces/attachment"))
            .by("promoter")
            .form(&[("files[]", name, bytes)])
            .send()
            .await;
        reply.expect(StatusCode::OK)["Id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Exports a package; answers the status at the end. Needs [`App::run`].
    pub(crate) async fn export(&self, tenant: &str, package: u64) -> Reply {
        let path = format!("/rest/{tenant}/dev2prod/export/types/{package}");
        let started = self.post(path).by("promoter").body("{}").send().await;
        let id = started.expect(StatusCode::OK)["Id"]
            .as_str()
            .unwrap()
            .to_owned();
        self.ended(&format!("/rest/{tenant}/dev2prod/export/{id}"))
            .await
    }

    /// Imports a file, or tries it; answers the status at the end. Needs [`App::run`].
    pub(crate) async fn import(&self, tenant: &str, dry_run: bool, body: &str) -> Reply {
        let path = format!("/rest/{tenant}/dev2prod/import?dryRun={dry_run}");
        let started = self
            .post(path)
            .by("promoter")
            .body(body.to_owned())
            .send()
            .await;
        let id = started.expect(StatusCode::OK)["Id"]
            .as_str()
            .unwrap()
            .to_owned();
        self.ended(&format!("/rest/{tenant}/dev2prod/import/{id}"))
            .await
    }

    /// The status of an operation once it has ended.
    pub(crate) async fn ended(&self, path: &str) -> Reply {
        for _ in 0..600 {
            let reply = self.get(path).by("viewer").send().await;
            let status = reply.expect(StatusCode::OK)["Status"]
                .as_str()
                .unwrap()
                .to_owned();
            if !["PENDING", "RUNNING"].contains(&status.as_str()) {
                return reply;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} does not end");
    }
}

/// A request to be sent.
pub(crate) struct Call<'a> {
    app: &'a App,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Body,
}

impl Call<'_> {
    /// With the session of a user.
    pub(crate) fn by(self, login: &str) -> Self {
        let cookie = format!("SMAX_AUTH_TOKEN={}", self.app.token(login));
        self.header("cookie", &cookie)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers
            .append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// With a form of fields: name, file name, bytes.
    pub(crate) fn form(self, fields: &[(&str, &str, &[u8])]) -> Self {
        let mut form = Vec::new();
        for (field, name, bytes) in fields {
            form.extend_from_slice(
                format!(
                    "--b0undary\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\nContent-Type: application/zip\r\n\r\n"
                )
                .as_bytes(),
            );
            form.extend_from_slice(bytes);
            form.extend_from_slice(b"\r\n");
        }
        form.extend_from_slice(b"--b0undary--\r\n");
        self.header("content-type", "multipart/form-data; boundary=b0undary")
            .body(form)
    }

    /// Sends it under an id that makes problems comparable.
    pub(crate) async fn send(self) -> Reply {
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        let id = HeaderValue::from_static("test");
        request.headers_mut().entry(IDS).or_insert(id);
        let response = self.app.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let endless = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind == "text/event-stream");
        let bytes = if endless {
            Vec::new()
        } else {
            to_bytes(body, usize::MAX).await.unwrap().to_vec()
        };
        Reply {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }
}

/// What a request is answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of a reply that has this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: StatusCode) -> Value {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        if self.bytes.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// A problem whole: status line, the headers that belong to it, document.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            "application/problem+json",
            "{self:?}"
        );
        let mut text = String::new();
        for name in [
            header::ALLOW,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            header::CONTENT_RANGE,
        ] {
            if let Some(value) = self.headers.get(&name) {
                text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
            }
        }
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        text + &serde_json::to_string_pretty(&document).unwrap()
    }
}
