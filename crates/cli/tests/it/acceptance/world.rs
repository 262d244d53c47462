//! A development and a production tenant on a server that may end at any time.

use std::path::PathBuf;
use std::time::Duration;

use dev2prod_client::api::{
    ContentMode, ContentQuery, HistoryQuery, ImportRequest, ItemWrite, PackageRequest,
    TenantCreate, TokenCreate,
};
use dev2prod_client::{
    Access, Client, ClientError, ClientOptions, InTenant, Outcome, Part, RemoteImport, Wait,
};
use dev2prod_model::operation::Status;
use dev2prod_model::plan::RemovalPolicy;
use dev2prod_model::section::Section;
use dev2prod_model::tenant::TenantKind;
use serde_json::json;
use tempfile::TempDir;

use super::server::{PASSWORD, PATIENCE, Server};

pub(crate) const DEVELOPMENT: &str = "111111111";
pub(crate) const PRODUCTION: &str = "222222222";

/// The key of an item that only production has, written to see whether it can be written.
const OWN: &str = "OnlyHere";

/// A folder with both tenants, and how to get in.
pub(crate) struct World {
    folder: TempDir,
    token: String,
    /// A package of everything.
    pub(crate) package: String,
}

impl World {
    /// Two empty tenants, and the server that made them.
    pub(crate) async fn new() -> (Self, Server) {
        let folder = TempDir::new().unwrap();
        let server = Server::start(&folder.path().join("data"), &[]).await;
        let world = Self::on(folder, &server).await;
        (world, server)
    }

    /// Two empty tenants of a server on the folder `data` of this one.
    pub(crate) async fn on(folder: TempDir, server: &Server) -> Self {
        let access = Access::password("admin", PASSWORD);
        let admin = Client::new(ClientOptions::new(&server.url, access)).unwrap();
        for (id, name, kind) in [
            (DEVELOPMENT, "Development", TenantKind::Development),
            (PRODUCTION, "Production", TenantKind::Production),
        ] {
            let tenant = TenantCreate {
                id: id.parse().unwrap(),
                name: name.to_owned(),
                kind,
            };
            admin.create_tenant(&tenant).await.unwrap();
        }
        let token = TokenCreate {
            name: "acceptance".to_owned(),
            tenant: None,
            role: None,
            expires_at: None,
        };
        let token = admin.create_token(&token).await.unwrap().token;
        let all = json!({ "Name": "Everything", "Mode": "Full", "Sections": "All" });
        let all: PackageRequest = serde_json::from_value(all).unwrap();
        let package = admin
            .in_tenant(DEVELOPMENT)
            .create_package(&all)
            .await
            .unwrap();
        Self {
            folder,
            token,
            package: package.id.to_string(),
        }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A server on the folder.
    pub(crate) async fn start(&self) -> Server {
        Server::start(&self.data(), &[]).await
    }

    /// A client of the server, who may do everything in both tenants.
    pub(crate) fn client(&self, server: &Server) -> Client {
        let access = Access::token(self.token.as_str());
        Client::new(ClientOptions::new(&server.url, access)).unwrap()
    }

    /// The promotion of this name; the same name is the same promotion.
    pub(crate) fn promotion(&self, name: impl Into<String>) -> Promotion<'_> {
        Promotion {
            world: self,
            key: name.into(),
        }
    }

    /// The token by which it may.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

/// Asks often, and gives a server that ended no time to come back.
pub(crate) fn impatient() -> Wait {
    Wait {
        timeout: PATIENCE,
        pause_first: Duration::from_millis(5),
        pause_max: Duration::from_millis(100),
        patience: Duration::ZERO,
    }
}

/// The import of a file that takes everything over, removals of data too.
pub(crate) fn everything_of(file: &str) -> ImportRequest {
    ImportRequest {
        removals: Some(RemovalPolicy::All),
        ..ImportRequest::of_file(file)
    }
}

/// An export and the import of its file. Each call asks for the same two operations, so that a
/// promotion that was cut off is gone on with by another call.
pub(crate) struct Promotion<'a> {
    world: &'a World,
    key: String,
}

