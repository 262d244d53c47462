//! What the bundles that came last say, remembered while this process lives.

use std::sync::Arc;
use std::time::Duration;

use dev2prod_model::item::Digest;
use moka::sync::Cache;

use super::traits::TraitsSpool;

/// What the bodies of bundles say, by the SHA-256 of a bundle's bytes: noted when the bundle was
/// verified, so that the import that follows a dry run does not look for it again. Forgetting it
/// costs that and nothing else.
pub(crate) struct SeenBundles(Cache<Digest, Arc<TraitsSpool>>);

impl Default for SeenBundles {
    fn default() -> Self {
        /// Each holds a file in the scratch folder.
        const REMEMBERED_MAX: u64 = 8;
        /// A dry run that somebody has to look at is followed by its import within hours.
        const IDLE: Duration = Duration::from_secs(4 * 60 * 60);
        let cache = Cache::builder().max_capacity(REMEMBERED_MAX);
        Self(cache.time_to_idle(IDLE).build())
    }
}

impl SeenBundles {
    /// Remembers what a bundle says.
    pub(super) fn remember(&self, sha256: Digest, traits: &Arc<TraitsSpool>) {
        self.0.insert(sha256, Arc::clone(traits));
    }

    /// What this one says, if it is remembered.
    pub(super) fn find(&self, sha256: &Digest) -> Option<Arc<TraitsSpool>> {
        self.0.get(sha256)
    }
}
