//! What plans say, page by page.

use dev2prod_engine::EngineResult;
use dev2prod_engine::changes::{self, ChangesPage, ChangesQuery};
use dev2prod_model::id::{OperationId, TenantId};

use crate::world::World;

impl World {
    pub(crate) async fn changes(
        &self,
        tenant: &TenantId,
        id: OperationId,
        query: ChangesQuery,
    ) -> EngineResult<ChangesPage> {
        changes::page(&self.engine, &self.scope(tenant), id, query).await
    }

    /// The changes of all pages.
    pub(crate) async fn all_changes(
        &self,
        tenant: &TenantId,
        id: OperationId,
        mut query: ChangesQuery,
    ) -> EngineResult<Vec<changes::ListedChange>> {
        let mut all = Vec::new();
        loop {
            let page = self.changes(tenant, id, query.clone()).await?;
            all.extend(page.changes);
            if page.next.is_none() {
                assert_eq!(
                    all.len() as u64,
                    page.total,
                    "the total is that of all pages"
                );
                return Ok(all);
            }
            query.cursor = page.next;
        }
    }
}
