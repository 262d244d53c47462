//! Answers to single conflicts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::{Action, Decision, Reason};
use super::options::{ConflictPolicy, FirstDelivery, ImportOptions};
use crate::item::ItemRef;
use crate::merge::{Resolutions, Take};

/// Whose version of an item, or of a field of it, is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Resolution {
    /// The item.
    #[serde(flatten)]
    pub item: ItemRef,
    /// The field, as [`crate::merge`] names it, with all below it; left out: every conflict of the
    /// item, and with `Target` the item itself, which then stays as it is whatever was planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whose.
    pub take: Take,
}

impl Resolution {
    /// The most answers of one import.
    pub const COUNT_MAX: usize = 10_000;
}

/// The answers of a request, found by item.
#[derive(Clone, Debug, Default)]
pub struct Answers<'a> {
    by_item: BTreeMap<&'a ItemRef, ItemAnswers>,
}

#[derive(Clone, Debug, Default)]
struct ItemAnswers {
    whole: Option<Take>,
    fields: Resolutions,
}

impl<'a> Answers<'a> {
    /// Of two answers to the same question the later counts.
    pub fn of(options: &'a ImportOptions) -> Self {
        let mut answers = Self::default();
        for resolution in &options.resolutions {
            let item = answers.by_item.entry(&resolution.item).or_default();
            match &resolution.path {
                Some(path) => {
                    item.fields = std::mem::take(&mut item.fields).with(path, resolution.take);
                }
                None => item.whole = Some(resolution.take),
            }
        }
        answers
    }

    /// The items that are answered for, in order.
    pub fn items(&self) -> impl Iterator<Item = &'a ItemRef> + '_ {
        self.by_item.keys().copied()
    }

    /// The options as they are for this item: an answer for all of it is the policy for it.
    pub fn options_of(&self, item: &ItemRef, options: &ImportOptions) -> Option<ImportOptions> {
        let take = self.by_item.get(item)?.whole?;
        let (conflicts, first_delivery) = match take {
            Take::Package => (ConflictPolicy::Overwrite, FirstDelivery::Take),
            Take::Target => (ConflictPolicy::Keep, FirstDelivery::Keep),
        };
        Some(ImportOptions {
            conflicts,
            first_delivery,
            resolutions: Vec::new(),
            ..options.clone()
        })
    }

    /// The decision, unless the request leaves the item out: what would change it, and is no
    /// conflict that was settled for the target, then does not, and is asked again the next time.
    pub fn leave_out(&self, item: &ItemRef, decision: Decision) -> Decision {
        let whole = self.by_item.get(item).and_then(|answers| answers.whole);
        let planned = decision.action.changes() || decision.action == Action::Failed;
        if whole == Some(Take::Target) && planned {
            return Decision {
                action: Action::Skipped,
                reason: Reason::LeftOut,
                settles: None,
            };
        }
        decision
    }

    /// Whether the target's whole version is to stay, whatever could be merged.
    pub fn keep_whole(&self, item: &ItemRef) -> bool {
        let answers = self.by_item.get(item);
        answers.is_some_and(|answers| answers.whole == Some(Take::Target))
    }

    /// Who wins in a merge of this item's fields.
    pub fn fields_of(&self, item: &ItemRef, options: &ImportOptions) -> Resolutions {
        let answers = self.by_item.get(item).cloned().unwrap_or_default();
        let policy = match options.conflicts {
            ConflictPolicy::Fail => None,
            ConflictPolicy::Overwrite => Some(Take::Package),
            ConflictPolicy::Keep => Some(Take::Target),
        };
        match answers.whole.or(policy) {
            Some(take) => answers.fields.with("", take),
            None => answers.fields,
        }
    }
}
