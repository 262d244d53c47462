//! A small world for the stories: a server with an administrator and tenants, written tersely.

use std::time::Duration;

use dev2prod_engine::ports::{
    BaselineChange, Begun, Change, Enqueued, Holder, Link, Page, PutItem, Stage, Store, User,
};
use dev2prod_model::access::{
    ApproverScope, Permission, Principal, Role, Scope, ServerScope, Upkeep, authorize,
    authorize_approver, authorize_server,
};
use dev2prod_model::id::{FileId, Login, OperationId, Origin, PackageId, TenantId};
use dev2prod_model::item::{Digest, ItemRef, Key, Revision};
use dev2prod_model::operation::{
    Claim, ExportReport, Failure, ImportReport, Kind, Operation, Report, Request, State,
};
use dev2prod_model::package::{Package, Selection};
use dev2prod_model::plan::{ImportOptions, Settlement};
use dev2prod_model::section::Section;
use dev2prod_model::sender::Sender;
use dev2prod_model::tenant::{Tenant, TenantKind};
use uuid::Uuid;

/// Long enough that no lease of this length ends during a story.
pub(super) const LONG_MS: i64 = 600_000;

/// A moment that has no meaning.
pub(super) const NOW_MS: i64 = 1_800_000_000_000;

pub(super) fn upkeep() -> Upkeep {
    Upkeep::of_the_server()
}

pub(super) fn login(text: &str) -> Login {
    text.parse().expect("a login")
}

pub(super) fn key(text: &str) -> Key {
    text.parse().expect("a key")
}

/// An item of `metadata`.
pub(super) fn item(text: &str) -> ItemRef {
    ItemRef::new(Section::Metadata, key(text))
}

/// A digest that tells `n` from other numbers.
pub(super) fn digest(n: u64) -> Digest {
    let mut bytes = [0xd1; 32];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Digest(bytes)
}

pub(super) fn origin(n: u128) -> Origin {
    Origin(Uuid::from_u128(n))
}

pub(super) fn file_id(n: u128) -> FileId {
    FileId(Uuid::from_u128(n))
}

/// A request to write, unlike those of other numbers.
pub(super) fn request(n: u128) -> Holder {
    Holder::Request(Uuid::from_u128(n))
}

/// A whole item whose digest and body tell `n`.
pub(super) fn put(text: &str, n: u64) -> PutItem {
    put_item(item(text), n)
}

pub(super) fn put_item(item: ItemRef, n: u64) -> PutItem {
    PutItem {
        item,
        digest: digest(n),
        body: format!("{{\"n\":{n}}}"),
        references: "[]".to_owned(),
        links: Vec::new(),
        local: false,
        system: false,
        attachment: None,
    }
}

/// The same item, referring to others of `metadata`.
pub(super) fn linked(mut put: PutItem, to: &[&str]) -> PutItem {
    put.links = to.iter().map(|text| item(text)).collect();
    put
}

pub(super) fn puts(items: &[(&str, u64)]) -> Vec<Change> {
    items
        .iter()
        .map(|(text, n)| Change::Put(put(text, *n)))
        .collect()
}

pub(super) fn remove(text: &str) -> Change {
    Change::Remove(item(text))
}

/// A delivery of `n` by an origin.
pub(super) fn delivered(text: &str, by: u128, n: u64) -> BaselineChange {
    BaselineChange {
        item: item(text),
        origin: origin(by),
        settlement: Some(Settlement {
            source: Some(digest(n)),
            source_revision: Revision(7),
            result: Some(digest(n)),
        }),
        delivered: None,
    }
}

/// All of a section, in one page.
pub(super) fn whole(section: Section) -> Page<'static> {
    Page {
        section,
        prefix: None,
        after: None,
        limit: 100_000,
    }
}

/// Waits until a lease of a millisecond has ended by any clock.
pub(super) async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(30)).await;
}

