//! The demo's tenants and users, made over HTTP as an administrator would.

use std::path::Path;

use dev2prod_client::api::{ContentMode, PackageRequest, RoleWrite, TenantCreate, UserCreate};
use dev2prod_client::{Access, Client, ClientOptions, InTenant, Part as FilePart};
use dev2prod_model::access::Role;
use dev2prod_model::package::{Dependencies, Mode, Sections};
use dev2prod_model::tenant::TenantKind;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::content::Part;
use super::passwords;

/// The development tenant's id.
pub(super) const DEVELOPMENT: &str = "100000001";
/// The production tenant's id.
pub(super) const PRODUCTION: &str = "200000002";
/// The package of everything that the development team delivers.
pub(super) const PACKAGE: &str = "10100";

/// The administrator's login.
pub(super) const ADMIN: &str = "admin";
/// Who configures in development.
pub(super) const DEVELOPER: &str = "dora";
/// Who administers production.
pub(super) const OPERATOR: &str = "otto";
/// Who promotes from one to the other.
pub(super) const PROMOTER: &str = "pia";

/// Somebody who can sign in to the demo.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Person {
    pub(super) login: String,
    pub(super) password: SecretString,
    /// What they may do, for the screen.
    pub(super) may: String,
}

impl Person {
    /// Somebody with a password that is made up.
    pub(super) fn new(login: &str, may: &str) -> Self {
        Self {
            login: login.to_owned(),
            password: passwords::make_up(),
            may: may.to_owned(),
        }
    }

    fn sign_in(&self, url: &str) -> anyhow::Result<Client> {
        let access = Access::password(self.login.clone(), self.password.clone());
        Ok(Client::new(ClientOptions::new(url, access))?)
    }
}

/// The demo's server as its people see it.
pub(super) struct World {
    pub(super) people: Vec<Person>,
    /// The development team in its own tenant.
    pub(super) development: InTenant,
    /// Production's administrators in theirs.
    pub(super) production: InTenant,
    /// Whoever promotes, in the tenant that is taken from.
    pub(super) source: InTenant,
    /// Whoever promotes, in the tenant that is changed.
    pub(super) target: InTenant,
}

/// What putting a part of the content into a tenant changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Put {
    pub(super) added: u64,
    pub(super) modified: u64,
    pub(super) deleted: usize,
    pub(super) files: usize,
}

/// Makes tenants, users and the package.
pub(super) async fn make(url: &str, admin: Person) -> anyhow::Result<World> {
    let client = admin.sign_in(url)?;
    for (id, name, kind) in [
        (
            DEVELOPMENT,
            "Merrivale service desk, development",
            TenantKind::Development,
        ),
        (
            PRODUCTION,
            "Merrivale service desk, production",
            TenantKind::Production,
        ),
    ] {
        let tenant = TenantCreate {
            id: id.parse()?,
            name: name.to_owned(),
            kind,
        };
        client.create_tenant(&tenant).await?;
    }
    let both = [(DEVELOPMENT, Role::Promoter), (PRODUCTION, Role::Promoter)];
    let developer = person(
        &client,
        DEVELOPER,
        "configure development",
        &[(DEVELOPMENT, Role::TenantAdmin)],
    )
    .await?;
    let operator = person(
        &client,
        OPERATOR,
        "administer production",
        &[(PRODUCTION, Role::TenantAdmin)],
    )
    .await?;
    let promoter = person(&client, PROMOTER, "promote from one to the other", &both).await?;
    let development = developer.sign_in(url)?.in_tenant(DEVELOPMENT);
    development.create_package(&everything()?).await?;
    let both_sides = promoter.sign_in(url)?;
    Ok(World {
        production: operator.sign_in(url)?.in_tenant(PRODUCTION),
        source: both_sides.in_tenant(DEVELOPMENT),
        target: both_sides.in_tenant(PRODUCTION),
        people: vec![admin, developer, operator, promoter],
        development,
    })
}

async fn person(
    client: &Client,
    login: &str,
    may: &str,
    roles: &[(&str, Role)],
) -> anyhow::Result<Person> {
    let person = Person::new(login, may);
    let user = UserCreate {
        login: login.parse()?,
        password: person.password.expose_secret().to_owned(),
        system_admin: None,
    };
    client.create_user(&user).await?;
    for (tenant, role) in roles {
        client
            .give_role(login, tenant, RoleWrite::of(*role))
            .await?;
    }
    Ok(person)
}

fn everything() -> anyhow::Result<PackageRequest> {
    Ok(PackageRequest {
        id: Some(PACKAGE.parse()?),
        name: "Service desk, everything".to_owned(),
        mode: Some(Mode::Full),
        sections: Some(Sections::All),
        items: Vec::new(),
        exclude: Vec::new(),
        remove: Vec::new(),
        dependencies: Dependencies::Always,
        from_drift: false,
        origin: None,
        last_update_time: None,
    })
}

/// Puts a part of the content into a tenant: first the files' bytes, then the items that name
/// them, then deletes what the part deletes.
pub(super) async fn put(tenant: &InTenant, part: Part, scratch: &Path) -> anyhow::Result<Put> {
    let path = scratch.join("upload");
    let files = part.attachments()?;
    let count = files.len();
    for file in files {
        tokio::fs::write(&path, &file.bytes).await?;
        let described = FilePart {
            name: file.name,
            content_type: file.content_type,
        };
        tenant.upload(&path, &described, None).await?;
    }
    part.write_items(&path)?;
    let lines = tokio::fs::File::open(&path).await?;
    let totals = tenant
        .push_content(lines, ContentMode::Upsert, None)
        .await?
        .totals;
    tokio::fs::remove_file(&path).await?;
    let deleted = part.deleted()?;
    for item in &deleted {
        tenant
            .delete_item(item.package_name.parse()?, &item.key, None)
            .await?;
    }
    let (added, modified) = (totals.added, totals.modified);
    Ok(Put {
        added,
        modified,
        deleted: deleted.len(),
        files: count,
    })
}
