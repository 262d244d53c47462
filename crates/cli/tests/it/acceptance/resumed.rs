//! An import of everything there is (merges, conflicts kept, bound fields, secrets, removals, files)
//! and its undo, killed at each failpoint and resumed, against a twin where both ran at once.

use std::io::Cursor;
use std::os::unix::process::ExitStatusExt;

use dev2prod_client::api::{
    ChangesQuery, ContentMode, ContentQuery, ImportRequest, Order, TenantCreate, UndoRequest,
};
use dev2prod_client::{Client, ClientError, InTenant, Outcome, RemoteImport};
use dev2prod_model::plan::{ConflictPolicy, Reason};
use dev2prod_model::tenant::TenantKind;
use serde_json::{Value, json};

use super::content;
use super::kills::armed;
use super::leftovers::{age_blobs, assert_none, query};
use super::server::Server;
use super::world::{
    DEVELOPMENT, PRODUCTION, World, everything_of, impatient, replace, settled, upload,
};

/// As production, and nobody kills what happens to it.
const TWIN: &str = "333333333";

/// Numbers of which a release changes all items.
const NUMBERS: u32 = 20;

fn line(section: &str, key: &str, body: &Value) -> String {
    let line = json!({"PackageName": section, "Key": key, "Body": body});
    format!("{line}\n")
}

fn feature(key: &str, body: &Value) -> String {
    line("featureInstances", key, body)
}

/// A release of development: every number is another, and as many as it counts went. It changes more
/// sections than one batch reads chunks, so that more than one is staged.
fn release(number: u32) -> String {
    let sso = json!({
        "name": number, "own": 0, "url": format!("development {number}"),
        "settings": {"password": "development's"},
    });
    let mut lines = content::lines(number..NUMBERS, |_| number);
    lines += &line("workflow", "Request", &json!({"name": number}));
    lines += &line(
        "customAction",
        "Incident/open",
        &json!({"name": number, "own": 0}),
    );
    lines += &feature("sso", &sso);
    lines += &feature("both", &json!({"name": number, "same": number}));
    lines += &feature("kept", &json!({"name": 0}));
    let news = if number == 0 { "gone" } else { "new" };
    lines += &feature(
        news,
        &json!({"name": number, "settings": {"password": "development's"}}),
    );
    lines + &content::attachment("news.txt", news_of(number).as_bytes())
}

fn news_of(number: u32) -> String {
    format!("What is new in release {number}.\n")
}

/// What production changed of release 0, with secrets of its own.
fn hotfix() -> String {
    let secret = json!({"password": "production's"});
    let sso = json!({"name": 0, "own": 7, "url": "production", "settings": secret});
    line(
        "customAction",
        "Incident/open",
        &json!({"name": 0, "own": 7}),
    ) + &feature("sso", &sso)
        + &feature("both", &json!({"name": 0, "same": "hotfix"}))
        + &feature("kept", &json!({"name": 7}))
        + &feature("gone", &json!({"name": 0, "settings": secret}))
}

/// A tenant keeps its own address.
fn bindings() -> String {
    let rule = json!({"PackageName": "featureInstances", "Key": "*", "Path": "/url", "Keep": true});
    json!({ "Bindings": [rule] }).to_string()
}

fn request(file: &str) -> ImportRequest {
    ImportRequest {
        conflicts: Some(ConflictPolicy::Keep),
        ..everything_of(file)
    }
}

/// What is asked of a tenant: by the same key it is the same operation.
enum Asked<'a> {
    /// The import of a file.
    Import(&'a str),
    /// The undo of an import.
    Undo(&'a str),
}

impl Asked<'_> {
    async fn of(&self, tenant: &InTenant, key: &str) -> Result<RemoteImport, ClientError> {
        let key = Some(key);
        let id = match self {
            Self::Import(file) => tenant.start_import(false, &request(file), key).await?,
            Self::Undo(import) => {
                let request = UndoRequest::default();
                tenant.start_undo(import, false, &request, key).await?
            }
        };
        tenant.wait_for_import(&id, &impatient(), |_| ()).await
    }

    async fn done(&self, tenant: &InTenant, key: &str) -> RemoteImport {
        let done = self.of(tenant, key).await.unwrap();
        assert_eq!(done.outcome(), Outcome::Succeeded, "{key}: {}", done.raw);
        done
    }
}

