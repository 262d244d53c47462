//! What both sides changed since the last delivery: put together where the fields differ.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::outcome::{options, plain};
use crate::world::World;
use dev2prod_engine::Settings;
use dev2prod_model::id::TenantId;

const KEY: &str = "metadata";

fn line(body: &Value) -> String {
    let line = json!({"PackageName": KEY, "Key": "Incident", "Body": body, "References": []});
    line.to_string() + "\n"
}

async fn body(world: &World, tenant: &TenantId) -> Value {
    serde_json::from_str(&world.stored_body(tenant, KEY, "Incident").await).unwrap()
}

/// Development and production after a first promotion of an entity.
async fn delivered() -> (World, TenantId, TenantId) {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world
        .put(&dev, &line(&json!({"a": 1, "b": 1, "c": 1})))
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    (world, dev, prod)
}

#[tokio::test(flavor = "multi_thread")]
async fn disjoint_changes_are_put_together_and_none_is_lost_over_several_promotions() {
    let (world, dev, prod) = delivered().await;
    world
        .put(&prod, &line(&json!({"a": 1, "b": 1, "c": "hotfix"})))
        .await;
    world
        .put(&dev, &line(&json!({"a": 2, "b": 1, "c": 1})))
        .await;

    let bundle = world.export_all(&dev).await;
    let tried = world.dry_run(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(tried.plan, @"Modified merged: metadata Incident");
    assert_snapshot!(tried.warnings().join("\n"), @"merged: source and target both changed metadata Incident: the source's /a and the target's /c are put together");
    let done = world.import(&prod, &bundle, &plain()).await.done();
    assert_eq!(tried.plan, done.plan);
    assert_eq!(
        body(&world, &prod).await,
        json!({"a": 2, "b": 1, "c": "hotfix"})
    );

    let again = world.import(&prod, &bundle, &plain()).await.done();
    assert_eq!(again.numbers(), [0, 0, 0, 0, 1], "nothing is asked twice");

    // The package's own version is the base of the next merge, though the target never had it.
    for n in 3..6 {
        world
            .put(&dev, &line(&json!({"a": n, "b": n, "c": 1})))
            .await;
        let done = world.promote(&dev, &prod, &plain()).await.done();
        assert_eq!(done.plan, "Modified merged: metadata Incident\n");
        assert_eq!(
            body(&world, &prod).await,
            json!({"a": n, "b": n, "c": "hotfix"})
        );
    }
    world
        .put(&dev, &line(&json!({"a": 9, "b": 9, "c": "other"})))
        .await;
    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(refused.errors().join("\n"), @"conflict: source and target both changed /c of metadata Incident since the last delivery, differently: choose with Resolutions, or for all with Conflicts Overwrite or Keep");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_settles_only_the_fields_in_conflict() {
    for (policy, reason, c) in [
        ("Overwrite", "Modified conflict_overwritten", "dev"),
        ("Keep", "Modified conflict_kept", "hotfix"),
    ] {
        let (world, dev, prod) = delivered().await;
        world
            .put(&prod, &line(&json!({"a": 1, "b": "prod", "c": "hotfix"})))
            .await;
        world
            .put(&dev, &line(&json!({"a": 2, "b": 1, "c": "dev"})))
            .await;
        let chosen = options(json!({"Conflicts": policy}));
        let done = world.promote(&dev, &prod, &chosen).await.done();
        assert_eq!(done.plan, format!("{reason}: metadata Incident\n"));
        assert_eq!(
            body(&world, &prod).await,
            json!({"a": 2, "b": "prod", "c": c})
        );
        let again = world.promote(&dev, &prod, &plain()).await.done();
        assert_eq!(
            again.numbers(),
            [0, 0, 0, 0, 1],
            "the same question is not asked again"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_settle_fields_and_leave_items_out() {
    let (world, dev, prod) = delivered().await;
    world
        .put(&prod, &line(&json!({"a": "p", "b": "p", "c": 1})))
        .await;
    world
        .put(&dev, &line(&json!({"a": "d", "b": "d", "c": 2})))
        .await;
    let bundle = world.export_all(&dev).await;
    let answer = |answers: Value| options(json!({"Resolutions": answers}));
    let of = |path: &str, take: &str| json!({"PackageName": KEY, "Key": "Incident", "Path": path, "Take": take});

    let half = answer(json!([of("/a", "Package")]));
    let refused = world.dry_run(&prod, &bundle, &half).await;
    assert_eq!(refused.numbers(), [0, 0, 0, 1, 0], "/b is still open");
    assert_eq!(refused.report.warnings, []);

    let mistyped = json!([{"PackageName": KEY, "Key": "incident", "Take": "Target"}]);
    let asked = world.dry_run(&prod, &bundle, &answer(mistyped)).await;
    assert_eq!(asked.numbers(), [0, 0, 0, 1, 0]);
    let [warning] = asked.report.warnings.as_slice() else {
        panic!("it is said: {:?}", asked.report.warnings)
    };
    assert_eq!(warning.code, "resolution_unused");
    assert_snapshot!(warning.message, @"Resolutions has answers for items of which this plan asks and changes nothing: metadata incident; look for a mistyped PackageName or Key");

    let left_out = json!([{"PackageName": KEY, "Key": "Incident", "Take": "Target"}]);
    let tried = world
        .dry_run(&prod, &bundle, &answer(left_out))
        .await
        .done();
    assert_snapshot!(tried.plan, @"Skipped conflict_kept: metadata Incident");

    let both = answer(json!([of("/a", "Package"), of("/b", "Target")]));
    let done = world.import(&prod, &bundle, &both).await.done();
    assert_snapshot!(done.plan, @"Modified conflict_overwritten: metadata Incident");
    assert_eq!(
        body(&world, &prod).await,
        json!({"a": "d", "b": "p", "c": 2})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_would_change_is_left_out_and_asked_about_the_next_time() {
    let (world, dev, prod) = delivered().await;
    let before = world.digests(&prod).await;
    world
        .put(&dev, &line(&json!({"a": 2, "b": 1, "c": 1})))
        .await;
    let left_out = json!([{"PackageName": KEY, "Key": "Incident", "Take": "Target"}]);
    let options = options(json!({"Resolutions": left_out}));
    let done = world.promote(&dev, &prod, &options).await.done();
    assert_snapshot!(done.plan, @"Skipped left_out: metadata Incident");
    assert_eq!(world.digests(&prod).await, before);
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(done.plan, @"Modified source_changed: metadata Incident");
}

#[tokio::test(flavor = "multi_thread")]
async fn elements_are_merged_by_their_identity_and_both_additions_stay() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let layout = |fields: &[(&str, bool)]| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, on)| json!({"modelAttribute": name, "readOnly": on}))
            .collect();
        let body = json!({"entityType": "Incident", "name": "new", "sections": [{"name": "Main", "fields": fields}]});
        let line = json!({"PackageName": "formLayouts", "Key": "Incident.new", "Body": body, "References": []});
        line.to_string() + "\n"
    };
    let attributes = |names: &[&str]| -> String {
        let attributes = names.iter().map(|name| {
            let key = format!("Incident.{name}");
            let line = json!({"PackageName": KEY, "Key": key, "Body": {"n": 1}, "References": []});
            line.to_string() + "\n"
        });
        attributes.collect()
    };
    world
        .put(
            &dev,
            &(line(&json!({}))
                + &attributes(&["Title", "Owner", "Floor"])
                + &layout(&[("Title", false), ("Owner", false)])),
        )
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world
        .put(
            &prod,
            &(attributes(&["Hotfix"])
                + &layout(&[("Title", true), ("Owner", false), ("Hotfix", true)])),
        )
        .await;
    world
        .put(
            &dev,
            &layout(&[("Title", false), ("Floor", false), ("Owner", true)]),
        )
        .await;
    let done = world.promote(&dev, &prod, &plain()).await.done();
    assert_snapshot!(done.plan, @"Modified merged: formLayouts Incident.new");
    let body: Value = serde_json::from_str(
        &world
            .stored_body(&prod, "formLayouts", "Incident.new")
            .await,
    )
    .unwrap();
    let fields = body["sections"][0]["fields"].as_array().unwrap();
    let fields: Vec<_> = fields
        .iter()
        .map(|field| {
            format!(
                "{} {}",
                field["modelAttribute"].as_str().unwrap(),
                field["readOnly"]
            )
        })
        .collect();
    assert_eq!(
        fields,
        ["Title true", "Floor false", "Owner true", "Hotfix true"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_of_what_was_merged_is_a_conflict() {
    let (world, dev, prod) = delivered().await;
    world
        .put(&prod, &line(&json!({"a": 1, "b": 1, "c": "hotfix"})))
        .await;
    world
        .put(&dev, &line(&json!({"a": 2, "b": 1, "c": 1})))
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.delete(&dev, KEY, "Incident").await;
    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(refused.plan, @"Failed conflict: metadata Incident");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_would_refer_to_nothing_fails() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let referring = |to: &str, n: u64| {
        let line = json!({"PackageName": "featureInstances", "Key": "a", "Body": {"n": n, "m": 1},
            "References": [{"PackageName": KEY, "Key": to}]});
        line.to_string() + "\n"
    };
    world
        .put(&dev, &(line(&json!({})) + &referring("Incident", 1)))
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    // Production refers to what development removes; development changes another field.
    let own = json!({"PackageName": "featureInstances", "Key": "a", "Body": {"n": 1, "m": 2},
        "References": [{"PackageName": KEY, "Key": "Incident"}]});
    world.put(&prod, &(own.to_string() + "\n")).await;
    let gone = json!({"PackageName": "featureInstances", "Key": "a", "Body": {"n": 2, "m": 1},
        "References": [{"PackageName": KEY, "Key": "Incident"}]});
    world.put(&dev, &(gone.to_string() + "\n")).await;
    world.delete(&dev, KEY, "Incident").await;
    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(refused.plan, @r"
    Removed source_removed: metadata Incident
    Failed missing_reference: featureInstances a <- metadata Incident
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_no_upload_could_bring_fails_until_one_side_is_chosen() {
    let world = World::with(Settings {
        body_bytes_max: 1_000,
        ..Settings::default()
    })
    .await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let texts = |ours: usize, theirs: usize| {
        line(&json!({"dev": "d".repeat(ours), "prod": "p".repeat(theirs)}))
    };
    world.put(&dev, &texts(1, 1)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&dev, &texts(600, 1)).await;
    world.put(&prod, &texts(1, 600)).await;
    let before = world.digests(&prod).await;
    let bundle = world.export_all(&dev).await;
    let refused = world.import(&prod, &bundle, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(refused.plan, @"Failed merged_invalid: metadata Incident");
    assert_snapshot!(refused.errors().join("\n"), @"merged_invalid: metadata Incident with the changes of both source and target would be no valid item: choose one with Resolutions, or for all with Conflicts Overwrite or Keep");
    assert_eq!(world.digests(&prod).await, before);

    let answer = |take: &str| {
        let whole = json!([{"PackageName": KEY, "Key": "Incident", "Take": take}]);
        options(json!({"Resolutions": whole}))
    };
    let keep = options(json!({"Conflicts": "Keep"}));
    let overwrite = options(json!({"Conflicts": "Overwrite"}));
    for (chosen, expected) in [
        (
            answer("Target"),
            "Skipped conflict_kept: metadata Incident\n",
        ),
        (keep, "Skipped conflict_kept: metadata Incident\n"),
        (
            answer("Package"),
            "Modified conflict_overwritten: metadata Incident\n",
        ),
        (
            overwrite.clone(),
            "Modified conflict_overwritten: metadata Incident\n",
        ),
    ] {
        let tried = world.dry_run(&prod, &bundle, &chosen).await.done();
        assert_eq!((tried.plan.as_str(), tried.errors().len()), (expected, 0));
    }
    let done = world.import(&prod, &bundle, &overwrite).await.done();
    assert_snapshot!(done.warnings().join("\n"), @"conflict_overwritten: the target's own version of metadata Incident gives way, as the request says");
    assert_eq!(
        body(&world, &prod).await,
        json!({"dev": "d".repeat(600), "prod": "p"})
    );
    let again = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(again.numbers(), [0, 0, 0, 0, 1], "nothing is asked twice");
}
