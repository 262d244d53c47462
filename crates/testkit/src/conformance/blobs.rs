//! Blobs: whole or not there.

use bytes::Bytes;
use dev2prod_engine::ports::{BlobPath, BlobStore};
use futures::TryStreamExt;

use super::world::{digest, file_id};

fn path(n: u128) -> BlobPath {
    BlobPath::file(&"100".parse().expect("a tenant id"), file_id(n))
}

/// Bytes that tell their position.
fn pattern(bytes: usize) -> Bytes {
    (0..bytes).map(|n| (n % 251) as u8).collect()
}

async fn write(blobs: &dyn BlobStore, path: &BlobPath, bytes: &Bytes) {
    let mut writer = blobs.writer(path).await.unwrap();
    for part in bytes.chunks(70_001) {
        writer.write(Bytes::copy_from_slice(part)).await.unwrap();
    }
    writer.finish().await.unwrap();
}

async fn read(blobs: &dyn BlobStore, path: &BlobPath, from: u64, to: Option<u64>) -> Option<Bytes> {
    let parts: Vec<_> = blobs
        .read(path, from, to)
        .await
        .unwrap()?
        .try_collect()
        .await
        .unwrap();
    Some(parts.concat().into())
}

async fn paths(blobs: &dyn BlobStore) -> Vec<String> {
    let mut found: Vec<_> = blobs.list().try_collect().await.unwrap();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.into_iter().map(|meta| meta.path).collect()
}

/// Nobody sees a blob before it is finished, and then it is whole, whatever its size.
pub async fn a_blob_appears_whole(blobs: &dyn BlobStore) {
    for (n, bytes) in [0, 1, 1 << 20, (3 << 20) + 17].into_iter().enumerate() {
        let (path, bytes) = (path(n as u128), pattern(bytes));
        let mut writer = blobs.writer(&path).await.unwrap();
        writer.write(bytes.clone()).await.unwrap();
        assert_eq!(read(blobs, &path, 0, None).await, None);
        assert!(blobs.local(&path).await.unwrap().is_none());
        assert!(!paths(blobs).await.contains(&path.as_str().to_owned()));
        writer.finish().await.unwrap();
        assert_eq!(read(blobs, &path, 0, None).await, Some(bytes));
    }
}

/// A blob that is given up, or whose writer is dropped, is not there.
pub async fn a_blob_given_up_leaves_nothing(blobs: &dyn BlobStore) {
    let mut writer = blobs.writer(&path(1)).await.unwrap();
    writer.write(pattern(3 << 20)).await.unwrap();
    writer.abort().await;
    let mut writer = blobs.writer(&path(2)).await.unwrap();
    writer.write(pattern(3 << 20)).await.unwrap();
    drop(writer);
    assert_eq!(paths(blobs).await, [] as [&str; 0]);
    assert_eq!(read(blobs, &path(1), 0, None).await, None);
}

/// A blob is replaced whole, and until then it is the one before.
pub async fn a_finished_blob_replaces_the_one_before(blobs: &dyn BlobStore) {
    write(blobs, &path(1), &pattern(100)).await;
    let mut writer = blobs.writer(&path(1)).await.unwrap();
    writer.write(pattern(5)).await.unwrap();
    assert_eq!(read(blobs, &path(1), 0, None).await, Some(pattern(100)));
    writer.finish().await.unwrap();
    assert_eq!(read(blobs, &path(1), 0, None).await, Some(pattern(5)));
}

/// A part is read without the rest; beyond the end there is nothing.
pub async fn a_part_of_a_blob_is_read(blobs: &dyn BlobStore) {
    let all = pattern(200_000);
    write(blobs, &path(1), &all).await;
    for (from, to) in [(0, 10), (5, 5), (100_000, 200_000), (199_999, 300_000)] {
        let part = read(blobs, &path(1), from as u64, Some(to as u64)).await;
        assert_eq!(
            part,
            Some(all.slice(from..to.min(all.len()))),
            "{from} to {to}"
        );
    }
    let part = read(blobs, &path(1), 150_000, None).await;
    assert_eq!(part, Some(all.slice(150_000..)));
    let beyond = read(blobs, &path(1), 200_000, None).await;
    assert_eq!(beyond, Some(Bytes::new()));
    assert_eq!(read(blobs, &path(2), 0, Some(1)).await, None);
}