/// All that is to be seen of a tenant: its content, what it keeps secret, and of each item what the
/// next release would do to it and why, which is what its baselines say.
#[derive(PartialEq)]
struct Seen {
    content: String,
    secrets: Vec<String>,
    next: String,
}

/// The secrets of a tenant that stand now: section, key, pointer, and what is sealed.
fn secrets(world: &World, tenant: &str) -> Vec<String> {
    let sql = format!(
        "SELECT s.section, s.key, s.pointer, hex(s.sealed), max(s.from_rev) FROM item_secret s
         JOIN tenant t ON t.no = s.tenant
         WHERE t.id = '{tenant}' AND s.from_rev <= t.revision
         GROUP BY s.section, s.key, s.pointer"
    );
    let rows = query(&world.data(), &sql).into_iter();
    let fields = rows.map(|row| row.rsplit_once('|').expect("columns").0.to_owned());
    // Without a value it was removed.
    fields.filter(|row| !row.ends_with('|')).collect()
}

async fn seen(world: &World, client: &Client, id: &str, next: &str) -> Seen {
    let tenant = client.in_tenant(id);
    let mut content = Vec::new();
    let whole = ContentQuery::default();
    tenant
        .pull_content(&whole, &mut content, None)
        .await
        .unwrap();
    let request = ImportRequest::of_file(next);
    let dry_run = tenant.start_import(true, &request, None).await.unwrap();
    let tried = tenant.wait_for_import(&dry_run, &impatient(), |_| ()).await;
    assert_eq!(tried.unwrap().status, "COMPLETED");
    Seen {
        content: String::from_utf8(content).unwrap(),
        secrets: secrets(world, id),
        next: changes(&tenant, &dry_run).await,
    }
}

/// The plan of a dry run or an import, a line for each item.
async fn changes(tenant: &InTenant, id: &str) -> String {
    let mut query = ChangesQuery {
        order: Some(Order::Key),
        size: Some(1_000),
        ..ChangesQuery::default()
    };
    let mut lines = String::new();
    loop {
        let page = tenant.changes(id, &query).await.unwrap();
        for change in page.items {
            lines += &format!("{}\n", serde_json::to_string(&change).unwrap());
        }
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return lines;
        }
    }
}

/// Development's releases 1 and 2 as files, and production and its twin at release 0 with a hotfix.
async fn prepared(world: &World, client: &Client) -> [String; 2] {
    let twin = TenantCreate {
        id: TWIN.parse().unwrap(),
        name: "Twin".to_owned(),
        kind: TenantKind::Production,
    };
    client.create_tenant(&twin).await.unwrap();
    let development = client.in_tenant(DEVELOPMENT);
    let targets = [PRODUCTION, TWIN].map(|id| client.in_tenant(id));
    let mut files = Vec::new();
    for number in 0..3 {
        upload(&development, "news.txt", news_of(number).as_bytes()).await;
        replace(&development, release(number)).await;
        let promotion = world.promotion(format!("release {number}"));
        files.push(promotion.export(client).await.unwrap());
    }
    for tenant in &targets {
        tenant.replace_bindings(&bindings(), None).await.unwrap();
        Asked::Import(&files[0]).done(tenant, "release 0").await;
        let lines = Cursor::new(hotfix());
        let pushed = tenant.push_content(lines, ContentMode::Upsert, None);
        assert_eq!(pushed.await.unwrap().totals.modified, 5);
    }
    [files[1].clone(), files[2].clone()]
}

