//! The 17 sections of a tenant's content, in the order of the seed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One of the 17 kinds of content; the wire calls it `PackageName`.
///
/// The order of the variants is the order of an export's `Statistics`, of listings and of a
/// bundle. The order in which sections are imported is the catalogue's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Section {
    /// Entity types, fields, enumerations and relation descriptors.
    Metadata,
    /// Processes, phases, transitions and rules of an entity type.
    Workflow,
    /// Forms: sections with placed fields.
    FormLayouts,
    /// Actions on records.
    CustomAction,
    /// What of an entity type is searchable.
    IndexConfiguration,
    /// Product features switched on and set.
    FeatureInstances,
    /// Grids, tabs and portal components.
    UiComponentConfig,
    /// Which template exists for which event.
    NotificationTemplateDefinitions,
    /// The text of a template for a channel and locale.
    NotificationTemplateBodies,
    /// Service-level settings of the tenant.
    SltTenantSetting,
    /// Business records.
    Data,
    /// The extra fields of an offering.
    UserOptionMetadata,
    /// Rules kept on a record or entity type.
    RulesInEntity,
    /// Links between two records.
    Many2manyRelations,
    /// Files that records refer to.
    Attachments,
    /// Service-level settings of custom apps.
    CustomAppSltSettings,
    /// Labels by locale.
    ResourceBundles,
}

impl Section {
    /// All sections, in the seed's order.
    pub const ALL: [Self; 17] = [
        Self::Metadata,
        Self::Workflow,
        Self::FormLayouts,
        Self::CustomAction,
        Self::IndexConfiguration,
        Self::FeatureInstances,
        Self::UiComponentConfig,
        Self::NotificationTemplateDefinitions,
        Self::NotificationTemplateBodies,
        Self::SltTenantSetting,
        Self::Data,
        Self::UserOptionMetadata,
        Self::RulesInEntity,
        Self::Many2manyRelations,
        Self::Attachments,
        Self::CustomAppSltSettings,
        Self::ResourceBundles,
    ];

    /// The name on the wire and in a bundle.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Workflow => "workflow",
            Self::FormLayouts => "formLayouts",
            Self::CustomAction => "customAction",
            Self::IndexConfiguration => "indexConfiguration",
            Self::FeatureInstances => "featureInstances",
            Self::UiComponentConfig => "uiComponentConfig",
            Self::NotificationTemplateDefinitions => "notificationTemplateDefinitions",
            Self::NotificationTemplateBodies => "notificationTemplateBodies",
            Self::SltTenantSetting => "SLTTenantSetting",
            Self::Data => "data",
            Self::UserOptionMetadata => "userOptionMetadata",
            Self::RulesInEntity => "rulesInEntity",
            Self::Many2manyRelations => "many2manyRelations",
            Self::Attachments => "attachments",
            Self::CustomAppSltSettings => "customAppSltSettings",
            Self::ResourceBundles => "resourceBundles",
        }
    }

    /// Position in the seed's order, from 0; also the section's number in a store.
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// The section at a position of the seed's order.
    pub fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }

    /// Whether the section holds configuration; the others hold data and its kin.
    pub const fn is_configuration(self) -> bool {
        !matches!(
            self,
            Self::Data
                | Self::UserOptionMetadata
                | Self::RulesInEntity
                | Self::Many2manyRelations
                | Self::Attachments
        )
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is none of the 17.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no package name; the names are metadata, workflow, formLayouts, customAction, indexConfiguration, featureInstances, uiComponentConfig, notificationTemplateDefinitions, notificationTemplateBodies, SLTTenantSetting, data, userOptionMetadata, rulesInEntity, many2manyRelations, attachments, customAppSltSettings, resourceBundles"
)]
pub struct UnknownSection(pub String);

impl FromStr for Section {
    type Err = UnknownSection;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|section| section.name() == name)
            .ok_or_else(|| UnknownSection(name.to_owned()))
    }
}

impl Serialize for Section {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Section {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back_to_the_section() {
        for (index, section) in Section::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(section.index()), index);
            assert_eq!(Section::from_index(section.index()), Some(section));
            assert_eq!(section.name().parse(), Ok(section));
        }
        assert_eq!(Section::from_index(17), None);
        assert!(
            "Metadata".parse::<Section>().is_err(),
            "names are told apart by case"
        );
    }

    #[test]
    fn five_sections_are_data_and_its_kin() {
        let data: Vec<_> = Section::ALL
            .into_iter()
            .filter(|s| !s.is_configuration())
            .collect();
        assert_eq!(data.len(), 5);
    }
}
