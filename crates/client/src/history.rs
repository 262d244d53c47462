//! What was exported and imported, and item by item what an import does. Only our own server
//! offers this.

use dev2prod_api::{
    ChangesPage, ChangesQuery, DriftPage, DriftQuery, ExportsPage, HistoryQuery, ImportsPage,
    PageQuery,
};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::InTenant;
use crate::error::ClientError;
use crate::reply;

/// A list that is read page by page.
pub trait OnePage {
    /// Where the next page begins.
    fn next_cursor(&self) -> Option<&str>;
}

macro_rules! pages {
    ($($page:ty),*) => {$(
        impl OnePage for $page {
            fn next_cursor(&self) -> Option<&str> {
                self.next_cursor.as_deref()
            }
        }
    )*};
}
pages!(
    ChangesPage,
    DriftPage,
    ExportsPage,
    ImportsPage,
    dev2prod_api::ItemsPage
);

impl InTenant {
    /// A page of the plan or result of an import. The query's cursor goes on.
    pub async fn changes(
        &self,
        import_id: &str,
        query: &ChangesQuery,
    ) -> Result<ChangesPage, ClientError> {
        self.get(&["dev2prod", "import", import_id, "changes"], query)
            .await
    }

    /// A page of what was changed since it was last delivered. The query's cursor goes on.
    pub async fn drift(&self, query: &DriftQuery) -> Result<DriftPage, ClientError> {
        self.get(&["dev2prod", "drift"], query).await
    }

    /// A page of exports, newest first.
    pub async fn exports(&self, query: &HistoryQuery) -> Result<ExportsPage, ClientError> {
        self.get(&["dev2prod", "exports"], query).await
    }

    /// A page of dry runs and imports, newest first.
    pub async fn imports(&self, query: &HistoryQuery) -> Result<ImportsPage, ClientError> {
        self.get(&["dev2prod", "imports"], query).await
    }

    /// A page of what an export of a package would carry now.
    pub async fn package_items(
        &self,
        package_id: &str,
        query: &PageQuery,
    ) -> Result<dev2prod_api::ItemsPage, ClientError> {
        self.get(&["dev2prod", "packages", package_id, "items"], query)
            .await
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        let build = || Ok(self.request(Method::GET, path)?.query(query));
        reply::json(self.client.send(build).await?).await
    }
}