/// Kills the server at a point of what is asked, and starts it again; the answer is how it ended.
async fn killed(
    world: &World,
    point: &str,
    asked: &Asked<'_>,
    key: &str,
) -> (Server, RemoteImport) {
    let mut dying = Server::start_to_die(&world.data(), point).await;
    let production = world.client(&dying).in_tenant(PRODUCTION);
    let cut_off = asked.of(&production, key).await;
    assert!(cut_off.is_err(), "{key}: not passed: {cut_off:?}");
    assert_eq!(dying.ended().await.signal(), Some(9), "{key}");
    let server = world.start().await;
    let client = world.client(&server);
    settled(&client).await;
    let ended = asked.done(&client.in_tenant(PRODUCTION), key).await;
    (server, ended)
}

/// Whether two tenants are the same but for how their secrets are sealed.
#[track_caller]
fn assert_same(production: &Seen, twin: &Seen, what: &str) {
    let names = |seen: &Seen| {
        let rows = seen.secrets.iter();
        let names = rows.map(|row| row.rsplit_once('|').expect("columns").0.to_owned());
        names.collect::<Vec<_>>()
    };
    assert!(production.content == twin.content, "{what}: the content");
    assert!(production.next == twin.next, "{what}: the baselines");
    assert_eq!(names(production), names(twin), "{what}: the secrets");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_and_its_undo_killed_anywhere_end_as_those_that_ran_at_once() {
    if !armed() {
        return;
    }
    let (world, mut server) = World::new().await;
    let client = world.client(&server);
    let [file, next] = prepared(&world, &client).await;
    let before = seen(&world, &client, PRODUCTION, &next).await;
    let twin = client.in_tenant(TWIN);
    let import = Asked::Import(&file).done(&twin, "at once").await;
    let imported = seen(&world, &client, TWIN, &next).await;
    let planned = changes(&twin, &import.id).await;
    for reason in [
        Reason::Merged,
        Reason::ConflictKept,
        Reason::TargetKept,
        Reason::SourceRemoved,
        Reason::New,
    ] {
        assert!(planned.contains(reason.code()), "{}", reason.code());
    }
    assert!(imported.content.contains(r#""own":7,"settings""#) && imported.next != before.next);
    Asked::Undo(&import.id).done(&twin, "undo at once").await;
    let undone = seen(&world, &client, TWIN, &next).await;
    assert_same(&before, &undone, "the undo at once");

    let points = dev2prod_engine::FAILPOINTS.iter();
    let points = points
        .filter(|point| !point.starts_with("export."))
        .copied();
    let later = ["stage.committed:2", "stage.baselines_before_commit:2"];
    // An import ends with its flip.
    let points = points.filter(|&point| point != "runner.before_finish");
    for point in points.chain(later) {
        server.stop().await;
        let asked = Asked::Import(&file);
        let import = killed(&world, point, &asked, &format!("import {point}")).await;
        let client = world.client(&import.0);
        let after = seen(&world, &client, PRODUCTION, &next).await;
        assert_same(&after, &imported, point);
        let own = changes(&client.in_tenant(PRODUCTION), &import.1.id).await;
        assert!(own == planned, "{point}: another plan");
        let lost = after.secrets.iter();
        let lost: Vec<_> = lost.filter(|row| !before.secrets.contains(row)).collect();
        assert_eq!(lost, [""; 0], "{point}: a secret is another one");

        import.0.stop().await;
        let asked = Asked::Undo(&import.1.id);
        let undo = killed(&world, point, &asked, &format!("undo {point}")).await;
        server = undo.0;
        let client = world.client(&server);
        let after = seen(&world, &client, PRODUCTION, &next).await;
        assert_same(&after, &before, point);
        assert!(after.secrets == before.secrets, "{point}: the secrets");
    }
    server.stop().await;
    age_blobs(&world.data());
    let server = world.start().await;
    assert_none(&world.data()).await;
    server.stop().await;
}
