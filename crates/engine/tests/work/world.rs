//! A server with an embedded store in a temporary folder, and a caller who may do all.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dev2prod_bundle::{Limits, Reader};
use dev2prod_engine::content::{self, UploadMode};
use dev2prod_engine::operations::{self, View};
use dev2prod_engine::ports::{BlobPath, BlobStore, Store, User};
use dev2prod_engine::runner::{Runner, RunnerHandle};
use dev2prod_engine::tenants::{self, NewTenant};
use dev2prod_engine::{Clock, Engine, Parts, SecretKey, Settings, SystemRandom, files, packages};
use dev2prod_model::access::{
    Permission, Principal, Role, Scope, Upkeep, authorize, authorize_server,
};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::file::File;
use dev2prod_model::id::{FileId, OperationId, PackageId, TenantId};
use dev2prod_model::operation::{ExportReport, Kind, Report, State, Status};
use dev2prod_model::package::Selection;
use dev2prod_model::tenant::TenantKind;
use dev2prod_storage::{Embedded, EmbeddedOptions};
use futures::{TryStreamExt, stream};

use super::faults::{Fault, FaultyBlobs};

/// The time at which every world begins: that of the documented export.
pub(crate) const START_MS: i64 = 1_737_971_051_843;

/// A clock that a test moves.
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    clock: Arc<TestClock>,
    admin: Principal,
    secret_key: Arc<SecretKey>,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let embedded = Embedded::open(folder.path(), EmbeddedOptions::default())
            .await
            .unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(START_MS)));
        let faults = Arc::new(Mutex::default());
        let blobs = FaultyBlobs {
            inner: embedded.blobs.clone(),
            faults: Arc::clone(&faults),
        };
        let engine = Engine::new(Parts {
            store: embedded.store.clone(),
            blobs: Arc::new(blobs),
            catalogue: Arc::new(Catalogue::standard()),
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            secret_key: Arc::clone(&embedded.secret_key),
            settings,
        });
        let login: dev2prod_model::id::Login = "ann".parse().unwrap();
        let user = User {
            login: login.clone(),
            password_hash: "none".into(),
            system_admin: true,
            created_ms: START_MS,
            password_ms: START_MS,
        };
        let upkeep = Upkeep::of_the_server();
        assert!(
            embedded
                .store
                .create_first_user(&upkeep, &user)
                .await
                .unwrap()
        );
        let admin = Principal {
            login,
            system_admin: true,
            roles: [].into(),
            approves: [].into(),
        };
        let (store, blobs) = (embedded.store.clone(), embedded.blobs.clone());
        Self {
            engine,
            store,
            blobs,
            faults,
            clock,
            admin,
            secret_key: embedded.secret_key,
            folder,
        }
    }

    /// Makes a tenant and gives the caller every role in it.
    pub(crate) async fn tenant(&mut self, id: &str) -> TenantId {
        let id: TenantId = id.parse().unwrap();
        let scope = authorize_server(&self.admin).unwrap();
        let new = NewTenant {
            id: Some(id.clone()),
            name: format!("Tenant {id}"),
            kind: TenantKind::Development,
        };
        tenants::create(&self.engine, &scope, new).await.unwrap();
        self.admin.roles.insert(id.clone(), Role::TenantAdmin);
        id
    }

    pub(crate) fn scope<P: Permission>(&self, tenant: &TenantId) -> Scope<P> {
        authorize(&self.admin, tenant).unwrap()
    }

    /// Moves the clock on.
    pub(crate) fn pass_ms(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    /// Has the next files go wrong.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// Whether a fault that was asked for is still to come.
    pub(crate) fn fault_to_come(&self) -> bool {
        !self.faults.lock().unwrap().is_empty()
    }

    /// Whether housekeeping is held up where a fault has it wait.
    pub(crate) fn housekeeping_is_held(&self) -> bool {
        // Beside this world and its blobs, only who is held up has a hand on the faults.
        Arc::strong_count(&self.faults) > 2
    }

    /// Writes items, each a line `section key [-> section key, …]`; the body holds the key and,
    /// after `=`, a text.
    pub(crate) async fn write(&self, tenant: &TenantId, mode: UploadMode, items: &str) {
        let lines: String = items.lines().filter_map(line).collect();
        self.upload(tenant, mode, lines).await;
    }

    pub(crate) async fn upload(&self, tenant: &TenantId, mode: UploadMode, lines: String) {
        let lines = stream::iter([Ok(Bytes::from(lines))]);
        content::upload(&self.engine, &self.scope(tenant), mode, lines)
            .await
            .unwrap();
    }

    pub(crate) async fn package(&self, tenant: &TenantId, selection: &str) -> PackageId {
        let selection: Selection = serde_json::from_str(selection).unwrap();
        let scope = self.scope(tenant);
        packages::create(&self.engine, &scope, None, "Chosen", &selection)
            .await
            .unwrap()
            .id
    }

    /// Keeps a file of these bytes.
    pub(crate) async fn file(&self, tenant: &TenantId, bytes: &'static [u8]) -> File {
        let new = files::NewFile {
            name: "a.txt".to_owned(),
            content_type: None,
        };
        let mut receiving = files::begin(&self.engine, &self.scope(tenant), new)
            .await
            .unwrap();
        receiving.write(Bytes::from_static(bytes)).await.unwrap();
        receiving.finish().await.unwrap()
    }

    pub(crate) async fn run(&self) -> RunnerHandle {
        Runner::start(self.engine.clone()).await.unwrap()
    }

    pub(crate) async fn view(&self, tenant: &TenantId, id: OperationId) -> View {
        operations::get(&self.engine, &self.scope(tenant), id, &Kind::ALL)
            .await
            .unwrap()
    }

    /// Waits until an operation stands as asked.
    pub(crate) async fn until(
        &self,
        tenant: &TenantId,
        id: OperationId,
        what: impl Fn(&View) -> bool,
    ) -> View {
        for _ in 0..1_000 {
            let view = self.view(tenant, id).await;
            if what(&view) {
                return view;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!(
            "operation {id} does not come so far: {:?}",
            self.view(tenant, id).await
        );
    }

    pub(crate) async fn ended(&self, tenant: &TenantId, id: OperationId) -> View {
        self.until(tenant, id, |view| {
            matches!(view.operation.state, State::Ended { .. })
        })
        .await
    }

    /// Starts an export; a runner has to be at work for it to end.
    pub(crate) async fn start_export(&self, tenant: &TenantId, package: PackageId) -> OperationId {
        operations::start_export(&self.engine, &self.scope(tenant), package, None)
            .await
            .unwrap()
    }

    /// Exports a package with a runner of its own, and opens the bundle.
    pub(crate) async fn export(
        &self,
        tenant: &TenantId,
        package: PackageId,
    ) -> (ExportReport, Reader) {
        let runner = self.run().await;
        let id = self.start_export(tenant, package).await;
        let view = self.ended(tenant, id).await;
        runner.stop(Duration::from_secs(5)).await;
        assert_eq!(
            view.operation.status(),
            Status::Completed,
            "{:?}",
            view.operation.state
        );
        let report = report_of(&view);
        let file = report.file.unwrap();
        (report, self.open(tenant, file).await)
    }

    pub(crate) async fn open(&self, tenant: &TenantId, file: FileId) -> Reader {
        let blob = self
            .blobs
            .local(&BlobPath::file(tenant, file))
            .await
            .unwrap()
            .unwrap();
        Reader::open(std::fs::File::open(&blob.path).unwrap(), &Limits::default()).unwrap()
    }

    /// The same store in the hands of another process.
    pub(crate) fn another_process(&self) -> Engine {
        Engine::new(Parts {
            store: Arc::clone(&self.store),
            blobs: Arc::clone(&self.blobs),
            catalogue: Arc::clone(self.engine.catalogue()),
            clock: self.clock.clone(),
            random: Arc::new(SystemRandom),
            secret_key: Arc::clone(&self.secret_key),
            settings: self.engine.settings().clone(),
        })
    }

    /// Deletes a tenant.
    pub(crate) async fn delete(&self, tenant: &TenantId) {
        let scope = authorize_server(&self.admin).unwrap();
        assert!(self.store.delete_tenant(&scope, tenant).await.unwrap());
    }

    /// The names of all blobs.
    pub(crate) async fn blobs(&self) -> Vec<String> {
        let listed = self.blobs.list().map_ok(|blob| blob.path);
        let mut paths: Vec<String> = listed.try_collect().await.unwrap();
        paths.sort();
        paths
    }

    /// What lies in the scratch folder.
    pub(crate) fn scratch(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("scratch"))
            .unwrap()
            .count()
    }
}

pub(crate) fn report_of(view: &View) -> ExportReport {
    match &view.operation.state {
        State::Ended {
            report: Some(Report::Export(report)),
            ..
        } => report.clone(),
        state => panic!("no export has ended here: {state:?}"),
    }
}

/// The code of a failed operation.
pub(crate) fn failure_of(view: &View) -> &str {
    match &view.operation.state {
        State::Ended {
            failure: Some(failure),
            ..
        } => &failure.code,
        state => panic!("it has not failed: {state:?}"),
    }
}

fn line(text: &str) -> Option<String> {
    let text = text.trim();
    let (item, references) = text.split_once("->").unwrap_or((text, ""));
    let (item, note) = item.split_once('=').unwrap_or((item, ""));
    let (section, key) = item.trim().split_once(' ')?;
    let references: Vec<_> = references
        .split(',')
        .filter_map(|one| one.trim().split_once(' '))
        .map(|(section, key)| serde_json::json!({"PackageName": section, "Key": key}))
        .collect();
    let line = serde_json::json!({
        "PackageName": section, "Key": key, "References": references,
        "Body": {"note": note.trim(), "of": key},
    });
    Some(format!("{line}\n"))
}
