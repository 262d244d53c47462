//! What an import is asked with. Nothing unknown is passed over: what a caller mistyped was meant
//! to keep the import from doing something.

use axum::http::Uri;
use dev2prod_api::{ImportRequest, UndoRequest};
use dev2prod_model::id::{FileId, InvalidId, OperationId};
use dev2prod_model::json::JsonLimits;
use dev2prod_model::plan::{ImportOptions, Resolution};
use serde_json::{Map, Value};

use crate::extract::{all_params, object, typed};
use crate::nearest::unknown;
use crate::problem::ApiError;

const DRY_RUN: &str = "dryRun";
/// The parameters of an import.
const PARAMS: [&str; 2] = [DRY_RUN, "TENANTID"];

/// Whether the parameters ask for a dry run.
pub(super) fn is_dry_run(uri: &Uri) -> Result<bool, ApiError> {
    let mut asked = None;
    for (name, value) in all_params(uri)? {
        if name.eq_ignore_ascii_case(DRY_RUN) {
            let dry_run = truth(&value)?;
            if asked.replace(dry_run).is_some() {
                return Err(malformed(
                    "the parameter dryRun is there twice: say it once".to_owned(),
                ));
            }
        } else if !PARAMS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            return Err(ApiError::invalid(
                "unknown_parameter",
                unknown("parameter of an import", &name, &PARAMS),
            ));
        }
    }
    Ok(asked.unwrap_or(false))
}

fn truth(value: &str) -> Result<bool, ApiError> {
    if value.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if value.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        let shown: String = value.chars().take(100).collect();
        Err(malformed(format!(
            "the parameter dryRun is '{shown}': say dryRun=true, or dryRun=false to import. Nothing was started"
        )))
    }
}

fn malformed(detail: String) -> ApiError {
    ApiError::invalid("malformed_parameter", detail)
}

/// A mistyped `Path` would answer for the whole item.
fn check_resolutions(resolutions: Option<&Value>) -> Result<(), ApiError> {
    const MEMBERS: [&str; 4] = ["PackageName", "Key", "Path", "Take"];
    let Some(Value::Array(resolutions)) = resolutions else {
        return Ok(());
    };
    let (count, most) = (resolutions.len(), Resolution::COUNT_MAX);
    if count > most {
        return Err(ApiError::invalid(
            "too_many_resolutions",
            format!(
                "Resolutions has {count} answers; at most {most} are taken: choose by Conflicts"
            ),
        ));
    }
    for (index, resolution) in resolutions.iter().enumerate() {
        for name in resolution.as_object().into_iter().flat_map(Map::keys) {
            if !MEMBERS.contains(&name.as_str()) {
                let what = format!("member of Resolutions[{index}]");
                return Err(ApiError::invalid(
                    "unknown_member",
                    unknown(&what, name, &MEMBERS),
                ));
            }
        }
        let path = resolution.get("Path").and_then(Value::as_str);
        if path.is_some_and(|path| !path.is_empty() && !path.starts_with('/')) {
            return Err(ApiError::invalid(
                "malformed_path",
                format!(
                    "Resolutions[{index}].Path is no JSON pointer: it begins with '/', as changes with diff=true shows it"
                ),
            ));
        }
    }
    Ok(())
}

/// What a body asks for.
pub(super) struct Asked {
    pub(super) file: FileId,
    pub(super) options: ImportOptions,
    /// The dry run whose plan is to be carried out.
    pub(super) plan: Option<OperationId>,
}

/// A plan was made with options; others beside it would not do what they say.
fn check_plan(members: &Map<String, Value>) -> Result<(), ApiError> {
    let beside = |name: &&String| {
        *name != "PlanId" && !ImportRequest::BESIDE_PLAN_ID.contains(&name.as_str())
    };
    match members.keys().find(beside) {
        Some(other) if members.contains_key("PlanId") => Err(ApiError::invalid(
            "options_beside_plan_id",
            format!(
                "{other} cannot stand beside PlanId: the plan was made with the options of its dry run. Leave {other} out, or make a dry run with it. Nothing was started"
            ),
        )),
        _ => Ok(()),
    }
}

/// Refuses members that are none of these.
fn check_members(
    members: &Map<String, Value>,
    (what, path): (&str, &str),
    known: &[&str],
) -> Result<(), ApiError> {
    for name in members.keys() {
        if name.eq_ignore_ascii_case(DRY_RUN) {
            return Err(ApiError::invalid(
                "unknown_member",
                format!(
                    "say dryRun as a parameter, not as a member of the body: POST …/{path}?dryRun=true. Nothing was started"
                ),
            ));
        }
        if !known.contains(&name.as_str()) {
            return Err(ApiError::invalid(
                "unknown_member",
                unknown(&format!("member of {what}'s body"), name, known),
            ));
        }
    }
    Ok(())
}

/// What the body of an undo asks for; an empty one asks for all that is the default.
pub(super) fn read_undo(body: &[u8]) -> Result<UndoRequest, ApiError> {
    if body.trim_ascii().is_empty() {
        return Ok(UndoRequest::default());
    }
    let members = object(body, &JsonLimits::default())?;
    check_members(&members, ("an undo", "undo"), &UndoRequest::MEMBERS)?;
    check_resolutions(members.get("Resolutions"))?;
    check_plan(&members)?;
    typed(members)
}

/// A plan that is carried out was made by a dry run before.
pub(super) fn check_dry_run(dry_run: bool, plan: Option<OperationId>) -> Result<(), ApiError> {
    if dry_run && plan.is_some() {
        return Err(ApiError::invalid(
            "plan_id_of_a_dry_run",
            "PlanId names a plan to be carried out: leave dryRun out, or PlanId. Nothing was started",
        ));
    }
    Ok(())
}

/// The file and the options in a body.
pub(super) fn read_request(body: &[u8]) -> Result<Asked, ApiError> {
    let members = object(body, &JsonLimits::default())?;
    check_members(&members, ("an import", "import"), &ImportRequest::MEMBERS)?;
    let file = match members.get("FileId") {
        None | Some(Value::Null) => {
            return Err(ApiError::invalid(
                "missing_file_id",
                "the member FileId is missing: name the uploaded bundle",
            ));
        }
        Some(Value::String(text)) => text.parse().map_err(|error: InvalidId| {
            ApiError::invalid("malformed_file_id", format!("FileId: {error}"))
        })?,
        Some(_) => {
            return Err(ApiError::invalid(
                "malformed_file_id",
                "FileId is not a string",
            ));
        }
    };
    check_resolutions(members.get("Resolutions"))?;
    check_plan(&members)?;
    let request: ImportRequest = typed(members)?;
    Ok(Asked {
        file,
        options: request.options(),
        plan: request.plan_id,
    })
}
