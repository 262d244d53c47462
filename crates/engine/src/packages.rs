//! Packages: saved selections of a tenant's content. What one would carry is worked out elsewhere.

use dev2prod_model::access::{PackageRead, PackageWrite, Scope};
use dev2prod_model::id::PackageId;
use dev2prod_model::package::{Package, Selection};

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::Created;

/// The longest name of a package, in characters.
const NAME_CHARS_MAX: usize = 200;
/// The most entries of `Items`, `Exclude` and `Remove` together: each is tried on every item.
pub const SELECTORS_MAX: usize = 10_000;

/// All packages of the tenant, by number.
pub async fn list(engine: &Engine, scope: &Scope<PackageRead>) -> EngineResult<Vec<Package>> {
    Ok(engine.store().packages(scope).await?)
}

/// One package.
pub async fn get(
    engine: &Engine,
    scope: &Scope<PackageRead>,
    id: PackageId,
) -> EngineResult<Package> {
    engine
        .store()
        .package(scope, id)
        .await?
        .ok_or_else(|| unknown_package(id))
}

/// Makes a package under the number asked for, or else the next free one.
pub async fn create(
    engine: &Engine,
    scope: &Scope<PackageWrite>,
    id: Option<PackageId>,
    name: &str,
    selection: &Selection,
) -> EngineResult<Package> {
    check(name, selection)?;
    if let Some(id) = id {
        // Ids arrive as JSON numbers too, which are not checked where they are read.
        id.to_string().parse::<PackageId>()?;
    }
    let store = engine.store();
    match store
        .create_package(scope, id, name, selection, engine.now_ms())
        .await?
    {
        Created::Package(package) => Ok(package),
        Created::IdTaken => Err(EngineError::Conflict {
            code: "package_id_taken",
            message: match id {
                Some(id) => format!("there already is a package {id}: name another Id, or none"),
                None => "no number is left for another package: delete one".to_owned(),
            },
        }),
    }
}

/// Replaces a package's name and selection; its number stays.
pub async fn replace(
    engine: &Engine,
    scope: &Scope<PackageWrite>,
    id: PackageId,
    name: &str,
    selection: &Selection,
) -> EngineResult<Package> {
    check(name, selection)?;
    let package = Package {
        id,
        name: name.to_owned(),
        selection: selection.clone(),
        updated_ms: engine.now_ms(),
    };
    if engine.store().replace_package(scope, &package).await? {
        Ok(package)
    } else {
        Err(unknown_package(id))
    }
}

/// Deletes a package; its number is not given again.
pub async fn delete(
    engine: &Engine,
    scope: &Scope<PackageWrite>,
    id: PackageId,
) -> EngineResult<()> {
    if engine.store().delete_package(scope, id).await? {
        Ok(())
    } else {
        Err(unknown_package(id))
    }
}

fn check(name: &str, selection: &Selection) -> EngineResult<()> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(EngineError::invalid(
            "package_name",
            format!("the Name of a package is 1 to {NAME_CHARS_MAX} characters long"),
        ));
    }
    let selectors = selection.items.len() + selection.exclude.len() + selection.remove.len();
    if selectors > SELECTORS_MAX {
        return Err(EngineError::invalid(
            "too_many_selectors",
            format!(
                "Items, Exclude and Remove have {selectors} entries; the most is {SELECTORS_MAX}: a KeyGlob names many items at once"
            ),
        ));
    }
    Ok(())
}

fn unknown_package(id: PackageId) -> EngineError {
    EngineError::not_found(
        "unknown_package",
        format!("this tenant has no package {id}"),
    )
}
