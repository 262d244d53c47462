//! An import is taken back: what it changed, its baselines, and nothing else.

use dev2prod_engine::operations::{self, UndoRequest};
use dev2prod_engine::ports::{BaselineRow, Page};
use dev2prod_engine::{EngineError, EngineResult, Settings, housekeeping};
use dev2prod_model::access::Upkeep;
use dev2prod_model::digest::sha256;
use dev2prod_model::id::{OperationId, TenantId};
use dev2prod_model::item::Revision;
use dev2prod_model::plan::ImportOptions;
use dev2prod_model::section::Section;
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{Outcome, feature, line, line_to, options, plain};
use crate::world::World;

impl World {
    /// Asks for the undo of an import, or the dry run of one.
    pub(crate) async fn ask_undo(
        &self,
        tenant: &TenantId,
        of: OperationId,
        dry_run: bool,
        (options, plan): (&ImportOptions, Option<OperationId>),
    ) -> EngineResult<OperationId> {
        let asked = UndoRequest {
            dry_run,
            of,
            options: options.clone(),
            plan,
        };
        operations::start_undo(&self.engine, &self.scope(tenant), asked, None).await
    }

    /// Undoes an import; the dry run before it says the same.
    pub(crate) async fn undo(
        &self,
        tenant: &TenantId,
        of: OperationId,
        options: &ImportOptions,
    ) -> Outcome {
        let asked = (options, None);
        let tried = self.ask_undo(tenant, of, true, asked).await.unwrap();
        let tried = self.outcome(tenant, tried).await;
        let id = self.ask_undo(tenant, of, false, asked).await.unwrap();
        let done = self.outcome(tenant, id).await;
        assert_eq!(tried.plan, done.plan, "the dry run and the undo");
        done
    }

    /// What every origin last delivered, item by item.
    pub(crate) async fn baselines(&self, tenant: &TenantId) -> Vec<BaselineRow> {
        let at = self.revision(tenant).await;
        let scope = self.scope(tenant);
        let mut found = Vec::new();
        for section in Section::ALL {
            let mut after = None;
            loop {
                let page = Page {
                    section,
                    prefix: None,
                    after: after.as_ref(),
                    limit: 1_000,
                };
                let rows = self.engine.store().baselines(&scope, at, page).await;
                let rows = rows.unwrap();
                let Some(last) = rows.last() else { break };
                after = Some(last.item.key.clone());
                // When they came to hold is another matter.
                found.extend(rows.into_iter().map(|row| BaselineRow {
                    since: Revision(0),
                    ..row
                }));
            }
        }
        found
    }
}

/// A second release that adds, modifies and removes, on top of a first one.
async fn two_releases(world: &World, dev: &TenantId, prod: &TenantId) -> [Outcome; 2] {
    world
        .put(
            dev,
            &(feature("a", 1) + &feature("b", 1) + &feature("c", 1)),
        )
        .await;
    let first = world.promote(dev, prod, &plain()).await.done();
    world
        .replace(
            dev,
            &(feature("a", 2) + &feature("b", 1) + &feature("d", 2)),
        )
        .await;
    let second = world.promote(dev, prod, &plain()).await.done();
    [first, second]
}

