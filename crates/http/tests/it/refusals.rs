//! What is refused, and in which words. Each case is a whole problem document.

use axum::http::Method;
use serde_json::json;

use crate::app::{App, Call, DEV, OTHER};

const FILE: &str = "c7e87b89-f214-4766-8032-bba6967e1c49";
const PLAN: &str = "67943f25b3e8e0a1d2c3b4a5";
const OPERATION: &str = "66fabdf1e4b06908b04d4051";

/// Sends the requests and shows each with the problem that it is answered.
async fn problems<'a>(calls: impl IntoIterator<Item = (&'a str, Call<'a>)>) -> String {
    let mut text = String::new();
    for (what, call) in calls {
        let reply = call.send().await;
        text.push_str(&format!("## {what}\n{}\n\n", reply.problem()));
    }
    text
}

#[tokio::test]
async fn what_is_not_there() {
    let app = App::start().await;
    let rest = format!("/rest/{DEV}/dev2prod");
    let text = problems([
        ("a path", app.get("/rest/1/dev2prod/nothing")),
        (
            "a method",
            app.call(Method::PATCH, format!("{rest}/import"))
                .by("promoter"),
        ),
        (
            "a tenant",
            app.get("/rest/42/dev2prod/exports").by("viewer"),
        ),
        (
            "a package",
            app.post(format!("{rest}/export/types/54321"))
                .by("promoter"),
        ),
        (
            "an export",
            app.get(format!("{rest}/export/{OPERATION}")).by("viewer"),
        ),
        (
            "an import",
            app.get(format!("{rest}/import/{OPERATION}")).by("viewer"),
        ),
        (
            "changes",
            app.get(format!("{rest}/import/{OPERATION}/changes"))
                .by("viewer"),
        ),
        (
            "a file",
            app.get(format!("/rest/{DEV}/ces/attachment/{FILE}"))
                .by("promoter"),
        ),
        (
            "the file of an import",
            app.post(format!("{rest}/import"))
                .by("promoter")
                .body(json!({ "FileId": FILE }).to_string()),
        ),
        (
            "an item",
            app.get(format!("/rest/{DEV}/content/metadata/X"))
                .by("tenantadmin"),
        ),
    ])
    .await;
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_tenant_of_others_is_answered_like_none() {
    let app = App::start().await;
    let path = |tenant: &str| format!("/rest/{tenant}/dev2prod/exports");
    let theirs = app.get(path(OTHER)).by("viewer").send().await.problem();
    let nobodys = app
        .get(path("424242424"))
        .by("viewer")
        .send()
        .await
        .problem();
    assert_eq!(
        theirs.replace(OTHER, "…"),
        nobodys.replace("424242424", "…")
    );
    assert!(theirs.contains("\"status\": 404"), "{theirs}");
}

#[tokio::test]
async fn who_may_not() {
    let app = App::start().await;
    let export = || app.post(format!("/rest/{DEV}/dev2prod/export/types/10000"));
    let text = problems([
        ("nobody", export()),
        (
            "no token of ours",
            export().header("authorization", "Bearer x.y.z"),
        ),
        (
            "no API token of ours",
            export().header("authorization", "Bearer d2p_x"),
        ),
        ("a viewer", export().by("viewer")),
        (
            "no administrator",
            app.get("/admin/users").by("tenantadmin"),
        ),
    ])
    .await;
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn malformed_ids() {
    let app = App::start().await;
    let rest = format!("/rest/{DEV}");
    let text = problems([
        ("tenant", app.get("/rest/abc/dev2prod/exports").by("viewer")),
        (
            "package",
            app.post(format!("{rest}/dev2prod/export/types/five"))
                .by("promoter"),
        ),
        (
            "export",
            app.get(format!("{rest}/dev2prod/export/66fabdf1"))
                .by("viewer"),
        ),
        (
            "file",
            app.get(format!("{rest}/ces/attachment/66fabdf1"))
                .by("promoter"),
        ),
        (
            "section",
            app.get(format!("{rest}/content/Metadata/X"))
                .by("tenantadmin"),
        ),
        (
            "key",
            app.get(format!("{rest}/content/metadata/a%01b"))
                .by("tenantadmin"),
        ),
        (
            "no key",
            app.get(format!("{rest}/content/metadata"))
                .by("tenantadmin"),
        ),
        (
            "not UTF-8",
            app.get(format!("{rest}/content/metadata/%FF"))
                .by("tenantadmin"),
        ),
        ("token", app.delete("/admin/tokens/1").by("viewer")),
        (
            "contradicted",
            app.get(format!("{rest}/dev2prod/exports?TENANTID=1"))
                .by("viewer"),
        ),
    ])
    .await;
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn parameters_of_an_import() {
    let app = App::start().await;
    let body = json!({ "FileId": FILE }).to_string();
    let with = |query: &str| {
        let path = format!("/rest/{DEV}/dev2prod/import?{query}");
        app.post(path).by("promoter").body(body.clone())
    };
    let text = problems([
        ("neither true nor false", with("dryRun=maybe")),
        ("nothing", with("dryRun")),
        ("twice", with("dryRun=true&dryrun=false")),
        ("mistyped", with("dry-run=true")),
        ("unheard of", with("colour=blue")),
    ])
    .await;
    insta::assert_snapshot!(text);
    // Written in another case it counts: it is the file that is missing then.
    let reply = with("dryrun=true").send().await;
    assert_eq!(reply.json()["Code"], "unknown_file");
}

#[tokio::test]
async fn bodies_of_an_import() {
    let app = App::start().await;
    let with = |body: &str| {
        app.post(format!("/rest/{DEV}/dev2prod/import"))
            .by("promoter")
            .body(body.to_owned())
    };
    let member =
        |name: &str, value: &str| with(&format!("{{\"FileId\":\"{FILE}\",\"{name}\":{value}}}"));
    let answer = |answer: &str| member("Resolutions", &format!("[{answer}]"));
    let text = problems([
        ("nothing", with("")),
        ("no JSON", with("FileId=1")),
        (
            "no UTF-8",
            app.post(format!("/rest/{DEV}/dev2prod/import"))
                .by("promoter")
                .body(vec![b'"', 0xff, b'"']),
        ),
        ("no object", with("[]")),
        ("no FileId", with("{}")),
        ("FileId null", with("{\"FileId\":null}")),
        ("FileId a number", with("{\"FileId\":5}")),
        ("FileId malformed", with("{\"FileId\":\"5\"}")),
        ("FileId twice", with("{\"FileId\":\"5\",\"FileId\":\"6\"}")),
        ("mistyped member", member("Conflict", "\"Keep\"")),
        ("mistyped case", member("conflicts", "\"Keep\"")),
        ("member of no meaning", member("UndoOf", "1")),
        ("PlanId malformed", member("PlanId", "\"1\"")),
        (
            "options beside PlanId",
            with(&format!(
                r#"{{"FileId":"{FILE}","PlanId":"{PLAN}","Comment":"reviewed","Conflicts":"Keep"}}"#
            )),
        ),
        (
            "PlanId of nothing",
            with(&format!(r#"{{"FileId":"{FILE}","PlanId":"{PLAN}"}}"#)),
        ),
        (
            "PlanId of a dry run to be made",
            app.post(format!("/rest/{DEV}/dev2prod/import?dryRun=true"))
                .by("promoter")
                .body(format!(r#"{{"FileId":"{FILE}","PlanId":"{PLAN}"}}"#)),
        ),
        ("dryRun in the body", member("DryRun", "true")),
        ("mistyped value", member("Conflicts", "\"keep\"")),
        ("value of another type", member("RemovalsMax", "\"5\"")),
        (
            "mistyped member of an answer",
            answer(r#"{"PackageName":"metadata","Key":"a","path":"/b","Take":"Target"}"#),
        ),
        (
            "an answer for no pointer",
            answer(r#"{"PackageName":"metadata","Key":"a","Path":"b","Take":"Target"}"#),
        ),
        (
            "an answer for neither",
            answer(r#"{"PackageName":"metadata","Key":"a","Take":"Source"}"#),
        ),
    ])
    .await;
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn undoing() {
    let app = App::start().await;
    let undo = |id: &str, query: &str, body: &str| {
        app.post(format!("/rest/{DEV}/dev2prod/import/{id}/undo{query}"))
            .by("promoter")
            .body(body.to_owned())
    };
    let text = problems([
        ("of nothing", undo(OPERATION, "", "")),
        ("of no id", undo("5", "", "{}")),
        ("mistyped parameter", undo(OPERATION, "?dryrunn=true", "{}")),
        (
            "dryRun in the body",
            undo(OPERATION, "", "{\"dryRun\":true}"),
        ),
        (
            "member of an import",
            undo(OPERATION, "", &format!("{{\"FileId\":\"{FILE}\"}}")),
        ),
        (
            "options beside PlanId",
            undo(
                OPERATION,
                "",
                &format!("{{\"PlanId\":\"{PLAN}\",\"Removals\":\"Skip\"}}"),
            ),
        ),
        (
            "PlanId of a dry run to be made",
            undo(
                OPERATION,
                "?dryRun=true",
                &format!("{{\"PlanId\":\"{PLAN}\"}}"),
            ),
        ),
        (
            "an answer for no pointer",
            undo(
                OPERATION,
                "",
                r#"{"Resolutions":[{"PackageName":"metadata","Key":"a","Path":"b","Take":"Target"}]}"#,
            ),
        ),
    ])
    .await;
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn an_import_takes_so_many_answers_and_no_more() {
    let app = App::start().await;
    let one = r#"{"PackageName":"metadata","Key":"a","Take":"Target"}"#;
    for (count, code) in [(10_000, "unknown_file"), (10_001, "too_many_resolutions")] {
        let answers = vec![one; count].join(",");
        let body = format!("{{\"FileId\":\"{FILE}\",\"Resolutions\":[{answers}]}}");
        let reply = app
            .post(format!("/rest/{DEV}/dev2prod/import"))
            .by("promoter")
            .body(body);
        let text = problems([("answers", reply)]).await;
        assert!(text.contains(&format!("\"{code}\"")), "{count}: {text}");
    }
}

#[tokio::test]
async fn bodies_and_parameters_elsewhere() {
    let app = App::start().await;
    let export = || {
        app.post(format!("/rest/{DEV}/dev2prod/export/types/10000"))
            .by("promoter")
    };
    let list = |query: &str| {
        app.get(format!("/rest/{DEV}/dev2prod/imports?{query}"))
            .by("viewer")
    };
    let packages = || {
        app.post(format!("/rest/{DEV}/dev2prod/packages"))
            .by("tenantadmin")
    };
    let text = problems([
        ("export: no JSON", export().body("package")),
        ("export: no object", export().body("5")),
        ("history: status", list("status=DONE")),
        ("history: size", list("size=many")),
        ("history: cursor", list("cursor=x")),
        (
            "package: unknown member",
            packages().body(r#"{"Name":"x","Mode":"Full","Section":"All"}"#),
        ),
        (
            "package: contradictory",
            packages().body(r#"{"Name":"x","Mode":"Granular"}"#),
        ),
        (
            "package: too long",
            packages().body(vec![b' '; 1024 * 1024 + 1]),
        ),
        (
            "tenant: unconfirmed",
            app.delete(format!("/admin/tenants/{DEV}")).by("admin"),
        ),
    ])
    .await;
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn an_export_takes_an_empty_body_or_an_object() {
    let app = App::start().await;
    for body in ["", " \n", "{}", "{\"Anything\":1}"] {
        let path = format!("/rest/{DEV}/dev2prod/export/types/10000");
        let reply = app.post(path).by("promoter").body(body).send().await;
        assert_eq!(reply.status, 200, "{body:?}: {reply:?}");
    }
}
