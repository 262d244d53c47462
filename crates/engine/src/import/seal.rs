//! A plan that was reviewed, held against the target as it is now.

use std::collections::BTreeMap;

use dev2prod_model::id::OperationId;
use dev2prod_model::item::ItemRef;
use dev2prod_model::operation::{Counts, NOTICES_MAX, Notice, Report, SectionReport};
use dev2prod_model::plan::Entry;
use dev2prod_model::section::Section;

use crate::plan_file::{PlanFileError, PlanReader};
use crate::runner::job::JobError;

/// What of a sealed plan does not hold any more, by section.
#[derive(Default)]
pub(super) struct Moved {
    count: u64,
    first: Option<ItemRef>,
    sections: BTreeMap<Section, (u64, Vec<Notice>)>,
}

/// Compares two plans in what they do: every item that one of them writes, removes, settles or
/// fails, with its versions, its baseline and what it refers to. Only if nothing moved is carrying
/// out the second what the first one says.
pub(super) fn compare(sealed: &PlanReader, now: &PlanReader) -> Result<Moved, JobError> {
    if sealed.index().content != now.index().content {
        return Err(JobError::permanent(
            "plan_of_another_bundle",
            "the plan was made for a bundle of other content; nothing was changed",
            "Import the file that the dry run was made for, or make a dry run of this one.",
        ));
    }
    if sealed.index().catalogue != now.index().catalogue {
        return Err(JobError::permanent(
            "plan_of_another_catalogue",
            "the server's catalogue is another one since the plan was made; nothing was changed",
            "Make another dry run and review it.",
        ));
    }
    if sealed.index().bindings != now.index().bindings {
        return Err(JobError::permanent(
            "plan_of_other_bindings",
            "the target's bindings are others since the plan was made; nothing was changed",
            "Make another dry run and review it.",
        ));
    }
    let mut moved = Moved::default();
    let mut before = sealed.all().filter(is_sealed).peekable();
    let mut after = now.all().filter(is_sealed).peekable();
    loop {
        let (one, other) = (front(&mut before)?, front(&mut after)?);
        let first = match (one, other) {
            (None, None) => return Ok(moved),
            (Some(one), Some(other)) => one.min(other),
            (Some(item), None) | (None, Some(item)) => item,
        };
        let take = |plan: &mut dyn Iterator<Item = Result<Entry, PlanFileError>>| {
            plan.next().transpose().map_err(JobError::internal)
        };
        let one = match before.peek() {
            Some(Ok(entry)) if entry.item == first => take(&mut before)?,
            _ => None,
        };
        let other = match after.peek() {
            Some(Ok(entry)) if entry.item == first => take(&mut after)?,
            _ => None,
        };
        moved.note(&first, one.as_ref(), other.as_ref());
    }
}

fn is_sealed(entry: &Result<Entry, PlanFileError>) -> bool {
    entry.as_ref().map_or(true, Entry::is_sealed)
}

fn front<I: Iterator<Item = Result<Entry, PlanFileError>>>(
    plan: &mut std::iter::Peekable<I>,
) -> Result<Option<ItemRef>, JobError> {
    match plan.peek() {
        None => Ok(None),
        Some(Ok(entry)) => Ok(Some(entry.item.clone())),
        Some(Err(_)) => match plan.next() {
            Some(Err(error)) => Err(JobError::internal(error)),
            _ => Err(JobError::internal("a plan's error was lost")),
        },
    }
}

impl Moved {
    fn note(&mut self, item: &ItemRef, sealed: Option<&Entry>, now: Option<&Entry>) {
        if let (Some(sealed), Some(now)) = (sealed, now)
            && sealed.means_the_same(now)
        {
            return;
        }
        self.count += 1;
        self.first.get_or_insert_with(|| item.clone());
        let (count, notices) = self.sections.entry(item.section).or_default();
        *count += 1;
        if notices.len() < NOTICES_MAX {
            notices.push(Notice {
                key: Some(item.key.clone()),
                code: "plan_moved".to_owned(),
                message: format!("{item}: {}", what_moved(sealed, now)),
                references: Vec::new(),
            });
        }
    }

    /// Nothing, or why the plan of this dry run is not carried out.
    pub(super) fn refusal(
        self,
        plan: OperationId,
        report: impl FnOnce(Vec<SectionReport>) -> Report,
    ) -> Result<(), JobError> {
        let Some(first) = self.first else {
            return Ok(());
        };
        let items = match self.count {
            1 => "1 item".to_owned(),
            count => format!("{count} items"),
        };
        let sections = self.sections.into_iter();
        let results = sections.map(|(section, (count, errors))| SectionReport {
            section,
            counts: Counts {
                failed: count,
                ..Counts::default()
            },
            errors,
            error_count: count,
            warnings: Vec::new(),
            warning_count: 0,
        });
        Err(JobError::Permanent {
            failure: crate::runner::job::failure(
                "plan_moved",
                format!(
                    "{items} moved since dry run {plan}, the first is {first}; nothing was changed"
                ),
                "Each is listed in Errors. Make another dry run and review it.",
            ),
            report: Some(Box::new(report(results.collect()))),
        })
    }
}

/// What is different, in a few words.
fn what_moved(sealed: Option<&Entry>, now: Option<&Entry>) -> String {
    let (Some(sealed), Some(now)) = (sealed, now) else {
        return match now {
            Some(now) => format!("it was to stay, and now {}", reason(now)),
            None => "it was to change, and now it is to stay".to_owned(),
        };
    };
    if sealed.target != now.target {
        return "the target's version is another one".to_owned();
    }
    let settled = sealed.settles.is_some() && now.settles.is_some();
    if sealed.base != now.base || settled && sealed.settles != now.settles {
        return "it was delivered again since".to_owned();
    }
    if sealed.referred != now.referred {
        return "an item that it refers to is another one".to_owned();
    }
    format!("it was {}, and now {}", reason(sealed), reason(now))
}

fn reason(entry: &Entry) -> &'static str {
    entry.reason.code()
}
