//! `dev2prod compare`

mod side;

use std::cell::RefCell;
use std::collections::BTreeMap;

use clap::Args;
use comfy_table::{Cell, Color};
use dev2prod_model::comparison::{Pair, side_by_side};
use dev2prod_model::item::{Digest, Key};
use dev2prod_model::section::Section;
use owo_colors::OwoColorize;
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::side::{Side, Sides};
use super::local::Head;
use crate::connect::CredentialArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::{Output, counted, document, print, say, table};

/// Say whether two tenants, bundles or folders hold the same, or list what differs
///
/// A and B are each a tenant, TENANT@SERVER (where @SERVER may be left out: then DEV2PROD_URL
/// counts), a bundle file, or a folder that a bundle was unpacked to. What a package leaves out is not
/// compared. Digests are compared, not bodies: fields that stay with a tenant, and secrets, do not
/// count. Reading a tenant's content needs the role TenantAdmin there.
///
/// Variables as for promote: DEV2PROD_FROM_LOGIN and the like for A, DEV2PROD_TO_LOGIN for B.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dev2prod compare 123456789@dev 987654321@prod --detailed-exitcode"
)]
pub(crate) struct CompareArgs {
    /// TENANT@SERVER, a bundle, or a folder
    #[arg(value_name = "A")]
    first: String,
    /// TENANT@SERVER, a bundle, or a folder
    #[arg(value_name = "B")]
    second: String,
    /// End with 6 instead of 0 if they differ
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// An item that differs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Differing {
    package_name: Section,
    key: Key,
    difference: Difference,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<Digest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Difference {
    OnlyFirst,
    OnlySecond,
    Different,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Counts {
    equal: u64,
    different: u64,
    only_first: u64,
    only_second: u64,
    /// Items of one side that the other side's package leaves out.
    not_compared: u64,
}

impl Counts {
    fn differ(&self) -> bool {
        self.different + self.only_first + self.only_second > 0
    }
}

type BySection = BTreeMap<Section, Counts>;

pub(crate) async fn run(args: &CompareArgs, output: Output) -> CommandResult {
    let mut sides = Sides::new(&args.credentials);
    let first = sides.open(&args.first, crate::connect::Side::From).await?;
    let second = sides.open(&args.second, crate::connect::Side::To).await?;
    if let (Some(one), Some(other)) = (first.catalogue(), second.catalogue())
        && one != other
    {
        say("warning: their digests were made by different catalogues, and may differ for that");
    }
    let counts = RefCell::new(BySection::new());
    let by_item = |a: &Head, b: &Head| a.item.cmp(&b.item);
    let mut items = side_by_side(first.heads()?, second.heads()?, by_item).filter_map(|pair| {
        let found = pair.map(|pair| differing(pair, &first, &second, &mut counts.borrow_mut()));
        found.transpose()
    });
    if output.is_json() {
        document::write(&mut items, &|| members(&counts.borrow(), [&first, &second]))?;
    } else {
        for item in items {
            print(&text(&item?))?;
        }
        say_result(&counts.borrow())?;
    }
    let differ = counts.borrow().values().any(Counts::differ);
    Ok(if differ && args.detailed_exitcode {
        Exit::Changes
    } else {
        Exit::Done
    })
}

/// Counts what stands at one place of both; the item if it differs.
fn differing(
    pair: Pair<Head>,
    first: &Side,
    second: &Side,
    counts: &mut BySection,
) -> Option<Differing> {
    let (one, other) = match pair {
        Pair::First(head) => (Some(head), None),
        Pair::Second(head) => (None, Some(head)),
        Pair::Both(one, other) => (Some(one), Some(other)),
    };
    let item = one.as_ref().or(other.as_ref())?.item.clone();
    let counts = counts.entry(item.section).or_default();
    let (count, difference) = match (&one, &other) {
        (Some(one), Some(other)) if one.digest == other.digest => (&mut counts.equal, None),
        (Some(_), Some(_)) => (&mut counts.different, Some(Difference::Different)),
        (Some(_), None) if second.lacks(&item) => {
            (&mut counts.only_first, Some(Difference::OnlyFirst))
        }
        (None, Some(_)) if first.lacks(&item) => {
            (&mut counts.only_second, Some(Difference::OnlySecond))
        }
        _ => (&mut counts.not_compared, None),
    };
    *count += 1;
    Some(Differing {
        package_name: item.section,
        key: item.key,
        difference: difference?,
        first: one.map(|head| head.digest),
        second: other.map(|head| head.digest),
    })
}

fn members(counts: &BySection, sides: [&Side; 2]) -> Map<String, Value> {
    let sections: Vec<_> = counts
        .iter()
        .map(|(section, counts)| {
            let mut members = json!(counts);
            members["PackageName"] = json!(section);
            members
        })
        .collect();
    let members = json!({
        "Equal": !counts.values().any(Counts::differ),
        "Sections": sections,
        "First": sides[0].name(),
        "Second": sides[1].name(),
    });
    members.as_object().cloned().unwrap_or_else(Map::new)
}

fn text(item: &Differing) -> String {
    let (sign, what) = match item.difference {
        Difference::OnlyFirst => ("-".red().to_string(), "only in A"),
        Difference::OnlySecond => ("+".green().to_string(), "only in B"),
        Difference::Different => ("~".yellow().to_string(), "different"),
    };
    format!("{sign} {} {} ({what})", item.package_name, item.key)
}

/// One word if they are equal, otherwise the counts by section.
fn say_result(counts: &BySection) -> Result<(), CommandError> {
    let total = |pick: fn(&Counts) -> u64| counts.values().map(pick).sum::<u64>();
    let equal = counted(total(|counts| counts.equal), "item");
    let not_compared = total(|counts| counts.not_compared);
    if counts.values().any(Counts::differ) {
        let mut table = table::table(&["SECTION", "EQUAL", "DIFFERENT", "ONLY A", "ONLY B"]);
        for (section, counts) in counts.iter().filter(|(_, counts)| counts.differ()) {
            table.add_row([
                Cell::new(section.name()),
                table::count(Some(counts.equal), None),
                table::count(Some(counts.different), Some(Color::Yellow)),
                table::count(Some(counts.only_first), Some(Color::Red)),
                table::count(Some(counts.only_second), Some(Color::Green)),
            ]);
        }
        print(&format!("\n{}", table::text(&table)))?;
    } else {
        print(&format!("equal: {equal}"))?;
    }
    if not_compared > 0 {
        let items = counted(not_compared, "item");
        say(format!(
            "{items} not compared: the other side's package leaves such items out"
        ));
    }
    Ok(())
}
