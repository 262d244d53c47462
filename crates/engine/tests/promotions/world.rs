//! An engine over a fresh embedded store, with its runner at work, and what stories do with it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use dev2prod_engine::bindings::{self, OnlyIf};
use dev2prod_engine::changes::{ChangesQuery, Order, PAGE_MAX};
use dev2prod_engine::content::{self, UploadMode, UploadResult};
use dev2prod_engine::files::{self, NewFile};
use dev2prod_engine::operations::{self, ImportRequest, View};
use dev2prod_engine::ports::{Page, SealedSecret, TenantChange};
use dev2prod_engine::runner::{Runner, RunnerHandle};
use dev2prod_engine::tenants::{self, NewTenant};
use dev2prod_engine::{
    Engine, EngineError, EngineResult, Parts, Settings, SystemClock, SystemRandom,
};
use dev2prod_engine::{housekeeping, packages};
use dev2prod_model::access::{Permission, Principal, Role, Scope, authorize, authorize_server};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::file::File;
use dev2prod_model::id::{FileId, OperationId, PackageId, TenantId};
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::operation::{ImportReport, Kind, Report, State};
use dev2prod_model::package::{Sections, Selection};
use dev2prod_model::plan::ImportOptions;
use dev2prod_model::section::Section;
use dev2prod_model::tenant::TenantKind;
use dev2prod_storage::{Embedded, EmbeddedOptions};
use futures::TryStreamExt;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::outcome::{Outcome, item_ref};

/// How long a story waits for an operation.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server without its face, in a folder of its own.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) engine: Engine,
    embedded: Embedded,
    runner: RunnerHandle,
    caller: Mutex<Principal>,
}

/// A bundle that was exported, and the tenant whose file it is.
#[derive(Clone, Debug)]
pub(crate) struct Bundle {
    pub(crate) tenant: TenantId,
    pub(crate) file: FileId,
}

impl World {
    /// A server with the catalogue that comes with it.
    pub(crate) async fn open() -> Self {
        Self::with(Settings::default()).await
    }

    /// The same with other settings.
    pub(crate) async fn with(settings: Settings) -> Self {
        // What the server logs stands beside a story that fails.
        let _ = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
            .with_test_writer()
            .try_init();
        let folder = tempfile::tempdir().unwrap();
        let caller = Principal {
            login: "ann".parse().unwrap(),
            system_admin: true,
            roles: BTreeMap::new(),
            approves: [].into(),
        };
        Self::begin(folder, Catalogue::standard(), settings, Mutex::new(caller)).await
    }

    async fn begin(
        folder: TempDir,
        catalogue: Catalogue,
        settings: Settings,
        caller: Mutex<Principal>,
    ) -> Self {
        let embedded = Embedded::open(folder.path(), EmbeddedOptions::default())
            .await
            .unwrap();
        let engine = Engine::new(Parts {
            store: Arc::clone(&embedded.store),
            blobs: Arc::clone(&embedded.blobs),
            catalogue: Arc::new(catalogue),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            secret_key: Arc::clone(&embedded.secret_key),
            settings,
        });
        let runner = Runner::start(engine.clone()).await.unwrap();
        Self {
            folder,
            engine,
            embedded,
            runner,
            caller,
        }
    }

    /// The same folder in the hands of another process, which has this catalogue.
    pub(crate) async fn restart(self, catalogue: Catalogue) -> Self {
        let Self {
            folder,
            engine,
            embedded,
            runner,
            caller,
        } = self;
        runner.stop(Duration::from_secs(10)).await;
        let settings = engine.settings().clone();
        drop(engine);
        embedded.close().await;
        Self::begin(folder, catalogue, settings, caller).await
    }

