//! Housekeeping is killed between its steps: the next start does what is left, and what is not too old
//! stays.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use dev2prod_client::api::{ChangesQuery, PackageRequest};
use dev2prod_client::{Client, InTenant, Outcome};
use serde_json::json;

use super::content;
use super::kills::armed;
use super::leftovers::{age_blobs, assert_none, change, query};
use super::server::{PATIENCE, Server, command};
use super::world::{
    DEVELOPMENT, PRODUCTION, World, everything_of, impatient, listing, replace, write_own,
};

/// What the server that is killed lets go of: operations, versions and the trail after 3 days, plans
/// of dry runs after one.
const KEPT: &[&str] = &[
    "--history-days",
    "3",
    "--audit-days",
    "3",
    "--plan-days",
    "1",
];

/// Makes all that was done so far look as if it had been done that many days earlier.
fn age(data: &Path, days: i64) {
    let ms = days * 24 * 60 * 60_000;
    for (table, columns) in [
        ("operation", &["created_ms", "updated_ms", "started_ms"][..]),
        ("revision", &["at_ms"]),
        ("audit", &["at_ms", "last_ms"]),
    ] {
        let moved: Vec<_> = columns
            .iter()
            .map(|column| format!("{column} = {column} - {ms}"))
            .collect();
        change(data, &format!("UPDATE {table} SET {}", moved.join(", ")));
    }
}

/// What of a round is of one age: a dry run, and a version of an item that only production has.
async fn look(client: &Client, file: &str, number: usize) -> String {
    let production = client.in_tenant(PRODUCTION);
    write_own(&production, number).await.unwrap();
    let nothing = r#"{"Bindings":[]}"#;
    production.replace_bindings(nothing, None).await.unwrap();
    let request = everything_of(file);
    let id = production.start_import(true, &request, None).await.unwrap();
    let tried = production.wait_for_import(&id, &impatient(), |_| ()).await;
    let tried = tried.unwrap();
    assert_eq!(tried.outcome(), Outcome::Succeeded, "{}", tried.raw);
    let changes = [
        tried.totals.added,
        tried.totals.modified,
        tried.totals.removed,
    ];
    assert_eq!(changes, [Some(0); 3], "what was delivered is known");
    id
}

/// A bundle of less than everything: its plan is another one.
async fn part(client: &Client, package: &str) -> String {
    let development = client.in_tenant(DEVELOPMENT);
    let id = development.start_export(package, None).await.unwrap();
    let export = development.wait_for_export(&id, &impatient(), |_| ()).await;
    export
        .unwrap()
        .file_id
        .expect("a completed export has a file")
}

/// Whether the plan of a dry run is there; nothing if the dry run is not known.
async fn kept(production: &InTenant, id: &str) -> Option<bool> {
    production.import_status(id).await.ok()?;
    let changes = production.changes(id, &ChangesQuery::default()).await;
    Some(changes.is_ok())
}

/// What is left of production's past: versions that are no more, entries of the trail, operations.
fn rows(data: &Path) -> [String; 3] {
    [
        format!(
            "SELECT count(*) FROM item v JOIN tenant t ON t.no = v.tenant
             WHERE t.id = '{PRODUCTION}' AND v.to_rev <= t.revision"
        ),
        format!("SELECT count(*) FROM audit WHERE tenant_id = '{PRODUCTION}'"),
        "SELECT count(*) FROM operation".to_owned(),
    ]
    .map(|sql| query(data, &sql).concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn housekeeping_that_is_killed_between_its_steps_is_done_by_the_next_start() {
    if !armed() {
        return;
    }
    let (world, mut server) = World::new().await;
    let data = world.data();
    let package = json!({"Name": "Part", "Mode": "Full", "Sections": ["metadata"]});
    let package: PackageRequest = serde_json::from_value(package).unwrap();
    let development = world.client(&server).in_tenant(DEVELOPMENT);
    let package = development.create_package(&package).await.unwrap();
    let package = package.id.to_string();
    for (round, point) in dev2prod_engine::HOUSEKEEPING_FAILPOINTS.iter().enumerate() {
        let client = world.client(&server);
        let number = u32::try_from(round).unwrap();
        let lines = content::lines(number..number + 20, |_| number);
        replace(&client.in_tenant(DEVELOPMENT), lines).await;
        let promotion = world.promotion(format!("release {number}"));
        let import = promotion.go_on(&client).await.unwrap();
        assert_eq!(import.outcome(), Outcome::Succeeded, "{}", import.raw);
        let file = import.file_id.clone().expect("its bundle");
        let other = part(&client, &package).await;
        let old = look(&client, &file, 3 * round).await;
        server.stop().await;
        age(&data, 3);
        server = world.start().await;
        let older = look(&world.client(&server), &other, 3 * round + 1).await;
        server.stop().await;
        age(&data, 2);
        server = world.start().await;
        let young = look(&world.client(&server), &file, 3 * round + 2).await;
        let before = listing(&world.client(&server).in_tenant(PRODUCTION)).await;
        server.stop().await;
        age_blobs(&data);

        // It tidies up when it starts.
        let mut dying = command(&data, KEPT);
        // Nobody reads where it listens.
        dying.stdout(Stdio::null());
        let dying = dying.env("DEV2PROD_KILL_AT", point).status();
        let died = tokio::time::timeout(PATIENCE, dying).await;
        let died = died.unwrap_or_else(|_| panic!("{point} was not passed"));
        assert_eq!(died.unwrap().signal(), Some(9), "{point}");
        server = Server::start(&data, KEPT).await;
        let production = world.client(&server).in_tenant(PRODUCTION);
        // The last two versions of production's own item, two entries of the trail, two dry runs.
        let expected = ["2", "2", "2"].map(str::to_owned);
        for _ in 0..200 {
            if rows(&data) == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(rows(&data), expected, "{point}");
        let ids = [&import.id, &old, &older, &young];
        let mut left = Vec::new();
        for id in ids {
            left.push(kept(&production, id).await);
        }
        assert_eq!(left, [None, None, Some(false), Some(true)], "{point}");
        assert_eq!(listing(&production).await, before, "{point}");
        assert_none(&data).await;
    }
    server.stop().await;
}
