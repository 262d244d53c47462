//! The File Repository: what is uploaded comes back, whole or in part.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::app::{App, DEV, PROD};

const BYTES: &[u8] = b"0123456789";
/// SHA-256 of [`BYTES`], by another program.
const TAG: &str = "\"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882\"";

#[tokio::test]
async fn an_upload_answers_what_clients_read() {
    let app = App::start().await;
    for (path, field) in [
        ("ces/attachment", "files[]"),
        ("ces/attachment/", "Files[]"),
        ("ces/attachment", "FILE"),
        ("frs/file-list", "files"),
    ] {
        let call = app.post(format!("/rest/{DEV}/{path}")).by("promoter");
        let reply = call
            .form(&[("x", "", b"y"), (field, "größe.zip", BYTES)])
            .send()
            .await;
        let mut answer = reply.expect(StatusCode::OK);
        assert_eq!(answer["Id"], answer["guid"]);
        let names: Vec<_> = reply
            .text()
            .split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        let at = |name| names.iter().position(|n| n == name).unwrap();
        assert!(at("success") < at("Id") && at("Id") < at("guid") && at("guid") < at("name"));
        for name in ["Id", "guid", "lastModified"] {
            answer[name] = "…".into();
        }
        let expected = json!({
            "success": true, "Id": "…", "guid": "…", "name": "größe.zip",
            "contentType": "application/zip", "contentLength": 10, "creator": "promoter",
            "lastModified": "…"
        });
        assert_eq!(answer, expected, "{path} {field}");
    }
}

#[tokio::test]
async fn a_download_comes_with_all_that_clients_rely_on() {
    let app = App::start().await;
    let id = app.upload(DEV, "größe.zip", BYTES).await;
    for path in ["ces/attachment", "frs/file-list", "dev2prod/ces/attachment"] {
        let path = format!("/rest/{DEV}/{path}/{id}");
        let reply = app.get(&path).by("promoter").send().await;
        assert_eq!(
            (reply.status, reply.bytes.as_slice()),
            (StatusCode::OK, BYTES)
        );
        let head = app.call(Method::HEAD, &path).by("promoter").send().await;
        assert_eq!(
            (head.status, head.bytes.as_slice()),
            (StatusCode::OK, &b""[..])
        );
        for reply in [reply, head] {
            assert_eq!(reply.header("content-type"), "application/zip");
            assert_eq!(reply.header("content-length"), "10");
            assert_eq!(reply.header("etag"), TAG);
            assert_eq!(reply.header("accept-ranges"), "bytes");
            assert_eq!(
                reply.header("content-disposition"),
                "attachment; filename=\"gr__e.zip\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.zip"
            );
        }
    }
    // The same id in another tenant is no file.
    let elsewhere = app
        .get(format!("/rest/{PROD}/ces/attachment/{id}"))
        .by("promoter")
        .send()
        .await;
    assert_eq!(
        elsewhere.expect(StatusCode::NOT_FOUND)["Code"],
        "unknown_file"
    );
}

#[tokio::test]
async fn ranges_and_conditions() {
    let app = App::start().await;
    let id = app.upload(DEV, "a.bin", BYTES).await;
    let path = format!("/rest/{DEV}/ces/attachment/{id}");
    for (headers, status, bytes, content_range) in [
        (&[("range", "bytes=2-4")][..], 206, "234", "bytes 2-4/10"),
        (&[("range", "bytes=-2")], 206, "89", "bytes 8-9/10"),
        (&[("range", "bytes=8-")], 206, "89", "bytes 8-9/10"),
        (&[("range", "bytes=0-1,4-5")], 200, "0123456789", ""),
        (
            &[("range", "bytes=2-4"), ("if-range", TAG)],
            206,
            "234",
            "bytes 2-4/10",
        ),
        (
            &[("range", "bytes=2-4"), ("if-range", "\"other\"")],
            200,
            "0123456789",
            "",
        ),
        (&[("if-none-match", TAG)], 304, "", ""),
        (&[("if-none-match", "\"other\"")], 200, "0123456789", ""),
        (&[("if-match", TAG)], 200, "0123456789", ""),
    ] {
        let call = headers
            .iter()
            .fold(app.get(&path).by("promoter"), |call, (name, value)| {
                call.header(name, value)
            });
        let reply = call.send().await;
        assert_eq!(
            (
                reply.status.as_u16(),
                reply.text(),
                reply.header("content-range")
            ),
            (status, bytes, content_range),
            "{headers:?}"
        );
        assert_eq!(reply.header("etag"), TAG);
    }
    let call = |name, value| app.get(&path).by("promoter").header(name, value).send();
    insta::assert_snapshot!(call("range", "bytes=10-").await.problem().replace(&id, "…"), @r#"
    content-range: bytes */10
    {
      "Code": "range_not_satisfiable",
      "detail": "File … is 10 bytes large.",
      "instance": "test",
      "status": 416,
      "title": "Range Not Satisfiable",
      "type": "about:blank"
    }
    "#);
    insta::assert_snapshot!(call("if-match", "\"x\"").await.problem().replace(&id, "…"), @r#"
    {
      "Code": "precondition_failed",
      "detail": "File … has the ETag \"84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882\".",
      "instance": "test",
      "status": 412,
      "title": "Precondition Failed",
      "type": "about:blank"
    }
    "#);
}

#[tokio::test]
async fn an_expired_file_says_when_it_expired() {
    let app = App::start().await;
    let id = app.upload(DEV, "a.bin", BYTES).await;
    app.pass(Duration::from_secs(91 * 24 * 3600));
    let call = app.post("/auth/authentication-endpoint/authenticate/token");
    let body = r#"{"Login":"promoter","Password":"correct horse"}"#;
    let token = call.body(body).send().await.text().to_owned();
    let path = format!("/rest/{DEV}/ces/attachment/{id}");
    let call = app
        .get(path)
        .header("authorization", &format!("Bearer {token}"));
    let refused = call.send().await.expect(StatusCode::NOT_FOUND);
    assert_eq!(refused["Code"], "file_expired");
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains(&format!("File {id} expired at 20")),
        "{detail}"
    );
}
