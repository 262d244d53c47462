//! The seven steps as bytes on a socket, written by hand as a client in any language writes them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use dev2prod_engine::Settings;
use dev2prod_http::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::app::{App, DEV, PASSWORD, PROD};

struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn id(&self) -> String {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()["Id"].as_str().unwrap().to_owned()
    }
}

async fn serve(app: &App) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app
        .router
        .clone()
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Sends a request and reads all that comes until the server closes.
async fn send(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!(
        "{head}\r\nHost: company.net\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await.unwrap();
    parse(&reply)
}

fn parse(reply: &[u8]) -> Answer {
    let end = reply
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = std::str::from_utf8(&reply[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let body = reply[end + 4..].to_vec();
    let length = headers
        .get("content-length")
        .map(|length| length.parse::<usize>().unwrap());
    assert_eq!(length, Some(body.len()), "{head}");
    Answer {
        status,
        headers,
        body,
    }
}

#[tokio::test]
async fn the_seven_steps_on_a_socket() {
    let mut app = App::start().await;
    let items: Vec<String> = (0..300).map(|n| format!("Field{n:03}")).collect();
    let items: Vec<_> = items
        .iter()
        .map(|key| ("metadata", key.as_str(), r#"{"type":"TEXT"}"#))
        .collect();
    app.write(DEV, &items).await;
    app.run().await;
    let at = serve(&app).await;

    // A login without a Content-Type; the cookie without a space.
    let login = json!({"Login": "promoter", "Password": PASSWORD}).to_string();
    let path = format!("/auth/authentication-endpoint/authenticate/token?TENANTID={DEV}");
    let token = send(at, &format!("POST {path} HTTP/1.1"), login.as_bytes()).await;
    assert_eq!(token.status, 200);
    let token = String::from_utf8(token.body).unwrap();
    let cookie = format!("Cookie: a=b;SMAX_AUTH_TOKEN={token}");
    let call = async |method: &str, path: &str, body: &[u8]| {
        send(at, &format!("{method} {path} HTTP/1.1\r\n{cookie}"), body).await
    };
    let ended = async |path: &str| loop {
        let status = call("GET", path, b"").await.json();
        if !["PENDING", "RUNNING"].contains(&status["Status"].as_str().unwrap()) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };

    let path = format!("/rest/{DEV}/dev2prod/export/types/10000");
    let export = call("POST", &path, b"{}").await.id();
    let exported = ended(&format!("/rest/{DEV}/dev2prod/export/{export}")).await;
    assert_eq!(
        (&exported["Status"], &exported["ItemCount"]),
        (&json!("COMPLETED"), &json!(300))
    );
    let file = exported["FileId"].as_str().unwrap();

    let bundle = call("GET", &format!("/rest/{DEV}/ces/attachment/{file}"), b"").await;
    let name = exported["PackageBundleName"].as_str().unwrap();
    assert!(
        bundle.headers["content-disposition"].contains(name),
        "{:?}",
        bundle.headers
    );

    let mut form =
        b"--X\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"b.zip\"\r\n\r\n"
            .to_vec();
    form.extend_from_slice(&bundle.body);
    form.extend_from_slice(b"\r\n--X--\r\n");
    let head = format!(
        "POST /rest/{PROD}/ces/attachment HTTP/1.1\r\n{cookie}\r\nContent-Type: multipart/form-data; boundary=X"
    );
    let uploaded = send(at, &head, &form).await.id();

    let body = json!({ "FileId": uploaded }).to_string();
    for dry_run in ["?dryRun=true", ""] {
        let path = format!("/rest/{PROD}/dev2prod/import{dry_run}");
        let id = call("POST", &path, body.as_bytes()).await.id();
        let status = ended(&format!("/rest/{PROD}/dev2prod/import/{id}")).await;
        assert_eq!(
            (&status["Status"], &status["Totals"]["Added"]),
            (&json!("COMPLETED"), &json!(300))
        );
        assert_eq!(status["DryRun"], !dry_run.is_empty());
    }
}

#[tokio::test]
async fn a_refusal_is_read_by_a_client_that_is_still_sending() {
    let settings = Settings {
        file_bytes_max: 1024,
        ..Settings::default()
    };
    let app = App::start_with(settings, Options::default()).await;
    let at = serve(&app).await;
    // More than the buffers between the two hold.
    let body = vec![b'x'; 32 * 1024 * 1024];
    let form = "Content-Type: multipart/form-data; boundary=X";
    let start = b"--X\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"a\"\r\n\r\n";
    let body = [&start[..], &body].concat();
    for (cookie, status) in [
        (app.token("promoter"), 413),
        (app.token("viewer"), 403),
        ("", 401),
    ] {
        let head = format!(
            "POST /rest/{DEV}/ces/attachment HTTP/1.1\r\nCookie: SMAX_AUTH_TOKEN={cookie}\r\n{form}"
        );
        let answer = send(at, &head, &body).await;
        assert_eq!(
            answer.status,
            status,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}
