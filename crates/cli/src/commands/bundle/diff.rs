//! `dev2prod bundle diff`

use std::cell::RefCell;
use std::path::PathBuf;

use clap::Args;
use dev2prod_bundle::ManifestParts;
use dev2prod_model::comparison::{Pair, side_by_side};
use dev2prod_model::difference::differences;
use dev2prod_model::item::{Digest, Key};
use dev2prod_model::section::Section;
use owo_colors::OwoColorize;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::local::{Head, Local, Versions};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, changes, document, print, say};

#[derive(Args, Debug)]
pub(super) struct DiffArgs {
    /// The earlier bundle, or a folder that one was unpacked to
    #[arg(value_name = "A")]
    first: PathBuf,
    /// The later bundle, or a folder that one was unpacked to
    #[arg(value_name = "B")]
    second: PathBuf,
    /// End with 6 instead of 0 if they differ
    #[arg(long)]
    detailed_exitcode: bool,
}

/// An item that differs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Differing {
    package_name: Section,
    key: Key,
    change: Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<Digest>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field>,
    /// Both lists of references, if they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<Field>,
}

/// What became of an item from the first to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Change {
    Added,
    Removed,
    Modified,
}

/// A field that differs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Field {
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<Value>,
}

#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Counts {
    added: u64,
    modified: u64,
    removed: u64,
    equal: u64,
}

impl Counts {
    fn differ(&self) -> bool {
        self.added + self.modified + self.removed > 0
    }
}

pub(super) fn run(args: &DiffArgs, output: Output) -> CommandResult {
    let (one, other) = (Local::open(&args.first)?, Local::open(&args.second)?);
    let facts = fields(Some(&facts(&one.parts())), Some(&facts(&other.parts())));
    let counts = RefCell::new(Counts::default());
    let (mut before, mut after) = (one.versions(), other.versions());
    let by_item = |a: &Head, b: &Head| a.item.cmp(&b.item);
    let mut items = side_by_side(one.heads(), other.heads(), by_item).filter_map(|pair| {
        let found = pair.and_then(|pair| {
            let found = differing(pair, &mut before, &mut after)?;
            counts.borrow_mut().count(found.as_ref());
            Ok(found)
        });
        found.transpose()
    });
    let equal = || facts.is_empty() && !counts.borrow().differ();
    if output.is_json() {
        let rest = || {
            let members = json!({
                "Bundle": facts,
                "Totals": *counts.borrow(),
                "Equal": equal(),
            });
            members.as_object().cloned().unwrap_or_else(Map::new)
        };
        document::write(&mut items, &rest)?;
    } else {
        if !facts.is_empty() {
            print(&format!("{} the package\n{}", "~".yellow(), shown(&facts)))?;
        }
        for item in items {
            print(&text(&item?))?;
        }
    }
    let Counts {
        added,
        modified,
        removed,
        ..
    } = *counts.borrow();
    say(format!(
        "{added} added, {modified} modified, {removed} removed"
    ));
    Ok(if args.detailed_exitcode && !equal() {
        Exit::Changes
    } else {
        Exit::Done
    })
}

impl Counts {
    fn count(&mut self, found: Option<&Differing>) {
        let count = match found.map(|found| found.change) {
            Some(Change::Added) => &mut self.added,
            Some(Change::Removed) => &mut self.removed,
            Some(Change::Modified) => &mut self.modified,
            None => &mut self.equal,
        };
        *count += 1;
    }
}

/// What an import looks at besides the items.
fn facts(parts: &ManifestParts) -> Value {
    json!({
        "Mode": parts.mode,
        "Scope": parts.scope,
        "Excluded": parts.excluded,
        "Remove": parts.remove,
        "Origin": parts.origin.id,
    })
}

fn differing(
    pair: Pair<Head>,
    before: &mut Versions,
    after: &mut Versions,
) -> Result<Option<Differing>, CommandError> {
    Ok(match pair {
        Pair::First(head) => Some(Differing::new(Change::Removed, Some(&head), None)),
        Pair::Second(head) => Some(Differing::new(Change::Added, None, Some(&head))),
        Pair::Both(one, other) if one.digest == other.digest => None,
        Pair::Both(one, other) => {
            let mut found = Differing::new(Change::Modified, Some(&one), Some(&other));
            let (old, old_references) = before.read(&one)?;
            let (new, new_references) = after.read(&other)?;
            found.fields = fields(Some(&old), Some(&new));
            found.references = (old_references != new_references).then_some(Field {
                pointer: None,
                first: Some(old_references),
                second: Some(new_references),
            });
            Some(found)
        }
    })
}

impl Differing {
    fn new(change: Change, one: Option<&Head>, other: Option<&Head>) -> Self {
        let item = one.or(other).map(|head| head.item.clone());
        let item = item.expect("an item that differs is in one of two");
        Self {
            package_name: item.section,
            key: item.key,
            change,
            first: one.map(|head| head.digest),
            second: other.map(|head| head.digest),
            fields: Vec::new(),
            references: None,
        }
    }
}

fn fields(one: Option<&Value>, other: Option<&Value>) -> Vec<Field> {
    let found = differences(one, other).into_iter();
    let found = found.map(|difference| Field {
        pointer: Some(difference.pointer),
        first: difference.target,
        second: difference.package,
    });
    found.collect()
}

fn text(item: &Differing) -> String {
    let sign = match item.change {
        Change::Added => "+".green().to_string(),
        Change::Removed => "-".red().to_string(),
        Change::Modified => "~".yellow().to_string(),
    };
    let mut text = format!("{sign} {} {}\n", item.package_name, item.key);
    text.push_str(&shown(&item.fields));
    if let Some(references) = &item.references {
        let (one, other) = (references.first.as_ref(), references.second.as_ref());
        text.push_str(&changes::became("References", one, other));
    }
    text
}

fn shown(fields: &[Field]) -> String {
    let lines = fields.iter().map(|field| {
        let pointer = field.pointer.as_deref().unwrap_or_default();
        changes::became(pointer, field.first.as_ref(), field.second.as_ref())
    });
    lines.collect()
}
