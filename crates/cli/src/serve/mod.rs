//! `dev2prod serve`: the server, on a folder that it alone holds.

mod config;
mod logging;

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use dev2prod_engine::accounts::{self, FirstAdmin};
use dev2prod_engine::runner::{Runner, RunnerHandle};
use dev2prod_engine::{Engine, Parts, SystemClock, SystemRandom};
use dev2prod_http::AppState;
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::id::Login;
use dev2prod_storage::{Embedded, EmbeddedOptions};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use self::config::{ServeArgs, ServeConfig};

/// How long replies may go on after the last operation has ended or was handed back.
const REPLIES_DEADLINE: Duration = Duration::from_secs(5);

/// Serves until it is asked to stop (SIGINT or SIGTERM).
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let config = ServeConfig::read(args)?;
    logging::start(config.log_format, &config.log)?;
    let server = Server::start(&config).await?;
    announce(&server, &config)?;
    stop_asked().await?;
    tracing::info!("stopping: no more requests, running operations may end");
    server.stop().await
}

/// Starts logging as the configuration says, for a server that another command starts.
pub(crate) fn start_logging(config: &ServeConfig) -> anyhow::Result<()> {
    logging::start(config.log_format, &config.log)
}

/// The address on the first line of standard output; the made-up password, once, on standard error.
fn announce(server: &Server, config: &ServeConfig) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "http://{}", server.address)?;
    out.flush()?;
    tracing::info!(data = %config.data.display(), "dev2prod {} is ready", env!("CARGO_PKG_VERSION"));
    if let Some(FirstAdmin { login, made_up }) = &server.first_admin {
        match made_up {
            Some(password) => anstream::eprintln!(
                "The system administrator is '{login}' with the password {}\n\
                 Keep it: it is not shown again.",
                password.expose_secret()
            ),
            None => anstream::eprintln!("The system administrator is '{login}'."),
        }
    }
    Ok(())
}

/// A server that answers requests and works operations off.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The administrator that an empty folder was given.
    pub(crate) first_admin: Option<FirstAdmin>,
    runner: RunnerHandle,
    embedded: Embedded,
    stopping: CancellationToken,
    stop_deadline: Duration,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Opens the folder and listens.
    pub(crate) async fn start(config: &ServeConfig) -> anyhow::Result<Self> {
        let catalogue = catalogue(config.catalogue.as_deref())?;
        let options = EmbeddedOptions {
            database_bytes_max: config.database_bytes_max,
        };
        let embedded = Embedded::open(&config.data, options).await?;
        let listener = TcpListener::bind(&config.listen)
            .await
            .with_context(|| format!("could not listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let engine = Engine::new(Parts {
            store: embedded.store.clone(),
            blobs: embedded.blobs.clone(),
            catalogue: Arc::new(catalogue),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            secret_key: embedded.secret_key.clone(),
            settings: config.settings(address),
        });
        let login: Login = config
            .admin_login
            .parse()
            .context("the administrator's login")?;
        let password = config.admin_password.clone();
        let first_admin = accounts::first_admin(&engine, login, password).await?;
        let runner = Runner::start(engine.clone()).await?;
        let stopping = CancellationToken::new();
        let mut state = AppState::new(engine);
        state.options.stopping = stopping.clone();
        let app = dev2prod_http::router(state).into_make_service_with_connect_info::<SocketAddr>();
        let stopped = stopping.clone().cancelled_owned();
        let serving = tokio::spawn(async move {
            axum::serve(listener, app)
                .with_graceful_shutdown(stopped)
                .await
        });
        let stop_deadline = config.stop_deadline();
        Ok(Self {
            address,
            first_admin,
            runner,
            embedded,
            stopping,
            stop_deadline,
            serving,
        })
    }

    /// Stops: no more requests, then no more work, then the folder is closed.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.stopping.cancel();
        self.runner.stop(self.stop_deadline).await;
        // A client that never closes its connection does not keep the server.
        if let Ok(served) = tokio::time::timeout(REPLIES_DEADLINE, self.serving).await {
            served??;
        }
        self.embedded.close().await;
        Ok(())
    }
}

fn catalogue(path: Option<&Path>) -> anyhow::Result<Catalogue> {
    let Some(path) = path else {
        return Ok(Catalogue::standard());
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read the catalogue {}", path.display()))?;
    Catalogue::parse(&text).with_context(|| format!("the catalogue {}", path.display()))
}

/// Resolves when the process is asked to stop.
pub(crate) async fn stop_asked() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
