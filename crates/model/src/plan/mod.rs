//! What an import would do, item by item, decided purely.
//!
//! [`decide`] answers for one item from its digests in the package, in the target and at the last
//! delivery. Rules that need more than one item (references, many removals) work on its answers.

mod base;
mod bound;
mod decide;
mod entry;
mod merged;
mod options;
mod resolution;

pub use base::CarriedBase;
pub use bound::{BoundDecision, BoundVersion, bind_decision};
pub use decide::{Baseline, PackageSide, Row, TargetSide, Terms, decide};
pub use entry::{Action, Decision, Entry, FieldMerge, OwnFields, Reason, Settlement};
pub use merged::{settle_merge, to_merge};
pub use options::{ConflictPolicy, FirstDelivery, ImportOptions, RemovalPolicy};
pub use resolution::{Answers, Resolution};
