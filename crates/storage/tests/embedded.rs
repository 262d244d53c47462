//! What is the embedded store's own: its folder, its versions, its limits.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what fails ends them")]

mod common;

use std::path::Path;

use common::{fresh, open};
use dev2prod_engine::ports::{
    Begun, BlobPath, Change, Holder, Page, PutItem, Stage, Store, StoreError, User,
};
use dev2prod_model::access::{
    Permission, Principal, Role, Scope, ServerScope, Upkeep, authorize, authorize_server,
};
use dev2prod_model::id::{FileId, Origin, TenantId};
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::package::{Package, Selection};
use dev2prod_model::section::Section;
use dev2prod_model::tenant::{Tenant, TenantKind};
use dev2prod_storage::{Embedded, EmbeddedOptions, OpenError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use uuid::Uuid;

fn root() -> Principal {
    Principal {
        login: "root".parse().unwrap(),
        system_admin: true,
        roles: [(tenant(), Role::TenantAdmin)].into(),
        approves: [].into(),
    }
}

fn tenant() -> TenantId {
    "100".parse().unwrap()
}

fn server() -> ServerScope {
    authorize_server(&root()).unwrap()
}

fn scope<P: Permission>() -> Scope<P> {
    authorize(&root(), &tenant()).unwrap()
}

/// Makes an administrator and a tenant.
async fn settle(store: &dyn Store) {
    let user = User {
        login: root().login,
        password_hash: "hash".to_owned().into(),
        system_admin: true,
        created_ms: 1,
        password_ms: 1,
    };
    let upkeep = Upkeep::of_the_server();
    assert!(store.create_first_user(&upkeep, &user).await.unwrap());
    let row = Tenant {
        id: tenant(),
        origin: Origin(Uuid::from_u128(1)),
        name: "T".to_owned(),
        kind: TenantKind::Development,
        revision: Revision(0),
        maintenance: false,
        created_ms: 1,
    };
    let package = Package {
        id: dev2prod_model::id::PackageId::CONFIGURATION,
        name: "Configuration".to_owned(),
        selection: Selection::configuration(),
        updated_ms: 1,
    };
    let digest = Digest([0; 32]);
    let made = store
        .create_tenant(&server(), &row, digest, &package, &root().login)
        .await;
    assert!(made.unwrap());
}

async fn begin(store: &dyn Store) -> Stage {
    let holder = Holder::Request(Uuid::from_u128(1));
    match store.begin_stage(&scope(), &holder, 600_000).await.unwrap() {
        Begun::Stage(stage) => stage,
        other => panic!("{other:?}"),
    }
}

fn put(n: usize, bytes: usize) -> Change {
    Change::Put(PutItem {
        item: ItemRef::new(Section::Data, format!("k{n:06}").parse().unwrap()),
        digest: Digest([1; 32]),
        body: "x".repeat(bytes),
        references: "[]".to_owned(),
        links: Vec::new(),
        local: false,
        system: false,
        attachment: None,
    })
}

async fn keys(store: &dyn Store, at: i64) -> Result<usize, StoreError> {
    let page = Page {
        section: Section::Data,
        prefix: None,
        after: None,
        limit: 1_000_000,
    };
    Ok(store.heads(&scope(), Revision(at), page).await?.len())
}

/// The database of a folder, past the store.
async fn database(folder: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(folder.join("dev2prod.sqlite"))
        .connect()
        .await
        .unwrap()
}

async fn refusal(folder: &Path) -> OpenError {
    match Embedded::open(folder, EmbeddedOptions::default()).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let (folder, embedded) = fresh().await;
    settle(&*embedded.store).await;
    let stage = begin(&*embedded.store).await;
    embedded.store.stage(&stage, &[put(1, 10)]).await.unwrap();
    embedded.store.flip(&stage, None).await.unwrap();
    std::fs::write(embedded.blobs.scratch().join("left over"), "x").unwrap();
    embedded.close().await;
    let embedded = open(folder.path()).await;
    assert_eq!(keys(&*embedded.store, 1).await.unwrap(), 1);
    let left: Vec<_> = std::fs::read_dir(embedded.blobs.scratch())
        .unwrap()
        .collect();
    assert!(left.is_empty(), "scratch is emptied");
}

#[tokio::test]
async fn one_process_holds_a_folder() {
    let (folder, embedded) = fresh().await;
    let error = refusal(folder.path()).await;
    let expected = format!(
        "{} is in use by another dev2prod process; stop it or choose another --data",
        folder.path().display()
    );
    assert_eq!(error.to_string(), expected);
    let (store, lock) = (embedded.store.clone(), embedded.lock.clone());
    drop(embedded);
    drop(lock);
    assert!(matches!(refusal(folder.path()).await, OpenError::InUse(_)));
    drop(store);
    open(folder.path()).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let (folder, embedded) = fresh().await;
    embedded.close().await;
    let mut connection = database(folder.path()).await;
    sqlx::raw_sql("INSERT INTO migration VALUES (99, '0099_later', '9.8.7', 0)")
        .execute(&mut connection)
        .await
        .unwrap();
    let expected = format!(
        "the database in {} was changed by dev2prod 9.8.7 (schema 99); this is dev2prod 0.1.0, \
         which knows schemas up to {}: use dev2prod 9.8.7 or later",
        folder.path().display(),
        steps().len()
    );
    assert_eq!(refusal(folder.path()).await.to_string(), expected);
    assert_eq!(refusal(folder.path()).await.to_string(), expected);
}

#[tokio::test]
async fn a_migration_is_made_once() {
    let (folder, embedded) = fresh().await;
    embedded.close().await;
    open(folder.path()).await.close().await;
    let mut connection = database(folder.path()).await;
    let made: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT number, name, program FROM migration")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let expected: Vec<_> = (1..)
        .zip(steps())
        .map(|(number, name)| (number, name, "0.1.0".to_owned()))
        .collect();
    assert_eq!(made, expected);
}

/// The names of all migrations, in order.
fn steps() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(!names.is_empty());
    names
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.path().join("dev2prod.sqlite"))
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql("CREATE TABLE theirs (x)")
        .execute(&mut connection)
        .await
        .unwrap();
    assert!(matches!(
        refusal(folder.path()).await,
        OpenError::NotOurs(_)
    ));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("dev2prod.sqlite"),
        "no database".repeat(99),
    )
    .unwrap();
    assert!(matches!(
        refusal(folder.path()).await,
        OpenError::Database { .. }
    ));
}

