//! Uploads that are refused, or that break: each leaves no file.

use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use dev2prod_engine::Settings;
use dev2prod_http::Options;
use futures::StreamExt;

use crate::app::{App, Call, DEV};

/// How many files lie in the server's folder, finished or not.
fn files_left(app: &App) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| {
                if entry.path().is_dir() {
                    count(&entry.path())
                } else {
                    1
                }
            })
            .sum()
    }
    count(&app.folder.path().join("blobs")) + count(&app.folder.path().join("scratch"))
}

/// Waits until what a broken upload had written is deleted: that happens beside the reply.
async fn nothing_left(app: &App) {
    for _ in 0..100 {
        if files_left(app) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} files are left", files_left(app));
}

async fn small() -> App {
    let settings = Settings {
        file_bytes_max: 10,
        ..Settings::default()
    };
    App::start_with(settings, Options::default()).await
}

fn post(app: &App) -> Call<'_> {
    app.post(format!("/rest/{DEV}/ces/attachment"))
        .by("promoter")
}

#[tokio::test]
async fn refused_forms() {
    let app = small().await;
    let form = "multipart/form-data; boundary=b0undary";
    let cut =
        "--b0undary\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"a\"\r\n\r\nabc";
    let mut text = String::new();
    for (what, call) in [
        ("no form", post(&app).body("abc")),
        (
            "another type",
            post(&app)
                .header("content-type", "application/zip")
                .body("abc"),
        ),
        (
            "no boundary",
            post(&app)
                .header("content-type", "multipart/form-data")
                .body("abc"),
        ),
        ("no file", post(&app).form(&[])),
        (
            "no field of ours",
            post(&app).form(&[("document", "a.zip", b"abc")]),
        ),
        (
            "two files",
            post(&app).form(&[("files[]", "a", b"abc"), ("files[]", "b", b"abc")]),
        ),
        ("an empty file", post(&app).form(&[("files[]", "a", b"")])),
        (
            "one byte too many",
            post(&app).form(&[("files[]", "a", b"12345678901")]),
        ),
        ("cut off", post(&app).header("content-type", form).body(cut)),
    ] {
        let reply = call.send().await;
        text.push_str(&format!("## {what}\n{}\n\n", reply.problem()));
        nothing_left(&app).await;
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_file_as_large_as_the_limit_is_taken() {
    let app = small().await;
    post(&app)
        .form(&[("files[]", "a", b"1234567890")])
        .send()
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn a_connection_that_breaks_half_way_leaves_no_file() {
    let app = App::start().await;
    let head = Bytes::from_static(
        b"--b0undary\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"a\"\r\n\r\n",
    );
    let many = futures::stream::repeat(Bytes::from(vec![b'x'; 64 * 1024])).take(40);
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let broken = futures::stream::once(async { Err(reset) });
    let stream = futures::stream::once(async { head })
        .chain(many)
        .map(Ok)
        .chain(broken);
    let call = post(&app).header("content-type", "multipart/form-data; boundary=b0undary");
    let reply = call.body(Body::from_stream(stream)).send().await;
    assert_eq!(reply.expect(StatusCode::BAD_REQUEST)["Code"], "broken_form");
    nothing_left(&app).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_half_way_leaves_no_file() {
    let app = App::start().await;
    let head = Bytes::from_static(
        b"--b0undary\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"a\"\r\n\r\n",
    );
    let many = futures::stream::repeat(Bytes::from(vec![b'x'; 64 * 1024])).take(40);
    let silent = futures::stream::pending();
    let stream = futures::stream::once(async { head })
        .chain(many)
        .chain(silent);
    let stream = stream.map(Ok::<_, std::io::Error>);
    let call = post(&app).header("content-type", "multipart/form-data; boundary=b0undary");
    // The server drops a request whose connection is gone.
    let sent = call.body(Body::from_stream(stream)).send();
    assert!(
        tokio::time::timeout(Duration::from_millis(500), sent)
            .await
            .is_err()
    );
    nothing_left(&app).await;
}
