//! No space is left while an import stages.

use dev2prod_client::Outcome;

use super::content;
use super::leftovers::{age_blobs, assert_none};
use super::server::Server;
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
