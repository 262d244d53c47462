//! The first pass of an undo's plan: every item that the import touched, decided by itself.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use dev2prod_model::item::Key;
use dev2prod_model::plan::{ImportOptions, Reason};
use dev2prod_model::section::Section;

use super::Undone;
use super::bundle::touched;
use crate::import::bound::Scales;
use crate::import::draft::{Draft, Drafter, Sources};
use crate::import::heads::{Head, Heads};
use crate::import::sides::Target;
use crate::runner::job::{Heartbeat, JobError};

/// Decides every item that the import touched. The bundle has those that were there before it.
pub(in crate::import) async fn draft(
    target: &Target<'_>,
    undone: &Undone,
    sources: Sources<'_>,
    options: &ImportOptions,
    heartbeat: &Heartbeat,
    scratch: &Path,
) -> Result<Draft, JobError> {
    let Sources {
        manifest,
        heads,
        maker,
    } = sources;
    let mut scales = Scales::new(target, maker);
    let mut drafter = Drafter::new(target, manifest, options, heartbeat, scratch)?;
    let mut before = Before {
        heads,
        waiting: VecDeque::new(),
        ended: false,
    };
    for section in Section::ALL {
        before.ended = false;
        let mut after: Option<Key> = None;
        loop {
            let keys = touched(
                target.engine,
                &target.scope,
                undone,
                section,
                after.as_ref(),
            );
            let keys = keys.await?;
            let Some(last) = keys.last().cloned() else {
                break;
            };
            let page = before.up_to(section, &last).await?;
            let mut known = target.look_up(section, page, &keys).await?;
            let named: BTreeSet<Key> = keys.into_iter().collect();
            for known in &mut known {
                // What came with the import may go with it.
                if let Some(target) = &mut known.row.target {
                    target.system = false;
                }
            }
            scales.weigh(&mut known).await?;
            for known in &known {
                let made = known.row.baseline.and_then(|made| made.source);
                match (known.row.package, made, known.row.target) {
                    // Neither before it nor after it: only the baseline moved.
                    (None, None, None) => drafter.stay(known, Reason::AlreadyRemoved)?,
                    (None, None, Some(_)) => drafter.stay(known, Reason::TargetKept)?,
                    _ => drafter.decide(std::slice::from_ref(known), &named)?,
                }
            }
            after = Some(last);
        }
    }
    drafter.finish()
}

/// The items before the import, in step with the keys that it touched.
struct Before {
    heads: Heads,
    waiting: VecDeque<Head>,
    ended: bool,
}

impl Before {
    /// The next heads of a section, to this key.
    async fn up_to(&mut self, section: Section, last: &Key) -> Result<Vec<Head>, JobError> {
        while !self.ended && self.waiting.back().is_none_or(|head| head.key < *last) {
            let batch = self.heads.next(section).await?;
            self.ended = batch.is_empty();
            self.waiting.extend(batch);
        }
        let count = self.waiting.partition_point(|head| head.key <= *last);
        Ok(self.waiting.drain(..count).collect())
    }
}
