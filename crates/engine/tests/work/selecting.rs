//! What a package would carry, and why.

use dev2prod_engine::content::UploadMode;
use dev2prod_engine::selection::{self, Listing, Why};
use dev2prod_engine::{EngineError, EngineResult, Settings, packages, tenants};
use dev2prod_model::id::{PackageId, TenantId};
use dev2prod_model::package::Selection;

use super::world::World;

const CONTENT: &str = "
    metadata Incident
    metadata Incident.Site_c      -> metadata Incident, data Location/Bonn
    workflow Incident             -> metadata Incident.Site_c, data Person/ann, metadata Gone
    data Location/Bonn            -> data Location/Germany
    data Location/Germany         -> data Location/Bonn
    data Location/Paris
    data Person/ann               -> data Location/Germany
";

async fn listing(
    world: &World,
    tenant: &TenantId,
    package: PackageId,
    cursor: Option<&str>,
    size: u32,
) -> EngineResult<Listing> {
    selection::listing(&world.engine, &world.scope(tenant), package, cursor, size).await
}

/// A listing in words: each item with its chain, then warnings.
fn words(listing: &Listing) -> String {
    let mut out = String::new();
    for listed in &listing.items {
        out += &listed.item.to_string();
        if let Why::RequiredBy(chain) = &listed.why {
            let chain: Vec<_> = chain.iter().map(ToString::to_string).collect();
            out += &format!(" <- {}", chain.join(" <- "));
        }
        out += "\n";
    }
    for warning in &listing.warnings.first {
        out += &format!("{}: {}\n", warning.code, warning.message);
    }
    out
}

#[tokio::test]
async fn a_package_of_all_configuration_brings_the_data_that_it_needs() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    world.write(&tenant, UploadMode::Upsert, CONTENT).await;
    let all = listing(&world, &tenant, PackageId::CONFIGURATION, None, 1_000)
        .await
        .unwrap();
    insta::assert_snapshot!(words(&all), @"
    metadata Incident
    metadata Incident.Site_c
    workflow Incident
    data Location/Bonn <- metadata Incident.Site_c
    data Location/Germany <- metadata Incident.Site_c <- data Location/Bonn
    data Person/ann <- workflow Incident
    missing_dependency: workflow Incident refers to metadata Gone, which is not there; an import fails unless the target has it
    ");
    let totals: Vec<_> = all.totals.iter().map(|(s, n)| format!("{s} {n}")).collect();
    assert_eq!(
        (totals.join(", ").as_str(), all.total),
        ("metadata 2, workflow 1, data 3", 6)
    );
    assert_eq!(all.next, None);
}

