//! The documented examples, built as real situations: the seven steps from one tenant to another,
//! and on one.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, DEV, PROD, Reply};
use crate::shape::Shape;

const STARTED: &str = include_str!("../../../api/tests/seed/started.json");
const EXPORT: &str = include_str!("../../../api/tests/seed/export_status_use_case.json");
const EXPORT_SHORT: &str = include_str!("../../../api/tests/seed/export_status.json");
const IMPORT: &str = include_str!("../../../api/tests/seed/import_status.json");
const IMPORT_USE_CASE: &str = include_str!("../../../api/tests/seed/import_status_use_case.json");

/// The reply begins with what is documented: names, order, casing and types, at every level.
#[track_caller]
fn check(documented: &str, reply: &Reply) {
    check_shape(documented, &Shape::read(reply.text()));
}

#[track_caller]
fn check_shape(documented: &str, ours: &Shape) {
    if let Err(difference) = Shape::read(documented).is_kept_by(ours) {
        panic!("{difference}\n{ours:#?}");
    }
}

/// The same with only the first entries of a list: the documentation shows some of 17.
fn cut(reply: &Reply, list: &str, entries: usize) -> Shape {
    let Shape::Object(mut members) = Shape::read(reply.text()) else {
        panic!("no object: {reply:?}");
    };
    for (name, member) in &mut members {
        if let (true, Shape::Array(all)) = (name == list, member) {
            all.truncate(entries);
        }
    }
    Shape::Object(members)
}

