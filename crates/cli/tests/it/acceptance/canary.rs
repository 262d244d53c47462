//! Secrets planted in content are found nowhere: in no answer, no bundle, no plan, no log and no file
//! of the server.

mod places;

use dev2prod_client::api::model::plan::{ConflictPolicy, FirstDelivery};
use dev2prod_client::api::{
    ContentMode, HistoryQuery, ImportRequest, ItemWrite, PackageRequest, UndoRequest,
};
use dev2prod_client::{InTenant, Outcome};
use dev2prod_model::section::Section;
use serde_json::{Value, json};

use self::places::{Events, answers, files_with, plans, unpacked};
use super::server::Server;
use super::world::{DEVELOPMENT, PRODUCTION, World, impatient, listing};

/// A value that is nowhere but where it is planted; found also where something is cut off.
fn canary(name: &str) -> String {
    format!("canary-{name}-7Yq2mZ0x")
}

/// What no file, answer or log may hold.
const CANARY: &[u8] = b"canary-";

/// What no answer, bundle or plan may hold: it became a secret after it was written.
const LATE: &[u8] = b"late-7Yq2mZ0x";

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|part| part == what)
}

fn holds_secret(bytes: &[u8]) -> bool {
    holds(bytes, CANARY) || holds(bytes, LATE)
}

/// An item whose key is a secret only by bindings that are to come.
fn no_secret_yet() -> String {
    let endpoint = json!({"url": "u", "key": String::from_utf8_lossy(LATE)});
    let body = json!({"name": "late", "endpoint": endpoint});
    let line = json!({"PackageName": "customAction", "Key": "Incident/late", "Body": body});
    format!("{line}\n")
}

fn lines(side: &str, version: u64) -> String {
    let settings = json!({"url": version, "password": canary(side), "apiKey": canary(side)});
    let endpoint = json!({"url": "u", "key": canary(side)});
    let items = [
        (
            "featureInstances",
            "sso",
            json!({"name": version, "settings": settings}),
        ),
        (
            "customAction",
            "Incident/open",
            json!({"name": "open", "v": version,
            "authentication": {"token": {"nested": canary(side)}}, "endpoint": endpoint}),
        ),
        (
            "SLTTenantSetting",
            "slt",
            json!({"v": version, "clientSecret": canary(side)}),
        ),
        (
            "data",
            "Person/ann",
            json!({"entity_type": "Person",
            "properties": {"Password": canary(side), "Name": version}}),
        ),
    ];
    let lines = items.map(|(section, key, body)| {
        let line = json!({"PackageName": section, "Key": key, "Body": body});
        format!("{line}\n")
    });
    lines.concat()
}

/// What makes the endpoint's key a secret too: no catalogue knows of it.
fn bindings() -> String {
    json!({"Bindings": [
        {"PackageName": "customAction", "Key": "*", "Path": "/endpoint/key", "Secret": true},
    ]})
    .to_string()
}

async fn push(tenant: &InTenant, text: String) {
    let lines = std::io::Cursor::new(text);
    tenant
        .push_content(lines, ContentMode::Upsert, None)
        .await
        .unwrap();
}

/// An import of the file, or a dry run; the answer is its id.
async fn import(tenant: &InTenant, file: &str, dry_run: bool) -> String {
    let request = ImportRequest {
        conflicts: Some(ConflictPolicy::Overwrite),
        first_delivery: Some(FirstDelivery::Take),
        ..ImportRequest::of_file(file)
    };
    let id = tenant.start_import(dry_run, &request, None).await.unwrap();
    ended(tenant, &id).await
}

/// Waits for an operation that succeeds; the answer is its id.
async fn ended(tenant: &InTenant, id: &str) -> String {
    let ended = tenant.wait_for_import(id, &impatient(), |_| ()).await;
    let ended = ended.unwrap();
    assert_eq!(ended.outcome(), Outcome::Succeeded, "{}", ended.raw);
    assert!(!holds_secret(ended.raw.to_string().as_bytes()));
    ended.id
}

/// Exports a package, and looks for secrets in its bundle; the answer is the file.
async fn export(world: &World, tenant: &InTenant, package: &str) -> String {
    let id = tenant.start_export(package, None).await.unwrap();
    let ended = tenant.wait_for_export(&id, &impatient(), |_| ()).await;
    let file = ended
        .unwrap()
        .file_id
        .expect("a completed export has a file");
    let mut bytes = Vec::new();
    tenant.download(&file, &mut bytes, None).await.unwrap();
    let bundle = world.data().with_extension(format!("{file}.zip"));
    std::fs::write(&bundle, bytes).unwrap();
    let inside = unpacked(&bundle);
    assert!(!holds_secret(&inside), "the bundle");
    assert!(inside.len() > 500, "it was looked into");
    file
}

