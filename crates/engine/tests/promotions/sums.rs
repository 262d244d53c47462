//! What a tenant's content comes to, held against its digests wherever a story looks at those.

use std::collections::BTreeMap;

use dev2prod_engine::ports::{Begun, Holder};
use dev2prod_model::access::ContentWrite;
use dev2prod_model::content_sum::ContentSum;
use dev2prod_model::id::TenantId;
use dev2prod_model::item::{Digest, ItemRef, Revision};
use uuid::Uuid;

use crate::world::World;

impl World {
    /// What was noted of the content's sum is the sum of these, its digests.
    pub(crate) async fn assert_sum(
        &self,
        tenant: &TenantId,
        at: Revision,
        digests: &BTreeMap<ItemRef, Digest>,
    ) {
        let holder = Holder::Request(Uuid::from_u128(1));
        let scope = self.scope::<ContentWrite>(tenant);
        let store = self.engine.store();
        let begun = store.begin_stage(&scope, &holder, 60_000).await.unwrap();
        // Whoever writes meanwhile notes the next one.
        let Begun::Stage(stage) = begun else { return };
        let noted = store.base_sum(&stage).await.unwrap();
        store.abort_stage(&stage).await.unwrap();
        if stage.base == at && at > Revision(0) {
            let mut sum = ContentSum::EMPTY;
            for (item, digest) in digests {
                sum.add(item, digest);
            }
            assert_eq!(noted, Some(sum), "revision {at} of tenant {tenant}");
        }
    }
}
