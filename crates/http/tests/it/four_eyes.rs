//! A plan that has to be made, looked at by somebody else, and carried out at the right time.

use std::time::Duration;

use axum::http::StatusCode;
use dev2prod_engine::Settings;
use dev2prod_http::Options;
use serde_json::{Value, json};

use crate::app::{App, DEV, PROD};

const HOUR: Duration = Duration::from_secs(3_600);

/// A server at work whose sessions outlast the story, and a bundle of development.
async fn start() -> (App, String) {
    let settings = Settings {
        session_ms: 30 * 24 * 3_600_000,
        ..Settings::default()
    };
    let mut app = App::start_with(settings, Options::default()).await;
    app.write(DEV, &[("metadata", "Incident", r#"{"a":1}"#)])
        .await;
    app.run().await;
    let exported = app.export(DEV, 10_000).await.json();
    let file = exported["FileId"].as_str().unwrap().to_owned();
    (app, file)
}

async fn ask(app: &App, settings: Value) {
    let path = format!("/rest/{PROD}/dev2prod/settings");
    let call = app.put(path).by("tenantadmin").body(settings.to_string());
    call.send().await.expect(StatusCode::OK);
}

/// A dry run by `promoter`: its id and the digest of its plan.
async fn dry_run(app: &App, file: &str) -> (String, String) {
    let body = json!({ "FileId": file }).to_string();
    let tried = app.import(PROD, true, &body).await.json();
    assert_eq!(tried["Status"], "COMPLETED");
    let text = |name: &str| tried[name].as_str().unwrap().to_owned();
    (text("id"), text("PlanDigest"))
}

/// Starts an import; the answer is its id, or the code of the refusal.
async fn start_import(app: &App, body: Value) -> Result<String, String> {
    let path = format!("/rest/{PROD}/dev2prod/import");
    let reply = app.post(path).by("promoter").body(body.to_string());
    let reply = reply.send().await;
    let text = |name: &str| reply.json()[name].as_str().unwrap().to_owned();
    match reply.status {
        StatusCode::OK => Ok(text("Id")),
        StatusCode::CONFLICT => Err(text("Code")),
        other => panic!("{other}: {reply:?}"),
    }
}

/// Approves or rejects; the answer is the review, or status and code of the refusal.
async fn review(app: &App, by: &str, id: &str, what: &str, body: Value) -> Result<Value, String> {
    let path = format!("/rest/{PROD}/dev2prod/import/{id}/{what}");
    let reply = app.post(path).by(by).body(body.to_string()).send().await;
    let answer = reply.json();
    if reply.status == StatusCode::OK {
        Ok(answer)
    } else {
        let code = answer["Code"].as_str().unwrap();
        Err(format!("{} {code}", reply.status.as_u16()))
    }
}

async fn ended(app: &App, id: &str) -> Value {
    let path = format!("/rest/{PROD}/dev2prod/import/{id}");
    app.ended(&path).await.json()
}

#[tokio::test]
async fn settings_are_off_until_an_administrator_of_the_tenant_says_otherwise() {
    let app = App::start().await;
    let path = format!("/rest/{PROD}/dev2prod/settings");
    let get = || async { app.get(&path).by("viewer").send().await };
    let off = json!({"RequirePlan": false, "RequireApproval": false, "ImportWindow": null, "OnlyTrustedOrigins": false});
    assert_eq!(get().await.expect(StatusCode::OK), off);
    let window = json!({"Times": [{"Day": "Saturday", "From": "22:00", "To": "24:00"}], "UtcOffset": "+02:00", "Outside": "Refuse"});
    ask(
        &app,
        json!({"RequireApproval": true, "ImportWindow": window}),
    )
    .await;
    let on = json!({"RequirePlan": false, "RequireApproval": true, "ImportWindow": window, "OnlyTrustedOrigins": false});
    assert_eq!(get().await.expect(StatusCode::OK), on);
    for (body, detail) in [
        (
            json!({"RequireAproval": true}),
            "RequireAproval in the body cannot be read: unknown field `RequireAproval`, expected one of `RequirePlan`, `RequireApproval`, `ImportWindow`, `OnlyTrustedOrigins`.",
        ),
        (
            json!({"ImportWindow": {"Times": []}}),
            "ImportWindow in the body cannot be read: the window has no Times and would never open: name some, or leave ImportWindow out.",
        ),
    ] {
        let reply = app.put(&path).by("tenantadmin").body(body.to_string());
        let refused = reply.send().await.expect(StatusCode::BAD_REQUEST);
        assert_eq!(refused["detail"], detail);
    }
    assert_eq!(
        get().await.expect(StatusCode::OK),
        on,
        "a refused change changes nothing"
    );
}

#[tokio::test]
async fn a_tenant_that_wants_a_plan_takes_no_import_without_one() {
    let (app, file) = start().await;
    ask(&app, json!({"RequirePlan": true})).await;
    let without = start_import(&app, json!({ "FileId": file })).await;
    assert_eq!(without, Err("plan_required".to_owned()));
    let (plan, _) = dry_run(&app, &file).await;
    let import = start_import(&app, json!({"FileId": file, "PlanId": plan})).await;
    let done = ended(&app, &import.unwrap()).await;
    assert_eq!(done["Status"], "COMPLETED");
    assert_eq!(done["PlanId"], plan.as_str());
    assert_eq!(done.get("Review"), None);
}

#[tokio::test]
async fn an_approved_plan_is_carried_out_and_shows_who_approved_it() {
    let (app, file) = start().await;
    ask(&app, json!({"RequireApproval": true})).await;
    let without = start_import(&app, json!({ "FileId": file })).await;
    assert_eq!(without, Err("plan_required".to_owned()));
    let (plan, digest) = dry_run(&app, &file).await;
    let by_plan = json!({"FileId": file, "PlanId": plan});
    let early = start_import(&app, by_plan.clone()).await;
    assert_eq!(early, Err("approval_required".to_owned()));

    let approve = json!({ "PlanDigest": digest });
    let review = review(&app, "approver", &plan, "approve", approve)
        .await
        .unwrap();
    assert_eq!(review["Decision"], "Approved");
    assert_eq!(review["By"], "approver");
    assert_eq!(review["PlanDigest"], digest.as_str());
    assert_eq!(ended(&app, &plan).await["Review"], review);

    let import = start_import(&app, by_plan).await.unwrap();
    let done = ended(&app, &import).await;
    assert_eq!(done["Status"], "COMPLETED");
    assert_eq!(done["Review"], review);
    let list = app
        .get(format!("/rest/{PROD}/dev2prod/imports"))
        .by("viewer");
    let list = list.send().await.expect(StatusCode::OK);
    let kept: Vec<_> = list["Items"].as_array().unwrap().iter().collect();
    assert_eq!(kept[0]["PlanId"], plan.as_str());
    assert_eq!(kept[1]["Review"], review);
}

#[tokio::test]
async fn each_reason_not_to_approve_has_its_own_answer() {
    let (app, file) = start().await;
    let (plan, digest) = dry_run(&app, &file).await;
    let approve = |digest: &str| json!({ "PlanDigest": digest });
    let refused = |by: &'static str, what: &'static str, body: Value| {
        let (app, plan) = (&app, plan.as_str());
        async move { review(app, by, plan, what, body).await.unwrap_err() }
    };
    for by in ["viewer", "promoter", "tenantadmin"] {
        assert_eq!(
            refused(by, "approve", approve(&digest)).await,
            "403 not_approver",
            "{by}"
        );
    }
    let path = format!("/admin/users/promoter/roles/{PROD}");
    let both = app
        .put(path)
        .by("admin")
        .body(r#"{"Role":"Promoter","Approver":true}"#);
    assert_eq!(both.send().await.status, StatusCode::NO_CONTENT);
    for what in ["approve", "reject"] {
        let body = match what {
            "approve" => approve(&digest),
            _ => json!({"Reason": "no"}),
        };
        assert_eq!(refused("promoter", what, body).await, "403 own_plan");
    }
    let other = "0".repeat(64);
    assert_eq!(
        refused("approver", "approve", approve(&other)).await,
        "409 plan_digest_differs"
    );
    assert_eq!(
        refused("approver", "approve", json!({})).await,
        "400 malformed_body"
    );
    assert_eq!(
        refused("approver", "reject", json!({"Reason": " "})).await,
        "400 missing_reason"
    );
    let unknown = review(
        &app,
        "approver",
        "67943f25b3e8e0a1d2c3b4a5",
        "approve",
        approve(&digest),
    );
    assert_eq!(unknown.await.unwrap_err(), "404 unknown_plan");

    review(&app, "approver", &plan, "approve", approve(&digest))
        .await
        .unwrap();
    for what in ["approve", "reject"] {
        let body = match what {
            "approve" => approve(&digest),
            _ => json!({"Reason": "no"}),
        };
        assert_eq!(
            refused("approver", what, body).await,
            "409 plan_approved_before"
        );
    }
    let import = start_import(&app, json!({"FileId": file, "PlanId": plan}))
        .await
        .unwrap();
    assert_eq!(ended(&app, &import).await["Status"], "COMPLETED");
    assert_eq!(
        refused("approver", "approve", approve(&digest)).await,
        "409 plan_used"
    );
}

#[tokio::test]
async fn a_rejected_plan_is_carried_out_nowhere_and_says_why() {
    let (app, file) = start().await;
    let (plan, digest) = dry_run(&app, &file).await;
    let reason = json!({"Reason": "Größe fehlt"});
    let rejected = review(&app, "approver", &plan, "reject", reason.clone())
        .await
        .unwrap();
    assert_eq!(rejected["Decision"], "Rejected");
    assert_eq!(rejected["Reason"], "Größe fehlt");
    assert_eq!(ended(&app, &plan).await["Review"], rejected);
    let again = review(&app, "approver", &plan, "reject", reason).await;
    assert_eq!(again.unwrap_err(), "409 plan_rejected_before");
    let late = review(
        &app,
        "approver",
        &plan,
        "approve",
        json!({"PlanDigest": digest}),
    )
    .await;
    assert_eq!(late.unwrap_err(), "409 plan_rejected_before");
    // Nothing asks for an approval here; somebody said no all the same.
    let import = start_import(&app, json!({"FileId": file, "PlanId": plan})).await;
    assert_eq!(import, Err("plan_rejected".to_owned()));
}

/// Weekly times by a clock at which it is noon now.
fn window(app: &App, times: &[(&str, &str)], outside: &str) -> Value {
    const DAYS: [&str; 7] = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    let hour = app.engine.now_ms().rem_euclid(86_400_000) / 3_600_000;
    let ahead = 12 - hour;
    let sign = if ahead < 0 { '-' } else { '+' };
    let times: Vec<_> = DAYS
        .iter()
        .flat_map(|day| {
            let of_day =
                move |(from, to): &(&str, &str)| json!({"Day": day, "From": from, "To": to});
            times.iter().map(of_day)
        })
        .collect();
    json!({"ImportWindow": {"Times": times, "UtcOffset": format!("{sign}{:02}:00", ahead.abs()), "Outside": outside}})
}

async fn status(app: &App, tenant: &str, id: &str) -> Value {
    let path = format!("/rest/{tenant}/dev2prod/import/{id}");
    app.get(path)
        .by("viewer")
        .send()
        .await
        .expect(StatusCode::OK)
}

#[tokio::test]
async fn outside_its_window_an_import_waits_and_holds_up_nobody() {
    let (app, file) = start().await;
    ask(&app, window(&app, &[("14:00", "15:00")], "Wait")).await;
    let waiting = start_import(&app, json!({ "FileId": file })).await.unwrap();
    let next = start_import(&app, json!({ "FileId": file })).await.unwrap();
    // A dry run, and an import of another tenant, pass by.
    dry_run(&app, &file).await;
    let body = json!({ "FileId": file }).to_string();
    let elsewhere = app.import(DEV, false, &body).await;
    assert_eq!(elsewhere.json()["Status"], "COMPLETED");

    let shown = status(&app, PROD, &waiting).await;
    assert_eq!(shown["Status"], "PENDING");
    let opens = shown["WaitingUntil"].as_i64().unwrap() - app.engine.now_ms();
    assert!((3_600_000..=7_200_000).contains(&opens), "{opens}");
    assert_eq!(
        status(&app, PROD, &next).await["WaitingFor"],
        waiting.as_str()
    );

    app.pass(2 * HOUR);
    for id in [&waiting, &next] {
        let done = ended(&app, id).await;
        assert_eq!(done["Status"], "COMPLETED", "{done}");
        assert_eq!(done.get("WaitingUntil"), None);
    }
}

#[tokio::test]
async fn a_window_that_is_opened_lets_go_what_waits() {
    let (app, file) = start().await;
    ask(&app, window(&app, &[("14:00", "15:00")], "Wait")).await;
    let waiting = start_import(&app, json!({ "FileId": file })).await.unwrap();
    // Long enough for a worker to have seen it.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(status(&app, PROD, &waiting).await["Status"], "PENDING");
    ask(&app, json!({})).await;
    assert_eq!(ended(&app, &waiting).await["Status"], "COMPLETED");
}

#[tokio::test]
async fn outside_a_window_that_refuses_an_import_is_refused_also_when_its_turn_comes_too_late() {
    let (app, file) = start().await;
    ask(&app, window(&app, &[("14:00", "15:00")], "Refuse")).await;
    let refused = start_import(&app, json!({ "FileId": file })).await;
    assert_eq!(refused, Err("import_window_closed".to_owned()));
    dry_run(&app, &file).await;

    ask(&app, window(&app, &[("14:00", "15:00")], "Wait")).await;
    let waiting = start_import(&app, json!({ "FileId": file })).await.unwrap();
    ask(&app, window(&app, &[("14:00", "15:00")], "Refuse")).await;
    let failed = ended(&app, &waiting).await;
    assert_eq!(failed["Status"], "FAILED");
    assert_eq!(failed["Error"]["Code"], "import_window_closed");
}

#[tokio::test]
async fn what_is_asked_while_an_import_waits_is_asked_of_it_too() {
    let (app, file) = start().await;
    let (plan, digest) = dry_run(&app, &file).await;
    ask(&app, window(&app, &[("14:00", "15:00")], "Wait")).await;
    let plain = start_import(&app, json!({ "FileId": file })).await.unwrap();
    let planned = start_import(&app, json!({"FileId": file, "PlanId": plan}))
        .await
        .unwrap();
    ask(&app, json!({"RequireApproval": true})).await;
    let failed = ended(&app, &plain).await;
    assert_eq!(failed["Error"]["Code"], "plan_required");
    let failed = ended(&app, &planned).await;
    assert_eq!(failed["Error"]["Code"], "approval_required");
    assert_eq!(failed["Totals"]["Added"], 0);

    // The plan is not used up by that: once it is approved it is carried out.
    review(
        &app,
        "approver",
        &plan,
        "approve",
        json!({"PlanDigest": digest}),
    )
    .await
    .unwrap();
    let again = start_import(&app, json!({"FileId": file, "PlanId": plan}))
        .await
        .unwrap();
    assert_eq!(ended(&app, &again).await["Status"], "COMPLETED");
}
