//! Files that are not what they say, uploaded and imported as a stranger would.

use dev2prod_bundle::hostile::{Case, cases, many_entries};
use dev2prod_client::{InTenant, Outcome, RemoteImport};

use super::leftovers::{leftovers, query};
use super::world::{
    PRODUCTION, World, everything_of, impatient, listing, replace, upload, write_own,
};
use super::{content, world};

/// Imports a file; how that ended.
async fn import(tenant: &InTenant, file: &str, dry_run: bool) -> RemoteImport {
    let id = tenant
        .start_import(dry_run, &everything_of(file), None)
        .await
        .unwrap();
    tenant
        .wait_for_import(&id, &impatient(), |_| ())
        .await
        .unwrap()
}

/// Tries a case both ways; what is not as it has to be.
async fn try_case(tenant: &InTenant, case: &Case) -> Vec<String> {
    let file = upload(tenant, case.name, &case.bytes).await;
    let mut wrong = Vec::new();
    for dry_run in [true, false] {
        let import = import(tenant, &file, dry_run).await;
        let error = import.errors.first();
        let code = error.and_then(|error| error.code.as_deref());
        let hint = error
            .and_then(|error| error.hint.as_deref())
            .unwrap_or_default();
        if import.outcome() != Outcome::Failed || code != Some(case.code) || hint.is_empty() {
            wrong.push(format!("{}, dry run {dry_run}: {}", case.name, import.raw));
        }
        if import.totals.changes() > 0 {
            wrong.push(format!(
                "{}, dry run {dry_run}: says it changed something",
                case.name
            ));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_file_is_refused_by_name_and_changes_nothing() {
    let (world, server) = World::new().await;
    let client = world.client(&server);
    let production = client.in_tenant(PRODUCTION);
    replace(&production, content::lines(0..5, |_| 1)).await;
    let before = listing(&production).await;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for case in cases().into_iter().filter(|case| !case.bytes.is_empty()) {
        wrong.extend(try_case(&production, &case).await);
        tried += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(listing(&production).await, before);
    write_own(&production, 1).await.expect("no lock stays");
    let most = server.memory_kib("VmHWM") / 1024;
    println!("{tried} hostile files; the server held {most} MiB at most");
    server.stop().await;
    assert_eq!(leftovers(&world.data()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_a_million_entries_costs_no_memory() {
    let (world, server) = World::new().await;
    let production = world.client(&server).in_tenant(PRODUCTION);
    let case = Case {
        name: "a million entries",
        code: "too_many_entries",
        bytes: many_entries(1_000_000),
    };
    let wrong = try_case(&production, &case).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let most = server.memory_kib("VmHWM") / 1024;
    println!("the server held {most} MiB at most");
    assert!(
        most < 128,
        "{most} MiB for {} MiB of entries",
        case.bytes.len() >> 20
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_file_is_refused_when_it_is_uploaded() {
    let (world, server) = World::new().await;
    let production = world.client(&server).in_tenant(PRODUCTION);
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("empty.zip");
    std::fs::write(&path, "").unwrap();
    let part = dev2prod_client::Part::bundle("empty.zip");
    let error = production.upload(&path, &part, None).await.unwrap_err();
    assert_eq!(error.status(), Some(400), "{error}");
    assert_eq!(query(&world.data(), "SELECT count(*) FROM file"), ["0"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_of_a_sound_file_of_elsewhere_is_no_refusal() {
    let (world, server) = World::new().await;
    let production = world.client(&server).in_tenant(PRODUCTION);
    let file = upload(
        &production,
        "sample.zip",
        &dev2prod_bundle::hostile::sample(),
    )
    .await;
    let import = import(&production, &file, false).await;
    assert_eq!(import.outcome(), Outcome::Succeeded, "{}", import.raw);
    assert_eq!(world::listing(&production).await.lines().count(), 5);
    server.stop().await;
}
