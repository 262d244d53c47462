//! What an export makes.

use std::collections::BTreeMap;
use std::time::Duration;

use dev2prod_bundle::{Carried, EntryName, Reader, verify};
use dev2prod_engine::content::UploadMode;
use dev2prod_engine::ports::BlobPath;
use dev2prod_engine::{files, tenants};
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::id::PackageId;
use dev2prod_model::operation::{Phase, State, Status};
use dev2prod_model::section::Section;

use super::world::{START_MS, World, report_of};

const ALL: &str = r#"{"Mode":"Full","Sections":"All"}"#;

const CONTENT: &str = "
    metadata Incident
    metadata Incident.Site_c      -> metadata Incident, data Location/Bonn
    workflow Incident = how it goes -> metadata Incident.Site_c, metadata Gone
    data Location/Bonn
    data Location/Paris
";

/// Every item of a bundle with why it is carried, its digest and body.
fn items(reader: &Reader) -> BTreeMap<String, (Carried, String, String)> {
    let mut items = BTreeMap::new();
    for section in Section::ALL {
        for entry in reader.index(section).unwrap() {
            let entry = entry.unwrap();
            let mut chunk = reader.chunk(section, entry.chunk).unwrap();
            let found = chunk.find(|item| item.as_ref().unwrap().key == entry.key);
            let body = found.unwrap().unwrap().body;
            let digest = entry.digest.to_string();
            items.insert(entry.item().to_string(), (entry.carried, digest, body));
        }
    }
    items
}

#[tokio::test]
async fn an_export_is_a_bundle_that_is_whole_and_a_file_of_the_tenant() {
    let mut world = World::new().await;
    let tenant = world.tenant("123456789").await;
    world.write(&tenant, UploadMode::Upsert, CONTENT).await;
    let package = PackageId::CONFIGURATION;
    let (report, reader) = world.export(&tenant, package).await;
    let verified = verify(&reader, &mut |_, _| {}).unwrap();
    assert_eq!(report.content_digest, Some(verified.content_digest));
    insta::assert_debug_snapshot!(report.statistics, @"
    [
        (
            Metadata,
            2,
        ),
        (
            Workflow,
            1,
        ),
        (
            Data,
            1,
        ),
    ]
    ");
    let codes: Vec<_> = report
        .warnings
        .iter()
        .map(|warning| warning.code.as_str())
        .collect();
    assert_eq!(codes, ["missing_dependency"]);
    let found = items(&reader);
    let carried: Vec<_> = found
        .iter()
        .map(|(item, found)| format!("{item} {:?}", found.0))
        .collect();
    assert_eq!(
        carried,
        [
            "data Location/Bonn Required",
            "metadata Incident Selected",
            "metadata Incident.Site_c Selected",
            "workflow Incident Selected",
        ]
    );
    assert_eq!(
        found["workflow Incident"].2,
        r#"{"note":"how it goes","of":"Incident"}"#
    );
}

#[tokio::test]
async fn a_bundle_says_where_it_comes_from_and_is_a_file_for_as_long_as_files_are_kept() {
    let mut world = World::new().await;
    let tenant = world.tenant("123456789").await;
    world.write(&tenant, UploadMode::Upsert, CONTENT).await;
    let package = PackageId::CONFIGURATION;
    let (report, reader) = world.export(&tenant, package).await;
    let manifest = reader.manifest();
    let own = tenants::own(&world.engine, &world.scope(&tenant))
        .await
        .unwrap();
    assert_eq!(
        manifest.package_bundle_name,
        "Package-10000-123456789-2025-01-27 09-44"
    );
    assert_eq!(
        (manifest.package.id, manifest.package.name.as_str()),
        (package, "Configuration")
    );
    assert_eq!(
        (manifest.origin.id, &manifest.origin.tenant_id),
        (own.origin, &tenant)
    );
    assert_eq!(
        (manifest.source_revision, report.revision),
        (own.revision, own.revision)
    );
    assert_eq!((manifest.time, manifest.scope.len()), (START_MS, 12));
    assert_eq!(manifest.catalogue, Catalogue::standard().fingerprint());

    let scope = world.scope(&tenant);
    let file = files::get(&world.engine, &scope, report.file.unwrap())
        .await
        .unwrap();
    assert_eq!(file.name, "Package-10000-123456789-2025-01-27 09-44.zip");
    assert_eq!(file.content_type, "application/zip");
    let path = BlobPath::file(&tenant, file.id);
    let bytes = std::fs::read(&world.blobs.local(&path).await.unwrap().unwrap().path).unwrap();
    assert_eq!(file.bytes, bytes.len() as u64);
    assert_eq!(file.sha256, dev2prod_model::digest::sha256(&bytes));
    assert_eq!(world.scratch(), 0, "nothing is left beside the file");
}

#[tokio::test]
async fn the_same_content_gives_the_same_bundle_but_for_its_manifest() {
    let mut world = World::new().await;
    let (one, two) = (world.tenant("1").await, world.tenant("2").await);
    world.write(&one, UploadMode::Upsert, CONTENT).await;
    world
        .write(&two, UploadMode::Upsert, "data Location/Bonn = another")
        .await;
    world.write(&two, UploadMode::Replace, CONTENT).await;
    let (first, reader_one) = world.export(&one, PackageId::CONFIGURATION).await;
    world.pass_ms(100_000);
    let (second, reader_two) = world.export(&two, PackageId::CONFIGURATION).await;
    assert_ne!(first.revision, second.revision);
    assert_eq!(first.content_digest, second.content_digest);
    let chunk = EntryName::Chunk(Section::Metadata, 1);
    for reader in [&reader_one, &reader_two] {
        assert!(reader.entries().any(|(name, _)| name == chunk));
    }
    assert_eq!(items(&reader_one), items(&reader_two));
    let (third, _) = world.export(&two, PackageId::CONFIGURATION).await;
    assert_eq!(second.content_digest, third.content_digest);
}

#[tokio::test]
async fn fields_that_stay_with_the_tenant_do_not_travel() {
    let mut world = World::new().await;
    let (one, two) = (world.tenant("1").await, world.tenant("2").await);
    let line = |id: &str| {
        let body = r#"{"id":"ID","name":"Incident","tenantId":"ID"}"#.replace("ID", id);
        format!(r#"{{"PackageName":"metadata","Key":"Incident","Body":{body}}}"#) + "\n"
    };
    world.upload(&one, UploadMode::Upsert, line("1-000")).await;
    world.upload(&two, UploadMode::Upsert, line("2-000")).await;
    let (first, reader) = world.export(&one, PackageId::CONFIGURATION).await;
    let (second, _) = world.export(&two, PackageId::CONFIGURATION).await;
    verify(&reader, &mut |_, _| {}).unwrap();
    assert_eq!(
        items(&reader)["metadata Incident"].2,
        r#"{"name":"Incident"}"#
    );
    assert_eq!(first.content_digest, second.content_digest);
}

#[tokio::test]
async fn what_is_only_required_can_be_left_to_the_target() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    world.write(&tenant, UploadMode::Upsert, CONTENT).await;
    let selection = r#"{"Mode":"Granular","Items":[{"PackageName":"workflow","Key":"Incident"}],
        "Exclude":[{"PackageName":"data","KeyGlob":"Location/*"}],
        "Remove":[{"PackageName":"data","Key":"Location/Rome"}],"Dependencies":"IfMissing"}"#;
    let package = world.package(&tenant, selection).await;
    let (report, reader) = world.export(&tenant, package).await;
    let carried: Vec<_> = items(&reader)
        .iter()
        .map(|(item, found)| format!("{item} {:?}", found.0))
        .collect();
    assert_eq!(
        carried,
        [
            "metadata Incident IfMissing",
            "metadata Incident.Site_c IfMissing",
            "workflow Incident Selected",
        ]
    );
    let codes: Vec<_> = report
        .warnings
        .iter()
        .map(|warning| warning.code.as_str())
        .collect();
    assert_eq!(codes, ["missing_dependency", "excluded_dependency"]);
    let manifest = reader.manifest();
    assert_eq!(
        (
            manifest.scope.len(),
            manifest.excluded.len(),
            manifest.remove.len()
        ),
        (0, 1, 1)
    );
}

