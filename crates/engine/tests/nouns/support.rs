//! A server's engine over the embedded store in a folder of its own, with a clock that the test
//! moves.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use dev2prod_engine::content::{self, UploadMode, UploadResult};
use dev2prod_engine::tenants::{self, NewTenant};
use dev2prod_engine::{
    Clock, Engine, EngineError, EngineResult, Parts, Settings, SystemClock, SystemRandom, accounts,
};
use dev2prod_model::access::{
    ContentRead, Permission, Principal, Scope, ServerScope, authorize, authorize_server,
};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::id::TenantId;
use dev2prod_model::tenant::TenantKind;
use dev2prod_storage::{Embedded, EmbeddedOptions};
use futures::TryStreamExt;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

pub(crate) const ADMIN: &str = "admin";
pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Starts at the machine's time, since the store measures leases by that, and stands still.
pub(crate) struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    clock: Arc<StandingClock>,
    store: Embedded,
    /// Deleted after the store is closed.
    folder: TempDir,
}

impl World {
    /// A server with the administrator `admin` and the tenant 1001, whose administrator that is.
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let world = Self::empty(settings).await;
        let password = Some(secret(PASSWORD));
        accounts::first_admin(&world.engine, ADMIN.parse().unwrap(), password)
            .await
            .unwrap();
        let new = NewTenant {
            id: Some(tenant()),
            name: "Development".to_owned(),
            kind: TenantKind::Development,
        };
        tenants::create(&world.engine, &world.server().await, new)
            .await
            .unwrap();
        world
    }

    /// A server without anybody.
    pub(crate) async fn empty(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path(), EmbeddedOptions::default())
            .await
            .unwrap();
        let clock = Arc::new(StandingClock(AtomicI64::new(SystemClock.now_ms())));
        let engine = engine(&store, &clock, settings, Catalogue::standard());
        Self {
            engine,
            clock,
            store,
            folder,
        }
    }

    /// The same store under another catalogue.
    pub(crate) fn with_catalogue(&self, catalogue: Catalogue) -> Engine {
        engine(
            &self.store,
            &self.clock,
            self.engine.settings().clone(),
            catalogue,
        )
    }

    /// Whether a text stands in any file of the database, as it lies on the disk.
    pub(crate) fn database_holds(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let mut files = files.map(|file| file.unwrap().path());
        let held = |path: std::path::PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path);
            let bytes = bytes.ok().filter(|_| name.starts_with("dev2prod.sqlite"));
            let mut windows = bytes.iter().flat_map(|it| it.windows(text.len()));
            windows.any(|part| part == text.as_bytes())
        };
        files.any(held)
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) async fn sign_in(&self, login: &str, password: &str) -> EngineResult<String> {
        let token = accounts::sign_in(&self.engine, login, &secret(password), HOME, None).await?;
        Ok(token.expose_secret().to_owned())
    }

    pub(crate) async fn caller(&self, token: &str) -> EngineResult<Principal> {
        accounts::authenticate(&self.engine, token).await
    }

    pub(crate) async fn admin(&self) -> Principal {
        let admin = self
            .engine
            .store()
            .account(&ADMIN.parse().unwrap())
            .await
            .unwrap();
        admin.unwrap().1
    }

    pub(crate) async fn server(&self) -> ServerScope {
        authorize_server(&self.admin().await).unwrap()
    }

    /// What the administrator may do in tenant 1001.
    pub(crate) async fn scope<P: Permission>(&self) -> Scope<P> {
        authorize(&self.admin().await, &tenant()).unwrap()
    }

    pub(crate) async fn upload(&self, mode: UploadMode, lines: &str) -> EngineResult<UploadResult> {
        let pieces: Vec<_> = lines
            .as_bytes()
            .chunks(7_000)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let lines = futures::stream::iter(pieces);
        content::upload(&self.engine, &self.scope().await, mode, lines).await
    }

    pub(crate) async fn listing(&self, query: content::ListingQuery) -> String {
        let scope = self.scope::<ContentRead>().await;
        let (_, lines) = content::listing(&self.engine, &scope, query).await.unwrap();
        let pieces: Vec<Bytes> = lines.try_collect().await.unwrap();
        String::from_utf8(pieces.concat()).unwrap()
    }
}

fn engine(
    store: &Embedded,
    clock: &Arc<StandingClock>,
    settings: Settings,
    catalogue: Catalogue,
) -> Engine {
    Engine::new(Parts {
        store: Arc::clone(&store.store),
        blobs: Arc::clone(&store.blobs),
        catalogue: Arc::new(catalogue),
        clock: Arc::<StandingClock>::clone(clock),
        random: Arc::new(SystemRandom),
        secret_key: Arc::clone(&store.secret_key),
        settings,
    })
}

pub(crate) fn tenant() -> TenantId {
    "1001".parse().unwrap()
}

pub(crate) fn secret(text: &str) -> SecretString {
    text.into()
}

/// An item as a line.
pub(crate) fn line(section: &str, key: &str, body: &str) -> String {
    format!("{{\"PackageName\":\"{section}\",\"Key\":\"{key}\",\"Body\":{body}}}\n")
}

/// An error as its caller hears it: its kind or code, its sentence, and each detail.
pub(crate) fn told(error: &EngineError) -> String {
    let (kind, details) = match error {
        EngineError::Invalid { code, details, .. } => (*code, details.as_slice()),
        EngineError::NotFound { code, .. } | EngineError::Conflict { code, .. } => (*code, &[][..]),
        EngineError::Unauthenticated(_) => ("unauthenticated", &[][..]),
        EngineError::Denied(_) => ("denied", &[][..]),
        EngineError::PreconditionFailed(_) => ("precondition failed", &[][..]),
        EngineError::Gone(_) => ("gone", &[][..]),
        EngineError::TooLarge(_) => ("too large", &[][..]),
        EngineError::Locked { .. } => ("locked", &[][..]),
        EngineError::TooManyAttempts { .. } => ("too many attempts", &[][..]),
        EngineError::TooSlow(_) => ("too slow", &[][..]),
        EngineError::NoSpace(_) => ("no space", &[][..]),
        EngineError::Internal(cause) => panic!("a fault of the server: {cause:?}"),
    };
    let mut told = format!("{kind}: {error}");
    for detail in details {
        told.push_str(&format!(
            "\n  {} [{}] {}",
            detail.place, detail.code, detail.message
        ));
    }
    told
}