    /// New tenants.
    pub(crate) async fn tenants<const N: usize>(&self, ids: [&str; N]) -> [TenantId; N] {
        let made = ids.map(|id| id.parse::<TenantId>().unwrap());
        for id in &made {
            let new = NewTenant {
                id: Some(id.clone()),
                name: format!("tenant {id}"),
                kind: TenantKind::Development,
            };
            let scope = authorize_server(&self.caller.lock().unwrap()).unwrap();
            tenants::create(&self.engine, &scope, new).await.unwrap();
            let mut caller = self.caller.lock().unwrap();
            caller.roles.insert(id.clone(), Role::TenantAdmin);
        }
        made
    }

    /// Closes a tenant for maintenance, or opens it.
    pub(crate) async fn close(&self, tenant: &TenantId, maintenance: bool) {
        let change = TenantChange {
            maintenance: Some(maintenance),
            ..TenantChange::default()
        };
        let scope = authorize_server(&self.caller.lock().unwrap()).unwrap();
        let changed = tenants::change(&self.engine, &scope, tenant, change).await;
        changed.unwrap();
    }

    pub(crate) fn scope<P: Permission>(&self, tenant: &TenantId) -> Scope<P> {
        authorize(&self.caller.lock().unwrap(), tenant).unwrap()
    }

    /// Writes these lines of content; the other items stay.
    pub(crate) async fn put(&self, tenant: &TenantId, lines: &str) -> UploadResult {
        self.write(tenant, UploadMode::Upsert, lines).await
    }

    /// Makes these lines all content.
    pub(crate) async fn replace(&self, tenant: &TenantId, lines: &str) -> UploadResult {
        self.write(tenant, UploadMode::Replace, lines).await
    }

    /// Uploads as soon as the server itself, which may have just started, writes the tenant no more.
    async fn write(&self, tenant: &TenantId, mode: UploadMode, lines: &str) -> UploadResult {
        let patience = tokio::time::Instant::now() + PATIENCE;
        loop {
            match self.upload(tenant, mode, lines).await {
                Err(EngineError::Locked { .. }) if tokio::time::Instant::now() < patience => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                result => return result.unwrap(),
            }
        }
    }

    pub(crate) async fn upload(
        &self,
        tenant: &TenantId,
        mode: UploadMode,
        lines: &str,
    ) -> EngineResult<UploadResult> {
        let bytes = Bytes::copy_from_slice(lines.as_bytes());
        let stream = futures::stream::iter([Ok(bytes)]);
        content::upload(&self.engine, &self.scope(tenant), mode, stream).await
    }

    /// Gives the tenant these bindings.
    pub(crate) async fn bind(&self, tenant: &TenantId, rules: Value) {
        let scope = self.scope(tenant);
        bindings::replace(&self.engine, &scope, &rules, &OnlyIf::Whatever)
            .await
            .unwrap();
    }

    /// The sealed secrets of an item.
    pub(crate) async fn secrets(
        &self,
        tenant: &TenantId,
        section: &str,
        key: &str,
    ) -> Vec<SealedSecret> {
        let at = self.revision(tenant).await;
        let item = item_ref(section, key);
        let store = self.engine.store();
        store
            .find_secrets(&self.scope(tenant), at, &[item])
            .await
            .unwrap()
    }

    pub(crate) async fn delete(&self, tenant: &TenantId, section: &str, key: &str) {
        let item = item_ref(section, key);
        let any = content::Precondition::Exists;
        content::delete_item(&self.engine, &self.scope(tenant), &item, &any)
            .await
            .unwrap();
    }

    /// An item's body as the tenant itself has it, own fields included.
    pub(crate) async fn stored_body(&self, tenant: &TenantId, section: &str, key: &str) -> String {
        let at = self.revision(tenant).await;
        let item = item_ref(section, key);
        let found = self
            .engine
            .store()
            .find_items(&self.scope(tenant), at, &[item])
            .await
            .unwrap();
        found.into_iter().next().expect("the item is there").body
    }

    /// Keeps bytes as a file of the tenant.
    pub(crate) async fn store_file(&self, tenant: &TenantId, bytes: &[u8]) -> File {
        let new = NewFile {
            name: "file".to_owned(),
            content_type: None,
        };
        let mut file = files::begin(&self.engine, &self.scope(tenant), new)
            .await
            .unwrap();
        file.write(Bytes::copy_from_slice(bytes)).await.unwrap();
        file.finish().await.unwrap()
    }

