//! What a plan says to people: counts, errors and warnings by section.

use std::collections::BTreeMap;

use dev2prod_model::binding::WithoutValue;
use dev2prod_model::item::ItemRef;
use dev2prod_model::operation::{Counts, NOTICES_MAX, Notice, SectionReport};
use dev2prod_model::plan::{Action, Entry, OwnFields, Reason};
use dev2prod_model::section::Section;

use super::messages::{
    list, message, secret_missing, summary, undo_message, undo_summary, without_value,
};

/// Counts entries and keeps the first notices of each section.
pub(super) struct Tally {
    sections: BTreeMap<Section, Part>,
    /// Whether an import is undone: what changed, changed since that import.
    undo: bool,
}

#[derive(Default)]
struct Part {
    counts: Counts,
    errors: Notices,
    warnings: Notices,
    /// Warnings that are given once, with a count, after the others.
    summed: BTreeMap<Reason, u64>,
}

#[derive(Default)]
struct Notices {
    first: Vec<Notice>,
    count: u64,
}

impl Notices {
    fn push(&mut self, notice: impl FnOnce() -> Notice) {
        self.count += 1;
        if self.first.len() < NOTICES_MAX {
            self.first.push(notice());
        }
    }
}

/// How a reason is shown besides being counted.
enum Shown {
    Error,
    Warning,
    Summed,
    No,
}

impl Tally {
    /// Of an import, or of the undo of one.
    pub(super) fn of(undo: bool) -> Self {
        Self {
            sections: BTreeMap::new(),
            undo,
        }
    }

    /// A section that the package or a removal touches is reported, zeros included.
    pub(super) fn touch(&mut self, section: Section) {
        self.sections.entry(section).or_default();
    }

    /// Counts items that are the same on both sides.
    pub(super) fn unchanged(&mut self, section: Section, count: u64) {
        self.sections.entry(section).or_default().counts.skipped += count;
    }

    /// Counts an entry of the plan.
    pub(super) fn entry(&mut self, entry: &Entry) {
        let part = self.sections.entry(entry.item.section).or_default();
        let count = match entry.action {
            Action::Added => &mut part.counts.added,
            Action::Modified => &mut part.counts.modified,
            Action::Removed => &mut part.counts.removed,
            Action::Skipped => &mut part.counts.skipped,
            Action::Failed => &mut part.counts.failed,
        };
        *count += 1;
        let notice = || {
            notice(
                entry,
                entry.reason.code(),
                if self.undo {
                    undo_message(entry)
                } else {
                    message(entry)
                },
                &entry.references,
            )
        };
        match shown(entry) {
            Shown::Error => part.errors.push(notice),
            Shown::Warning => part.warnings.push(notice),
            Shown::Summed => *part.summed.entry(entry.reason).or_default() += 1,
            Shown::No => {}
        }
        if let Some(own) = &entry.own {
            part.own_fields(entry, own);
        }
        if !entry.dangling.is_empty() {
            let message = format!(
                "{} refers to what was missing in the target before and still is: {}",
                entry.item,
                list(&entry.dangling)
            );
            part.warnings
                .push(|| self::notice(entry, "dangling_before", message, &entry.dangling));
        }
    }

    /// Whether anything failed.
    pub(super) fn failed(&self) -> bool {
        self.sections.values().any(|part| part.counts.failed > 0)
    }

    /// The sections' reports in this order. What could not be settled changes nothing: an import
    /// with a failure reports no item as added, modified or removed.
    pub(super) fn finish(self, order: &[Section], changes_nothing: bool) -> Vec<SectionReport> {
        let mut sections = self.sections;
        let ordered = order
            .iter()
            .filter_map(|s| sections.remove(s).map(|part| (*s, part)));
        ordered
            .map(|(section, part)| part.report(section, changes_nothing, self.undo))
            .collect()
    }
}

impl Part {
    /// Says which values of the target's own are missing. An error that is the reason of the entry
    /// is said by it.
    fn own_fields(&mut self, entry: &Entry, own: &OwnFields) {
        let item = &entry.item;
        let kinds = [
            (
                Reason::BindingWithoutValue,
                &own.without_value,
                without_value as fn(&ItemRef, &[WithoutValue], bool) -> String,
            ),
            (Reason::SecretMissing, &own.secrets_missing, secret_missing),
        ];
        for (reason, fields, message) in kinds {
            let of = |required: bool| fields.iter().any(|field| field.required == required);
            if of(true) && entry.reason != reason {
                let message = || message(item, fields, true);
                self.errors
                    .push(|| notice(entry, reason.code(), message(), &[]));
            }
            if of(false) {
                let message = || message(item, fields, false);
                self.warnings
                    .push(|| notice(entry, reason.code(), message(), &[]));
            }
        }
    }

    fn report(mut self, section: Section, changes_nothing: bool, undo: bool) -> SectionReport {
        for (reason, count) in std::mem::take(&mut self.summed) {
            self.warnings.push(|| Notice {
                key: None,
                code: reason.code().to_owned(),
                message: if undo {
                    undo_summary(reason, count)
                } else {
                    summary(reason, count)
                },
                references: Vec::new(),
            });
        }
        let counts = if changes_nothing {
            Counts {
                added: 0,
                modified: 0,
                removed: 0,
                ..self.counts
            }
        } else {
            self.counts
        };
        SectionReport {
            section,
            counts,
            errors: self.errors.first,
            error_count: self.errors.count,
            warnings: self.warnings.first,
            warning_count: self.warnings.count,
        }
    }
}

fn shown(entry: &Entry) -> Shown {
    if entry.action == Action::Failed {
        return Shown::Error;
    }
    match entry.reason {
        Reason::FirstDelivery
        | Reason::Merged
        | Reason::ConflictOverwritten
        | Reason::RemovalShared
        | Reason::RemovalSystem
        | Reason::RemovalNotDelivered => Shown::Warning,
        Reason::TargetKept
        | Reason::ConflictKept
        | Reason::FirstDeliveryKept
        | Reason::RemovalOff
        | Reason::RemovalUntrusted => Shown::Summed,
        Reason::Unchanged
        | Reason::Adopted
        | Reason::New
        | Reason::Binding
        | Reason::SourceChanged
        | Reason::SourceRemoved
        | Reason::LeftOut
        | Reason::Present
        | Reason::AlreadyRemoved => Shown::No,
        // Only ever reasons of failures, shown above.
        Reason::Conflict
        | Reason::BindingWithoutValue
        | Reason::SecretMissing
        | Reason::MergedInvalid
        | Reason::DeliveredByOther
        | Reason::OlderThanDelivered
        | Reason::ManyRemovals
        | Reason::StillReferenced
        | Reason::MissingReference
        | Reason::MissingAttachment => Shown::Error,
    }
}

fn notice(entry: &Entry, code: &str, message: String, references: &[ItemRef]) -> Notice {
    Notice {
        key: Some(entry.item.key.clone()),
        code: code.to_owned(),
        message,
        references: references.to_vec(),
    }
}
