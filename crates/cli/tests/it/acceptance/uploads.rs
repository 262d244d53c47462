//! Uploads whose connection breaks.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::leftovers::{files, query};
use super::world::{PRODUCTION, World, upload};

const BOUNDARY: &str = "acceptance";

/// Sends the beginning of an upload of 8 MiB, and breaks the connection.
async fn break_off(url: &str, token: &str, framing: &str, sent_bytes: usize) {
    let address = url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /rest/{PRODUCTION}/ces/attachment HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {token}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{framing}\r\n\r\n"
    );
    let part = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files[]\"; \
         filename=\"half.zip\"\r\nContent-Type: application/zip\r\n\r\n"
    );
    let mut body = part.into_bytes();
    body.resize(body.len() + sent_bytes, b'x');
    stream.write_all(head.as_bytes()).await.unwrap();
    if framing.starts_with("Transfer-Encoding") {
        stream
            .write_all(format!("{:x}\r\n", body.len()).as_bytes())
            .await
            .unwrap();
    }
    stream.write_all(&body).await.unwrap();
    stream.flush().await.unwrap();
    // Time for the server to have begun a file.
    tokio::time::sleep(Duration::from_millis(200)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_connection_breaks_leaves_no_file() {
    let (world, server) = World::new().await;
    let production = world.client(&server).in_tenant(PRODUCTION);
    upload(&production, "whole.txt", b"whole").await;
    let whole = files(&world.data().join("blobs"));
    for (framing, sent_bytes) in [
        ("Content-Length: 8388608", 0),
        ("Content-Length: 8388608", 3 << 20),
        ("Transfer-Encoding: chunked", 3 << 20),
    ] {
        break_off(&server.url, world.token(), framing, sent_bytes).await;
        for _ in 0..100 {
            if files(&world.data().join("blobs")) == whole {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let left = files(&world.data().join("blobs"));
        assert_eq!(left, whole, "{framing}, {sent_bytes} bytes sent");
        assert_eq!(files(&world.data().join("scratch")).len(), 0);
        assert_eq!(query(&world.data(), "SELECT count(*) FROM file"), ["1"]);
    }
    server.stop().await;
}
