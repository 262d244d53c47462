//! No space is left while an import stages.

use std::fmt::Write as _;
use std::time::Duration;

use dev2prod_client::{ClientError, InTenant, Outcome, Wait};
use dev2prod_model::digest::sha256;
use tempfile::TempDir;

use super::content;
use super::leftovers::{age_blobs, assert_none};
use super::server::Server;
use super::small_disk::SmallDisk;
use super::world::{
    DEVELOPMENT, PRODUCTION, World, everything_of, impatient, listing, replace, write_own,
};

/// What the database may grow by: enough for an operation and its plan, not for what it stages.
const ROOM_BYTES: u64 = 256 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_finds_no_space_says_so_and_changes_nothing() {
    let (world, server) = World::new().await;
    let client = world.client(&server);
    replace(&client.in_tenant(PRODUCTION), content::lines(0..20, |_| 1)).await;
    let before = listing(&client.in_tenant(PRODUCTION)).await;
    replace(
        &client.in_tenant(DEVELOPMENT),
        content::lines(0..800, |_| 2),
    )
    .await;
    let promotion = world.promotion("one");
    let file = promotion.export(&client).await.unwrap();
    server.stop().await;

    let bytes = std::fs::metadata(world.data().join("dev2prod.sqlite"))
        .unwrap()
        .len();
    let limit = (bytes + ROOM_BYTES).to_string();
    let server = Server::start(&world.data(), &["--database-bytes-max", &limit]).await;
    let production = world.client(&server).in_tenant(PRODUCTION);
    for attempt in 0..2 {
        let id = production
            .start_import(false, &everything_of(&file), None)
            .await
            .unwrap();
        let import = production
            .wait_for_import(&id, &impatient(), |_| ())
            .await
            .unwrap();
        assert_eq!(import.outcome(), Outcome::Failed, "{}", import.raw);
        let code = import
            .errors
            .first()
            .and_then(|error| error.code.as_deref());
        assert_eq!(code, Some("no_space"), "{}", import.raw);
        assert_eq!(listing(&production).await, before);
        write_own(&production, attempt)
            .await
            .expect("the server goes on working");
    }
    server.stop().await;

    age_blobs(&world.data());
    let server = world.start().await;
    let client = world.client(&server);
    let import = world.promotion("one").go_on(&client).await.unwrap();
    assert_eq!(import.outcome(), Outcome::Succeeded, "{}", import.raw);
    let development = listing(&client.in_tenant(DEVELOPMENT)).await;
    assert_eq!(listing(&client.in_tenant(PRODUCTION)).await, development);
    assert_none(&world.data()).await;
    server.stop().await;
}

/// A disk that holds all there is, and what is left of it when an import begins: less than it
/// stages, less than taking that back takes, less than its plan, nothing.
const DISK_BYTES: u64 = 128 << 20;
const LEFT_BYTES: [u64; 4] = [4 << 20, 1 << 20, 128 << 10, 0];
/// Room to ask for an import, and hardly for more: either its work begins and how it ended cannot be
/// noted, or it waits for room.
const LEFT_TO_ASK_BYTES: u64 = 48 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_fills_the_disk_says_so_and_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let Some((server, disk)) = SmallDisk::serve(&data, DISK_BYTES).await else {
        eprintln!("not tested: no file system can be mounted here, not even for one process");
        return;
    };
    let world = World::on(folder, &server).await;
    let client = world.client(&server);
    let production = client.in_tenant(PRODUCTION);
    replace(&production, content::lines(0..20, |_| 1)).await;
    let before = listing(&production).await;
    let all = content::lines(0..20, |_| 2) + &large(1_500);
    replace(&client.in_tenant(DEVELOPMENT), all).await;
    let file = world.promotion("one").export(&client).await.unwrap();

    for (attempt, left) in LEFT_BYTES.into_iter().enumerate() {
        disk.leave(left);
        let found = import_without_space(&production, &file, &disk).await;
        assert_eq!(
            found,
            Err("no_space".into()),
            "{left} left: {}",
            server.log()
        );
        assert_eq!(listing(&production).await, before, "{left} bytes left");
        write_own(&production, attempt)
            .await
            .expect("the server goes on working, and at once");
    }
    let development = listing(&client.in_tenant(DEVELOPMENT)).await;
    disk.leave(LEFT_TO_ASK_BYTES);
    let waited = import_without_space(&production, &file, &disk).await;
    let whole = match waited {
        Ok(()) => &development,
        Err(code) if code == "no_space" => &before,
        Err(code) => panic!("{code}: {}", server.log()),
    };
    assert_eq!(listing(&production).await, *whole, "{}", server.log());

    let import = world.promotion("one").go_on(&client).await.unwrap();
    assert_eq!(import.outcome(), Outcome::Succeeded, "{}", import.raw);
    assert_eq!(listing(&production).await, development);
    server.stop().await;
}

/// Imports the file, frees the disk, and gives whether the import waited for that and succeeded, or
/// the code that it, or asking for it, ended with. Readers go on meanwhile.
async fn import_without_space(
    production: &InTenant,
    file: &str,
    disk: &SmallDisk,
) -> Result<(), String> {
    let before = listing(production).await;
    let started = production
        .start_import(false, &everything_of(file), None)
        .await;
    let id = match started {
        Ok(id) => id,
        Err(ClientError::Problem { problem, .. }) => {
            disk.free();
            return Err(problem.code);
        }
        Err(error) => panic!("{error}"),
    };
    // Where not even its beginning or its end can be written, it is still under way.
    let wait = Wait {
        timeout: Duration::from_secs(3),
        ..impatient()
    };
    let early = production.wait_for_import(&id, &wait, |_| ()).await;
    assert_eq!(listing(production).await, before);
    disk.free();
    let import = match early {
        Ok(import) => import,
        Err(_) => production
            .wait_for_import(&id, &impatient(), |_| ())
            .await
            .unwrap(),
    };
    if import.outcome() == Outcome::Succeeded {
        return Ok(());
    }
    let code = import.errors.first().and_then(|error| error.code.clone());
    Err(code.unwrap_or_default())
}

/// Lines whose bodies do not become smaller in a bundle.
fn large(count: u32) -> String {
    (0..count).fold(String::new(), |mut lines, number| {
        let mut seed = sha256(&number.to_be_bytes());
        let mut text = String::new();
        for _ in 0..128 {
            seed = sha256(&seed.0);
            text.push_str(&seed.to_string());
        }
        writeln!(
            lines,
            r#"{{"PackageName":"data","Key":"Large/{number:06}","Body":{{"Text":"{text}"}},"References":[]}}"#
        )
        .expect("a String takes every text");
        lines
    })
}
