//! Operations that are stopped from the command line.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, two};
use crate::common::Home;
use crate::common::server::Server;

/// An upload into a tenant that does not end: as long as this is there nobody else writes.
struct Upload(#[expect(dead_code, reason = "it is held open")] TcpStream);

impl Upload {
    fn begin(server: &Server, tenant: &str) -> Self {
        let address = server.url.strip_prefix("http://").unwrap();
        let (login, password) = (Server::LOGIN, Server::PASSWORD);
        let body = format!("{{\"Login\":\"{login}\",\"Password\":\"{password}\"}}");
        let mut sign_in = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            sign_in,
            "POST /auth/authentication-endpoint/authenticate/token HTTP/1.1\r\nHost: x\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut reply = String::new();
        sign_in.read_to_string(&mut reply).unwrap();
        let token = reply.rsplit("\r\n").next().unwrap();
        let mut upload = TcpStream::connect(address).unwrap();
        write!(
            upload,
            "POST /rest/{tenant}/content HTTP/1.1\r\nHost: x\r\nCookie: SMAX_AUTH_TOKEN={token}\r\n\
             Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n"
        )
        .unwrap();
        Self(upload)
    }
}

fn status(home: &Home, id: &str) -> String {
    let ran = home.sh(&format!("status {id} --output json"));
    ran.json()["Status"].as_str().unwrap().to_owned()
}

#[test]
fn an_import_is_canceled_and_changes_nothing() {
    let (server, mut home) = two();
    fill(&home, DEVELOPMENT, &[line("metadata", "A", "{}")]);
    home.set("DEV2PROD_FROM_TENANT", DEVELOPMENT);
    home.set("DEV2PROD_TO_TENANT", PRODUCTION);
    let exported = home.line(&["export"]);
    home.sh(&format!("download {exported} --to bundle.zip"))
        .ok();
    let file = home.line(&["upload", "bundle.zip"]);
    let upload = Upload::begin(&server, PRODUCTION);
    // Imports that came before the upload are over soon.
    let running = loop {
        let id = home.line(&["import", "--no-wait", &file]);
        std::thread::sleep(Duration::from_millis(300));
        if status(&home, &id) == "RUNNING" {
            break id;
        }
    };
    let waiting = home.line(&["import", "--no-wait", &file]);
    assert_eq!(status(&home, &waiting), "PENDING");
    insta::assert_snapshot!(home.run(&["cancel", &waiting]), @r"
    exit 0
    -- stdout
    [id]: CANCELED
    ");
    let ran = home.run(&["cancel", "--output", "json", &running]).ok();
    assert_eq!(ran.json()["Status"], "CANCELED", "{ran}");
    insta::assert_snapshot!(home.run(&["cancel", &running]), @r"
    exit 1
    -- stderr
    error: Operation [id] is over and cannot be canceled: it is CANCELED
    hint: 'dev2prod status [id]' shows how it ended
    ");
    insta::assert_snapshot!(home.run(&["status", &running]), @r"
    exit 1
    -- stdout
    Import [id]: CANCELED by admin
    SECTION  ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    total        0         0        0        0       0       0         0
    -- stderr
    error: [id] ended as CANCELED
    ");
    drop(upload);
    let unknown = "67975a80e4b0c050849153ae";
    insta::assert_snapshot!(home.run(&["cancel", unknown]), @r"
    exit 1
    -- stderr
    error: tenant 987654321 has no import and no export [id]
    ");
}

#[test]
fn an_export_is_found_without_being_told_that_it_is_one() {
    let (_server, mut home) = two();
    home.set("DEV2PROD_TENANT", DEVELOPMENT);
    let id = home.line(&["export", "--no-wait"]);
    home.sh(&format!("status --export --follow {id}"));
    let ran = home.run(&["cancel", &id]);
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("it is COMPLETED"), "{ran}");
}
