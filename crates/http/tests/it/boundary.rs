//! What surrounds every request: ids, the features header, the log, health.

use std::io;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode};
use dev2prod_http::Options;

use crate::app::{App, DEV, PASSWORD};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_is_one_line_of_the_log_and_no_secret_is_in_it() {
    let app = App::start().await;
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .without_time()
        .with_max_level(tracing::Level::INFO)
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let token = app.token("viewer").to_owned();
    let path = format!("/rest/{DEV}/dev2prod/exports?secret={token}");
    app.get(path)
        .by("viewer")
        .send()
        .await
        .expect(StatusCode::OK);
    let body = format!(r#"{{"Login":"viewer","Password":"{PASSWORD}"}}"#);
    let session = app
        .post("/auth/authentication-endpoint/authenticate/token")
        .body(body);
    let session = session.send().await.text().to_owned();
    app.get("/nothing/at/all").send().await;
    drop(guard);

    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for secret in [token.as_str(), PASSWORD, session.as_str()] {
        assert!(!log.contains(secret), "{log}");
    }
    let ours: Vec<_> = log
        .lines()
        .filter(|line| line.contains("dev2prod_http"))
        .collect();
    assert_eq!(ours.len(), 3, "{log}");
    for part in [
        "request.id=\"test\"",
        "route=\"/rest/{tenant}/dev2prod/exports\"",
        "status=200",
        "duration_ms=",
        "tenant=\"123456789\"",
        "login=\"viewer\"",
        "GET /rest/{tenant}/dev2prod/exports answered 200",
    ] {
        assert!(ours[0].contains(part), "{part}: {}", ours[0]);
    }
    assert!(
        ours[2].contains("route=\"-\"") && ours[2].contains("status=404"),
        "{}",
        ours[2]
    );
}

#[tokio::test]
async fn an_id_is_taken_over_or_made() {
    let app = App::start().await;
    let id = async |given: &str| {
        let reply = app
            .get("/nothing")
            .header("x-request-id", given)
            .send()
            .await;
        let id = reply.header("x-request-id").to_owned();
        assert_eq!(reply.json()["instance"], id.as_str());
        id
    };
    assert_eq!(id("build-7/step:3").await, "build-7/step:3");
    for odd in ["", "a b", "\"", &"x".repeat(129)] {
        let made = id(odd).await;
        assert_eq!(made.len(), 36, "{odd} became {made}");
    }
}

#[tokio::test]
async fn every_reply_says_what_the_server_offers() {
    let app = App::start().await;
    for reply in [
        app.get("/healthz").send().await,
        app.get("/nothing").send().await,
        app.post("/healthz").send().await,
    ] {
        assert_eq!(
            reply.header("dev2prod-features"),
            dev2prod_api::features_header()
        );
    }
    let options = Options {
        features: [].into(),
        ..Options::default()
    };
    let app = App::start_with(dev2prod_engine::Settings::default(), options).await;
    let reply = app.get("/healthz").send().await;
    assert_eq!(reply.headers.get("dev2prod-features").unwrap(), "");
}

#[tokio::test]
async fn the_server_tells_that_it_lives_and_can_work() {
    let app = App::start().await;
    for (path, text) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let reply = app.get(path).send().await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, text));
    }
}

#[tokio::test]
async fn a_fault_of_ours_shows_nothing_of_itself() {
    let app = App::start().await;
    app.write(DEV, &[("metadata", "Incident", "{}")]).await;
    let id = app.upload(DEV, "a.zip", b"0123456789").await;
    // The bytes of a file that has a record are lost.
    let file = format!("blobs/tenants/{DEV}/files/{id}");
    std::fs::remove_file(app.folder.path().join(file)).unwrap();
    let reply = app
        .get(format!("/rest/{DEV}/ces/attachment/{id}"))
        .by("promoter")
        .send()
        .await;
    insta::assert_snapshot!(reply.problem(), @r#"
    {
      "Code": "internal",
      "detail": "The server could not do this; its log says why, under the id that instance names.",
      "instance": "test",
      "status": 500,
      "title": "Internal Server Error",
      "type": "about:blank"
    }
    "#);
    let headers: HeaderMap = reply.headers.clone();
    assert!(!headers.contains_key("etag") && !headers.contains_key("content-disposition"));
}

#[tokio::test]
async fn a_handler_that_panics_harms_nobody_else() {
    let app = App::start().await;
    let list = || {
        app.get(format!("/rest/{DEV}/dev2prod/exports"))
            .by("viewer")
            .send()
    };
    app.break_clock(true);
    let reply = list().await;
    assert_eq!(
        reply.expect(StatusCode::INTERNAL_SERVER_ERROR)["Code"],
        "internal"
    );
    assert!(!reply.text().contains("clock"), "{}", reply.text());
    assert_eq!(reply.header("x-request-id"), "test");
    app.break_clock(false);
    list().await.expect(StatusCode::OK);
}
