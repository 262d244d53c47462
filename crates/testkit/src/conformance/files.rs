//! Records of files and bundles.

use dev2prod_engine::ports::{BundleRecord, Change, Enqueued, PutItem, Store};
use dev2prod_model::file::File;
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Kind, Request};

use super::world::{
    LONG_MS, NOW_MS, World, completed, digest, failed, file_id, login, put, remove, upkeep,
};

/// A file of some bytes, which ends at a moment.
fn file(n: u128, bytes: u64, expires_ms: i64) -> File {
    File {
        id: file_id(n),
        name: "Anhang \"ß\".pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
        bytes: u64::from(u32::MAX) + bytes,
        sha256: digest(bytes),
        created_by: login("root"),
        created_ms: NOW_MS,
        expires_ms,
    }
}

async fn keep(world: &World<'_>, file: &File) {
    world.store.insert_file(&world.scope(), file).await.unwrap();
}

async fn expired(world: &World<'_>, now_ms: i64) -> Vec<u128> {
    let found = world
        .store
        .expired_files(&upkeep(), now_ms, 100)
        .await
        .unwrap();
    let mut found: Vec<_> = found.into_iter().map(|(_, id)| id.0.as_u128()).collect();
    found.sort_unstable();
    found
}

/// Whether the bytes of a file were forgotten by that.
async fn expire(world: &World<'_>, id: u128, now_ms: i64) -> bool {
    let (store, tenant) = (world.store, &world.tenant);
    store
        .expire_file(&upkeep(), tenant, file_id(id), now_ms)
        .await
        .unwrap()
}

/// A file's record is read as it was written, in its own tenant only.
pub async fn a_file_is_kept_as_it_is(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let one = file(1, 5, NOW_MS);
    keep(&world, &one).await;
    assert_eq!(
        store.file(&world.scope(), one.id).await.unwrap(),
        Some(one.clone())
    );
    assert_eq!(store.file(&other.scope(), one.id).await.unwrap(), None);
    // Work that is done again after a crash writes its file again.
    let again = file(1, 6, NOW_MS + 1);
    keep(&world, &again).await;
    assert_eq!(
        store.file(&world.scope(), one.id).await.unwrap(),
        Some(again)
    );
}

/// For each digest one file comes, the one that lasts longest.
pub async fn files_are_found_by_their_bytes(store: &dyn Store) {
    let world = World::new(store).await;
    keep(&world, &file(1, 5, NOW_MS)).await;
    keep(&world, &file(2, 5, NOW_MS + 9)).await;
    keep(&world, &file(3, 6, NOW_MS)).await;
    let asked: Vec<_> = (0..1_000).map(digest).collect();
    let mut found = store.files_by_sha256(&world.scope(), &asked).await.unwrap();
    found.sort_by_key(|file| file.id);
    assert_eq!(found, [file(2, 5, NOW_MS + 9), file(3, 6, NOW_MS)]);
    let twice = [digest(5), digest(5)];
    let found = store.files_by_sha256(&world.scope(), &twice).await.unwrap();
    assert_eq!(found.len(), 1);
}

/// After a file's bytes are forgotten only its record is left, to say when it ended.
pub async fn expired_files_are_forgotten(store: &dyn Store) {
    let world = World::new(store).await;
    for n in 1..=3 {
        keep(&world, &file(n, n as u64, NOW_MS + n as i64)).await;
    }
    assert_eq!(
        expired(&world, NOW_MS + 1).await,
        [] as [u128; 0],
        "not before its end"
    );
    assert_eq!(expired(&world, NOW_MS + 3).await, [1, 2]);
    let limited = store.expired_files(&upkeep(), NOW_MS + 3, 1).await.unwrap();
    assert_eq!(limited, [(world.tenant.clone(), file_id(1))]);
    for (id, now_ms, done) in [
        (1, NOW_MS + 1, false),
        (1, NOW_MS + 2, true),
        (1, NOW_MS + 2, false),
        (9, NOW_MS + 9, false),
    ] {
        assert_eq!(expire(&world, id, now_ms).await, done, "{id} at {now_ms}");
    }
    assert_eq!(expired(&world, NOW_MS + 3).await, [2]);
    assert!(
        store
            .file(&world.scope(), file_id(1))
            .await
            .unwrap()
            .is_some()
    );
    let found = store
        .files_by_sha256(&world.scope(), &[digest(1)])
        .await
        .unwrap();
    assert_eq!(found, []);
    let ids: Vec<_> = (0..1_000).map(file_id).collect();
    let mut known = store
        .known_files(&upkeep(), &world.tenant, &ids)
        .await
        .unwrap();
    known.sort();
    assert_eq!(known, [file_id(2), file_id(3)]);
}

