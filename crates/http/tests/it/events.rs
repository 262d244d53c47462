//! Operations that are followed, and stopped.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Request, StatusCode};
use dev2prod_engine::Settings;
use dev2prod_http::{EventLimits, Options};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::app::{App, DEV, PROD};

/// How long a test waits for what should come, and for what should not.
const SOON: Duration = Duration::from_secs(10);

/// A stream of events as it comes in.
struct Stream {
    headers: HeaderMap,
    body: BodyDataStream,
    text: String,
}

impl Stream {
    async fn open(app: &App, tenant: &str, login: &str, last: Option<&str>) -> Self {
        let mut request = Request::get(format!("/rest/{tenant}/dev2prod/events"))
            .header("cookie", format!("SMAX_AUTH_TOKEN={}", app.token(login)));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = app.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let (parts, body) = response.into_parts();
        Self {
            headers: parts.headers,
            body: body.into_data_stream(),
            text: String::new(),
        }
    }

    /// The next block of lines; `None` at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let piece = tokio::time::timeout(SOON, self.body.next());
            let piece = piece.await.expect("something comes, or the end")?;
            self.text
                .push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }

    /// The next event: its id and its document.
    async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let block = self.block().await?;
            let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            if line("event: ") == Some("operation") {
                let document = serde_json::from_str(line("data: ").unwrap()).unwrap();
                return Some((line("id: ").unwrap().to_owned(), document));
            }
        }
    }

    /// The next event of an operation that shows this.
    async fn until(&mut self, id: &str, shows: impl Fn(&Value) -> bool) -> (String, Value) {
        loop {
            let (mark, event) = self.event().await.expect("the stream goes on");
            if event["Id"] == id && shows(&event) {
                return (mark, event);
            }
        }
    }
}

async fn start_export(app: &App) -> String {
    let path = format!("/rest/{DEV}/dev2prod/export/types/10000");
    let started = app.post(path).by("promoter").body("{}").send().await;
    started.expect(StatusCode::OK)["Id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn limits(change: impl FnOnce(&mut EventLimits)) -> Options {
    let mut options = Options::default();
    change(&mut options.events);
    options
}

#[tokio::test]
async fn what_is_open_is_told_first_and_then_every_change() {
    let mut app = App::start().await;
    app.write(DEV, &[("metadata", "A", "{}")]).await;
    let first = start_export(&app).await;
    let mut stream = Stream::open(&app, DEV, "viewer", None).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["cache-control"], "no-cache");
    assert_eq!(stream.block().await.unwrap(), "retry: 1000");
    let (_, event) = stream.event().await.unwrap();
    let time = &event["StartTime"];
    assert_eq!(
        event,
        json!({
            "Id": first, "OperationType": "Export", "Status": "PENDING", "StartTime": time,
            "LastUpdateTime": time, "CreatedBy": "promoter"
        })
    );
    let second = start_export(&app).await;
    stream
        .until(&second, |event| event["Status"] == "PENDING")
        .await;
    app.run().await;
    let mut open = std::collections::BTreeSet::from([first, second]);
    while !open.is_empty() {
        let (_, event) = stream.event().await.unwrap();
        if event["Status"] == "COMPLETED" {
            assert_eq!(event["Progress"], Value::Null);
            assert!(open.remove(event["Id"].as_str().unwrap()), "told once");
        }
    }
    // Other tenants' are not told.
    let mut other = Stream::open(&app, PROD, "viewer", None).await;
    let import = format!("/rest/{PROD}/dev2prod/import?dryRun=true");
    let file = app.upload(PROD, "a.zip", b"PK").await;
    let body = json!({ "FileId": file }).to_string();
    let started = app.post(import).by("promoter").body(body).send().await;
    let id = started.json()["Id"].as_str().unwrap().to_owned();
    let (_, failed) = other.until(&id, |event| event["Status"] == "FAILED").await;
    assert_eq!(failed["DryRun"], true);
    assert!(failed["Error"]["Code"].is_string(), "{failed}");
}

