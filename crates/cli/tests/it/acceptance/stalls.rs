//! A server that stands still for longer than it may hold its work.

use std::time::Duration;

use dev2prod_client::Outcome;
use rustix::process::Signal;

use super::content;
use super::leftovers::assert_none;
use super::world::{
    DEVELOPMENT, PRODUCTION, World, everything_of, impatient, listing, operations, replace,
};

/// A lease is 15 seconds.
const STALL: Duration = Duration::from_secs(17);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stalls_in_an_import_goes_on_and_does_it_once() {
    let (world, server) = World::new().await;
    let client = world.client(&server);
    let production = client.in_tenant(PRODUCTION);
    replace(
        &client.in_tenant(DEVELOPMENT),
        content::lines(0..2_500, |_| 1),
    )
    .await;
    let promotion = world.promotion("one");
    let file = promotion.export(&client).await.unwrap();
    let revision = async || client.tenant(PRODUCTION).await.unwrap().unwrap().revision;
    let before = revision().await;

    let id = production
        .start_import(false, &everything_of(&file), None)
        .await
        .unwrap();
    while production.import_status(&id).await.unwrap().status == "PENDING" {
        tokio::time::sleep(impatient().pause_first).await;
    }
    server.signal(Signal::STOP);
    tokio::time::sleep(STALL).await;
    server.signal(Signal::CONT);
    let import = production
        .wait_for_import(&id, &impatient(), |_| ())
        .await
        .unwrap();
    assert_eq!(import.outcome(), Outcome::Succeeded, "{}", import.raw);
    let took = import.last_update_time.unwrap() - import.start_time.unwrap();
    assert!(
        took >= 16_000,
        "it was over before it was stalled: {took} ms"
    );

    assert_eq!(revision().await, before.next(), "it was done once");
    assert_eq!(operations(&production).await, (0, 1));
    let development = listing(&client.in_tenant(DEVELOPMENT)).await;
    assert_eq!(listing(&production).await, development);
    assert_none(&world.data()).await;
    server.stop().await;
}