impl Promotion<'_> {
    /// Asks for what was not asked for yet, and waits for the end.
    pub(crate) async fn go_on(&self, client: &Client) -> Result<RemoteImport, ClientError> {
        let file = self.export(client).await?;
        let production = client.in_tenant(PRODUCTION);
        let id = production
            .start_import(false, &everything_of(&file), Some(&self.key))
            .await?;
        production.wait_for_import(&id, &impatient(), |_| ()).await
    }

    /// The first half; the answer is the file.
    pub(crate) async fn export(&self, client: &Client) -> Result<String, ClientError> {
        let development = client.in_tenant(DEVELOPMENT);
        let id = development
            .start_export(&self.world.package, Some(&self.key))
            .await?;
        let export = development
            .wait_for_export(&id, &impatient(), |_| ())
            .await?;
        assert_eq!(export.outcome(), Outcome::Succeeded, "{}", export.raw);
        Ok(export.file_id.expect("a completed export has a file"))
    }
}

/// Makes these lines the tenant's content.
pub(crate) async fn replace(tenant: &InTenant, lines: String) {
    let lines = std::io::Cursor::new(lines);
    let uploaded = tenant
        .push_content(lines, ContentMode::Replace, None)
        .await
        .unwrap();
    assert_eq!(uploaded.dangling_count, 0);
}

/// Uploads a file's bytes.
pub(crate) async fn upload(tenant: &InTenant, name: &str, bytes: &[u8]) -> String {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    tenant
        .upload(&path, &Part::bundle(name), None)
        .await
        .unwrap()
        .id
}

/// What the tenant holds: its lines of section, key and digest, but for the item that [`write_own`]
/// writes.
pub(crate) async fn listing(tenant: &InTenant) -> String {
    try_listing(tenant).await.unwrap()
}

pub(crate) async fn try_listing(tenant: &InTenant) -> Result<String, ClientError> {
    let query = ContentQuery {
        digests: Some(true),
        ..ContentQuery::default()
    };
    let mut bytes = Vec::new();
    tenant.pull_content(&query, &mut bytes, None).await?;
    let text = String::from_utf8(bytes).unwrap();
    let own = format!(r#""Key":"{OWN}""#);
    Ok(text
        .split_inclusive('\n')
        .filter(|line| !line.contains(&own))
        .collect())
}

/// Writes an item that only this tenant has: nobody holds its content.
pub(crate) async fn write_own(tenant: &InTenant, number: usize) -> Result<(), ClientError> {
    let body = serde_json::value::to_raw_value(&json!({ "Number": number })).unwrap();
    let item = ItemWrite {
        body,
        references: Vec::new(),
    };
    tenant
        .put_item(Section::FeatureInstances, OWN, &item, None)
        .await
}

/// Waits until nothing is pending or running, without asking for anything.
pub(crate) async fn settled(client: &Client) {
    for status in [Status::Running, Status::Pending] {
        let query = HistoryQuery {
            status: Some(status),
            ..HistoryQuery::default()
        };
        for tenant in [DEVELOPMENT, PRODUCTION] {
            let tenant = client.in_tenant(tenant);
            let open = async || {
                let exports = tenant.exports(&query).await.unwrap().total_count;
                exports + tenant.imports(&query).await.unwrap().total_count
            };
            let ended = tokio::time::timeout(PATIENCE, async {
                while open().await > 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
            ended.await.expect("what was accepted ends by itself");
        }
    }
}

/// The number of the tenant's operations: exports, then imports and dry runs.
pub(crate) async fn operations(tenant: &InTenant) -> (u64, u64) {
    let query = HistoryQuery::default();
    let exports = tenant.exports(&query).await.unwrap().total_count;
    (exports, tenant.imports(&query).await.unwrap().total_count)
}
