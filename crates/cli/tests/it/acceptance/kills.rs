//! The server kills itself at each failpoint of a promotion, and is started again.

use std::io::Cursor;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use dev2prod_client::api::ContentMode;
use dev2prod_client::{Client, Outcome};

use super::content;
use super::leftovers::{age_blobs, assert_none};
use super::server::Server;
use super::world::{
    DEVELOPMENT, PRODUCTION, World, listing, operations, replace, settled, upload, write_own,
};

/// Numbers of which every release changes all items: more than one batch is staged.
const NUMBERS: u32 = 420;

/// How long a request that is gone could hold a tenant's content.
const LEASE: Duration = Duration::from_secs(15);

/// Points that are passed more than once, at a later pass.
const LATER: &[&str] = &[
    "runner.claimed:2",
    "blob.before_rename:2",
    "blob.renamed:2",
    "stage.before_commit:2",
    "stage.committed:2",
    "stage.committed:3",
    "stage.baselines_before_commit:2",
    "blob.renamed:3",
];

/// A release of development: other bodies, one number gone, one new, and a file with new bytes.
async fn release(client: &Client, number: u32) {
    let development = client.in_tenant(DEVELOPMENT);
    let bytes = format!("What is new in release {number}.\n");
    upload(&development, "news.txt", bytes.as_bytes()).await;
    let mut lines = content::lines(number..number + NUMBERS, |_| number);
    lines.push_str(&content::attachment("news.txt", bytes.as_bytes()));
    replace(&development, lines).await;
}

/// Whether the server kills itself where it is told to; if not, says so.
pub(super) fn armed() -> bool {
    if !cfg!(feature = "failpoints") {
        println!("not run: the server is built without the feature 'failpoints'");
    }
    cfg!(feature = "failpoints")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_that_is_killed_at_any_failpoint_ends_by_itself() {
    if !armed() {
        return;
    }
    let (world, mut server) = World::new().await;
    let data = world.data();
    let mut before = String::new();
    let points = dev2prod_engine::FAILPOINTS.iter().chain(LATER);
    let mut rounds = 0;
    for (round, point) in points.enumerate() {
        let client = world.client(&server);
        let number = u32::try_from(round).unwrap();
        release(&client, number).await;
        let after = listing(&client.in_tenant(DEVELOPMENT)).await;
        server.stop().await;
        age_blobs(&data);

        let promotion = world.promotion(format!("release {number}"));
        let mut dying = Server::start_to_die(&data, point).await;
        let cut_off = promotion.go_on(&world.client(&dying)).await;
        assert!(cut_off.is_err(), "{point} was not passed: {cut_off:?}");
        assert_eq!(dying.ended().await.signal(), Some(9), "{point}");

        server = world.start().await;
        let client = world.client(&server);
        let production = client.in_tenant(PRODUCTION);
        let seen = listing(&production).await;
        assert!(
            seen == before || seen == after,
            "{point}: a mixture\n{seen}"
        );
        settled(&client).await;
        let ended = promotion.go_on(&client).await.unwrap();
        assert_eq!(
            ended.outcome(),
            Outcome::Succeeded,
            "{point}: {}",
            ended.raw
        );
        assert_eq!(listing(&production).await, after, "{point}");
        write_own(&production, round)
            .await
            .unwrap_or_else(|error| panic!("{point}: {error}"));
        before = after;
        rounds += 1;
    }
    let client = world.client(&server);
    assert_eq!(
        operations(&client.in_tenant(DEVELOPMENT)).await,
        (rounds, 0)
    );
    assert_eq!(operations(&client.in_tenant(PRODUCTION)).await, (0, rounds));
    server.stop().await;
    age_blobs(&data);
    let server = world.start().await;
    assert_none(&data).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_content_that_is_killed_is_there_whole_or_not_at_all() {
    if !armed() {
        return;
    }
    let (world, mut server) = World::new().await;
    let data = world.data();
    let mut before = String::new();
    let points = [
        "stage.taken",
        "stage.before_commit",
        "stage.committed",
        "flip.before_commit",
        "flip.committed",
    ];
    for (number, point) in (1..).zip(points) {
        server.stop().await;
        let mut dying = Server::start_to_die(&data, point).await;
        let tenant = world.client(&dying).in_tenant(PRODUCTION);
        let lines = content::lines(0..NUMBERS, |_| number);
        let upload = tenant.push_content(Cursor::new(lines.clone()), ContentMode::Replace, None);
        assert!(upload.await.is_err(), "{point} was not passed");
        assert_eq!(dying.ended().await.signal(), Some(9), "{point}");

        server = world.start().await;
        let tenant = world.client(&server).in_tenant(PRODUCTION);
        let seen = listing(&tenant).await;
        // The right to write comes back as soon as what was staged is gone, not with its lease.
        let free = tokio::time::timeout(LEASE / 2, async {
            while let Err(error) = write_own(&tenant, 0).await {
                assert_eq!(error.status(), Some(423), "{point}: {error}");
            }
        });
        assert!(free.await.is_ok(), "{point}: a lock stays");
        replace(&tenant, lines).await;
        let after = listing(&tenant).await;
        let expected = if point == "flip.committed" {
            &after
        } else {
            &before
        };
        assert!(seen == *expected, "{point}: a mixture\n{seen}");
        assert_none(&data).await;
        before = after;
    }
    server.stop().await;
}