/// A user without roles.
pub(super) fn user(text: &str, system_admin: bool) -> User {
    User {
        login: login(text),
        password_hash: format!("hash of {text}").into(),
        system_admin,
        created_ms: NOW_MS,
        password_ms: NOW_MS,
    }
}

/// A package as a tenant is born with.
pub(super) fn package(id: u64) -> Package {
    Package {
        id: PackageId(id),
        name: "Configuration".to_owned(),
        selection: Selection::configuration(),
        updated_ms: NOW_MS,
    }
}

/// A store with the system administrator `root` and one tenant, seen from that tenant.
pub(super) struct World<'s> {
    pub(super) store: &'s dyn Store,
    pub(super) tenant: TenantId,
    pub(super) principal: Principal,
}

impl<'s> World<'s> {
    /// Makes the administrator and tenant 100.
    pub(super) async fn new(store: &'s dyn Store) -> Self {
        let root = user("root", true);
        assert!(store.create_first_user(&upkeep(), &root).await.unwrap());
        Self::tenant(store, "100").await
    }

    /// Makes another tenant.
    pub(super) async fn tenant(store: &'s dyn Store, id: &str) -> Self {
        let tenant: TenantId = id.parse().expect("a tenant id");
        let world = Self {
            store,
            principal: Principal {
                login: login("root"),
                system_admin: true,
                roles: [(tenant.clone(), Role::TenantAdmin)].into(),
                approves: [tenant.clone()].into(),
            },
            tenant,
        };
        assert!(world.create().await);
        world
    }

    /// Makes the tenant; whether it was new.
    pub(super) async fn create(&self) -> bool {
        let root = login("root");
        self.store
            .create_tenant(
                &self.server(),
                &self.row(),
                digest(0),
                &package(10_000),
                &root,
            )
            .await
            .unwrap()
    }

    /// The tenant as it was made.
    pub(super) fn row(&self) -> Tenant {
        Tenant {
            id: self.tenant.clone(),
            origin: origin(0xfeed),
            name: format!("Tenant {}", self.tenant),
            kind: TenantKind::Development,
            revision: Revision(0),
            maintenance: false,
            created_ms: NOW_MS,
        }
    }

    pub(super) fn server(&self) -> ServerScope {
        authorize_server(&self.principal).expect("root administers the server")
    }

    pub(super) fn scope<P: Permission>(&self) -> Scope<P> {
        authorize(&self.principal, &self.tenant).expect("root administers the tenant")
    }

    pub(super) fn approver(&self) -> ApproverScope {
        authorize_approver(&self.principal, &self.tenant).expect("root approves in the tenant")
    }

    /// Asks for the right to write.
    pub(super) async fn ask(&self, holder: &Holder, lease_ms: i64) -> Begun {
        self.store
            .begin_stage(&self.scope(), holder, lease_ms)
            .await
            .unwrap()
    }

    /// Asks for the right to write and gets it.
    pub(super) async fn begin(&self, holder: &Holder) -> Stage {
        given(self.ask(holder, LONG_MS).await)
    }

    /// Stages and flips.
    pub(super) async fn commit(&self, changes: &[Change]) -> Revision {
        self.commit_with(changes, &[]).await
    }

    /// Stages items and baselines, and flips.
    pub(super) async fn commit_with(
        &self,
        changes: &[Change],
        baselines: &[BaselineChange],
    ) -> Revision {
        let stage = self.begin(&request(0xc0)).await;
        for batch in changes.chunks(1_000) {
            self.store.stage(&stage, batch).await.unwrap();
        }
        for batch in baselines.chunks(1_000) {
            self.store.stage_baselines(&stage, batch).await.unwrap();
        }
        self.store.flip(&stage, None).await.unwrap()
    }

    /// The `metadata` at a revision: keys, each with its digest.
    pub(super) async fn metadata(&self, at: i64) -> Vec<(String, Digest)> {
        let heads = self
            .store
            .heads(&self.scope(), Revision(at), whole(Section::Metadata))
            .await
            .unwrap();
        heads
            .into_iter()
            .map(|head| (head.item.key.as_str().to_owned(), head.digest))
            .collect()
    }

