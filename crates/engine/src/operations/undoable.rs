//! Which operations can be undone.

use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Kind, Operation, Report, State};

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};

/// Refuses what is no import (or undo) of this tenant that ended well and changed something.
pub(super) async fn check(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    of: OperationId,
) -> EngineResult<()> {
    let operation = engine.store().operation(scope, of).await?;
    let unknown = || {
        EngineError::not_found(
            "unknown_operation",
            format!("this tenant has no import {of}"),
        )
    };
    let operation = operation.ok_or_else(unknown)?;
    match operation.request.kind() {
        Kind::Export => Err(unknown()),
        Kind::DryRun => Err(refused(
            "undo_of_a_dry_run",
            format!("{of} is a dry run, which changed nothing: undo the import itself"),
        )),
        Kind::Import => check_ended(&operation),
    }
}

fn check_ended(operation: &Operation) -> EngineResult<()> {
    let of = operation.id;
    match &operation.state {
        State::Pending | State::Running { .. } => Err(refused(
            "not_ended",
            format!("import {of} is not over: wait until its Status is COMPLETED"),
        )),
        State::Ended {
            report: Some(Report::Import(report)),
            failure: None,
            ..
        } if report.result_revision.is_some() => Ok(()),
        State::Ended { .. } | State::Canceled { .. } => Err(refused(
            "nothing_to_undo",
            format!("import {of} changed nothing"),
        )),
    }
}

fn refused(code: &'static str, message: String) -> EngineError {
    EngineError::Conflict { code, message }
}
