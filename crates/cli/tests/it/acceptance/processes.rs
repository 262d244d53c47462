//! One process holds a folder, stops when it is asked to, and is small while it is idle.

use std::time::{Duration, Instant};

use dev2prod_client::Outcome;

use super::content;
use super::leftovers::{assert_none, query};
use super::server::{Server, command};
use super::world::{DEVELOPMENT, PRODUCTION, World, everything_of, impatient, listing, replace};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_folder_is_refused_with_a_sentence() {
    let (world, server) = World::new().await;
    let second = command(&world.data(), &[]).output().await.unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&second.stdout), "");
    let said = String::from_utf8_lossy(&second.stderr);
    let sentence = format!(
        "{} is in use by another dev2prod process; stop it or choose another --data",
        world.data().display()
    );
    assert!(said.contains(&sentence), "{said}");
    // The first one is none the worse for it.
    assert_eq!(
        listing(&world.client(&server).in_tenant(PRODUCTION)).await,
        ""
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_hands_its_import_to_the_next_start() {
    let (world, server) = World::new().await;
    let client = world.client(&server);
    replace(
        &client.in_tenant(DEVELOPMENT),
        content::lines(0..2_500, |_| 1),
    )
    .await;
    let promotion = world.promotion("one");
    let file = promotion.export(&client).await.unwrap();
    server.stop().await;

    let mut server = Server::start(&world.data(), &["--stop-seconds", "0"]).await;
    let production = world.client(&server).in_tenant(PRODUCTION);
    let id = production
        .start_import(false, &everything_of(&file), None)
        .await
        .unwrap();
    while production.import_status(&id).await.unwrap().status == "PENDING" {
        tokio::time::sleep(impatient().pause_first).await;
    }
    let asked = Instant::now();
    server.signal(rustix::process::Signal::TERM);
    assert!(server.ended().await.success(), "{}", server.log());
    println!("it stopped after {:?}", asked.elapsed());
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
    let status = format!("SELECT status FROM operation WHERE id = '{id}'");
    assert_eq!(
        query(&world.data(), &status),
        ["RUNNING"],
        "it was over before it was stopped"
    );

    let server = world.start().await;
    let client = world.client(&server);
    let production = client.in_tenant(PRODUCTION);
    let import = production
        .wait_for_import(&id, &impatient(), |_| ())
        .await
        .unwrap();
    assert_eq!(import.outcome(), Outcome::Succeeded, "{}", import.raw);
    let development = listing(&client.in_tenant(DEVELOPMENT)).await;
    assert_eq!(listing(&production).await, development);
    assert_none(&world.data()).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_server_is_small() {
    let (world, server) = World::new().await;
    server.stop().await;
    let server = world.start().await;
    assert_eq!(
        listing(&world.client(&server).in_tenant(PRODUCTION)).await,
        ""
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    // Not counted are the pages of the program itself, of which a debug build has many.
    let own = server.memory_kib("RssAnon");
    let all = server.memory_kib("VmRSS");
    println!("an idle server holds {own} KiB of its own, {all} KiB with its program");
    assert!(own < 24 * 1024, "{own} KiB");
    server.stop().await;
}
