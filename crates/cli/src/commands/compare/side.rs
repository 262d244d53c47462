//! One side of a comparison: a tenant, a bundle or a folder.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use dev2prod_bundle::Coverage;
use dev2prod_client::InTenant;
use dev2prod_client::api::{ContentQuery, Feature};
use dev2prod_model::item::{Digest, ItemRef, Key};
use dev2prod_model::section::Section;
use serde::Deserialize;

use super::super::local::{Head, Heads, Local};
use super::super::offered;
use crate::connect::{self, Connector, CredentialArgs};
use crate::exit::CommandError;
use crate::output::progress::{Step, bytes};

/// Opens sides; a password that standard input gives is read once for both.
pub(super) struct Sides<'a> {
    connector: Connector<'a>,
}

/// One side, ready to be read.
pub(super) struct Side {
    name: String,
    coverage: Coverage,
    source: Source,
}

enum Source {
    Local(Local),
    /// The digests of a tenant's content, as lines in a file that goes with it.
    Tenant(tempfile::TempPath),
}

impl<'a> Sides<'a> {
    pub(super) fn new(credentials: &'a CredentialArgs) -> Self {
        Self {
            connector: Connector::new(credentials),
        }
    }

    pub(super) async fn open(
        &mut self,
        asked: &str,
        side: connect::Side,
    ) -> Result<Side, CommandError> {
        if let Some((tenant, server)) = tenant_of(asked) {
            let tenant = self.connector.in_tenant(server, tenant, side)?;
            let digests = digests(&tenant).await?;
            return Ok(Side {
                name: format!("tenant {} at {}", tenant.tenant(), tenant.client().url()),
                coverage: Coverage::everything(),
                source: Source::Tenant(digests),
            });
        }
        let path = Path::new(asked);
        if !path.exists() {
            let error = CommandError::usage(format!("there is no file and no folder {asked}"));
            return Err(error.hint("a tenant is written TENANT@SERVER, such as 123456789@prod"));
        }
        let local = Local::open(path)?;
        Ok(Side {
            name: asked.to_owned(),
            coverage: local.coverage(),
            source: Source::Local(local),
        })
    }
}

/// Reads `TENANT@SERVER`, `TENANT` and `@SERVER`; anything else is a path. A path that looks like
/// one of them is written with `./` before it.
fn tenant_of(asked: &str) -> Option<(Option<&str>, Option<&str>)> {
    let (tenant, server) = match asked.split_once('@') {
        Some((tenant, server)) if !server.is_empty() => (tenant, Some(server)),
        Some(_) => return None,
        None => (asked, None),
    };
    let digits = tenant.bytes().all(|byte| byte.is_ascii_digit());
    let named = (!tenant.is_empty()).then_some(tenant);
    (digits && (named.is_some() || server.is_some())).then_some((named, server))
}

/// Reads the digests of all of a tenant's content, at one revision.
async fn digests(tenant: &InTenant) -> Result<tempfile::TempPath, CommandError> {
    offered::feature(tenant.client(), Feature::Content).await?;
    let query = ContentQuery {
        digests: Some(true),
        ..ContentQuery::default()
    };
    let path = tempfile::NamedTempFile::new()?.into_temp_path();
    let step = Step::begin(format!("Reading the digests of tenant {}", tenant.tenant()));
    let mut file = tokio::fs::File::create(&path).await?;
    let size = tenant
        .pull_content(&query, &mut file, step.on_bytes().as_ref())
        .await?;
    step.done(format!("Read {}", bytes(size)));
    Ok(path)
}

impl Side {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it would hold the item if there were one.
    pub(super) fn lacks(&self, item: &ItemRef) -> bool {
        self.coverage.includes(item)
    }

    /// The catalogue by which its digests were made, where it says so.
    pub(super) fn catalogue(&self) -> Option<Digest> {
        match &self.source {
            Source::Local(local) => Some(local.parts().catalogue),
            Source::Tenant(_) => None,
        }
    }

    pub(super) fn heads(&self) -> Result<Heads, CommandError> {
        let path = match &self.source {
            Source::Local(local) => return Ok(local.heads()),
            Source::Tenant(path) => path,
        };
        let mut last: Option<ItemRef> = None;
        let lines = BufReader::new(File::open(path)?).lines();
        Ok(Box::new(lines.map(move |line| {
            let head = head(&line?)?;
            let item = head.item.clone();
            if last.replace(item).is_some_and(|last| last >= head.item) {
                let error = format!("the server lists '{}' out of order", head.item);
                return Err(CommandError::failed(error));
            }
            Ok(head)
        })))
    }
}

fn head(line: &str) -> Result<Head, CommandError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Line {
        package_name: Section,
        key: Key,
        digest: Digest,
    }
    let Line {
        package_name,
        key,
        digest,
    } = serde_json::from_str(line).map_err(anyhow::Error::from)?;
    Ok(Head::new(ItemRef::new(package_name, key), digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_told_from_a_path() {
        for (asked, expected) in [
            ("123456789@dev", Some((Some("123456789"), Some("dev")))),
            (
                "1@https://company.net:8080",
                Some((Some("1"), Some("https://company.net:8080"))),
            ),
            ("123456789", Some((Some("123456789"), None))),
            ("@dev", Some((None, Some("dev")))),
            ("bundle.zip", None),
            ("./123", None),
            ("ann@dev", None),
            ("1@", None),
            ("@", None),
            ("", None),
        ] {
            assert_eq!(tenant_of(asked), expected, "{asked}");
        }
    }
}
