//! Waiting: by events where a server offers them, politely where not.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod recorder;

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use dev2prod_client::{ClientError, Wait};
use futures::StreamExt;
use recorder::{Call, Recorder, json_answer, problem};
use serde_json::{Value, json};

fn offering(mut response: Response) -> Response {
    let features = "cancel, events".parse().unwrap();
    response.headers_mut().insert("dev2prod-features", features);
    response
}

/// A stream that says this and stays open.
fn stream(text: &'static str) -> Response {
    let said = futures::stream::iter([Ok::<_, std::io::Error>(text)]);
    Body::from_stream(said.chain(futures::stream::pending())).into_response()
}

fn status(status: &str) -> Value {
    json!({"Status": status, "FileId": "f"})
}

fn quickly() -> Wait {
    Wait {
        timeout: Duration::from_secs(20),
        pause_first: Duration::from_millis(1),
        pause_max: Duration::from_millis(5),
        patience: Duration::from_secs(5),
    }
}

/// The paths that were asked, each with the mark that it goes on after.
fn asked(server: &Recorder) -> String {
    let line = |call: Call| {
        let path = call.line.rsplit('/').next().unwrap().to_owned();
        format!("{path} {}", call.header("last-event-id"))
            .trim()
            .to_owned()
    };
    server
        .calls()
        .into_iter()
        .map(line)
        .collect::<Vec<_>>()
        .join(", ")
}

#[tokio::test]
async fn events_are_listened_to_where_they_are_offered() {
    let server = Recorder::start(|call| {
        offering(match (call.line.as_str(), call.number) {
            ("GET /rest/1/dev2prod/events", _) => stream(
                "retry: 1000\n\nid: a-1\nevent: operation\ndata: {\"Id\":\"77\",\"Status\":\"COMPLETED\"}\n\n\
                 id: a-2\nevent: operation\ndata: {\"Id\":\"66\",\"Status\":\"RUNNING\",\"LastUpdateTime\":1000,\
                 \"Progress\":{\"Phase\":\"Staging\",\"ItemsDone\":1,\"ItemsTotal\":4,\"ItemsPerSecond\":2,\"EstimatedEndTime\":2500}}\n\n\
                 id: a-3\nevent: operation\ndata: {\"Id\":\"66\",\"Status\":\"COMPLETED\"}\n\n",
            ),
            (_, 1..=3) => json_answer(&status("RUNNING")),
            _ => json_answer(&status("COMPLETED")),
        })
    })
    .await;
    let tenant = server.client().in_tenant("1");
    let mut seen = Vec::new();
    let ended = tenant
        .wait_for_import("66", &Wait::default(), |import| {
            let progress = import.progress.as_ref();
            let progress = progress.map(|progress| (progress.items_per_second, progress.left_ms));
            seen.push((import.status.clone(), progress));
        })
        .await
        .unwrap();
    assert_eq!(ended.status, "COMPLETED");
    // Asked again once the stream is open, so that nothing falls between.
    assert_eq!(asked(&server), "66, events, 66, 66");
    let running = "RUNNING".to_owned();
    assert_eq!(
        seen,
        [
            (running.clone(), None),
            (running.clone(), None),
            (running, Some((Some(2), Some(1_500)))),
            ("COMPLETED".to_owned(), None),
            ("COMPLETED".to_owned(), None),
        ]
    );
}

#[tokio::test]
async fn a_stream_that_breaks_is_gone_on_with_and_then_done_without() {
    let server = Recorder::start(|call| {
        offering(match (call.line.as_str(), call.number) {
            ("GET /rest/1/dev2prod/events", 2) => {
                "id: a-7\nevent: operation\ndata: {\"Id\":\"77\",\"Status\":\"RUNNING\"}\n\n"
                    .into_response()
            }
            ("GET /rest/1/dev2prod/events", _) => problem(503, "too_many_streams"),
            (_, 1..=12) => json_answer(&status("RUNNING")),
            _ => json_answer(&status("COMPLETED")),
        })
    })
    .await;
    let tenant = server.client().in_tenant("1");
    tenant
        .wait_for_export("66", &quickly(), |_| ())
        .await
        .unwrap();
    assert_eq!(
        asked(&server),
        "66, events, 66, 66, events a-7, 66, events a-7, 66, 66, 66, 66, 66, 66"
    );
}

#[tokio::test]
async fn a_server_that_offers_no_events_is_asked_when_it_wants_to_be() {
    let server = Recorder::start(|call| match call.number {
        1 => {
            let mut response = json_answer(&status("RUNNING"));
            response
                .headers_mut()
                .insert("retry-after", "1".parse().unwrap());
            response
        }
        _ => json_answer(&status("COMPLETED")),
    })
    .await;
    let tenant = server.client().in_tenant("1");
    let began = Instant::now();
    tenant
        .wait_for_export("66", &quickly(), |_| ())
        .await
        .unwrap();
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(asked(&server), "66, 66");
}

#[tokio::test]
async fn the_time_ends_while_it_is_listened() {
    let server = Recorder::start(|call| {
        offering(match call.line.as_str() {
            "GET /rest/1/dev2prod/events" => stream(": alive\n\n"),
            _ => json_answer(&status("RUNNING")),
        })
    })
    .await;
    let wait = Wait {
        timeout: Duration::from_millis(300),
        ..quickly()
    };
    let tenant = server.client().in_tenant("1");
    let waited = tenant.wait_for_export("66", &wait, |_| ()).await;
    let still_going =
        matches!(&waited, Err(ClientError::StillGoing { status, .. }) if status == "RUNNING");
    assert!(still_going, "{waited:?}");
}

#[tokio::test]
async fn an_operation_is_stopped_by_its_kind() {
    let server = Recorder::start(|call| match call.number {
        1 | 2 => json_answer(&json!({"Id": "66fabdf1e4b06908b04d4051", "Status": "CANCELED"})),
        _ => problem(409, "already_over"),
    })
    .await;
    let tenant = server.client().in_tenant("1");
    let id = "66fabdf1e4b06908b04d4051";
    assert_eq!(
        tenant.cancel_export(id).await.unwrap().status.name(),
        "CANCELED"
    );
    tenant.cancel_import(id).await.unwrap();
    assert_eq!(
        tenant.cancel_import(id).await.unwrap_err().status(),
        Some(409)
    );
    insta::assert_snapshot!(server.said(), @r"
    POST /rest/1/dev2prod/export/66fabdf1e4b06908b04d4051/cancel
    POST /rest/1/dev2prod/import/66fabdf1e4b06908b04d4051/cancel
    POST /rest/1/dev2prod/import/66fabdf1e4b06908b04d4051/cancel
    ");
}