/// Items of the sections that the documented import shows.
async fn develop(app: &App) {
    let entities: Vec<_> = (0..3).map(|n| format!("Entity{n}")).collect();
    let mut items: Vec<_> = entities
        .iter()
        .map(|key| ("metadata", key.as_str(), r#"{"name":"x"}"#))
        .collect();
    items.push(("indexConfiguration", "Incident", r#"{"fields":["Title"]}"#));
    app.write(DEV, &items).await;
    let package = json!({
        "Id": 54321, "Name": "Some sections", "Mode": "Full",
        "Sections": ["metadata", "SLTTenantSetting", "indexConfiguration"]
    });
    let path = format!("/rest/{DEV}/dev2prod/packages");
    let made = app
        .post(path)
        .by("tenantadmin")
        .body(package.to_string())
        .send()
        .await;
    made.expect(StatusCode::CREATED);
}

/// Steps 1 and 2: exports the package; answers the file.
async fn export(app: &App) -> String {
    let path = format!("/rest/{DEV}/dev2prod/export/types/54321");
    let started = app.post(path).by("promoter").body("{}").send().await;
    started.expect(StatusCode::OK);
    check(STARTED, &started);
    let export = started.json()["Id"].as_str().unwrap().to_owned();

    let path = format!("/rest/{DEV}/dev2prod/export/{export}");
    let exported = app.ended(&path).await;
    check(EXPORT, &exported);
    check_shape(EXPORT_SHORT, &cut(&exported, "Statistics", 3));
    let status = exported.json();
    let found = (&status["Status"], &status["ItemCount"]);
    assert_eq!(found, (&json!("COMPLETED"), &json!(4)));
    let name = status["PackageBundleName"].as_str().unwrap();
    let begin = format!("Package-54321-{DEV}-20");
    assert!(name.starts_with(&begin), "{name}");
    let documented: Value = serde_json::from_str(EXPORT).unwrap();
    let names = |status: &Value| -> Vec<String> {
        let sections = status["Statistics"].as_array().unwrap().iter();
        sections.map(|s| s["PackageName"].to_string()).collect()
    };
    let all = names(&documented);
    assert_eq!(names(&status), all, "all 17, in the documented order");
    status["FileId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_seven_steps_answer_what_is_documented() {
    let mut app = App::start().await;
    develop(&app).await;
    app.run().await;
    let file = export(&app).await;

    // 3. Download the bundle, also by the path of the documented example.
    let path = format!("/rest/{DEV}/ces/attachment/{file}");
    let bundle = app.get(path).by("promoter").send().await;
    assert_eq!(bundle.status, StatusCode::OK);
    assert!(bundle.bytes.starts_with(b"PK"), "a zip");
    let path = format!("/rest/{DEV}/dev2prod/ces/attachment/{file}");
    assert_eq!(
        app.get(path).by("promoter").send().await.bytes,
        bundle.bytes
    );

    // 4. Upload it to the target.
    let uploaded = app.upload(PROD, "bundle.zip", &bundle.bytes).await;
    assert_ne!(uploaded, file, "a file of another tenant");
    let body = json!({ "FileId": uploaded }).to_string();

    // 5 and 6. Try the import, and look at what it would do.
    let path = format!("/rest/{PROD}/dev2prod/import?dryRun=true");
    let started = app
        .post(path)
        .by("promoter")
        .body(body.clone())
        .send()
        .await;
    started.expect(StatusCode::OK);
    check(STARTED, &started);
    let id = started.json()["Id"].as_str().unwrap().to_owned();
    let tried = app
        .ended(&format!("/rest/{PROD}/dev2prod/import/{id}"))
        .await;
    check(IMPORT, &tried);
    check(IMPORT_USE_CASE, &tried);
    let totals = json!({"Added": 4, "Modified": 0, "Removed": 0, "Failed": 0, "Skipped": 0});
    assert_eq!(
        (&tried.json()["DryRun"], &tried.json()["Totals"]),
        (&json!(true), &totals)
    );

    // 7. Import it.
    let imported = app.import(PROD, false, &body).await;
    check(IMPORT, &imported);
    let status = imported.json();
    assert_eq!(
        (&status["DryRun"], &status["Totals"]),
        (&json!(false), &totals)
    );
    let item = format!("/rest/{PROD}/content/metadata/Entity2");
    let item = app
        .get(item)
        .by("tenantadmin")
        .send()
        .await
        .expect(StatusCode::OK);
    assert_eq!(item["Body"], json!({"name": "x"}));
}

#[tokio::test]
async fn a_tenant_may_import_its_own_export_and_nothing_happens() {
    let mut app = App::start().await;
    develop(&app).await;
    app.run().await;
    let exported = app.export(DEV, 54321).await.json();
    let body = json!({ "FileId": exported["FileId"] }).to_string();
    for dry_run in [true, false] {
        let status = app.import(DEV, dry_run, &body).await.json();
        assert_eq!(status["Status"], "COMPLETED", "{status:#}");
        let totals = json!({"Added": 0, "Modified": 0, "Removed": 0, "Failed": 0, "Skipped": 4});
        assert_eq!(status["Totals"], totals);
    }
}

#[tokio::test]
async fn an_import_may_name_a_file_of_a_tenant_that_the_caller_may_export_from() {
    let mut app = App::start().await;
    develop(&app).await;
    app.run().await;
    let exported = app.export(DEV, 54321).await.json();
    let body = json!({ "FileId": exported["FileId"] }).to_string();
    let status = app.import(PROD, false, &body).await.json();
    assert_eq!(
        (&status["Status"], &status["Totals"]["Added"]),
        (&json!("COMPLETED"), &json!(4))
    );

    // Whoever may not export there does not even learn that there is such a file.
    let path = format!("/rest/{}/dev2prod/import", crate::app::OTHER);
    let refused = app.post(path).by("outsider").body(body).send().await;
    assert_eq!(
        refused.expect(StatusCode::NOT_FOUND)["Code"],
        "unknown_file"
    );
}

#[tokio::test]
async fn slashes_and_case_are_read_as_clients_write_them() {
    let mut app = App::start().await;
    develop(&app).await;
    app.run().await;
    let exported = app.export(DEV, 54321).await.json();
    let body = json!({ "FileId": exported["FileId"] }).to_string();
    for (path, dry_run) in [
        (format!("/rest/{DEV}/dev2prod/import/?dryRun=true"), true),
        (
            format!("//rest//{DEV}/dev2prod//import///?DRYRUN=TRUE&TENANTID={DEV}"),
            true,
        ),
        (format!("/rest/{DEV}/dev2prod/import?dryrun=False"), false),
    ] {
        let started = app
            .post(&path)
            .by("promoter")
            .body(body.clone())
            .send()
            .await;
        let id = started.expect(StatusCode::OK)["Id"]
            .as_str()
            .unwrap()
            .to_owned();
        let status = app
            .ended(&format!("/rest/{DEV}/dev2prod/import/{id}/"))
            .await;
        assert_eq!(status.json()["DryRun"], dry_run, "{path}");
    }
}