#[tokio::test]
async fn a_full_database_refuses_the_stage_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        database_bytes_max: Some(2 << 20),
    };
    let embedded = Embedded::open(folder.path(), options).await.unwrap();
    let store = &*embedded.store;
    settle(store).await;
    let stage = begin(store).await;
    store.stage(&stage, &[put(0, 100)]).await.unwrap();
    store.flip(&stage, None).await.unwrap();
    for round in 0..3 {
        let stage = begin(store).await;
        let mut staged = 0;
        let error = loop {
            let batch: Vec<_> = (0..100).map(|n| put(staged + n, 1_000)).collect();
            match store.stage(&stage, &batch).await {
                Ok(()) => staged += 100,
                Err(error) => break error,
            }
        };
        assert!(
            staged > 500,
            "much of the room is used: {staged}, round {round}"
        );
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert_eq!(error.to_string(), "no space is left to stage items");
        assert_eq!(keys(store, 1).await.unwrap(), 1);
        store.abort_stage(&stage).await.unwrap();
    }
    let stage = begin(store).await;
    store.stage(&stage, &[put(1, 100)]).await.unwrap();
    assert_eq!(store.flip(&stage, None).await.unwrap(), Revision(2));
    assert_eq!(keys(store, 2).await.unwrap(), 2);
}