    /// The bytes of a tenant's file of this digest.
    pub(crate) async fn file_bytes(&self, tenant: &TenantId, sha256: Digest) -> Option<Vec<u8>> {
        let scope = self.scope(tenant);
        let store = self.engine.store();
        let found = store.files_by_sha256(&scope, &[sha256]).await.unwrap();
        let file = found.first()?;
        let bytes = files::read(&self.engine, &scope, file, 0, file.bytes)
            .await
            .unwrap();
        let pieces: Vec<Bytes> = bytes.try_collect().await.unwrap();
        Some(pieces.concat())
    }

    /// The bytes of a bundle.
    pub(crate) async fn bundle_bytes(&self, bundle: &Bundle) -> Vec<u8> {
        let scope = self.scope(&bundle.tenant);
        let row = self.engine.store().file(&scope, bundle.file).await.unwrap();
        let sha256 = row.expect("the bundle is there").sha256;
        self.file_bytes(&bundle.tenant, sha256).await.unwrap()
    }

    /// A bundle that comes to a tenant as a file.
    pub(crate) async fn arrived(&self, tenant: &TenantId, bytes: &[u8]) -> Bundle {
        let file = self.store_file(tenant, bytes).await;
        Bundle {
            tenant: tenant.clone(),
            file: file.id,
        }
    }

    pub(crate) async fn revision(&self, tenant: &TenantId) -> Revision {
        let scope = self.scope(tenant);
        tenants::own(&self.engine, &scope).await.unwrap().revision
    }

    /// The digests of all items of a tenant.
    pub(crate) async fn digests(&self, tenant: &TenantId) -> BTreeMap<ItemRef, Digest> {
        let at = self.revision(tenant).await;
        let scope = self.scope(tenant);
        let mut digests = BTreeMap::new();
        for section in Section::ALL {
            let mut after = None;
            loop {
                let page = Page {
                    section,
                    prefix: None,
                    after: after.as_ref(),
                    limit: 1_000,
                };
                let heads = self.engine.store().heads(&scope, at, page).await.unwrap();
                let Some(last) = heads.last() else { break };
                after = Some(last.item.key.clone());
                digests.extend(heads.into_iter().map(|head| (head.item, head.digest)));
            }
        }
        self.assert_sum(tenant, at, &digests).await;
        digests
    }

    /// All content of a tenant as it is listed.
    pub(crate) async fn listing(&self, tenant: &TenantId) -> String {
        let query = content::ListingQuery::default();
        let (_, lines) = content::listing(&self.engine, &self.scope(tenant), query)
            .await
            .unwrap();
        let pieces: Vec<Bytes> = lines.try_collect().await.unwrap();
        String::from_utf8(pieces.concat()).unwrap()
    }

    /// Makes a package.
    pub(crate) async fn package(&self, tenant: &TenantId, selection: Value) -> PackageId {
        let selection: Selection = serde_json::from_value(selection).unwrap();
        let scope = self.scope(tenant);
        let made = packages::create(&self.engine, &scope, None, "a package", &selection).await;
        made.unwrap().id
    }

    /// Exports a package that selects this.
    pub(crate) async fn export_of(&self, tenant: &TenantId, selection: Value) -> Bundle {
        let package = self.package(tenant, selection).await;
        self.export(tenant, package).await
    }

    /// Exports all 17 sections.
    pub(crate) async fn export_all(&self, tenant: &TenantId) -> Bundle {
        self.export_of(tenant, json!({"Mode": "Full", "Sections": Sections::All}))
            .await
    }

    pub(crate) async fn export(&self, tenant: &TenantId, package: PackageId) -> Bundle {
        let id = operations::start_export(&self.engine, &self.scope(tenant), package, None)
            .await
            .unwrap();
        let ended = self.wait(tenant, id).await;
        match ended.operation.state {
            State::Ended {
                report: Some(Report::Export(report)),
                failure: None,
                ..
            } => Bundle {
                tenant: tenant.clone(),
                file: report.file.unwrap(),
            },
            state => panic!("the export ended as {state:?}"),
        }
    }

