//! Readers go on all through a large import, and each sees one revision.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use dev2prod_client::{Client, InTenant, Outcome, RemoteImport};
use dev2prod_model::section::Section;
use tokio::task::JoinHandle;

use super::content;
use super::world::{
    DEVELOPMENT, PRODUCTION, World, everything_of, impatient, listing, replace, try_listing,
    write_own,
};

/// Items that the import brings.
const ITEMS: u32 = 20_001;
/// Numbers that production has before; the import leaves the first of them out.
const BEFORE: u32 = 500;
const GONE: u32 = 10;

/// What a reader saw, one after the other, each sight once.
async fn sights<T: PartialEq>(
    over: Arc<AtomicBool>,
    mut look: impl AsyncFnMut() -> T,
) -> (Vec<T>, u32) {
    let (mut seen, mut looks) = (Vec::new(), 0);
    loop {
        let last = over.load(Ordering::SeqCst);
        let sight = look().await;
        looks += 1;
        if seen.last() != Some(&sight) {
            seen.push(sight);
        }
        if last {
            return (seen, looks);
        }
    }
}

fn lister(client: &Client, over: &Arc<AtomicBool>) -> JoinHandle<(Vec<String>, u32)> {
    let (tenant, over) = (client.in_tenant(PRODUCTION), Arc::clone(over));
    tokio::spawn(sights(over, async move || {
        try_listing(&tenant)
            .await
            .expect("a listing is never refused")
    }))
}

fn looker(client: &Client, over: &Arc<AtomicBool>) -> JoinHandle<(Vec<String>, u32)> {
    let (tenant, over) = (client.in_tenant(PRODUCTION), Arc::clone(over));
    let key = format!("E{GONE:06}");
    tokio::spawn(sights(over, async move || {
        let item = tenant
            .item(Section::Metadata, &key)
            .await
            .expect("an item is never refused");
        item.expect("both revisions have it").1
    }))
}

/// Polls an import until it ends, and tries to write all the while; how it ended, and how often a
/// write was told to wait.
async fn watch(production: &InTenant, id: &str) -> (RemoteImport, u32) {
    let mut refused = 0;
    loop {
        let import = production
            .import_status(id)
            .await
            .expect("a poll is never refused");
        if import.outcome() != Outcome::Working {
            assert_eq!(import.status, "COMPLETED", "{}", import.raw);
            return (import, refused);
        }
        match write_own(production, 1).await {
            Ok(()) => {}
            Err(error) if error.status() == Some(423) => refused += 1,
            Err(error) => panic!("a writer is let in or told to wait: {error}"),
        }
        tokio::time::sleep(impatient().pause_max).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_one_revision_each_all_through_an_import_of_20_000_items() {
    let (world, server) = World::new().await;
    let client = world.client(&server);
    let (development, production) = (client.in_tenant(DEVELOPMENT), client.in_tenant(PRODUCTION));
    replace(&development, content::lines(0..BEFORE, |_| 1)).await;
    let first = world.promotion("first");
    first.go_on(&client).await.unwrap();
    let before = listing(&production).await;
    replace(&development, content::lines(GONE..GONE + ITEMS / 3, |_| 2)).await;
    let after = listing(&development).await;
    let second = world.promotion("second");
    let file = second.export(&client).await.unwrap();

    let over = Arc::new(AtomicBool::new(false));
    let listers = [lister(&client, &over), lister(&client, &over)];
    let looker = looker(&client, &over);
    let began = Instant::now();
    let id = production
        .start_import(false, &everything_of(&file), None)
        .await
        .unwrap();
    let (import, refused) = watch(&production, &id).await;
    println!(
        "the import took {:?}; {refused} writes were told to wait",
        began.elapsed()
    );
    over.store(true, Ordering::SeqCst);
    assert_eq!(import.outcome(), Outcome::Succeeded, "{}", import.raw);
    assert!(refused > 0, "no write was tried while the import went on");

    for lister in listers {
        let (seen, looks) = lister.await.unwrap();
        println!("a reader listed {looks} times");
        assert!(looks > 2, "the import was too short to be watched");
        let names: Vec<_> = seen
            .iter()
            .map(|sight| match sight {
                sight if *sight == before => "before",
                sight if *sight == after => "after",
                _ => "a mixture",
            })
            .collect();
        assert_eq!(names, ["before", "after"]);
    }
    let (seen, _) = looker.await.unwrap();
    assert_eq!(seen.len(), 2, "one item had {seen:?}");
    assert_eq!(listing(&production).await, after);
    server.stop().await;
}