    /// The baselines of `metadata` at a revision: key, origin, source.
    pub(super) async fn delivered(&self, at: i64) -> Vec<(String, Origin, Option<Digest>)> {
        let rows = self
            .store
            .baselines(&self.scope(), Revision(at), whole(Section::Metadata))
            .await
            .unwrap();
        rows.into_iter()
            .map(|row| {
                let key = row.item.key.as_str().to_owned();
                (key, row.origin, row.baseline.source)
            })
            .collect()
    }

    /// All that refers to these items at a revision.
    pub(super) async fn referrers(&self, at: i64, to: &[ItemRef]) -> Vec<Link> {
        self.store
            .referrers(&self.scope(), Revision(at), to, None, 100_000)
            .await
            .unwrap()
    }

    /// Keeps a new operation, accepted at this second.
    pub(super) async fn enqueue(&self, kind: Kind, second: i64) -> Operation {
        let operation = self.operation(kind, second);
        let answer = self
            .store
            .enqueue(&self.scope(), &operation, None, NOW_MS)
            .await
            .unwrap();
        assert_eq!(answer, Enqueued::New);
        operation
    }

    /// A new operation, not kept.
    pub(super) fn operation(&self, kind: Kind, second: i64) -> Operation {
        let ms = NOW_MS + second * 1_000;
        let request = match kind {
            Kind::Export => Request::Export {
                package: PackageId(10_000),
            },
            Kind::DryRun | Kind::Import => Request::Import {
                dry_run: kind == Kind::DryRun,
                file: file_id(1),
                file_tenant: self.tenant.clone(),
                options: ImportOptions {
                    comment: Some("Größe \"1\"".to_owned()),
                    ..ImportOptions::default()
                },
                plan: None,
            },
        };
        Operation {
            id: OperationId::new(ms, [7; 8]),
            tenant: self.tenant.clone(),
            request,
            created_by: login("root"),
            sender: Sender::new(Some([192, 0, 2, 7].into()), Some("curl/8.5")),
            created_ms: ms,
            updated_ms: ms,
            state: State::Pending,
        }
    }

    /// Takes on the operation that is next, if any.
    pub(super) async fn claim(&self, lease_ms: i64) -> Option<Claim> {
        self.store
            .claim(&upkeep(), "server-1", lease_ms, NOW_MS + 1)
            .await
            .unwrap()
    }
}

/// The stage that was given.
pub(super) fn given(begun: Begun) -> Stage {
    match begun {
        Begun::Stage(stage) => stage,
        other => panic!("the right to write was refused: {other:?}"),
    }
}

/// A claim's operation, completed.
pub(super) fn completed(claim: &Claim) -> Operation {
    let report = match claim.operation().request.kind() {
        Kind::Export => Report::Export(ExportReport::default()),
        Kind::DryRun | Kind::Import => Report::Import(ImportReport {
            plan: Some(digest(0x91a4)),
            ..ImportReport::default()
        }),
    };
    claim
        .operation()
        .clone()
        .complete(report, NOW_MS + 2)
        .unwrap()
}

/// A claim's operation, failed.
pub(super) fn failed(claim: &Claim) -> Operation {
    let failure = Failure {
        code: "disk_full".to_owned(),
        message: "no space is left".to_owned(),
        hint: "free some".to_owned(),
    };
    claim
        .operation()
        .clone()
        .fail(failure, None, NOW_MS + 2)
        .unwrap()
}

/// Checks that a call was refused because somebody else has taken over.
#[track_caller]
pub(super) fn assert_fenced<T: std::fmt::Debug>(answer: dev2prod_engine::ports::StoreResult<T>) {
    match answer {
        Err(dev2prod_engine::ports::StoreError::Fenced(_)) => {}
        other => panic!("it was not refused as fenced: {other:?}"),
    }
}