#[tokio::test(flavor = "multi_thread")]
async fn content_and_baselines_are_as_before_and_the_import_can_be_repeated() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world
        .put(
            &dev,
            &(feature("a", 1) + &feature("b", 1) + &feature("c", 1)),
        )
        .await;
    world.put(&prod, &feature("own", 1)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    let before = (world.digests(&prod).await, world.baselines(&prod).await);
    world
        .replace(
            &dev,
            &(feature("a", 2) + &feature("b", 1) + &feature("d", 2)),
        )
        .await;
    let bundle = world.export_all(&dev).await;
    let import = world.import(&prod, &bundle, &plain()).await.done();
    let after = (world.digests(&prod).await, world.baselines(&prod).await);

    let undo = world.undo(&prod, import.id, &plain()).await.done();
    assert_snapshot!(undo.plan, @r"
    Modified source_changed: featureInstances a
    Added source_changed: featureInstances c
    Removed source_removed: featureInstances d
    ");
    assert_eq!(undo.numbers(), [1, 1, 1, 0, 0]);
    assert_eq!(
        (world.digests(&prod).await, world.baselines(&prod).await),
        before
    );

    // The undo is an import like another: it can be undone, and the import repeated.
    let again = world.undo(&prod, undo.id, &plain()).await.done();
    assert_eq!(again.numbers(), [1, 1, 1, 0, 0]);
    assert_eq!(
        (world.digests(&prod).await, world.baselines(&prod).await),
        after
    );
    world.undo(&prod, again.id, &plain()).await.done();
    let repeated = world.import(&prod, &bundle, &plain()).await.done();
    assert_eq!(repeated.plan, import.plan);
    assert_eq!(
        (world.digests(&prod).await, world.baselines(&prod).await),
        after
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_others_followed_is_taken_back_where_they_left_it() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let [first, second] = two_releases(&world, &dev, &prod).await;
    let refused = world.undo(&prod, first.id, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(refused.plan, @r"
    Failed conflict: featureInstances a
    Removed source_removed: featureInstances b
    Skipped already_removed: featureInstances c
    ");
    assert_snapshot!(refused.errors().join("\n"), @"conflict: the import brought featureInstances a, and it was changed since: choose with Conflicts Overwrite (it goes) or Keep");
    world.undo(&prod, second.id, &plain()).await.done();
    world.undo(&prod, first.id, &plain()).await.done();
    assert!(world.digests(&prod).await.is_empty());
    assert!(world.baselines(&prod).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_since_is_merged_or_asked_about() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let item = |key: &str, x: u64, y: u64| line("featureInstances", key, json!({"x": x, "y": y}));
    world.put(&dev, &(item("a", 1, 1) + &item("b", 1, 1))).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&dev, &(item("a", 2, 1) + &item("b", 2, 1))).await;
    let import = world.promote(&dev, &prod, &plain()).await.done();
    // One changes another field, one the same; a third item is none of the import's business.
    let edits = item("a", 2, 5) + &item("b", 5, 1) + &item("own", 1, 1);
    world.put(&prod, &edits).await;

    let refused = world.undo(&prod, import.id, &plain()).await;
    assert_snapshot!(refused.plan, @r"
    Modified merged: featureInstances a
    Failed conflict: featureInstances b
    ");
    assert_snapshot!(refused.errors().join("\n"), @"conflict: /x of featureInstances b was changed again since that import: choose with Resolutions, or for all with Conflicts Overwrite (as before the import) or Keep");
    let keep = options(json!({"Conflicts": "Keep"}));
    let kept = world.undo(&prod, import.id, &keep).await.done();
    assert_eq!(kept.numbers(), [0, 1, 0, 0, 1]);
    let body = async |key| world.stored_body(&prod, "featureInstances", key).await;
    assert_snapshot!(body("a").await, @r#"{"x":1,"y":5}"#);
    assert_snapshot!(body("b").await, @r#"{"x":5,"y":1}"#);
    assert_snapshot!(body("own").await, @r#"{"x":1,"y":1}"#);

    world.undo(&prod, kept.id, &plain()).await.done();
    assert_snapshot!(body("a").await, @r#"{"x":2,"y":5}"#);
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    world.undo(&prod, import.id, &overwrite).await.done();
    assert_snapshot!(body("a").await, @r#"{"x":1,"y":5}"#);
    assert_snapshot!(body("b").await, @r#"{"x":1,"y":1}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addition_that_others_refer_to_now_stays_and_is_named() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &feature("new", 1)).await;
    let import = world.promote(&dev, &prod, &plain()).await.done();
    let to = [("featureInstances", "new")];
    world
        .put(&prod, &line_to("metadata", "M", json!({"name": "M"}), &to))
        .await;
    let refused = world.undo(&prod, import.id, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(refused.errors().join("\n"), @"still_referenced: the import brought featureInstances new, and metadata M refers to it now: change that first, or leave removals out with Removals Skip");
    let skip = options(json!({"Removals": "Skip"}));
    let stays = world.undo(&prod, import.id, &skip).await.done();
    assert_snapshot!(stays.plan, @"Skipped removal_off: featureInstances new");
}

#[tokio::test(flavor = "multi_thread")]
async fn own_fields_keep_their_present_value_and_removed_items_come_back_whole() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let bytes = b"a file".as_slice();
    world.store_file(&dev, bytes).await;
    let file = json!({
        "Name": "x", "ContentType": "text/plain", "ContentLength": bytes.len(),
        "Sha256": sha256(bytes).to_string(),
    });
    let body = |id: &str, n: u64| line("featureInstances", "a", json!({"id": id, "n": n}));
    let gone = |id: &str| line("featureInstances", "gone", json!({"id": id, "n": 1}));
    let file = line("attachments", "x", file);
    world
        .put(&dev, &(body("dev", 1) + &gone("dev") + &file))
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world
        .put(&prod, &(body("prod-1", 1) + &gone("prod-1")))
        .await;
    world.replace(&dev, &body("dev", 2)).await;
    let all = options(json!({"Removals": "All"}));
    let import = world.promote(&dev, &prod, &all).await.done();
    assert_eq!(import.numbers(), [0, 1, 2, 0, 0]);
    world.put(&prod, &body("prod-2", 2)).await;

    let undo = world.undo(&prod, import.id, &plain()).await.done();
    assert_eq!(undo.numbers(), [2, 1, 0, 0, 0]);
    let stored = async |key| world.stored_body(&prod, "featureInstances", key).await;
    assert_snapshot!(stored("a").await, @r#"{"id":"prod-2","n":1}"#);
    assert_snapshot!(stored("gone").await, @r#"{"id":"prod-1","n":1}"#);
    let held = world.file_bytes(&prod, sha256(bytes)).await;
    assert_eq!(held.as_deref(), Some(bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_only_moved_baselines_is_undone_too() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world
        .put(&dev, &(feature("same", 1) + &feature("kept", 1)))
        .await;
    world
        .put(&prod, &(feature("same", 1) + &feature("kept", 9)))
        .await;
    let keep = options(json!({"FirstDelivery": "Keep"}));
    let import = world.promote(&dev, &prod, &keep).await.done();
    assert_eq!(world.baselines(&prod).await.len(), 2);
    let moved = world.baselines(&prod).await;
    let undo = world.undo(&prod, import.id, &plain()).await.done();
    assert_eq!(undo.numbers(), [0, 0, 0, 0, 2]);
    assert!(world.baselines(&prod).await.is_empty());

    // Undone again, the version that was delivered and not taken is known as before: it merges.
    world.undo(&prod, undo.id, &plain()).await.done();
    assert_eq!(world.baselines(&prod).await, moved);
    world.put(&dev, &feature("kept", 2)).await;
    let conflict = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(conflict.errors().join("\n"), @"conflict: source and target both changed /value of featureInstances kept since the last delivery, differently: choose with Resolutions, or for all with Conflicts Overwrite or Keep");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_delivery_keeps_its_baseline() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let [_, second] = two_releases(&world, &dev, &prod).await;
    world.put(&dev, &feature("a", 3)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    world.undo(&prod, second.id, &overwrite).await.done();
    assert_snapshot!(world.stored_body(&prod, "featureInstances", "a").await, @r#"{"value":1}"#);
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(again.count(dev2prod_model::plan::Reason::TargetKept), 1);
}

/// The code of a refusal.
#[track_caller]
fn code(asked: Result<OperationId, EngineError>) -> &'static str {
    match asked.unwrap_err() {
        EngineError::Conflict { code, .. } | EngineError::NotFound { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_nothing_cannot_be_undone_and_a_plan_is_of_one_undo() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let plain = plain();
    let ask = async |of, plan| code(world.ask_undo(&prod, of, false, (&plain, plan)).await);
    let [first, second] = two_releases(&world, &dev, &prod).await;
    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain).await;
    assert_eq!(ask(tried.id, None).await, "undo_of_a_dry_run");
    let nothing = world.import(&prod, &bundle, &plain).await;
    assert_eq!(ask(nothing.id, None).await, "nothing_to_undo");
    let elsewhere = world.ask_undo(&dev, second.id, true, (&plain, None)).await;
    assert_eq!(code(elsewhere), "unknown_operation");

    let shown = world.ask_undo(&prod, second.id, true, (&plain, None)).await;
    let shown = world.outcome(&prod, shown.unwrap()).await;
    assert_eq!(ask(first.id, Some(shown.id)).await, "unknown_plan");
    assert_eq!(ask(second.id, Some(tried.id)).await, "unknown_plan");
    let of_an_import = world.carry_out(&prod, &bundle, shown.id).await;
    assert_eq!(code(of_an_import), "unknown_plan");

    world.put(&prod, &feature("a", 7)).await;
    let asked = (&plain, Some(shown.id));
    let moved = world
        .ask_undo(&prod, second.id, false, asked)
        .await
        .unwrap();
    assert_eq!(world.outcome(&prod, moved).await.failed(), "plan_moved");
    world.put(&prod, &feature("a", 2)).await;
    world.put(&prod, &feature("elsewhere", 1)).await;
    let done = world
        .ask_undo(&prod, second.id, false, asked)
        .await
        .unwrap();
    assert_eq!(world.outcome(&prod, done).await.done().plan, shown.plan);
    assert_eq!(ask(second.id, Some(shown.id)).await, "plan_used");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_kept_any_more_cannot_be_put_back() {
    let world = World::with(Settings {
        revision_retention_ms: 1,
        history_retention_ms: Some(1),
        ..Settings::default()
    })
    .await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let [first, _] = two_releases(&world, &dev, &prod).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let refused = world.undo(&prod, first.id, &plain()).await;
    assert_eq!(refused.failed(), "history_not_kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_ever_is_put_back_however_long_its_readers_are_gone() {
    let world = World::with(Settings {
        revision_retention_ms: 0,
        ..Settings::default()
    })
    .await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let [first, second] = two_releases(&world, &dev, &prod).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(housekeeping::run_once(&world.engine).await.versions, 0);
    world.undo(&prod, second.id, &plain()).await.done();
    world.undo(&prod, first.id, &plain()).await.done();
    assert!(world.digests(&prod).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pruned_before_history_was_kept_for_ever_cannot_be_put_back() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let [first, second] = two_releases(&world, &dev, &prod).await;
    let (store, upkeep) = (world.engine.store(), Upkeep::of_the_server());
    let pruned = store.prune_versions(&upkeep, &prod, Revision(1), 1_000);
    pruned.await.unwrap();
    let refused = world.undo(&prod, first.id, &plain()).await;
    assert_eq!(refused.failed(), "history_not_kept");
    world.undo(&prod, second.id, &plain()).await.done();
}
