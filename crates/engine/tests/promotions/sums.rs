//! What a tenant's content comes to, held against its digests wherever a story looks at those.

use std::collections::BTreeMap;

use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::id::TenantId;
use dev2prod_model::item::{Digest, ItemRef, Revision};

use crate::world::World;

impl World {
    /// What was noted of the content's sum is the sum of these, its digests.
    pub(crate) async fn assert_sum(
        &self,
        tenant: &TenantId,
        at: Revision,
        digests: &BTreeMap<ItemRef, Digest>,
    ) {
        if at > Revision(0) {
            let scope = self.scope(tenant);
            let noted = self.engine.store().content_sum(&scope, at).await.unwrap();
            let mut sum = ContentSum::EMPTY;
            for (item, digest) in digests {
                sum.add(item, digest);
            }
            assert_eq!(noted, Some(sum), "revision {at} of tenant {tenant}");
        }
    }
}