/// A file of the scratch folder, or of anywhere, becomes a blob.
pub async fn a_local_file_becomes_a_blob(blobs: &dyn BlobStore) {
    let elsewhere = tempfile::tempdir().unwrap();
    for (n, folder) in [(1, blobs.scratch()), (2, elsewhere.path())] {
        let file = folder.join("file");
        std::fs::write(&file, pattern(300_000)).unwrap();
        blobs.put_file(&path(n), &file).await.unwrap();
        assert_eq!(read(blobs, &path(n), 0, None).await, Some(pattern(300_000)));
    }
    let missing = blobs
        .put_file(&path(3), &elsewhere.path().join("missing"))
        .await;
    assert!(missing.is_err());
    assert_eq!(read(blobs, &path(3), 0, None).await, None);
}

/// A blob can be opened as a file; reading it changes nothing.
pub async fn a_blob_is_read_as_a_local_file(blobs: &dyn BlobStore) {
    write(blobs, &path(1), &pattern(1_000)).await;
    let local = blobs.local(&path(1)).await.unwrap().unwrap();
    assert_eq!(std::fs::read(&local.path).unwrap(), pattern(1_000));
    drop(local);
    assert_eq!(read(blobs, &path(1), 0, None).await, Some(pattern(1_000)));
    assert!(blobs.local(&path(2)).await.unwrap().is_none());
}

/// Deleting works, and deleting what is not there harms nobody.
pub async fn a_deleted_blob_is_gone(blobs: &dyn BlobStore) {
    write(blobs, &path(1), &pattern(10)).await;
    write(blobs, &path(2), &pattern(10)).await;
    for _ in 0..2 {
        blobs.delete(path(1).as_str()).await.unwrap();
        assert_eq!(paths(blobs).await, [path(2).as_str()]);
    }
}

/// Whoever listed a blob deletes that one, and none that was written since under its name.
pub async fn a_blob_written_anew_is_not_deleted_for_an_old_one(blobs: &dyn BlobStore) {
    write(blobs, &path(1), &pattern(10)).await;
    write(blobs, &path(2), &pattern(10)).await;
    let listed: Vec<_> = blobs.list().try_collect().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    write(blobs, &path(2), &pattern(10)).await;
    let mut deleted = Vec::new();
    for blob in &listed {
        deleted.push((
            blob.path.as_str(),
            blobs.delete_unchanged(blob).await.unwrap(),
        ));
    }
    deleted.sort();
    assert_eq!(
        deleted,
        [(path(1).as_str(), true), (path(2).as_str(), false)]
    );
    assert_eq!(paths(blobs).await, [path(2).as_str()]);
    let gone = listed.iter().find(|blob| blob.path == path(1).as_str());
    assert!(!blobs.delete_unchanged(gone.unwrap()).await.unwrap());
}

/// Every blob is listed with its path, its size and a time.
pub async fn all_blobs_are_listed(blobs: &dyn BlobStore) {
    let tenant = "200".parse().unwrap();
    let plan = BlobPath::plan(&tenant, digest(1));
    write(blobs, &path(1), &pattern(10)).await;
    write(blobs, &plan, &pattern(20)).await;
    let mut found: Vec<_> = blobs.list().try_collect().await.unwrap();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let sizes: Vec<_> = found
        .iter()
        .map(|meta| (meta.path.as_str(), meta.bytes))
        .collect();
    assert_eq!(sizes, [(path(1).as_str(), 10), (plan.as_str(), 20)]);
    assert!(
        found
            .iter()
            .all(|meta| meta.modified_ms > 1_600_000_000_000)
    );
    let parsed = BlobPath::parse(&found[1].path);
    assert_eq!(
        parsed,
        Some((tenant, false, digest(1).to_string().as_str()))
    );
}

/// Only what is old enough is swept, and never a blob that is whole.
pub async fn unfinished_blobs_are_swept(blobs: &dyn BlobStore) {
    write(blobs, &path(1), &pattern(10)).await;
    let mut writer = blobs.writer(&path(2)).await.unwrap();
    writer.write(pattern(3 << 20)).await.unwrap();
    assert_eq!(blobs.sweep_unfinished(3_600_000).await.unwrap(), 0);
    blobs.sweep_unfinished(0).await.unwrap();
    assert_eq!(blobs.sweep_unfinished(0).await.unwrap(), 0);
    assert!(
        writer.finish().await.is_err(),
        "what was swept cannot be finished"
    );
    assert_eq!(paths(blobs).await, [path(1).as_str()]);
}

/// A store that works says so.
pub async fn a_store_of_blobs_answers(blobs: &dyn BlobStore) {
    blobs.ping().await.unwrap();
}