    pub(crate) async fn dry_run(
        &self,
        target: &TenantId,
        bundle: &Bundle,
        options: &ImportOptions,
    ) -> Outcome {
        let id = self.start(target, bundle, true, options).await;
        self.outcome(target, id).await
    }

    pub(crate) async fn import(
        &self,
        target: &TenantId,
        bundle: &Bundle,
        options: &ImportOptions,
    ) -> Outcome {
        let id = self.start(target, bundle, false, options).await;
        self.outcome(target, id).await
    }

    /// All sections of one tenant to another.
    pub(crate) async fn promote(
        &self,
        source: &TenantId,
        target: &TenantId,
        options: &ImportOptions,
    ) -> Outcome {
        let bundle = self.export_all(source).await;
        self.import(target, &bundle, options).await
    }

    pub(crate) async fn start(
        &self,
        target: &TenantId,
        bundle: &Bundle,
        dry_run: bool,
        options: &ImportOptions,
    ) -> OperationId {
        let asked = ImportRequest {
            dry_run,
            file: bundle.file,
            elsewhere: vec![self.scope(&bundle.tenant)],
            options: options.clone(),
            plan: None,
        };
        operations::start_import(&self.engine, &self.scope(target), asked, None)
            .await
            .unwrap()
    }

    /// Asks for an import that carries out the plan of a dry run.
    pub(crate) async fn carry_out(
        &self,
        target: &TenantId,
        bundle: &Bundle,
        plan: OperationId,
    ) -> EngineResult<OperationId> {
        let asked = ImportRequest {
            dry_run: false,
            file: bundle.file,
            elsewhere: vec![self.scope(&bundle.tenant)],
            options: ImportOptions::default(),
            plan: Some(plan),
        };
        operations::start_import(&self.engine, &self.scope(target), asked, None).await
    }

    pub(crate) async fn view(&self, tenant: &TenantId, id: OperationId) -> View {
        operations::get(&self.engine, &self.scope(tenant), id, &Kind::ALL)
            .await
            .unwrap()
    }

    pub(crate) async fn wait(&self, tenant: &TenantId, id: OperationId) -> View {
        let look = async {
            loop {
                let view = self.view(tenant, id).await;
                if view.operation.status().is_over() {
                    return view;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, look)
            .await
            .expect("the operation ends in good time")
    }

    pub(crate) async fn outcome(&self, tenant: &TenantId, id: OperationId) -> Outcome {
        let ended = self.wait(tenant, id).await;
        let State::Ended {
            report, failure, ..
        } = ended.operation.state
        else {
            unreachable!("it was waited for")
        };
        let report = match report {
            Some(Report::Import(report)) => report,
            Some(Report::Export(_)) => panic!("an import reports as one"),
            None => ImportReport::default(),
        };
        Outcome {
            id,
            report,
            failure,
            plan: self.plan(tenant, id).await,
        }
    }

    /// The whole plan of an operation that has one, a line for each change, in item order.
    async fn plan(&self, tenant: &TenantId, id: OperationId) -> String {
        let query = ChangesQuery {
            order: Order::Key,
            size: PAGE_MAX,
            ..ChangesQuery::default()
        };
        let mut lines = String::new();
        for change in self
            .all_changes(tenant, id, query)
            .await
            .unwrap_or_default()
        {
            let entry = change.entry;
            let (action, reason) = (entry.action, entry.reason.code());
            write!(lines, "{action:?} {reason}: {}", entry.item).unwrap();
            for item in &entry.references {
                write!(lines, " <- {item}").unwrap();
            }
            lines.push('\n');
        }
        lines
    }

    pub(crate) async fn tidy(&self) {
        let report = housekeeping::run_once(&self.engine).await;
        assert!(report.failed.is_empty(), "{report:?}");
    }
}