#[tokio::test]
async fn a_value_that_nobody_wrote_is_named_by_its_place() {
    let (folder, embedded) = fresh().await;
    settle(&*embedded.store).await;
    let stage = begin(&*embedded.store).await;
    embedded.store.stage(&stage, &[put(1, 10)]).await.unwrap();
    embedded.store.flip(&stage, None).await.unwrap();
    let mut connection = database(folder.path()).await;
    let damage = [
        "UPDATE item SET digest = x'00'",
        "UPDATE tenant SET kind = 'Other'",
    ];
    for sql in damage {
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }
    let place = |error| match error {
        StoreError::Corrupt { place, .. } => place,
        other => panic!("{other:?}"),
    };
    let error = keys(&*embedded.store, 1).await.unwrap_err();
    assert_eq!(place(error), "item.digest");
    let error = embedded.store.tenant(&scope()).await.unwrap_err();
    assert_eq!(place(error), "tenant.kind");
}

#[tokio::test]
async fn a_blob_is_read_where_it_lies() {
    let (_folder, embedded) = fresh().await;
    let path = BlobPath::file(&tenant(), FileId(Uuid::from_u128(1)));
    let from = embedded.blobs.scratch().join("file");
    std::fs::write(&from, "bytes").unwrap();
    embedded.blobs.put_file(&path, &from).await.unwrap();
    assert!(!from.exists(), "it was moved");
    let local = embedded.blobs.local(&path).await.unwrap().unwrap();
    assert!(local.copy.is_none());
    assert_eq!(std::fs::read(local.path).unwrap(), b"bytes");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a/data");
    open(&data).await;
    let mode = std::fs::metadata(&data).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn the_key_of_secrets_is_made_once_and_is_its_owners_alone() {
    let (folder, embedded) = fresh().await;
    let check = embedded.secret_key.check();
    embedded.close().await;
    let path = folder.path().join("secret.key");
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.trim_end().len(), 64);
    let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600);
    let bytes = std::fs::read(folder.path().join("dev2prod.sqlite")).unwrap();
    assert!(!bytes.windows(32).any(|part| part == &text.as_bytes()[..32]));
    let embedded = open(folder.path()).await;
    assert_eq!(embedded.secret_key.check(), check);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_database_without_its_key_is_refused_in_a_clear_sentence() {
    let (folder, embedded) = fresh().await;
    embedded.close().await;
    let path = folder.path().join("secret.key");
    let right = std::fs::read(&path).unwrap();
    let at = path.display();
    let last = "put the right one back from where the folder was backed up";

    std::fs::remove_file(&path).unwrap();
    let expected = format!(
        "the key of this database's secrets is missing: {at} is not there; put it back from where \
         the folder was backed up"
    );
    assert_eq!(refusal(folder.path()).await.to_string(), expected);
    assert!(!path.exists(), "no other one is made");

    std::fs::write(&path, "ab".repeat(32)).unwrap();
    let expected =
        format!("{at} is not the key of this database's secrets but another one; {last}");
    assert_eq!(refusal(folder.path()).await.to_string(), expected);

    for wrong in ["", "ab", &"xy".repeat(32), "\u{0}"] {
        std::fs::write(&path, wrong).unwrap();
        let expected =
            format!("{at} holds no key of secrets: it is to have 64 hexadecimal digits; {last}");
        assert_eq!(refusal(folder.path()).await.to_string(), expected);
    }
    std::fs::write(&path, right).unwrap();
    open(folder.path()).await;
}

#[tokio::test]
async fn a_key_that_was_made_and_not_noted_is_taken() {
    let (folder, embedded) = fresh().await;
    let check = embedded.secret_key.check();
    embedded.close().await;
    let mut connection = database(folder.path()).await;
    sqlx::raw_sql("DELETE FROM secret WHERE name = 'secret_key_check'")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);
    assert_eq!(open(folder.path()).await.secret_key.check(), check);
}
