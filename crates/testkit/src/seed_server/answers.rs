//! The documented examples, with ids and statuses filled in. The text is the page's own.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::{Behaviour, Kind, Operation};

/// The file that every export makes: the id of the documented example.
pub(super) const EXPORT_FILE: &str = "c7e87b89-f214-4766-8032-bba6967e1c49";

const EXPORT: &str = include_str!("export_status.json");
const IMPORT: &str = include_str!("import_status.json");

fn answer(text: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text)
}

/// The documented export, as it stands.
pub(super) fn export(
    id: &str,
    tenant: &str,
    status: &str,
    file: Option<&str>,
) -> impl IntoResponse {
    let mut text = EXPORT
        .replace("6797556be4b0c05084915394", id)
        .replace("-123456789-", &format!("-{tenant}-"))
        .replace("\"COMPLETED\"", &format!("\"{status}\""));
    if file.is_none() {
        text = text.replace(&format!("\"{EXPORT_FILE}\""), "null");
    }
    answer(text)
}

/// The documented dry run or import, as it stands.
pub(super) fn import(
    id: &str,
    import: &Operation,
    status: &str,
    behaviour: &Behaviour,
) -> impl IntoResponse {
    let dry_run = import.kind == Kind::DryRun;
    let text = IMPORT
        .replace("67975a80e4b0c050849153ae", id)
        .replace("9bf82520-f087-4763-af10-cf1ed38d893d", &import.file)
        .replace("\"COMPLETED\"", &format!("\"{status}\""))
        .replace("\"DryRun\": true", &format!("\"DryRun\": {dry_run}"));
    if behaviour.errors.is_empty() && behaviour.totals_without.is_empty() && !import.settled {
        return answer(text);
    }
    let mut value: Value = serde_json::from_str(&text).expect("the documented example is JSON");
    value["Results"][0]["Errors"] = json!(behaviour.errors);
    if import.settled {
        settle(&mut value["Totals"]);
        let sections = value["Results"].as_array_mut();
        for section in sections.into_iter().flatten() {
            settle(&mut section["Statistics"]);
        }
    }
    if let Some(totals) = value["Totals"].as_object_mut() {
        totals.retain(|name, _| !behaviour.totals_without.contains(&name.as_str()));
    }
    answer(value.to_string())
}

/// Counts that say that what was modified is skipped now.
fn settle(counts: &mut Value) {
    let modified = counts["Modified"].take();
    counts["Modified"] = json!(0);
    counts["Skipped"] = modified;
}
