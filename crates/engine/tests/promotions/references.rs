//! References must resolve after an import: of what comes, and to what stays.

use dev2prod_model::id::PackageId;
use insta::assert_snapshot;
use serde_json::json;

use crate::outcome::{feature, line, line_to, options, plain};
use crate::world::World;

fn entity(name: &str) -> String {
    line("metadata", name, json!({"name": name}))
}

fn field(entity: &str, name: &str) -> String {
    let body = json!({"name": name, "entity": entity, "logical_type": "SMALL_TEXT"});
    line("metadata", &format!("{entity}.{name}"), body)
}

fn form(entity: &str, fields: &[&str]) -> String {
    let fields: Vec<_> = fields
        .iter()
        .map(|field| json!({"modelAttribute": field}))
        .collect();
    let body = json!({
        "name": "new", "entityType": entity, "sections": [{"name": "Details", "fields": fields}],
    });
    line("formLayouts", &format!("{entity}.new"), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_would_lead_nowhere_names_who_refers_to_what() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let all = entity("Incident") + &field("Incident", "A") + &field("Incident", "B");
    world
        .put(&dev, &(all + &form("Incident", &["A", "B"])))
        .await;
    let only_form = json!({
        "Mode": "Granular", "Dependencies": "None",
        "Items": [{"PackageName": "formLayouts", "KeyGlob": "Incident.*"}],
    });
    let bundle = world.export_of(&dev, only_form).await;

    let refused = world.import(&prod, &bundle, &plain()).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    assert_snapshot!(refused.plan, @"Failed missing_reference: formLayouts Incident.new <- metadata Incident <- metadata Incident.A <- metadata Incident.B");
    assert_snapshot!(refused.errors().join("\n"), @"missing_reference: formLayouts Incident.new refers to what is neither in the target nor in the package: metadata Incident, metadata Incident.A, metadata Incident.B; add it to the package or to the target");
    assert!(world.digests(&prod).await.is_empty());

    world
        .put(
            &prod,
            &(entity("Incident") + &field("Incident", "A") + &field("Incident", "B")),
        )
        .await;
    world.import(&prod, &bundle, &plain()).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_production_deleted_is_missing_for_what_comes_to_refer_to_it() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let base = entity("Incident") + &field("Incident", "A");
    world
        .put(&dev, &(base.clone() + &form("Incident", &[])))
        .await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.delete(&prod, "metadata", "Incident.A").await;
    world.put(&dev, &form("Incident", &["A"])).await;

    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(refused.plan, @r"
    Skipped target_kept: metadata Incident.A
    Failed missing_reference: formLayouts Incident.new <- metadata Incident.A
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dangled_before_is_a_warning_and_a_new_one_an_error() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let to_x = |value: i32| {
        line_to(
            "featureInstances",
            "a",
            json!({"v": value}),
            &[("featureInstances", "x")],
        )
    };
    world.put(&prod, &to_x(1)).await;
    world.put(&dev, &(to_x(2) + &feature("x", 1))).await;
    let without_x = json!({
        "Mode": "Full", "Sections": ["featureInstances"], "Dependencies": "None",
        "Exclude": [{"PackageName": "featureInstances", "Key": "x"}],
    });
    let bundle = world.export_of(&dev, without_x.clone()).await;
    let done = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @"Modified first_delivery: featureInstances a");
    assert_snapshot!(done.warnings().join("\n"), @r"
    first_delivery: featureInstances a was never delivered before; the target's own version is replaced
    dangling_before: featureInstances a refers to what was missing in the target before and still is: featureInstances x
    ");

    let to_both = [("featureInstances", "x"), ("featureInstances", "y")];
    let two = line_to("featureInstances", "a", json!({"v": 3}), &to_both);
    world.put(&dev, &two).await;
    let bundle = world.export_of(&dev, without_x).await;
    let refused = world.import(&prod, &bundle, &plain()).await;
    assert_snapshot!(refused.plan, @"Failed missing_reference: featureInstances a <- featureInstances y");
    assert_snapshot!(refused.warnings().join("\n"), @"dangling_before: featureInstances a refers to what was missing in the target before and still is: featureInstances x");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_same_package_removes_is_missing_for_what_it_brings() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    world.put(&dev, &(feature("x", 1) + &feature("a", 1))).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.delete(&dev, "featureInstances", "x").await;
    let to_x = line_to(
        "featureInstances",
        "a",
        json!({"v": 2}),
        &[("featureInstances", "x")],
    );
    world.put(&dev, &to_x).await;
    let refused = world.promote(&dev, &prod, &plain()).await;
    assert_snapshot!(refused.plan, @r"
    Failed missing_reference: featureInstances a <- featureInstances x
    Removed source_removed: featureInstances x
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn loops_come_and_go_whole() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let location = |key: &str, parent: &str| {
        let body = json!({"entity_type": "Location", "properties": {"Parent": parent}});
        line("data", key, body)
    };
    let ring = location("Location/a", "Location/b") + &location("Location/b", "Location/a");
    let itself = line_to(
        "featureInstances",
        "me",
        json!({}),
        &[("featureInstances", "me")],
    );
    world.put(&dev, &(ring + &itself)).await;
    let come = world.promote(&dev, &prod, &plain()).await.done();
    assert_eq!(come.numbers(), [3, 0, 0, 0, 0]);
    world.replace(&dev, "").await;
    let go = world
        .promote(&dev, &prod, &options(json!({"Removals": "All"})))
        .await
        .done();
    assert_eq!(go.numbers(), [0, 0, 3, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dependency_to_be_taken_if_missing_is_taken_only_then() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let all = entity("Incident") + &field("Incident", "A") + &field("Incident", "B");
    world
        .put(&dev, &(all + &form("Incident", &["A", "B"])))
        .await;
    let own = line(
        "metadata",
        "Incident",
        json!({"name": "Incident", "icon": "own"}),
    );
    world.put(&prod, &(own + &field("Incident", "A"))).await;
    let before = world.stored_body(&prod, "metadata", "Incident").await;
    let if_missing = json!({
        "Mode": "Granular", "Dependencies": "IfMissing",
        "Items": [{"PackageName": "formLayouts", "Key": "Incident.new"}],
    });
    let bundle = world.export_of(&dev, if_missing).await;
    let done = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(done.plan, @r"
    Skipped present: metadata Incident
    Added new: metadata Incident.B
    Added new: formLayouts Incident.new
    ");
    assert_eq!(done.numbers(), [2, 0, 0, 0, 2]);
    assert_eq!(
        world.stored_body(&prod, "metadata", "Incident").await,
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_configuration_needs_of_data_comes_with_it_and_other_data_is_left_alone() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let person = |key: &str, v: i32| line("data", key, json!({"entity_type": "Person", "v": v}));
    let to_ann = [("data", "Person/ann")];
    let approval = line_to("featureInstances", "approval", json!({}), &to_ann);
    let people = person("Person/ann", 1) + &person("Person/bob", 1);
    world.put(&dev, &(people + &approval)).await;
    world
        .put(&prod, &(person("Person/bob", 9) + &person("Person/cat", 9)))
        .await;
    let bundle = world.export(&dev, PackageId::CONFIGURATION).await;
    let come = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(come.plan, @r"
    Added new: featureInstances approval
    Added new: data Person/ann
    ");

    // Gone from development, or needed no more: the package does not speak of it.
    world.replace(&dev, &feature("approval", 1)).await;
    let bundle = world.export(&dev, PackageId::CONFIGURATION).await;
    let gone = world.import(&prod, &bundle, &plain()).await.done();
    assert_snapshot!(gone.plan, @"Modified source_changed: featureInstances approval");
    assert_eq!(world.digests(&prod).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_refer_to_what_is_removed_the_first_are_named() {
    let world = World::open().await;
    let [dev, prod] = world.tenants(["100", "200"]).await;
    let all = entity("A") + &entity("B") + &entity("C");
    world.put(&dev, &all).await;
    world.promote(&dev, &prod, &plain()).await.done();
    // More than are read at a time; those that leave by the same import come first.
    let refer = |tenant: &str, to: &str, count: usize| {
        (0..count)
            .map(|n| {
                line_to(
                    "data",
                    &format!("{tenant}{n:04}"),
                    json!({}),
                    &[("metadata", to)],
                )
            })
            .collect::<String>()
    };
    world.put(&dev, &refer("gone", "B", 1_500)).await;
    world.promote(&dev, &prod, &plain()).await.done();
    world.put(&prod, &refer("own-a", "A", 2_500)).await;
    world
        .put(&prod, &(refer("own-b", "B", 3) + &refer("own-c", "C", 1)))
        .await;
    world.replace(&dev, &feature("only", 1)).await;

    let everything = options(json!({"Removals": "All", "RemovalsMax": 10_000}));
    let refused = world.promote(&dev, &prod, &everything).await;
    assert_eq!(refused.failed(), "plan_has_errors");
    let failed: Vec<_> = refused
        .plan
        .lines()
        .filter(|line| line.starts_with("Failed"))
        .collect();
    let [a, b, c] = failed.as_slice() else {
        panic!("{failed:#?}")
    };
    let names = |line: &str| line.split(" <- ").map(str::to_owned).collect::<Vec<_>>();
    let (first, hundred) = (names(a), names(a).len() - 1);
    assert_eq!(first[0], "Failed still_referenced: metadata A");
    assert_eq!(
        (first[1].as_str(), first[100].as_str()),
        ("data own-a0000", "data own-a0099")
    );
    assert_eq!(hundred, 100, "the first of 2,500");
    assert_eq!(
        names(b),
        [
            "Failed still_referenced: metadata B",
            "data own-b0000",
            "data own-b0001",
            "data own-b0002"
        ],
        "those that leave too are read, and not named"
    );
    assert_eq!(
        names(c),
        ["Failed still_referenced: metadata C", "data own-c0000"]
    );
}
