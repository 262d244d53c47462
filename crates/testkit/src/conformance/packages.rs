//! Packages and their numbers.

use dev2prod_engine::ports::{Created, Store};
use dev2prod_model::id::PackageId;
use dev2prod_model::package::{
    Dependencies, KeyGlob, Mode, Package, Sections, Selection, Selector,
};
use dev2prod_model::section::Section;

use super::world::{NOW_MS, World, item, key, package};

async fn create(world: &World<'_>, id: Option<u64>) -> Option<u64> {
    let selection = Selection::configuration();
    let answer = world
        .store
        .create_package(&world.scope(), id.map(PackageId), "P", &selection, NOW_MS)
        .await
        .unwrap();
    match answer {
        Created::Package(package) => Some(package.id.0),
        Created::IdTaken => None,
    }
}

/// A number names one package for ever, also when it is deleted.
pub async fn numbers_are_never_given_again(store: &dyn Store) {
    let world = World::new(store).await;
    let other = World::tenant(store, "200").await;
    assert_eq!(create(&world, None).await, Some(10_001));
    assert_eq!(create(&world, None).await, Some(10_002));
    let gone = store
        .delete_package(&world.scope(), PackageId(10_002))
        .await;
    assert!(gone.unwrap());
    assert_eq!(create(&world, None).await, Some(10_003));
    assert_eq!(
        create(&other, None).await,
        Some(10_001),
        "each tenant counts for itself"
    );
}

/// A free number can be had, a taken one not, and numbers go on above.
pub async fn a_number_can_be_asked_for(store: &dyn Store) {
    let world = World::new(store).await;
    assert_eq!(create(&world, Some(54_321)).await, Some(54_321));
    assert_eq!(create(&world, Some(54_321)).await, None);
    assert_eq!(create(&world, Some(10_000)).await, None);
    assert_eq!(create(&world, Some(7)).await, Some(7));
    assert_eq!(create(&world, None).await, Some(54_322));
    let all = store.packages(&world.scope()).await.unwrap();
    let ids: Vec<_> = all.iter().map(|package| package.id.0).collect();
    assert_eq!(ids, [7, 10_000, 54_321, 54_322]);
}

/// A package is replaced whole, with every part of its selection, and deleted once.
pub async fn a_package_is_replaced_and_deleted(store: &dyn Store) {
    let world = World::new(store).await;
    let glob = KeyGlob::try_from("Incident.*".to_owned()).unwrap();
    let changed = Package {
        name: "Größe".to_owned(),
        selection: Selection {
            mode: Mode::Granular,
            sections: Some(Sections::These(vec![Section::Data])),
            items: vec![Selector::One {
                section: Section::Metadata,
                key: key("a"),
            }],
            exclude: vec![Selector::Glob {
                section: Section::Metadata,
                key_glob: glob,
            }],
            remove: vec![item("b")],
            dependencies: Dependencies::IfMissing,
            from_drift: None,
        },
        updated_ms: NOW_MS + 1,
        ..package(10_000)
    };
    let scope = world.scope();
    assert!(store.replace_package(&scope, &changed).await.unwrap());
    let read = store
        .package(&world.scope(), PackageId(10_000))
        .await
        .unwrap();
    assert_eq!(read, Some(changed.clone()));
    let unknown = Package {
        id: PackageId(1),
        ..changed
    };
    assert!(!store.replace_package(&scope, &unknown).await.unwrap());
    assert!(
        store
            .delete_package(&scope, PackageId(10_000))
            .await
            .unwrap()
    );
    assert!(
        !store
            .delete_package(&scope, PackageId(10_000))
            .await
            .unwrap()
    );
    let read = store
        .package(&world.scope(), PackageId(10_000))
        .await
        .unwrap();
    assert_eq!(read, None);
}

/// Somebody who asks for the last number there is does not keep others from getting one.
pub async fn the_largest_number_stops_nobody(store: &dyn Store) {
    let world = World::new(store).await;
    let last = PackageId::MAX.0;
    assert_eq!(create(&world, Some(last)).await, Some(last));
    let next = create(&world, None).await.unwrap();
    assert!(next > 10_000 && next < last, "{next}");
    assert_ne!(create(&world, None).await, Some(next));
}
