//! The Package Manager, and the lists of what was exported and imported.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{App, DEV, PROD};

fn packages(rest: &str) -> String {
    format!("/rest/{DEV}/dev2prod/packages{rest}")
}

#[tokio::test]
async fn a_package_from_birth_to_end() {
    let app = App::start().await;
    let body = json!({
        "Name": "Forms", "Mode": "Granular",
        "Items": [{"PackageName": "formLayouts", "KeyGlob": "Incident*"}],
        "Dependencies": "IfMissing"
    });
    let made = app
        .post(packages(""))
        .by("tenantadmin")
        .body(body.to_string())
        .send()
        .await;
    let mut package = made.expect(StatusCode::CREATED);
    package["LastUpdateTime"] = "…".into();
    insta::assert_snapshot!(package, @r#"{"Dependencies":"IfMissing","Id":10001,"Items":[{"KeyGlob":"Incident*","PackageName":"formLayouts"}],"LastUpdateTime":"…","Mode":"Granular","Name":"Forms"}"#);

    // What was read can be changed and sent back.
    let path = packages("/10001");
    let mut read = app
        .get(&path)
        .by("viewer")
        .send()
        .await
        .expect(StatusCode::OK);
    read["Name"] = "Other forms".into();
    let put = app
        .put(&path)
        .by("tenantadmin")
        .body(read.to_string())
        .send()
        .await;
    assert_eq!(put.expect(StatusCode::OK)["Name"], "Other forms");
    read["Id"] = 5.into();
    let moved = app
        .put(&path)
        .by("tenantadmin")
        .body(read.to_string())
        .send()
        .await;
    assert_eq!(
        moved.expect(StatusCode::BAD_REQUEST)["Code"],
        "package_id_contradicted"
    );

    let taken = json!({"Id": 10001, "Name": "x", "Mode": "Full"}).to_string();
    let taken = app
        .post(packages(""))
        .by("tenantadmin")
        .body(taken)
        .send()
        .await;
    assert_eq!(
        taken.expect(StatusCode::CONFLICT)["Code"],
        "package_id_taken"
    );
    let listed = app
        .get(packages(""))
        .by("viewer")
        .send()
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        (&listed["TotalCount"], &listed["Items"][1]["Id"]),
        (&json!(2), &json!(10001))
    );
    assert_eq!(
        app.delete(&path).by("tenantadmin").send().await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        app.get(&path).by("viewer").send().await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_package_explains_what_it_would_carry() {
    let app = App::start().await;
    app.write(
        DEV,
        &[("metadata", "Incident", "{}"), ("metadata", "Change", "{}")],
    )
    .await;
    let put = app
        .put(format!("/rest/{DEV}/content/workflow/w"))
        .by("tenantadmin");
    let references = json!([
        {"PackageName": "metadata", "Key": "Incident"},
        {"PackageName": "metadata", "Key": "Gone"}
    ]);
    let body = json!({"Body": {}, "References": references}).to_string();
    let written = put.body(body).send().await.expect(StatusCode::CREATED);
    assert_eq!(
        (
            &written["DanglingCount"],
            &written["Dangling"][0]["References"][0]["Key"]
        ),
        (&json!(1), &json!("Gone"))
    );
    let body = json!({
        "Name": "w", "Mode": "Granular", "Items": [{"PackageName": "workflow", "Key": "w"}]
    });
    let made = app
        .post(packages(""))
        .by("tenantadmin")
        .body(body.to_string())
        .send()
        .await;
    made.expect(StatusCode::CREATED);

    let items = async |query: &str| {
        let path = packages(&format!("/10001/items{query}"));
        app.get(path)
            .by("viewer")
            .send()
            .await
            .expect(StatusCode::OK)
    };
    let shown = |page: &Value| {
        let items = page["Items"].as_array().unwrap().iter();
        items
            .map(|i| format!("{} {} {}", i["Key"], i["Why"], i["RequiredBy"]))
            .collect::<Vec<_>>()
    };
    let all = items("").await;
    assert_eq!(
        shown(&all),
        [
            r#""Incident" "RequiredBy" [{"Key":"w","PackageName":"workflow"}]"#,
            r#""w" "Selected" null"#
        ]
    );
    assert_eq!(all["TotalCount"], 2);
    assert_eq!(all["Warnings"][0]["Code"], "missing_dependency");

    let first = items("?size=1").await;
    let second = items(&format!(
        "?size=1&cursor={}",
        first["NextCursor"].as_str().unwrap()
    ))
    .await;
    assert_eq!([shown(&first), shown(&second)].concat(), shown(&all));
    assert_eq!(second.get("NextCursor"), None);
}

#[tokio::test]
async fn what_was_done_is_listed_newest_first() {
    let mut app = App::start().await;
    app.write(DEV, &[("metadata", "Incident", r#"{"a":1}"#)])
        .await;
    app.run().await;
    let exported = app.export(DEV, 10000).await.json();
    app.export(DEV, 10000).await;
    let body = json!({"FileId": exported["FileId"], "Comment": "first"}).to_string();
    let tried = app.import(PROD, true, &body).await.json();
    let imported = app.import(PROD, false, &body).await.json();

    let list = async |path: String| {
        app.get(path)
            .by("viewer")
            .send()
            .await
            .expect(StatusCode::OK)
    };
    let exports = list(format!(
        "/rest/{DEV}/dev2prod/exports?size=1&status=COMPLETED"
    ))
    .await;
    assert_eq!(exports["TotalCount"], 2);
    let cursor = exports["NextCursor"].as_str().unwrap();
    let older = list(format!(
        "/rest/{DEV}/dev2prod/exports?size=1&cursor={cursor}"
    ))
    .await;
    assert_eq!(older["Items"][0]["id"], exported["id"]);
    assert_eq!(
        older["Items"][0]["PackageBundleName"],
        exported["PackageBundleName"]
    );

    let imports = list(format!("/rest/{PROD}/dev2prod/imports")).await;
    let ids: Vec<_> = imports["Items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["id"])
        .collect();
    assert_eq!(ids, [&imported["id"], &tried["id"]]);
    assert_eq!(imports["Items"][0]["Comment"], "first");
    assert_eq!(
        list(format!("/rest/{PROD}/dev2prod/imports?status=FAILED")).await["TotalCount"],
        0
    );
    assert_eq!(
        list(format!("/rest/{PROD}/dev2prod/exports")).await["TotalCount"],
        0
    );
}

#[tokio::test]
async fn an_import_is_no_export_and_has_its_changes() {
    let mut app = App::start().await;
    app.write(DEV, &[("metadata", "Incident", r#"{"a":1}"#)])
        .await;
    app.run().await;
    let exported = app.export(DEV, 10000).await.json();
    let body = json!({ "FileId": exported["FileId"] }).to_string();
    let imported = app.import(PROD, false, &body).await.json();
    let id = imported["id"].as_str().unwrap();
    let path = format!("/rest/{PROD}/dev2prod/export/{id}");
    let export = app.get(path).by("viewer").send().await;
    assert_eq!(export.status, StatusCode::NOT_FOUND);
    let path = format!("/rest/{PROD}/dev2prod/import/{id}/changes");
    let list = async |query: &str| app.get(format!("{path}?{query}")).by("viewer").send().await;
    let changes = list("diff=true").await.expect(StatusCode::OK);
    assert_eq!(
        (&changes["TotalCount"], &changes["Items"][0]["Action"]),
        (&json!(1), &json!("Added"))
    );
    assert_eq!(changes["PlanDigest"], imported["PlanDigest"]);
    let none = list("Action=Removed").await.expect(StatusCode::OK);
    assert_eq!(none["TotalCount"], 0);
    let refused = list("Reason=whim").await.expect(StatusCode::BAD_REQUEST);
    assert_eq!(refused["Code"], "malformed_parameter");
}
