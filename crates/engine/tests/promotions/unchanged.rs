//! The list of what stays as it is, which no plan holds.

use std::path::Path;

use dev2prod_engine::changes::ChangesQuery;
use dev2prod_engine::ports::BlobPath;
use dev2prod_model::plan::{Action, Reason};
use dev2prod_model::section::Section;
use serde_json::json;

use crate::changes::{all, list, mixed};
use crate::outcome::{feature, line, plain};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_items_are_listed_only_when_asked_for() {
    let world = World::open().await;
    let [dev, prod] = mixed(&world).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let filtered = async |query: ChangesQuery| list(&world, &prod, &tried, query).await;
    let (section, prefix) = (Some(Section::ResourceBundles), Some("l0".to_owned()));

    let unchanged = ChangesQuery {
        reason: Some(Reason::Unchanged),
        ..all()
    };
    let whole = filtered(unchanged.clone()).await;
    assert_eq!(whole.lines().count(), 14, "{whole}");
    assert!(
        whole.starts_with("Skipped unchanged: featureInstances same\n"),
        "{whole}"
    );
    for size in 1..=5 {
        assert_eq!(
            filtered(ChangesQuery {
                size,
                ..unchanged.clone()
            })
            .await,
            whole
        );
    }
    let some = ChangesQuery {
        prefix,
        section,
        ..unchanged.clone()
    };
    for (query, total) in [
        (unchanged.clone(), 14),
        (some.clone(), 3),
        (
            ChangesQuery {
                section: Some(Section::FeatureInstances),
                ..unchanged.clone()
            },
            1,
        ),
    ] {
        assert_eq!(filtered(query.clone()).await.lines().count(), total);
        let mut query = ChangesQuery { size: 2, ..query };
        loop {
            let page = world.changes(&prod, tried.id, query.clone()).await.unwrap();
            assert_eq!(page.total, total as u64, "on every page");
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
    }
    let strange = ChangesQuery {
        cursor: Some("0.0.1".to_owned()),
        ..some
    };
    let error = world.changes(&prod, tried.id, strange).await.unwrap_err();
    assert!(error.to_string().contains("begin again without one"));
    let none = ChangesQuery {
        action: Some(Action::Added),
        ..unchanged
    };
    assert_eq!(filtered(none).await, "");
}

/// Makes what follows the name of an entry of a zip unreadable.
fn damage(path: &Path, entry: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    let name = bytes.windows(entry.len());
    let name = name.into_iter().position(|part| part == entry.as_bytes());
    let data = name.unwrap() + entry.len();
    bytes[data + 40..data + 60].fill(0xff);
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_unchanged_items_reads_no_section_that_it_does_not_show() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let features: String = (1..=4).map(|n| feature(&format!("f{n}"), n)).collect();
    let records: String = (1..=90)
        .map(|n| line("data", &format!("Person/{n:02}"), json!({"n": n})))
        .collect();
    world.put(&dev, &(features + &records)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    let path = BlobPath::file(&bundle.tenant, bundle.file);
    let blob = world.engine.blobs().local(&path).await.unwrap().unwrap();
    damage(&blob.path, "sections/data/index.ndjson");

    let mut query = ChangesQuery {
        reason: Some(Reason::Unchanged),
        size: 2,
        ..ChangesQuery::default()
    };
    let page = world.changes(&prod, tried.id, query.clone()).await.unwrap();
    assert_eq!((page.changes.len(), page.total), (2, 94));
    query.cursor = page.next;
    query.size = 1;
    let page = world.changes(&prod, tried.id, query.clone()).await.unwrap();
    assert_eq!(page.changes[0].entry.item.key.as_str(), "f3");
    query.cursor = page.next;
    world
        .changes(&prod, tried.id, query)
        .await
        .expect_err("whether there is more after f4 the damaged part says");
}