#[tokio::test]
async fn who_comes_again_is_told_what_changed_in_between() {
    let mut app = App::start().await;
    let first = start_export(&app).await;
    let second = start_export(&app).await;
    let mut stream = Stream::open(&app, DEV, "viewer", None).await;
    let (mark, _) = stream.until(&first, |_| true).await;
    drop(stream);
    app.run().await;
    for id in [&first, &second] {
        app.ended(&format!("/rest/{DEV}/dev2prod/export/{id}"))
            .await;
    }
    let mut again = Stream::open(&app, DEV, "viewer", Some(&mark)).await;
    let mut told = Vec::new();
    for _ in 0..2 {
        let (_, event) = again.event().await.unwrap();
        assert_eq!(event["Status"], "COMPLETED", "as it stands now");
        told.push(event["Id"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        told.iter().collect::<std::collections::BTreeSet<_>>().len(),
        2
    );
    // A mark of nobody's is as none: only what is open is told.
    for foreign in ["", "x", "00000000-1", &format!("{mark}999")] {
        let mut fresh = Stream::open(&app, DEV, "viewer", Some(foreign)).await;
        let id = start_export(&app).await;
        let (_, event) = fresh.event().await.unwrap();
        assert_eq!(event["Id"], id, "{foreign:?}");
        // So that the next stream finds nothing open.
        app.ended(&format!("/rest/{DEV}/dev2prod/export/{id}"))
            .await;
    }
}

#[tokio::test]
async fn a_quiet_stream_says_that_it_is_alive() {
    let options = limits(|events| events.alive_every = Duration::ZERO);
    let app = App::start_with(Settings::default(), options).await;
    let mut stream = Stream::open(&app, DEV, "viewer", None).await;
    stream.block().await.unwrap();
    assert_eq!(stream.block().await.unwrap(), ": alive");
}

#[tokio::test]
async fn a_stream_ends_with_the_server() {
    let options = Options::default();
    let stopping = options.stopping.clone();
    let app = App::start_with(Settings::default(), options).await;
    let mut stream = Stream::open(&app, DEV, "viewer", None).await;
    stream.block().await.unwrap();
    stopping.cancel();
    assert_eq!(stream.block().await, None);
}

#[tokio::test]
async fn a_stream_ends_when_its_caller_may_no_longer() {
    let options = limits(|events| events.allowed_every = Duration::ZERO);
    let app = App::start_with(Settings::default(), options).await;
    let mut stream = Stream::open(&app, DEV, "viewer", None).await;
    stream.block().await.unwrap();
    let role = format!("/admin/users/viewer/roles/{DEV}");
    app.delete(role).by("tenantadmin").send().await;
    assert_eq!(stream.event().await, None, "the role was taken");

    let mut stream = Stream::open(&app, DEV, "promoter", None).await;
    stream.block().await.unwrap();
    app.pass(Duration::from_secs(2 * 3600));
    assert_eq!(stream.event().await, None, "the session expired");
}

#[tokio::test]
async fn one_client_too_many_is_asked_to_come_again() {
    let options = limits(|events| events.streams = Arc::new(Semaphore::new(1)));
    let app = App::start_with(Settings::default(), options).await;
    let stream = Stream::open(&app, DEV, "viewer", None).await;
    let refused = app
        .get(format!("/rest/{DEV}/dev2prod/events"))
        .by("viewer")
        .send()
        .await;
    insta::assert_snapshot!(refused.problem(), @r#"
    retry-after: 10
    {
      "Code": "too_many_streams",
      "detail": "Too many clients follow operations: ask for the status now and then instead, or come again.",
      "instance": "test",
      "status": 503,
      "title": "Service Unavailable",
      "type": "about:blank"
    }
    "#);
    drop(stream);
    for _ in 0..200 {
        let again = app
            .get(format!("/rest/{DEV}/dev2prod/events"))
            .by("viewer")
            .send()
            .await;
        if again.status == StatusCode::OK {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place of a client that has left stays taken");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_given_up() {
    let streams = Arc::new(Semaphore::new(1));
    let options = limits(|events| {
        events.streams = Arc::clone(&streams);
        events.waiting_max = 2;
        events.taken_within = Duration::from_millis(50);
    });
    let app = App::start_with(Settings::default(), options).await;
    let mut slow = Stream::open(&app, DEV, "viewer", None).await;
    let mut last = String::new();
    for _ in 0..8 {
        last = start_export(&app).await;
    }
    let given_up = tokio::time::timeout(SOON, streams.acquire()).await;
    assert!(given_up.is_ok(), "its place is free again");
    let mut told = 0;
    while let Some((_, event)) = slow.event().await {
        assert_ne!(event["Id"], last);
        told += 1;
    }
    assert!(told <= 2, "no more than may wait is kept for it: {told}");
}

#[tokio::test]
async fn an_operation_is_stopped_and_says_by_whom() {
    let app = App::start().await;
    let id = start_export(&app).await;
    let path = format!("/rest/{DEV}/dev2prod/export/{id}");
    let mut stream = Stream::open(&app, DEV, "viewer", None).await;
    let cancel = || app.post(format!("{path}/cancel")).by("tenantadmin").send();
    let canceled = cancel().await.expect(StatusCode::OK);
    assert_eq!(canceled, json!({"Id": id, "Status": "CANCELED"}));
    let (_, event) = stream
        .until(&id, |event| event["Status"] == "CANCELED")
        .await;
    assert_eq!(event["CanceledBy"], "tenantadmin");
    let status = app
        .get(&path)
        .by("viewer")
        .send()
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        (&status["Status"], &status["CanceledBy"], &status["FileId"]),
        (&json!("CANCELED"), &json!("tenantadmin"), &Value::Null)
    );
    let list = format!("/rest/{DEV}/dev2prod/exports?status=CANCELED");
    let listed = app
        .get(list)
        .by("viewer")
        .send()
        .await
        .expect(StatusCode::OK);
    assert_eq!(listed["Items"][0]["CanceledBy"], "tenantadmin");
    let again = cancel().await.problem().replace(&id, "[id]");
    insta::assert_snapshot!(again, @r#"
    {
      "Code": "already_over",
      "detail": "Operation [id] is over and cannot be canceled: it is CANCELED.",
      "instance": "test",
      "status": 409,
      "title": "Conflict",
      "type": "about:blank"
    }
    "#);
    // An export is no import.
    let path = format!("/rest/{DEV}/dev2prod/import/{id}/cancel");
    let unknown = app.post(path).by("promoter").send().await;
    assert_eq!(
        unknown.expect(StatusCode::NOT_FOUND)["Code"],
        "unknown_operation"
    );
}
