//! The words of a plan.

use serde::{Deserialize, Serialize};

use crate::binding::WithoutValue;
use crate::item::{Digest, ItemRef, Revision};

/// What an import does with one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Action {
    /// The target lacks it and gets it.
    Added,
    /// The target's version is replaced.
    Modified,
    /// It leaves the target.
    Removed,
    /// It stays as it is.
    Skipped,
    /// It cannot be settled; the import fails.
    Failed,
}

impl Action {
    /// Whether the target's content changes by it.
    pub const fn changes(self) -> bool {
        matches!(self, Self::Added | Self::Modified | Self::Removed)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal;)*) => {
        /// Why an item is treated as it is: a closed set, stable on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code on the wire.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

reasons! {
    /// Target and package are the same, and were the same at the last delivery.
    Unchanged = "unchanged";
    /// Target and package are the same; this is now the last delivery.
    Adopted = "adopted";
    /// The target lacks it and it was never delivered.
    New = "new";
    /// Only the source changed since the last delivery.
    SourceChanged = "source_changed";
    /// The source removed it; the target has it as it was delivered.
    SourceRemoved = "source_removed";
    /// Never delivered before, and the target's version differs.
    FirstDelivery = "first_delivery";
    /// As `first_delivery`, and the request keeps the target's version.
    FirstDeliveryKept = "first_delivery_kept";
    /// The source did not change since the last delivery; the target did and keeps its own.
    TargetKept = "target_kept";
    /// Both changed since the last delivery, differently.
    Conflict = "conflict";
    /// Both changed since the last delivery, different fields: the result has the changes of both.
    Merged = "merged";
    /// Both changed different fields, but what has the changes of both is no valid item.
    MergedInvalid = "merged_invalid";
    /// It would change, and the request leaves it out.
    LeftOut = "left_out";
    /// A conflict that the request settles for the target.
    ConflictKept = "conflict_kept";
    /// A conflict that the request settles for the package.
    ConflictOverwritten = "conflict_overwritten";
    /// Another origin delivered the target's version.
    DeliveredByOther = "delivered_by_other";
    /// The package is older than what this origin last delivered.
    OlderThanDelivered = "older_than_delivered";
    /// A dependency to be taken only where the target lacks it, and the target has it.
    Present = "present";
    /// Gone from the source, but the request or the section's kind leaves removals out.
    RemovalOff = "removal_off";
    /// Gone from the source, but another origin delivers it too.
    RemovalShared = "removal_shared";
    /// Gone from the source, but shipped with the application.
    RemovalSystem = "removal_system";
    /// Gone from the source or named for removal, but the target's version was not delivered.
    RemovalNotDelivered = "removal_not_delivered";
    /// Gone from the source or named for removal, but nobody who is trusted says so.
    RemovalUntrusted = "removal_untrusted";
    /// Gone from the source and already from the target.
    AlreadyRemoved = "already_removed";
    /// The package would not change it, but the target's bindings do.
    Binding = "binding";
    /// The target has no value of its own for a field that a binding requires.
    BindingWithoutValue = "binding_without_value";
    /// The target has no value for a secret that a binding requires.
    SecretMissing = "secret_missing";
    /// More removals than a section may lose unasked.
    ManyRemovals = "many_removals";
    /// To be removed, but something that stays refers to it.
    StillReferenced = "still_referenced";
    /// It refers to an item that is neither in the target nor comes with the package.
    MissingReference = "missing_reference";
    /// It names the bytes of a file that neither the bundle nor the target holds.
    MissingAttachment = "missing_attachment";
}

/// The delivery that a settled item moves its baseline to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Settlement {
    /// The package's digest; `None` for an item that the source removed.
    pub source: Option<Digest>,
    /// The source revision delivered.
    pub source_revision: Revision,
    /// What was written; `None` if the target's own version was kept or nothing remains.
    pub result: Option<Digest>,
}

/// The answer for one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The baseline that the import moves to; `None` where it stays.
    pub settles: Option<Settlement>,
}

/// One item of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Entry {
    /// Which.
    #[serde(flatten)]
    pub item: ItemRef,
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Digest at the last delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<Digest>,
    /// Digest in the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Digest>,
    /// Digest in the package.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<Digest>,
    /// Digest of what the target holds afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Digest>,
    /// The items that the reason is about.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub references: Vec<ItemRef>,
    /// The baseline that the import moves to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settles: Option<Settlement>,
    /// Of an undo: there was no baseline before, and there is none afterwards.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unsettles: bool,
    /// The chunk of the bundle that holds the package's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk: Option<u32>,
    /// References that dangled in the target before and still do: a warning, not an error.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub dangling: Vec<ItemRef>,
    /// What a merge found, where both sides changed since the last delivery.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merge: Option<Box<FieldMerge>>,
    /// Of an item that is written and refers to others: the digest of what the plan found of those
    /// in the target. A sealed plan holds only as long as it is the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub referred: Option<Digest>,
    /// What is the target's own in it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub own: Option<Box<OwnFields>>,
}

impl Entry {
    /// Fails the entry if a value is missing that is required.
    pub fn refuse_without_values(&mut self) {
        let refusal = self.own.as_deref().and_then(OwnFields::refusal);
        if let Some(reason) = refusal.filter(|_| self.action != Action::Failed) {
            self.action = Action::Failed;
            self.reason = reason;
            self.result = self.target;
            self.settles = None;
        }
    }

    /// Whether it does anything to the target, or stops the import: what a sealed plan is about.
    /// Items that stay as they are may change without voiding it.
    pub fn is_sealed(&self) -> bool {
        self.action.changes()
            || self.action == Action::Failed
            || self.settles.is_some()
            || self.unsettles
    }

    /// Whether another plan means the same by it. Where the bundle keeps the item does not count.
    pub fn means_the_same(&self, other: &Self) -> bool {
        let placeless = |entry: &Self| Self {
            chunk: None,
            ..entry.clone()
        };
        placeless(self) == placeless(other)
    }
}

/// What of an item is the target's own, by its bindings and secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct OwnFields {
    /// The fields that are not as they were wanted, but kept or set, sorted: the first
    /// [`POINTERS_MAX`](FieldMerge::POINTERS_MAX).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bound: Vec<String>,
    /// The fields to be kept for which the target has no value, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_value: Vec<WithoutValue>,
    /// The secrets for which the target has no value, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets_missing: Vec<WithoutValue>,
}

impl OwnFields {
    /// Why the item cannot be written, if a value is missing that is required.
    pub fn refusal(&self) -> Option<Reason> {
        let required = |fields: &[WithoutValue]| fields.iter().any(|field| field.required);
        if required(&self.without_value) {
            Some(Reason::BindingWithoutValue)
        } else if required(&self.secrets_missing) {
            Some(Reason::SecretMissing)
        } else {
            None
        }
    }

    /// Itself, if it says anything.
    pub fn noted(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// The fields that a merge was about, as [`crate::merge`] names them: the first
/// [`POINTERS_MAX`](Self::POINTERS_MAX) of each kind, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FieldMerge {
    /// Only the package changed them: they are as the package has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<String>,
    /// Only the target changed them: they are as the target has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// Both changed them, differently.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<String>,
}

impl FieldMerge {
    /// The most fields of a kind that are named.
    pub const POINTERS_MAX: usize = 100;
}
