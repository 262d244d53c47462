//! A panic at every named point: what it does to one operation, and that the next one goes on.

use std::time::Duration;

use dev2prod_engine::content::UploadMode;
use dev2prod_engine::operations::{self, ImportRequest, View};
use dev2prod_engine::ports::Page;
use dev2prod_engine::{FAILPOINTS, Settings};
use dev2prod_model::access::VersionRead;
use dev2prod_model::id::{OperationId, PackageId, TenantId};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::Status;
use dev2prod_model::plan::ImportOptions;
use dev2prod_model::section::Section;

use super::world::{World, failure_of, report_of};

async fn digests(world: &World, tenant: &TenantId) -> Vec<(String, Digest)> {
    let revision = world
        .store
        .tenant(&world.scope(tenant))
        .await
        .unwrap()
        .unwrap()
        .revision;
    let page = Page {
        section: Section::Metadata,
        prefix: None,
        after: None,
        limit: 1_000,
    };
    let scope = world.scope::<VersionRead>(tenant);
    let heads = world.store.heads(&scope, revision, page).await.unwrap();
    heads
        .into_iter()
        .map(|head| (head.item.to_string(), head.digest))
        .collect()
}

async fn start_import(world: &World, from: &TenantId, to: &TenantId, export: &View) -> OperationId {
    let asked = ImportRequest {
        dry_run: false,
        file: report_of(export).file.unwrap(),
        elsewhere: vec![world.scope(from)],
        options: ImportOptions::default(),
        plan: None,
    };
    operations::start_import(&world.engine, &world.scope(to), asked, None)
        .await
        .unwrap()
}

/// Ends as it would have, or as a fault of the server that changed nothing.
fn check(view: &View) -> bool {
    let completed = view.operation.status() == Status::Completed;
    assert!(
        completed || failure_of(view) == "internal_error",
        "{view:?}"
    );
    completed
}

async fn fail_at(point: &str) {
    let settings = Settings {
        lease_ms: 600,
        ..Settings::default()
    };
    let mut world = World::with(settings).await;
    let (from, to) = (world.tenant("1").await, world.tenant("2").await);
    world
        .write(
            &from,
            UploadMode::Upsert,
            "metadata A\nmetadata B -> metadata A",
        )
        .await;
    world.write(&to, UploadMode::Upsert, "metadata C").await;
    let before = digests(&world, &to).await;
    let runner = world.run().await;
    let of_imports = ["import.", "stage.", "flip."];
    let during_export = !of_imports.iter().any(|part| point.starts_with(part));
    if during_export {
        fail::cfg(point, "1*panic").unwrap();
    }
    let first = world.start_export(&from, PackageId::CONFIGURATION).await;
    let first = world.ended(&from, first).await;
    let completed = check(&first);
    assert!(
        !during_export || completed == (point == "runner.before_finish"),
        "{point}"
    );
    let export = world.start_export(&from, PackageId::CONFIGURATION).await;
    let export = world.ended(&from, export).await;
    assert_eq!(export.operation.status(), Status::Completed);

    fail::cfg(point, "1*panic").unwrap();
    let id = start_import(&world, &from, &to, &export).await;
    let completed = check(&world.ended(&to, id).await);
    fail::remove(point);
    // An import passes no point of exports, and is over once it has flipped.
    let unharmed = point.starts_with("export.") || point == "runner.before_finish";
    let over = ["flip.committed", "import.flipped"].contains(&point);
    assert_eq!(completed, unharmed || over, "{point}");
    let after = digests(&world, &to).await;
    assert_eq!(
        completed,
        after != before,
        "{point}: all or nothing, and as it says"
    );
    let scope = world.scope(&to);
    assert_eq!(
        world.store.stage_holder(&scope).await.unwrap(),
        None,
        "{point}: no lock stays"
    );
    let id = start_import(&world, &from, &to, &export).await;
    assert_eq!(
        world.ended(&to, id).await.operation.status(),
        Status::Completed,
        "{point}"
    );
    assert_eq!(
        digests(&world, &to).await[..2],
        digests(&world, &from).await[..],
        "{point}"
    );
    runner.stop(Duration::from_secs(5)).await;
    assert_eq!(world.scratch(), 0, "{point}: nothing is left");
}

#[tokio::test]
async fn a_panic_at_any_point_changes_all_or_nothing_and_holds_nobody_up() {
    let _scenario = fail::FailScenario::setup();
    for point in FAILPOINTS {
        fail_at(point).await;
    }
}
