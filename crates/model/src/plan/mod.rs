//! What an import would do, item by item, decided purely.
//!
//! [`decide`] answers for one item from its digests in the package, in the target and at the last
//! delivery. Rules that need more than one item (references, many removals) work on its answers.

mod decide;
mod entry;
mod options;

pub use decide::{Baseline, PackageSide, Row, TargetSide, Terms, decide};
pub use entry::{Action, Decision, Entry, Reason, Settlement};
pub use options::{ConflictPolicy, FirstDelivery, ImportOptions, RemovalPolicy};
