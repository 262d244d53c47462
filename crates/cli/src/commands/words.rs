//! The words of the API as values of arguments.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use dev2prod_client::api::GrantedRole;
use dev2prod_client::api::model::access::Role;
use dev2prod_client::api::model::item::Key;
use dev2prod_client::api::model::plan::{
    Action, ConflictPolicy, FirstDelivery, Reason, RemovalPolicy,
};
use dev2prod_client::api::model::section::Section;
use dev2prod_client::api::model::tenant::TenantKind;

/// Reads the name of a section, and knows them all for help and completion.
pub(super) fn section() -> impl TypedValueParser<Value = Section> {
    PossibleValuesParser::new(Section::ALL.map(Section::name)).map(|name| {
        name.parse()
            .expect("each possible value is a section's name")
    })
}

/// Reads the code of a reason.
pub(super) fn reason() -> impl TypedValueParser<Value = Reason> {
    let code = |reason: &Reason| reason.code();
    PossibleValuesParser::new(Reason::ALL.iter().map(code)).map(|code| {
        let mut all = Reason::ALL.iter().copied();
        all.find(|reason| reason.code() == code)
            .expect("each possible value is a reason's code")
    })
}

/// An item as an argument names it: `SECTION:KEY`.
pub(super) fn item(text: &str) -> Result<(Section, Key), String> {
    let (section, key) = section_and(text)?;
    Ok((section, key.parse().map_err(|error| format!("{error}"))?))
}

/// A section and what follows the first colon.
pub(super) fn section_and(text: &str) -> Result<(Section, &str), String> {
    let (section, rest) = text
        .split_once(':')
        .ok_or_else(|| "it is like workflow:Incident".to_owned())?;
    Ok((named(section)?, rest))
}

/// The section of this name.
pub(super) fn named(name: &str) -> Result<Section, String> {
    name.parse().map_err(|_| {
        let names = Section::ALL.map(Section::name).join(", ");
        format!("there is no section '{name}'; there are {names}")
    })
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident for $of:ident { $($(#[$word_doc:meta])* $word:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub(crate) enum $name {
            $($(#[$word_doc])* $word,)*
        }

        impl From<$name> for $of {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word,)*
                }
            }
        }
    )*};
}

words! {
    /// Where source and target both changed.
    Conflicts for ConflictPolicy {
        /// Such an item is an error, and nothing is imported
        Fail,
        /// The package's version is taken
        Overwrite,
        /// The target's version stays, and the same question is not asked again
        Keep,
    }
    /// Where the target has another version of an item that was never delivered to it.
    First for FirstDelivery {
        /// The package's version is taken
        Take,
        /// Such an item is an error, and nothing is imported
        Fail,
        /// The target's version stays, and the same question is not asked again
        Keep,
    }
    /// What is gone from the source.
    Removals for RemovalPolicy {
        /// Is removed in configuration sections
        Apply,
        /// Is removed in all sections, data too
        All,
        /// Stays
        Skip,
    }
    /// What happens with an item.
    ActionWord for Action { Added, Modified, Removed, Skipped, Failed }
    /// What a tenant is used for.
    Kind for TenantKind { Development, Production }
}

/// A role of a user in a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GrantWord {
    /// Sees packages, operations and what they do
    Viewer,
    /// Exports and imports
    Promoter,
    /// Reads and writes content, packages and roles
    TenantAdmin,
    /// Sees what a viewer sees, and approves plans that others made
    Approver,
}

impl GrantWord {
    /// The name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Promoter => "Promoter",
            Self::TenantAdmin => "TenantAdmin",
            Self::Approver => "Approver",
        }
    }
}

impl From<GrantWord> for GrantedRole {
    fn from(word: GrantWord) -> Self {
        match word {
            GrantWord::Viewer => Self::Viewer,
            GrantWord::Promoter => Self::Promoter,
            GrantWord::TenantAdmin => Self::TenantAdmin,
            GrantWord::Approver => Self::Approver,
        }
    }
}

/// A role in a tenant; each includes the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// Sees packages, operations and what they do
    Viewer,
    /// Exports and imports
    Promoter,
    /// Reads and writes content, packages and roles
    TenantAdmin,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::Viewer => Self::Viewer,
            RoleWord::Promoter => Self::Promoter,
            RoleWord::TenantAdmin => Self::TenantAdmin,
        }
    }
}