#[tokio::test]
async fn files_travel_with_the_items_that_name_them() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    let kept = world.file(&tenant, b"kept").await;
    let lost = world.file(&tenant, b"lost").await;
    let line = |key: &str, file: &dev2prod_model::file::File| {
        let body = format!(
            r#"{{"Name":"{key}","ContentType":"text/plain","ContentLength":4,"Sha256":"{}"}}"#,
            file.sha256
        );
        format!(r#"{{"PackageName":"attachments","Key":"{key}","Body":{body}}}"#) + "\n"
    };
    let lines = line("a.txt", &kept) + &line("again.txt", &kept) + &line("b.txt", &lost);
    world.upload(&tenant, UploadMode::Upsert, lines).await;
    world
        .blobs
        .delete(BlobPath::file(&tenant, lost.id).as_str())
        .await
        .unwrap();
    let package = world.package(&tenant, ALL).await;
    let (report, reader) = world.export(&tenant, package).await;
    let found: Vec<_> = reader.attachments().collect();
    assert_eq!(
        found,
        [(kept.sha256, 4)],
        "each file once, however many items name it"
    );
    let warning = &report.warnings[0];
    assert_eq!(
        (report.warnings.len(), warning.code.as_str()),
        (1, "missing_attachment")
    );
    assert_eq!(warning.references[0].to_string(), "attachments b.txt");
}

#[tokio::test]
async fn an_export_of_more_than_a_page_shows_how_far_it_is() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    let lines: String = (0..2_500)
        .map(|n| format!("data Record/{n:05} -> data Record/00000\n"))
        .collect();
    world.write(&tenant, UploadMode::Upsert, &lines).await;
    world
        .write(
            &tenant,
            UploadMode::Upsert,
            "workflow W -> data Record/02499",
        )
        .await;
    let package = world.package(&tenant, ALL).await;
    world.fail([super::faults::Fault::Forever]);
    let runner = world.run().await;
    let id = world.start_export(&tenant, package).await;
    let shown = |view: &dev2prod_engine::operations::View| {
        matches!(&view.operation.state, State::Running { progress: Some(progress), .. }
            if progress.phase == Phase::Writing && progress.items_done == 2_501)
    };
    let view = world.until(&tenant, id, shown).await;
    let State::Running {
        progress: Some(progress),
        ..
    } = &view.operation.state
    else {
        panic!("it runs")
    };
    assert_eq!(progress.items_total, Some(2_501));
    assert!(progress.bytes_done > 50_000);
    while world.fault_to_come() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    runner.stop(Duration::ZERO).await;
    let runner = world.run().await;
    let view = world.ended(&tenant, id).await;
    runner.stop(Duration::from_secs(5)).await;
    assert_eq!(view.operation.status(), Status::Completed);
    let report = report_of(&view);
    assert_eq!(
        report.statistics,
        [(Section::Workflow, 1), (Section::Data, 2_500)]
    );
    let verified = verify(
        &world.open(&tenant, report.file.unwrap()).await,
        &mut |_, _| {},
    );
    assert!(verified.is_ok());
}
