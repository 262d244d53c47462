//! A server that answers the JSON of the documented API and nothing else, written from that page
//! alone: what a client meets when the server is not ours.
//!
//! It holds no tenants and no content. What it refuses is as telling as what it answers: an
//! import with any member besides `FileId`, an upload without `files[]`, a call without a session.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::sync::oneshot;

mod answers;
mod files;
mod routes;

/// What the server does differently from the documented examples.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The member in which an upload answers the file's id.
    pub upload_member: &'static str,
    /// Statuses that every operation goes through before it ends.
    pub statuses: Vec<&'static str>,
    /// The status with which an export ends.
    pub export_ends: &'static str,
    /// The status with which a dry run or import ends.
    pub import_ends: &'static str,
    /// Entries of `Errors` in the first section of a dry run or import.
    pub errors: Vec<Value>,
    /// Whether a dry run after an import finds nothing to do; otherwise it finds the same again.
    pub settles: bool,
    /// Members left out of `Totals`.
    pub totals_without: Vec<&'static str>,
    /// After how many calls a session expires; never if `None`.
    pub session_calls: Option<usize>,
    /// After how many bytes each connection of a download breaks, until all are through.
    pub download_breaks_after: Option<usize>,
    /// Whether a download has a strong ETag and can be gone on with.
    pub download_ranges: bool,
    /// The last part of the path of the login.
    pub login_path: &'static str,
    /// The bytes that an export makes.
    pub bundle: Vec<u8>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            upload_member: "Id",
            statuses: vec!["RUNNING"],
            export_ends: "COMPLETED",
            import_ends: "COMPLETED",
            errors: Vec::new(),
            settles: false,
            totals_without: Vec::new(),
            session_calls: None,
            download_breaks_after: None,
            download_ranges: false,
            login_path: "token",
            bundle: (0..=255).cycle().take(300_000).collect(),
        }
    }
}

/// The server, on a free port of this machine until it is dropped.
#[derive(Debug)]
pub struct SeedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl SeedServer {
    /// The login that it takes.
    pub const LOGIN: &'static str = "ann";
    /// The password that it takes.
    pub const PASSWORD: &'static str = "correct horse";

    /// Starts a server; it answers as soon as this returns.
    ///
    /// It runs in a thread of its own, so that tests with and without a runtime can use it.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub fn start(behaviour: Behaviour) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("a bound port has an address");
        let shared = Arc::new(Shared {
            behaviour,
            state: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel();
        let app = router(shared.clone());
        let thread = std::thread::spawn(move || serve(listener, app, stopped));
        Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call so far: method, path and query.
    pub fn calls(&self) -> Vec<String> {
        self.shared.state().calls.clone()
    }

    /// The bodies of all imports so far, as sent.
    pub fn imports(&self) -> Vec<String> {
        self.shared.state().imports.clone()
    }

    /// Every `User-Agent` that called.
    pub fn user_agents(&self) -> BTreeSet<String> {
        self.shared.state().user_agents.clone()
    }

    /// How often somebody signed in.
    pub fn logins(&self) -> usize {
        self.shared.state().logins
    }

    /// The bytes of all uploaded files, in order.
    pub fn uploads(&self) -> Vec<Vec<u8>> {
        self.shared.state().uploads.clone()
    }
}

impl Drop for SeedServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // If the server is gone already, that is what is wanted.
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

#[derive(Debug)]
struct Shared {
    behaviour: Behaviour,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    calls: Vec<String>,
    user_agents: BTreeSet<String>,
    imports: Vec<String>,
    logins: usize,
    session: Option<Session>,
    operations: BTreeMap<String, Operation>,
    files: BTreeMap<String, Vec<u8>>,
    uploads: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Session {
    token: String,
    calls: usize,
}

#[derive(Debug)]
struct Operation {
    kind: Kind,
    /// How often its status was asked.
    asked: usize,
    /// The file it makes or takes.
    file: String,
    /// Whether it finds nothing to do.
    settled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Export,
    DryRun,
    Import,
}

fn router(shared: Arc<Shared>) -> Router {
    let login = format!(
        "/auth/authentication-endpoint/authenticate/{}",
        shared.behaviour.login_path
    );
    let rest = Router::new()
        .route(
            "/dev2prod/export/types/{package}",
            post(routes::start_export),
        )
        .route("/dev2prod/export/{id}", get(routes::export_status))
        .route("/dev2prod/import", post(routes::start_import))
        .route("/dev2prod/import/{id}", get(routes::import_status))
        .route("/ces/attachment", post(files::upload))
        .route("/ces/attachment/{id}", get(files::download))
        .layer(axum::middleware::from_fn_with_state(
            shared.clone(),
            routes::need_session,
        ));
    Router::new()
        .route(&login, post(routes::log_in))
        .nest("/rest/{tenant}", rest)
        .fallback(routes::not_found)
        .layer(axum::middleware::from_fn_with_state(
            shared.clone(),
            routes::note_call,
        ))
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

fn serve(listener: std::net::TcpListener, app: Router, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        listener
            .set_nonblocking(true)
            .expect("a listener can be made non-blocking");
        let listener =
            tokio::net::TcpListener::from_std(listener).expect("the listener is non-blocking");
        tokio::select! {
            served = axum::serve(listener, app) => drop(served),
            stopped = stopped => drop(stopped),
        }
    });
}