/// A file whose bytes an item names, or a stage is about to name, stays until none does.
pub async fn bytes_in_use_do_not_expire(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    for place in [&world, &other] {
        keep(place, &file(1, 1, NOW_MS)).await;
    }
    keep(&world, &file(2, 2, NOW_MS)).await;
    let naming = |text, n| {
        Change::Put(PutItem {
            attachment: Some(digest(n)),
            ..put(text, n)
        })
    };
    let stage = world.begin(&super::world::request(1)).await;
    store.stage(&stage, &[naming("a", 1)]).await.unwrap();
    assert_eq!(
        expired(&world, NOW_MS + 1).await,
        [1, 2],
        "the other tenant's 1, and 2"
    );
    store.flip(&stage, None).await.unwrap();
    assert_eq!(expired(&world, NOW_MS + 1).await, [1, 2]);
    assert!(!expire(&world, 1, NOW_MS + 1).await);
    world.commit(&[remove("a")]).await;
    assert_eq!(
        expired(&world, NOW_MS + 1).await,
        [1, 2],
        "an earlier revision names it"
    );
    let now = dev2prod_model::item::Revision(2);
    store
        .prune_versions(&upkeep(), &world.tenant, now, 10)
        .await
        .unwrap();
    assert_eq!(expired(&world, NOW_MS + 1).await, [1, 1, 2]);
}

/// A file that somebody began to use after all is forgotten with them.
pub async fn a_file_is_forgotten_whoever_names_it(store: &dyn Store) {
    let world = World::new(store).await;
    keep(&world, &file(1, 1, NOW_MS + 9)).await;
    world.enqueue(Kind::Import, 1).await;
    store
        .forget_file(&upkeep(), &world.tenant, file_id(1))
        .await
        .unwrap();
    let known = store
        .known_files(&upkeep(), &world.tenant, &[file_id(1)])
        .await
        .unwrap();
    assert_eq!(known, []);
}

/// The bundle of an import or a dry run stays, however long that waits or works, and goes when it is
/// over; also where it is another tenant's file. A file of the same id elsewhere is another one.
pub async fn the_bundle_of_what_is_not_over_does_not_expire(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    for place in [&world, &other] {
        keep(place, &file(1, 1, NOW_MS)).await;
    }
    keep(&world, &file(2, 2, NOW_MS)).await;
    let late = NOW_MS + LONG_MS;
    let held = async |bundle_of: &World<'_>| {
        assert_eq!(expired(&world, late).await, [1, 2]);
        assert!(!expire(bundle_of, 1, late).await);
    };
    for kind in [Kind::Import, Kind::DryRun] {
        world.enqueue(kind, 1).await;
        held(&world).await;
        let claim = world.claim(LONG_MS).await.unwrap();
        held(&world).await;
        store.finish(&claim, &failed(&claim)).await.unwrap();
        assert_eq!(expired(&world, late).await, [1, 1, 2]);
        store
            .forget_operations(&upkeep(), i64::MAX, 9)
            .await
            .unwrap();
    }
    let mut import = world.operation(Kind::Import, 2);
    if let Request::Import { file_tenant, .. } = &mut import.request {
        file_tenant.clone_from(&other.tenant);
    }
    let kept = store.enqueue(&world.scope(), &import, None, NOW_MS).await;
    assert_eq!(kept.unwrap(), Enqueued::New);
    held(&other).await;
    assert!(expire(&world, 1, late).await, "nobody needs that one");
    let claim = world.claim(LONG_MS).await.unwrap();
    store.finish(&claim, &failed(&claim)).await.unwrap();
    assert!(expire(&other, 1, late).await);
}

/// A plan is known while an operation's report names it.
pub async fn plans_are_known_while_an_operation_names_them(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    world.enqueue(Kind::DryRun, 1).await;
    let claim = world.claim(LONG_MS).await.unwrap();
    let plan = digest(0x91a4);
    let asked = [digest(1), plan];
    let known = |world: &World<'_>| {
        let tenant = world.tenant.clone();
        async move { store.known_plans(&upkeep(), &tenant, &asked).await.unwrap() }
    };
    assert_eq!(known(&world).await, []);
    store.finish(&claim, &completed(&claim)).await.unwrap();
    assert_eq!(known(&world).await, [plan]);
    assert_eq!(known(&other).await, []);
}

/// A bundle is opened once; whoever verifies it again gets the first record.
pub async fn the_first_record_of_a_bundle_stays(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    let record = |n: u8| BundleRecord {
        id: OperationId::new(0, [n; 8]),
        sha256: digest(1),
        content_digest: digest(2),
        verified_ms: NOW_MS + i64::from(n),
    };
    let read = || async {
        store
            .bundle_record(&world.scope(), &digest(1))
            .await
            .unwrap()
    };
    assert_eq!(read().await, None);
    for n in [1, 2] {
        let kept = store
            .record_bundle(&world.scope(), &record(n))
            .await
            .unwrap();
        assert_eq!(kept, record(1));
    }
    assert_eq!(read().await, Some(record(1)));
    let elsewhere = store
        .bundle_record(&other.scope(), &digest(1))
        .await
        .unwrap();
    assert_eq!(elsewhere, None);
}
