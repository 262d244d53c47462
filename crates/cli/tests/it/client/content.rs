//! Content as a folder and as items.

use sha2::{Digest, Sha256};

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, two};
use crate::common::Home;

fn attachment(home: &Home, folder: &str, bytes: &[u8]) -> String {
    let digest = hex::encode(Sha256::digest(bytes));
    home.write(&format!("{folder}/attachments/{digest}"), bytes);
    let body = format!(
        r#"{{"Name":"logo.svg","ContentType":"image/svg+xml","ContentLength":{},"Sha256":"{digest}"}}"#,
        bytes.len()
    );
    line("attachments", "logo", &body)
}

#[test]
fn what_is_pulled_is_what_was_pushed() {
    let (_server, home) = two();
    let logo = attachment(&home, "from", b"<svg/>");
    let items = [line("metadata", "Incident", r#"{"Name":"Incident"}"#), logo].concat();
    home.write("from/items.ndjson", items);
    insta::assert_snapshot!(home.run(&["content", "push", "from", "--tenant", DEVELOPMENT]), @r"
    exit 0
    -- stdout
    2 added, 0 modified, 0 removed, 0 unchanged; revision 1, 0 dangling references
    -- stderr
    Uploading 1 attachment …
    Uploaded 1 attachment
    Writing from/items.ndjson …
    ");
    let pull = ["content", "pull", "--tenant", DEVELOPMENT];
    insta::assert_snapshot!(home.run(&[&pull[..], &["plain"]].concat()), @r"
    exit 0
    -- stdout
    plain/items.ndjson
    -- stderr
    Reading the content of tenant 123456789 …
    Read [size]
    Exporting package 10001 …
    Export [id]: COMPLETED, 1 item
    Downloading file [uuid] …
    Downloaded [size]
    ");
    insta::assert_snapshot!(home.run(&[&pull[..], &["plain"]].concat()), @r"
    exit 2
    -- stderr
    error: plain/items.ndjson is there already
    hint: --force replaces it
    ");
    home.run(&[&pull[..], &["packed", "--gzip"]].concat()).ok();

    for folder in ["plain", "packed"] {
        let ran = home.sh(&format!(
            "content push {folder} --replace --tenant {PRODUCTION}"
        ));
        assert_eq!(ran.code, Some(0), "{ran}");
    }
    let again = home.sh(&format!(
        "content push packed --replace --tenant {PRODUCTION}"
    ));
    insta::assert_snapshot!(again, @r"
    exit 0
    -- stdout
    0 added, 0 modified, 0 removed, 2 unchanged; revision 1, 0 dangling references
    -- stderr
    Uploading 1 attachment …
    Uploaded 1 attachment
    Writing packed/items.ndjson.gz …
    ");
    let packages = home.sh(&format!(
        "package list --tenant {DEVELOPMENT} --output json"
    ));
    assert_eq!(
        packages.json()["TotalCount"],
        1,
        "what a pull needed is gone"
    );
}

#[test]
fn a_damaged_folder_writes_nothing() {
    let (_server, home) = two();
    fill(
        &home,
        PRODUCTION,
        &[line("metadata", "Incident", r#"{"Name":"Incident"}"#)],
    );
    let many: String = (0..5_000)
        .map(|n| {
            line(
                "data",
                &format!("{n:05}"),
                &format!("{{\"Text\":\"{:x}\"}}", n * 7_919),
            )
        })
        .collect();
    home.write("cut/items.ndjson", many);
    home.run(&["content", "push", "cut", "--tenant", DEVELOPMENT])
        .ok();
    home.run(&["content", "pull", "half", "--gzip", "--tenant", DEVELOPMENT])
        .ok();
    let packed = home.file("half/items.ndjson.gz");
    let bytes = std::fs::read(&packed).unwrap();
    std::fs::write(&packed, &bytes[..bytes.len() / 2]).unwrap();

    let push = ["content", "push", "--replace", "--tenant", PRODUCTION];
    let ran = home.run(&[&push[..], &["half"]].concat());
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("could not read"), "{ran}");
    let ran = home.run(&[
        "content", "get", "--tenant", PRODUCTION, "metadata", "Incident",
    ]);
    assert_eq!(ran.code, Some(0), "what was there is there: {ran}");

    home.write(
        "lines/items.ndjson",
        "{\"PackageName\":\"metadata\"}\nnot JSON\n",
    );
    insta::assert_snapshot!(home.run(&[&push[..], &["lines"]].concat()), @r"
    exit 1
    -- stderr
    Writing lines/items.ndjson …
    line 1: the member Key is missing (missing_member)
    line 2: this is not JSON: expected a value, found 'n' (byte 0) (not_json)
    error: http://[address]/rest/987654321/content answered 400 Invalid Request: 2 lines are wrong, so nothing was changed: correct what Errors lists and send the upload again.
    hint: nothing was written
    ");
    home.write(
        &format!("bytes/attachments/{}", "0".repeat(64)),
        "other bytes",
    );
    home.write("bytes/items.ndjson", "");
    insta::assert_snapshot!(home.run(&[&push[..], &["bytes"]].concat()), @r"
    exit 2
    -- stderr
    error: the bytes of bytes/attachments/[digest] have another SHA-256
    ");
    insta::assert_snapshot!(home.run(&[&push[..], &["nowhere"]].concat()), @r"
    exit 2
    -- stderr
    error: there is neither nowhere/items.ndjson nor nowhere/items.ndjson.gz
    ");
}

#[test]
fn an_item_is_read_written_and_deleted() {
    let (_server, mut home) = two();
    home.set("DEV2PROD_TENANT", DEVELOPMENT);
    home.write("item.json", r#"{"Body":{"Steps":2},"References":[]}"#);
    home.run(&["content", "put", "workflow", "a/b", "item.json"])
        .ok();
    let got = home.run(&["content", "get", "workflow", "a/b"]).ok();
    insta::assert_snapshot!(got, @r#"
    exit 0
    -- stdout
    {
      "Body": {
        "Steps": 2
      },
      "Digest": "[digest]",
      "Key": "a/b",
      "PackageName": "workflow",
      "References": []
    }
    "#);
    let digest = got.json()["Digest"].as_str().unwrap().to_owned();

    let put = [
        "content",
        "put",
        "workflow",
        "a/b",
        "-",
        "--body",
        "--if-match",
        &digest,
    ];
    home.run_with(&put, r#"{"Steps":3}"#).ok();
    let lost = home.run_with(&put, r#"{"Steps":4}"#);
    insta::assert_snapshot!(lost, @r"
    exit 1
    -- stderr
    error: http://[address]/rest/123456789/content/workflow answered 412 Precondition Failed: Workflow a/b was changed meanwhile, its digest is [digest]: read it again and decide anew.
    ");
    home.run(&["content", "delete", "workflow", "a/b"]).ok();
    insta::assert_snapshot!(home.run(&["content", "get", "workflow", "a/b"]), @r"
    exit 1
    -- stderr
    error: there is no item 'a/b' in workflow
    ");
}
