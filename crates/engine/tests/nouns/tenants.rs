//! Tenants and packages.

use dev2prod_engine::ports::TenantChange;
use dev2prod_engine::tenants::{NewTenant, change, create, delete, get, list, own};
use dev2prod_engine::{operations, packages};
use dev2prod_model::access::{
    Export, HistoryRead, PackageRead, PackageWrite, Role, Upkeep, authorize,
};
use dev2prod_model::id::PackageId;
use dev2prod_model::package::{Package, Selection};
use dev2prod_model::tenant::TenantKind;
use insta::assert_snapshot;

use crate::support::{World, tenant, told};

fn new(id: Option<&str>, name: &str) -> NewTenant {
    NewTenant {
        id: id.map(|id| id.parse().unwrap()),
        name: name.to_owned(),
        kind: TenantKind::Production,
    }
}

#[tokio::test]
async fn a_tenant_is_born_with_a_package_and_its_maker_as_administrator() {
    let world = World::start().await;
    let (engine, server) = (&world.engine, world.server().await);
    let made = create(engine, &server, new(None, "Production"))
        .await
        .unwrap();
    assert_eq!(made.id.as_str().len(), 9);
    let admin = world.admin().await;
    assert_eq!(admin.roles.get(&made.id), Some(&Role::TenantAdmin));

    let scope = authorize::<PackageRead>(&admin, &made.id).unwrap();
    let package = Package {
        id: PackageId::CONFIGURATION,
        name: "Configuration".to_owned(),
        selection: Selection::configuration(),
        updated_ms: engine.now_ms(),
    };
    assert_eq!(packages::list(engine, &scope).await.unwrap(), [package]);
    let own = own(engine, &scope.narrow::<HistoryRead>()).await.unwrap();
    assert_eq!(own, made);
    assert_eq!(get(engine, &server, &made.id).await.unwrap(), made);
    let names: Vec<_> = list(engine, &server)
        .await
        .unwrap()
        .into_iter()
        .map(|tenant| tenant.name)
        .collect();
    assert_eq!(names, ["Development", "Production"]);

    let taken = create(engine, &server, new(Some("1001"), "Another"))
        .await
        .unwrap_err();
    assert_snapshot!(told(&taken), @r#"tenant_id_taken: there already is a tenant 1001: name another id"#);
}

#[tokio::test]
async fn the_name_of_a_tenant_is_1_to_200_characters() {
    let world = World::start().await;
    let (engine, server) = (&world.engine, world.server().await);
    for (name, is_good) in [
        (String::new(), false),
        (" ".to_owned(), false),
        ("a\nb".to_owned(), false),
        ("ä".repeat(200), true),
        ("ä".repeat(201), false),
    ] {
        assert_eq!(
            create(engine, &server, new(None, &name)).await.is_ok(),
            is_good,
            "{name}"
        );
        let renamed = TenantChange {
            name: Some(name.clone()),
            ..TenantChange::default()
        };
        assert_eq!(
            change(engine, &server, &tenant(), renamed).await.is_ok(),
            is_good,
            "{name}"
        );
    }
    let unknown = change(
        engine,
        &server,
        &"7".parse().unwrap(),
        TenantChange::default(),
    )
    .await;
    assert_snapshot!(told(&unknown.unwrap_err()), @r#"unknown_tenant: there is no tenant 7"#);
}

#[tokio::test]
async fn a_tenant_is_deleted_only_by_its_name_and_not_while_it_works() {
    let world = World::start().await;
    let (engine, server) = (&world.engine, world.server().await);
    for confirm in [None, Some("development")] {
        let error = delete(engine, &server, &tenant(), confirm)
            .await
            .unwrap_err();
        assert!(told(&error).starts_with("confirm_needed: "), "{error}");
    }
    let error = delete(engine, &server, &tenant(), None).await.unwrap_err();
    assert_snapshot!(error, @r#"deleting tenant 1001 deletes its content, packages, files and history for good: confirm it by its name, 'Development'"#);

    let exporting = world.scope::<Export>().await;
    operations::start_export(engine, &exporting, PackageId::CONFIGURATION, None)
        .await
        .unwrap();
    let upkeep = Upkeep::of_the_server();
    let claim = engine
        .store()
        .claim(&upkeep, "here", 60_000, engine.now_ms())
        .await
        .unwrap();
    let busy = delete(engine, &server, &tenant(), Some("Development"))
        .await
        .unwrap_err();
    assert!(told(&busy).starts_with("tenant_busy: "), "{busy}");

    engine.store().hand_back(&claim.unwrap(), 0).await.unwrap();
    let running = engine
        .store()
        .claim(&upkeep, "here", 60_000, engine.now_ms())
        .await
        .unwrap();
    let claim = running.unwrap();
    let failure = dev2prod_model::operation::Failure {
        code: "x".to_owned(),
        message: String::new(),
        hint: String::new(),
    };
    let ended = claim
        .operation()
        .clone()
        .fail(failure, None, engine.now_ms())
        .unwrap();
    engine.store().finish(&claim, &ended).await.unwrap();
    delete(engine, &server, &tenant(), Some("Development"))
        .await
        .unwrap();
    assert_snapshot!(told(&get(engine, &server, &tenant()).await.unwrap_err()), @r#"unknown_tenant: there is no tenant 1001"#);
    assert!(!world.admin().await.roles.contains_key(&tenant()));
}

#[tokio::test]
async fn packages_are_made_replaced_and_deleted_under_their_numbers() {
    let world = World::start().await;
    let engine = &world.engine;
    let scope = world.scope::<PackageWrite>().await;
    let all = Selection::configuration();
    let first = packages::create(engine, &scope, None, "First", &all)
        .await
        .unwrap();
    assert_eq!(first.id, PackageId(10_001));
    let named = packages::create(engine, &scope, Some(PackageId(54_321)), "Named", &all).await;
    assert_eq!(named.unwrap().id, PackageId(54_321));
    for (id, name) in [(54_321, "Again"), (0, "Zero"), (1 << 60, "Large"), (7, "")] {
        let error = packages::create(engine, &scope, Some(PackageId(id)), name, &all).await;
        let code = told(&error.unwrap_err());
        let expected = match id {
            54_321 => "package_id_taken",
            7 => "package_name",
            _ => "malformed_id",
        };
        assert_eq!(code.split(':').next(), Some(expected), "{id}");
    }
    let renamed = packages::replace(engine, &scope, first.id, "Renamed", &all)
        .await
        .unwrap();
    let reading = scope.narrow();
    assert_eq!(
        packages::get(engine, &reading, first.id).await.unwrap(),
        renamed
    );
    packages::delete(engine, &scope, first.id).await.unwrap();
    for error in [
        packages::get(engine, &reading, first.id).await.unwrap_err(),
        packages::replace(engine, &scope, first.id, "x", &all)
            .await
            .unwrap_err(),
        packages::delete(engine, &scope, first.id)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(
            told(&error),
            "unknown_package: this tenant has no package 10001"
        );
    }
}
