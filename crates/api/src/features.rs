//! What a server offers beyond the documented API, and the header in which it says so.

use std::collections::BTreeSet;

/// The header of every reply of our server; a server without it offers the documented API only.
pub const FEATURES_HEADER: &str = "Dev2Prod-Features";

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        /// Something that a server may offer beyond the documented API: a closed set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature {
            $($(#[$doc])* $name,)*
        }

        impl Feature {
            /// All features.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word in the header.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

features! {
    /// `Conflicts` of an import.
    Conflicts = "conflicts";
    /// `FirstDelivery` of an import.
    FirstDelivery = "first-delivery";
    /// `Removals` and `RemovalsMax` of an import.
    Removals = "removals";
    /// `AllowOlder` of an import.
    AllowOlder = "allow-older";
    /// `Resolutions` of an import.
    Resolutions = "resolutions";
    /// `PlanId` of an import.
    SealedPlan = "sealed-plan";
    /// Undoing an import.
    Undo = "undo";
    /// `Comment` of an import.
    Comment = "comment";
    /// The plan or result of an import item by item.
    Changes = "changes";
    /// Stopping an export or import.
    Cancel = "cancel";
    /// Server-sent events of operations.
    Events = "events";
    /// What a tenant asks of imports into it.
    Settings = "settings";
    /// Approving and rejecting the plan of a dry run.
    Reviews = "reviews";
    /// The versions that an item had.
    ItemHistory = "item-history";
    /// What was changed since it was delivered, and packages of that.
    Drift = "drift";
    /// Lists of exports and imports.
    History = "history";
    /// The Package Manager.
    Packages = "packages";
    /// Reading and writing content.
    Content = "content";
    /// A tenant's bindings, and secrets apart from bodies.
    Bindings = "bindings";
    /// Tenants, users, roles and tokens.
    Administration = "administration";
    /// What administration did, and who was kept out.
    Audit = "audit";
    /// Signed bundles, and whose a tenant trusts.
    Trust = "trust";
    /// `Idempotency-Key` on what starts an operation.
    Idempotency = "idempotency";
}

impl Feature {
    /// The feature of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|feature| feature.name() == name)
    }
}

/// The value of the header of a server that offers everything this version knows.
pub fn features_header() -> String {
    let names: Vec<_> = Feature::ALL.iter().map(|feature| feature.name()).collect();
    names.join(", ")
}

/// The features that a header names; words of later versions are passed over.
pub fn parse_features(header: &str) -> BTreeSet<Feature> {
    header
        .split(',')
        .filter_map(|word| Feature::from_name(word.trim()))
        .collect()
}
