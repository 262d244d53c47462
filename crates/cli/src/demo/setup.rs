//! The demo's tenants and users, made over HTTP as an administrator would.

use std::path::Path;

use dev2prod_client::api::{
    ContentMode, PackageRequest, RoleWrite, TenantCreate, UserCreate,
};
use dev2prod_client::{Access, Client, ClientOptions, InTenant, Part as FilePart};
use dev2prod_model::access::Role;
use dev2prod_model::package::{Dependencies, Mode, Sections};
use dev2prod_model::tenant::TenantKind;
use secrecy::{ExposeSecret, SecretString};

use super::content::Part;

/// The development tenant's id.
pub(super) const DEVELOPMENT: &str = "100000001";
/// The production tenant's id.
pub(super) const PRODUCTION: &str = "200000002";
/// The package of everything that the development team delivers.
pub(super) const PACKAGE: &str = "10100";

/// Somebody who can sign in to the demo.
pub(super) struct Person {
    pub(super) login: &'static str,
    pub(super) password: SecretString,
    /// What they may do, for the screen.
    pub(super) may: &'static str,
}

/// The demo's server as its people see it.
pub(super) struct World {
    pub(super) people: Vec<Person>,
    /// The development team in its own tenant.
    pub(super) development: InTenant,
    /// Production's administrators in theirs.
    pub(super) production: InTenant,
    /// Whoever promotes, on both sides.
    pub(super) promoter: [InTenant; 2],
}

/// Makes tenants, users and the package; fills the development tenant.
pub(super) async fn make(
    url: &str,
    admin: Person,
    password: impl Fn() -> SecretString,
    scratch: &Path,
) -> anyhow::Result<World> {
    let client = sign_in(url, &admin)?;
    for (id, name, kind) in [
        (DEVELOPMENT, "Merrivale service desk, development", TenantKind::Development),
        (PRODUCTION, "Merrivale service desk, production", TenantKind::Production),
    ] {
        let tenant = TenantCreate { id: id.parse()?, name: name.to_owned(), kind };
        client.create_tenant(&tenant).await?;
    }
    let people = [
        ("dora", "development: configures and tests", vec![(DEVELOPMENT, Role::TenantAdmin)]),
        ("otto", "production: administers it", vec![(PRODUCTION, Role::TenantAdmin)]),
        (
            "pia",
            "both: promotes from one to the other",
            vec![(DEVELOPMENT, Role::Promoter), (PRODUCTION, Role::Promoter)],
        ),
    ];
    let mut made = vec![admin];
    for (login, may, roles) in people {
        let person = Person { login, password: password(), may };
        let user = UserCreate {
            login: login.parse()?,
            password: person.password.expose_secret().to_owned(),
            system_admin: None,
        };
        client.create_user(&user).await?;
        for (tenant, role) in roles {
            client.give_role(login, tenant, &RoleWrite { role }).await?;
        }
        made.push(person);
    }
    let as_person = |place: usize| sign_in(url, &made[place]);
    let development = as_person(1)?.in_tenant(DEVELOPMENT);
    let production = as_person(2)?.in_tenant(PRODUCTION);
    let pia = as_person(3)?;
    let promoter = [pia.in_tenant(DEVELOPMENT), pia.in_tenant(PRODUCTION)];
    put(&development, Part::Base, scratch).await?;
    development.create_package(&everything()?).await?;
    Ok(World { people: made, development, production, promoter })
}

fn sign_in(url: &str, person: &Person) -> anyhow::Result<Client> {
    let access = Access::password(person.login, person.password.clone());
    Ok(Client::new(ClientOptions::new(url, access))?)
}

fn everything() -> anyhow::Result<PackageRequest> {
    Ok(PackageRequest {
        id: Some(PACKAGE.parse()?),
        name: "Service desk, everything".to_owned(),
        mode: Mode::Full,
        sections: Some(Sections::All),
        items: Vec::new(),
        exclude: Vec::new(),
        remove: Vec::new(),
        dependencies: Dependencies::Always,
    })
}

/// Puts a part of the content into a tenant: first the files' bytes, then the items that name
/// them, then deletes what the part deletes.
pub(super) async fn put(tenant: &InTenant, part: Part, scratch: &Path) -> anyhow::Result<()> {
    let path = scratch.join("upload");
    for file in part.attachments()? {
        tokio::fs::write(&path, &file.bytes).await?;
        let described = FilePart { name: file.name, content_type: file.content_type };
        tenant.upload(&path, &described, None).await?;
    }
    part.write_items(&path)?;
    let lines = tokio::fs::File::open(&path).await?;
    tenant.push_content(lines, ContentMode::Upsert, None).await?;
    tokio::fs::remove_file(&path).await?;
    for item in part.deleted()? {
        tenant.delete_item(item.package_name.parse()?, &item.key, None).await?;
    }
    Ok(())
}