/// Development's versions to production, the last of them undone, and a hotfix of production's to
/// development; the answer are the operations, by tenant, kind and id.
async fn operations(
    world: &World,
    dev: &InTenant,
    prod: &InTenant,
) -> Vec<(&'static str, &'static str, String)> {
    let mut done = Vec::new();
    let mut last = String::new();
    for version in 1..3 {
        push(dev, lines("dev", version)).await;
        let file = export(world, dev, &world.package).await;
        done.push((PRODUCTION, "import", import(prod, &file, true).await));
        last = import(prod, &file, false).await;
        done.push((PRODUCTION, "import", last.clone()));
    }
    let request = UndoRequest::default();
    for dry_run in [true, false] {
        let undo = prod.start_undo(&last, dry_run, &request, None).await;
        let undo = ended(prod, &undo.unwrap()).await;
        done.push((PRODUCTION, "import", undo));
    }

    push(prod, lines("hotfix", 7)).await;
    let drifted = json!({"Name": "Back", "Mode": "Granular", "FromDrift": true});
    let drifted: PackageRequest = serde_json::from_value(drifted).unwrap();
    let package = prod.create_package(&drifted).await.unwrap();
    let file = export(world, prod, &package.id.to_string()).await;
    for dry_run in [true, false] {
        done.push((DEVELOPMENT, "import", import(dev, &file, dry_run).await));
    }
    for (id, tenant) in [(DEVELOPMENT, dev), (PRODUCTION, prod)] {
        let exports = tenant.exports(&HistoryQuery::default()).await.unwrap();
        let exports = exports.items.into_iter();
        done.extend(exports.map(|export| (id, "export", export.id.to_string())));
    }
    // It drifts again, so that there is something to list.
    push(prod, lines("hotfix", 8)).await;
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_secrets_are_found_nowhere_but_sealed() {
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, &["--log", "trace"]).await;
    let world = World::on(folder, &server).await;
    let client = world.client(&server);
    let (dev, prod) = (client.in_tenant(DEVELOPMENT), client.in_tenant(PRODUCTION));
    let events = [DEVELOPMENT, PRODUCTION].map(|tenant| Events::follow(&server, &world, tenant));
    for tenant in [&dev, &prod] {
        push(tenant, no_secret_yet()).await;
        tenant.replace_bindings(&bindings(), None).await.unwrap();
    }
    push(&dev, lines("dev", 1)).await;
    push(&prod, lines("prod", 0)).await;
    let body = json!({"name": "put", "settings": {"accessToken": canary("put")}});
    let item = ItemWrite {
        body: serde_json::value::to_raw_value(&body).unwrap(),
        references: Vec::new(),
    };
    for tenant in [&dev, &prod] {
        tenant
            .put_item(Section::FeatureInstances, "put", &item, None)
            .await
            .unwrap();
    }
    // A line that is wrong is named; its text is not repeated.
    let bad = lines("bad", 9).replace("\"Key\":\"slt\"", "\"Key\":\"\"");
    let bad = dev.push_content(std::io::Cursor::new(bad), ContentMode::Upsert, None);
    let bad = bad.await.unwrap_err().to_string();
    assert!(!holds_secret(bad.as_bytes()), "{bad}");

    let done = operations(&world, &dev, &prod).await;
    let said = answers(&server, &world, &done).await;
    assert!(holds(&said, br#"{"Secret":"set"}"#));
    assert!(!holds_secret(&said), "an answer");
    let before = listing(&prod).await;
    let log = server.log();
    assert!(
        log.len() > 1_000 && !holds_secret(log.as_bytes()),
        "the log"
    );

    // While it runs, so that what stands in the database's log is looked at too; and afterwards.
    let mut found = Vec::new();
    assert!(files_with(&world.data(), CANARY, &mut found) > 5);
    assert_eq!(found, [""; 0]);
    let plans = plans(&world.data());
    assert!(holds(&plans, b"Incident/open"), "they were looked into");
    assert!(!holds_secret(&plans), "a plan");
    server.stop().await;
    for events in events {
        let told = events.all().await;
        assert!(holds(&told, b"COMPLETED") && !holds_secret(&told), "events");
    }
    files_with(&world.data(), CANARY, &mut found);
    assert_eq!(found, [""; 0]);

    they_are_there_all_the_same(&world, before).await;
}

/// Through another start the mark keeps each of them, and the values are those that were written.
async fn they_are_there_all_the_same(world: &World, before: String) {
    let server = world.start().await;
    let client = world.client(&server);
    let prod = client.in_tenant(PRODUCTION);
    let (item, _) = prod
        .item(Section::CustomAction, "Incident/open")
        .await
        .unwrap()
        .unwrap();
    let body: Value = serde_json::from_str(item.body.get()).unwrap();
    let mark = json!({"Secret": "set"});
    assert_eq!(
        (&body["authentication"]["token"], &body["endpoint"]["key"]),
        (&mark, &mark)
    );
    assert_eq!(listing(&prod).await, before);
    let same = lines("hotfix", 8);
    let same = prod.push_content(std::io::Cursor::new(same), ContentMode::Upsert, None);
    let same = same.await.unwrap();
    assert_eq!(
        (same.totals.modified, same.totals.skipped),
        (0, 4),
        "production's own values are those that it had"
    );
}