#[tokio::test]
async fn a_granular_package_takes_keys_and_globs_less_exclusions() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    world.write(&tenant, UploadMode::Upsert, CONTENT).await;
    let selection = r#"{"Mode":"Granular","Items":[
        {"PackageName":"data","KeyGlob":"Location/*"},{"PackageName":"data","Key":"Person/bob"},
        {"PackageName":"workflow","Key":"Incident"}],
        "Exclude":[{"PackageName":"data","KeyGlob":"*/P*"},{"PackageName":"data","Key":"Person/ann"}],
        "Dependencies":"WHICH"}"#;
    let package = world
        .package(&tenant, &selection.replace("WHICH", "Always"))
        .await;
    let all = listing(&world, &tenant, package, None, 1_000)
        .await
        .unwrap();
    insta::assert_snapshot!(words(&all), @"
    metadata Incident <- workflow Incident <- metadata Incident.Site_c
    metadata Incident.Site_c <- workflow Incident
    workflow Incident
    data Location/Bonn
    data Location/Germany
    missing_item: the package names data Person/bob, which is not there; it is not carried
    missing_dependency: workflow Incident refers to metadata Gone, which is not there; an import fails unless the target has it
    excluded_dependency: workflow Incident refers to data Person/ann, which the package excludes; an import fails unless the target has it
    ");
    let package = world
        .package(&tenant, &selection.replace("WHICH", "None"))
        .await;
    let all = listing(&world, &tenant, package, None, 1_000)
        .await
        .unwrap();
    insta::assert_snapshot!(words(&all), @"
    workflow Incident
    data Location/Bonn
    data Location/Germany
    missing_item: the package names data Person/bob, which is not there; it is not carried
    ");
    assert_eq!(all.total, 3);
}

#[tokio::test]
async fn where_everything_is_selected_a_listing_still_tells_what_leads_nowhere() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    world.write(&tenant, UploadMode::Upsert, CONTENT).await;
    let package = world
        .package(&tenant, r#"{"Mode":"Full","Sections":"All"}"#)
        .await;
    let all = listing(&world, &tenant, package, None, 1_000)
        .await
        .unwrap();
    assert_eq!((all.total, all.items.len(), all.warnings.count), (7, 7, 1));

    let scope = world.scope(&tenant);
    let selection: Selection = serde_json::from_str(r#"{"Mode":"Full","Sections":"All"}"#).unwrap();
    let carried = selection::carried(&world.engine, &scope, all.revision, &selection)
        .await
        .unwrap();
    assert_eq!(carried.totals(), &all.totals);
    assert_eq!(
        carried.warnings().count,
        0,
        "an export leaves it to the import"
    );
    assert_eq!(carried.why(&all.items[0].item), Some(Why::Selected));
}

#[tokio::test]
async fn pages_show_one_revision_whatever_is_written_meanwhile() {
    let mut world = World::new().await;
    let tenant = world.tenant("1").await;
    world.write(&tenant, UploadMode::Upsert, CONTENT).await;
    let package = PackageId::CONFIGURATION;
    let whole = listing(&world, &tenant, package, None, 1_000)
        .await
        .unwrap();
    for size in [1, 2, 3, 6, 7] {
        let mut paged = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let page = listing(&world, &tenant, package, cursor.as_deref(), size)
                .await
                .unwrap();
            assert_eq!((page.total, &page.warnings), (whole.total, &whole.warnings));
            assert!(page.items.len() <= size as usize && !page.items.is_empty());
            paged.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(paged, whole.items, "in pages of {size}");
    }
    let first = listing(&world, &tenant, package, None, 2).await.unwrap();
    world
        .write(&tenant, UploadMode::Replace, "metadata Other")
        .await;
    let rest = listing(&world, &tenant, package, first.next.as_deref(), 1_000)
        .await
        .unwrap();
    assert_eq!(
        (rest.revision, &rest.items[..]),
        (first.revision, &whole.items[2..])
    );
    let now = listing(&world, &tenant, package, None, 2).await.unwrap();
    assert_eq!((now.revision, now.total), (first.revision.next(), 1));
}

#[tokio::test]
async fn a_page_is_gone_once_its_package_or_revision_is() {
    let settings = Settings {
        revision_retention_ms: 0,
        history_retention_ms: Some(0),
        ..Settings::default()
    };
    let mut world = World::with(settings).await;
    let tenant = world.tenant("1").await;
    world.write(&tenant, UploadMode::Upsert, CONTENT).await;
    let package = world
        .package(&tenant, r#"{"Mode":"Full","Sections":"All"}"#)
        .await;
    let next = listing(&world, &tenant, package, None, 2)
        .await
        .unwrap()
        .next;
    world
        .write(&tenant, UploadMode::Upsert, "metadata Other")
        .await;
    let gone = listing(&world, &tenant, package, next.as_deref(), 2)
        .await
        .unwrap_err();
    insta::assert_snapshot!(gone, @"revision 1 of the tenant is not kept any more: begin again without a cursor");
    assert!(matches!(gone, EngineError::Gone(_)));

    let next = listing(&world, &tenant, package, None, 2)
        .await
        .unwrap()
        .next;
    let selection = Selection::configuration();
    let scope = world.scope(&tenant);
    packages::replace(&world.engine, &scope, package, "Other", &selection)
        .await
        .unwrap();
    let gone = listing(&world, &tenant, package, next.as_deref(), 2)
        .await
        .unwrap_err();
    insta::assert_snapshot!(gone, @"the package was changed since the first page: begin again without a cursor");

    let unknown = listing(&world, &tenant, PackageId(5), None, 2)
        .await
        .unwrap_err();
    assert!(matches!(
        unknown,
        EngineError::NotFound {
            code: "unknown_package",
            ..
        }
    ));
    let revision = tenants::own(&world.engine, &world.scope(&tenant))
        .await
        .unwrap()
        .revision;
    assert_eq!(revision.0, 2, "looking changes nothing");
}
