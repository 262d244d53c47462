//! What every use case has at hand.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use dev2prod_bundle::SigningKey;
use dev2prod_model::catalogue::Catalogue;
use dev2prod_model::id::OperationId;
use dev2prod_model::sender::Sender;
use tokio::sync::{Notify, OnceCell, watch};
use uuid::Uuid;

use crate::accounts::Doorkeeper;
use crate::audit::AuditBook;
use crate::import::SeenBundles;
use crate::ports::{BlobStore, Store};
use crate::secrets::SecretKey;
use crate::selection::ListingCache;
use crate::settings::Settings;
use crate::sums::CheckedSums;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in epoch milliseconds.
    fn now_ms(&self) -> i64;
}

/// Draws random bytes, good enough for secrets.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// The machine's source of random bytes.
#[derive(Debug)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        use ring::rand::SecureRandom;
        ring::rand::SystemRandom::new()
            .fill(buffer)
            .expect("the machine gives random bytes: nothing safe can be done without");
    }
}

/// What an engine is made of.
pub struct Parts {
    /// Rows.
    pub store: Arc<dyn Store>,
    /// Blobs.
    pub blobs: Arc<dyn BlobStore>,
    /// What content looks like.
    pub catalogue: Arc<Catalogue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub random: Arc<dyn Random>,
    /// What secrets are sealed by.
    pub secret_key: Arc<SecretKey>,
    /// What the operator set.
    pub settings: Settings,
}

/// What every use case has at hand. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    parts: Arc<Parts>,
    wake: Arc<Notify>,
    tidy: Arc<Notify>,
    moves: watch::Sender<()>,
    door: Arc<Doorkeeper>,
    listings: Arc<ListingCache>,
    sender: Arc<Sender>,
    audit_book: Arc<AuditBook>,
    bundle_key: Arc<OnceCell<Arc<SigningKey>>>,
    seen_bundles: Arc<SeenBundles>,
    checked_sums: Arc<CheckedSums>,
}

impl Engine {
    /// An engine of these parts.
    pub fn new(parts: Parts) -> Self {
        let door = Arc::new(Doorkeeper::new(&parts.settings));
        Self {
            parts: Arc::new(parts),
            wake: Arc::new(Notify::new()),
            tidy: Arc::new(Notify::new()),
            moves: watch::Sender::new(()),
            door,
            listings: Arc::default(),
            sender: Arc::default(),
            audit_book: Arc::default(),
            bundle_key: Arc::default(),
            seen_bundles: Arc::default(),
            checked_sums: Arc::default(),
        }
    }

    /// The same engine for a request that came from here.
    #[must_use]
    pub fn asked_from(&self, sender: Sender) -> Self {
        Self {
            sender: Arc::new(sender),
            ..self.clone()
        }
    }

    /// From where the request came that it works for.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// Rows.
    pub fn store(&self) -> &dyn Store {
        self.parts.store.as_ref()
    }

    /// Blobs.
    pub fn blobs(&self) -> &dyn BlobStore {
        self.parts.blobs.as_ref()
    }

    /// What content looks like.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.parts.catalogue
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.parts.settings
    }

    /// Now, in epoch milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.parts.clock.now_ms()
    }

    /// Random bytes.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.parts.random.fill(&mut bytes);
        bytes
    }

    /// A new random UUID.
    pub fn new_uuid(&self) -> Uuid {
        uuid::Builder::from_random_bytes(self.random_bytes()).into_uuid()
    }

    /// A new id for an operation that is accepted now.
    pub fn new_operation_id(&self) -> OperationId {
        OperationId::new(self.now_ms(), self.random_bytes())
    }

    /// Wakes the runner: there is something to do.
    pub fn wake(&self) {
        self.wake.notify_waiters();
        self.wake.notify_one();
    }

    /// Resolves when somebody wakes the runner.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Has housekeeping come before its time: something was left that should not lie long.
    pub(crate) fn wake_housekeeping(&self) {
        self.tidy.notify_one();
    }

    /// Resolves when somebody wakes housekeeping.
    pub(crate) async fn housekeeping_woken(&self) {
        self.tidy.notified().await;
    }

    /// Tells those who follow operations that this process changed one. What other processes
    /// change is told to nobody here: whoever has to know looks from time to time.
    pub(crate) fn note_move(&self) {
        self.moves.send_replace(());
    }

    /// Hears of every [`Self::note_move`] from now on.
    pub(crate) fn moves(&self) -> watch::Receiver<()> {
        self.moves.subscribe()
    }

    /// What secrets are sealed by.
    pub(crate) fn secret_key(&self) -> &SecretKey {
        &self.parts.secret_key
    }

    /// What packages' listings worked out a moment ago.
    pub(crate) fn listings(&self) -> &ListingCache {
        &self.listings
    }

    /// How often requests failed.
    pub(crate) fn audit_book(&self) -> &AuditBook {
        &self.audit_book
    }

    /// What the bundles that came last say.
    pub(crate) fn seen_bundles(&self) -> &SeenBundles {
        &self.seen_bundles
    }

    /// Whose content was held against its sum.
    pub(crate) fn checked_sums(&self) -> &CheckedSums {
        &self.checked_sums
    }

    /// The key that signs bundles, once it was read.
    pub(crate) fn bundle_key(&self) -> &OnceCell<Arc<SigningKey>> {
        &self.bundle_key
    }

    /// Who guards logins and remembers sessions.
    pub(crate) fn door(&self) -> &Doorkeeper {
        &self.door
    }
}
