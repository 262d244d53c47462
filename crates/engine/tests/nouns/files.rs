//! The File Repository.

use bytes::Bytes;
use dev2prod_engine::content::UploadMode;
use dev2prod_engine::files::{NewFile, begin, get, read};
use dev2prod_engine::{EngineResult, Settings, housekeeping};
use dev2prod_model::access::{FileRead, FileWrite};
use dev2prod_model::digest::sha256;
use dev2prod_model::file::File;
use futures::TryStreamExt;
use insta::assert_snapshot;

use crate::support::{World, line, told};

fn named(name: &str) -> NewFile {
    NewFile {
        name: name.to_owned(),
        content_type: None,
    }
}

pub(crate) async fn receive(world: &World, pieces: &[&'static str]) -> EngineResult<File> {
    let scope = world.scope::<FileWrite>().await;
    let mut receiving = begin(&world.engine, &scope, named("a.bin")).await?;
    for piece in pieces {
        receiving
            .write(Bytes::from_static(piece.as_bytes()))
            .await?;
    }
    receiving.finish().await
}

pub(crate) async fn blobs(world: &World) -> usize {
    let blobs: Vec<_> = world.engine.blobs().list().try_collect().await.unwrap();
    blobs.len()
}

#[tokio::test]
async fn bytes_come_in_and_go_out_as_they_were() {
    let world = World::start().await;
    let file = receive(&world, &["hello ", "world"]).await.unwrap();
    assert_eq!((file.bytes, file.sha256), (11, sha256(b"hello world")));
    let scope = world.scope::<FileRead>().await;
    assert_eq!(get(&world.engine, &scope, file.id).await.unwrap(), file);
    let part = read(&world.engine, &scope, &file, 4, 8).await.unwrap();
    let part: Vec<Bytes> = part.try_collect().await.unwrap();
    assert_eq!(part.concat(), b"o wo");
    let unknown = "c7e87b89-f214-4766-8032-bba6967e1c49".parse().unwrap();
    assert_snapshot!(told(&get(&world.engine, &scope, unknown).await.unwrap_err()), @r#"unknown_file: this tenant has no file c7e87b89-f214-4766-8032-bba6967e1c49"#);
}

#[tokio::test]
async fn a_file_is_neither_empty_nor_larger_than_the_limit() {
    let world = World::with(Settings {
        file_bytes_max: 10,
        ..Settings::default()
    })
    .await;
    receive(&world, &["12345", "67890"])
        .await
        .expect("10 bytes");
    assert_snapshot!(told(&receive(&world, &["12345", "678901"]).await.unwrap_err()), @r#"too large: a file is at most 10 bytes large; nothing was kept"#);
    assert_snapshot!(told(&receive(&world, &[]).await.unwrap_err()), @r#"empty_file: the file is empty: send its bytes"#);
}

#[tokio::test]
async fn a_file_that_is_not_finished_leaves_nothing() {
    let world = World::start().await;
    let scope = world.scope::<FileWrite>().await;
    for is_aborted in [true, false] {
        let mut receiving = begin(&world.engine, &scope, named("a")).await.unwrap();
        receiving.write(Bytes::from_static(b"half")).await.unwrap();
        if is_aborted {
            receiving.abort().await;
        } else {
            drop(receiving);
        }
    }
    assert_eq!(blobs(&world).await, 0);
}

#[tokio::test]
async fn an_expired_file_says_when_it_expired_before_and_after_its_bytes_are_deleted() {
    let world = World::start().await;
    let file = receive(&world, &["old"]).await.unwrap();
    let scope = world.scope::<FileRead>().await;
    world.advance_ms(world.engine.settings().file_retention_ms - 1);
    get(&world.engine, &scope, file.id)
        .await
        .expect("its last millisecond");
    world.advance_ms(1);
    let before = told(&get(&world.engine, &scope, file.id).await.unwrap_err());
    assert!(
        before.starts_with("file_expired: ") && before.contains(" expired at 20"),
        "{before}"
    );

    world.advance_ms(1);
    assert_eq!(housekeeping::run_once(&world.engine).await.expired_files, 1);
    assert_eq!(blobs(&world).await, 0);
    assert_eq!(
        told(&get(&world.engine, &scope, file.id).await.unwrap_err()),
        before
    );
    assert_eq!(housekeeping::run_once(&world.engine).await.expired_files, 0);
}

#[tokio::test]
async fn a_file_whose_bytes_an_item_names_outlives_its_end() {
    let world = World::start().await;
    let file = receive(&world, &["logo"]).await.unwrap();
    let body = format!(r#"{{"Name":"logo.png","Sha256":"{}"}}"#, file.sha256);
    world
        .upload(UploadMode::Upsert, &line("attachments", "logo.png", &body))
        .await
        .unwrap();
    world.advance_ms(2 * world.engine.settings().file_retention_ms);
    assert_eq!(housekeeping::run_once(&world.engine).await.expired_files, 0);
    let scope = world.scope::<FileRead>().await;
    get(&world.engine, &scope, file.id)
        .await
        .expect("an item names its bytes");
}
