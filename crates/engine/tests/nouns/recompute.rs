//! A changed catalogue.

use dev2prod_engine::content::{ListingQuery, Recomputed, UploadMode, is_stale, recompute_digests};
use dev2prod_engine::ports::{BaselineChange, Begun, Holder, TenantChange};
use dev2prod_engine::{housekeeping, tenants};
use dev2prod_model::access::{ContentWrite, Upkeep, VersionRead};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::id::Origin;
use dev2prod_model::item::{Digest, ItemRef, Revision};
use dev2prod_model::plan::Settlement;
use dev2prod_model::section::Section;
use insta::assert_snapshot;
use uuid::Uuid;

use crate::support::{World, line, tenant};

/// The standard catalogue, but `/owner` never travels with resource bundles, and refers to a person.
fn other_catalogue() -> Catalogue {
    let standard = include_str!("../../../model/src/catalogue/catalogue.toml");
    let (before, after) = standard.split_once("name = \"resourceBundles\"").unwrap();
    let rest = after.replacen("never_travels = [", "never_travels = [\"/owner\", ", 1);
    assert_ne!(rest, after, "the section has fields that never travel");
    Catalogue::parse(&format!("{before}name = \"resourceBundles\"{rest}")).unwrap()
}

fn label() -> ItemRef {
    ItemRef::new(Section::ResourceBundles, "b/x".parse().unwrap())
}

async fn digest(world: &World) -> Digest {
    let scope = world.scope::<VersionRead>().await;
    let own = tenants::own(&world.engine, &scope.narrow()).await.unwrap();
    let heads = world
        .engine
        .store()
        .find_heads(&scope, own.revision, &[label()])
        .await
        .unwrap();
    heads[0].digest
}

/// Notes that an origin delivered the label as it is.
async fn deliver(world: &World, digest: Digest) {
    let scope = world.scope::<ContentWrite>().await;
    let store = world.engine.store();
    let holder = Holder::Request(Uuid::nil());
    let Begun::Stage(stage) = store.begin_stage(&scope, &holder, 60_000).await.unwrap() else {
        panic!("nobody else writes");
    };
    let settlement = Settlement {
        source: Some(digest),
        source_revision: Revision(5),
        result: Some(digest),
    };
    let change = BaselineChange {
        item: label(),
        origin: Origin(Uuid::nil()),
        settlement: Some(settlement),
        delivered: None,
    };
    store.stage_baselines(&stage, &[change]).await.unwrap();
    store.flip(&stage, None).await.unwrap();
}

#[tokio::test]
async fn digests_and_baselines_follow_the_catalogue() {
    let world = World::start().await;
    let lines = line("resourceBundles", "b/x", r#"{"owner":"ann","Key":"x"}"#)
        + &line("metadata", "Incident", "{}");
    world.upload(UploadMode::Upsert, &lines).await.unwrap();
    let before = digest(&world).await;
    deliver(&world, before).await;

    let changed = world.with_catalogue(other_catalogue());
    let upkeep = Upkeep::of_the_server();
    assert!(!is_stale(&world.engine, &tenant()).await.unwrap());
    assert!(is_stale(&changed, &tenant()).await.unwrap());
    let recomputed = recompute_digests(&changed, &upkeep).await.unwrap();
    assert_eq!(
        recomputed,
        Recomputed {
            tenants: vec![tenant()],
            items: 1,
            left: Vec::new()
        }
    );
    assert!(!is_stale(&changed, &tenant()).await.unwrap());

    let after = digest(&world).await;
    assert_ne!(before, after);
    let scope = world.scope::<VersionRead>().await;
    let own = tenants::own(&changed, &scope.narrow()).await.unwrap();
    let rows = changed
        .store()
        .find_baselines(&scope, own.revision, &[label()])
        .await
        .unwrap();
    let baseline = rows[0].baseline;
    assert_eq!(
        (baseline.source, baseline.result),
        (Some(after), Some(after))
    );
    assert_eq!(
        baseline.source_revision,
        Revision(5),
        "nothing was delivered"
    );

    let again = recompute_digests(&changed, &upkeep).await.unwrap();
    assert_eq!(again, Recomputed::default());
    recompute_digests(&world.engine, &upkeep).await.unwrap();
    assert_eq!(digest(&world).await, before, "and back");
    assert!(
        world
            .listing(ListingQuery::default())
            .await
            .contains("\"owner\":\"ann\"")
    );
}

#[tokio::test]
async fn a_tenant_in_maintenance_is_left_and_said_to_be_and_follows_when_it_is_open() {
    let world = World::start().await;
    let closed = TenantChange {
        maintenance: Some(true),
        ..TenantChange::default()
    };
    tenants::change(&world.engine, &world.server().await, &tenant(), closed)
        .await
        .unwrap();
    let changed = world.with_catalogue(other_catalogue());
    let recomputed = recompute_digests(&changed, &Upkeep::of_the_server())
        .await
        .unwrap();
    assert_snapshot!(recomputed.left[0].1, @r#"tenant 1001 is closed for maintenance; try again later"#);
    assert!(
        is_stale(&changed, &tenant()).await.unwrap(),
        "it is not to be planned"
    );

    assert!(housekeeping::run_once(&changed).await.failed.is_empty());
    assert!(
        is_stale(&changed, &tenant()).await.unwrap(),
        "it is still closed"
    );
    let open = TenantChange {
        maintenance: Some(false),
        ..TenantChange::default()
    };
    tenants::change(&changed, &world.server().await, &tenant(), open)
        .await
        .unwrap();
    assert!(housekeeping::run_once(&changed).await.failed.is_empty());
    assert!(
        !is_stale(&changed, &tenant()).await.unwrap(),
        "housekeeping made its digests anew"
    );
}
