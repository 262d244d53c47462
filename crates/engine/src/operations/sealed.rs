//! A dry run whose plan is to be carried out.

use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::id::{Login, OperationId};
use dev2prod_model::item::Digest;
use dev2prod_model::operation::{Kind, Operation, Report, Request, State};
use dev2prod_model::plan::ImportOptions;

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};

/// A plan that can be carried out.
pub(super) struct Sealed {
    /// Who made the dry run.
    pub(super) made_by: Login,
    /// The options of the dry run.
    pub(super) options: ImportOptions,
    /// The plan.
    pub(super) plan: Digest,
}

/// A dry run whose plan can be carried out, of an import or of an undo: it is one of this tenant,
/// ended without errors, was not carried out and is not too old.
pub(super) async fn open(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    plan: OperationId,
) -> EngineResult<Sealed> {
    let fits = |request: &Request| !matches!(request, Request::Export { .. });
    usable(engine, scope, known(engine, scope, plan, fits).await?).await
}

/// The same of a dry run of an import.
pub(super) async fn of_import(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    plan: OperationId,
) -> EngineResult<Sealed> {
    let fits = |request: &Request| matches!(request, Request::Import { .. });
    usable(engine, scope, known(engine, scope, plan, fits).await?).await
}

/// The same of a dry run of the undo of this import.
pub(super) async fn of_undo(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    plan: OperationId,
    of: OperationId,
) -> EngineResult<Sealed> {
    let fits = |request: &Request| request.undo_of() == Some(of);
    usable(engine, scope, known(engine, scope, plan, fits).await?).await
}

async fn known(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    plan: OperationId,
    fits: impl Fn(&Request) -> bool,
) -> EngineResult<Operation> {
    let operation = engine.store().operation(scope, plan).await?;
    operation
        .filter(|operation| fits(&operation.request))
        .ok_or_else(|| unknown(plan))
}

fn unknown(plan: OperationId) -> EngineError {
    EngineError::not_found(
        "unknown_plan",
        format!("there is no such dry run {plan} in this tenant: a plan is named by the Id of one"),
    )
}

async fn usable(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    operation: Operation,
) -> EngineResult<Sealed> {
    let plan = operation.id;
    if operation.request.kind() != Kind::DryRun {
        return Err(refused(
            "plan_of_an_import",
            format!("{plan} is an import, not a dry run: a plan is named by the Id of a dry run"),
        ));
    }
    check_ended(&operation)?;
    let age_ms = engine.now_ms() - operation.updated_ms;
    if age_ms > engine.settings().plan_retention_ms {
        return Err(refused(
            "plan_expired",
            format!("dry run {plan} is too old for its plan to be carried out: make another one"),
        ));
    }
    if let Some(import) = engine.store().carried_out(scope, plan).await? {
        return Err(refused(
            "plan_used",
            format!(
                "the plan of dry run {plan} was carried out by import {import}: make another one"
            ),
        ));
    }
    let digest = plan_of(&operation).ok_or_else(|| unknown(plan))?;
    Ok(Sealed {
        made_by: operation.created_by.clone(),
        options: operation.request.options().cloned().unwrap_or_default(),
        plan: digest,
    })
}

/// The plan that an operation made.
pub(crate) fn plan_of(operation: &Operation) -> Option<Digest> {
    match &operation.state {
        State::Ended {
            report: Some(Report::Import(report)),
            ..
        } => report.plan,
        _ => None,
    }
}

fn check_ended(operation: &Operation) -> EngineResult<()> {
    let plan = operation.id;
    let report = match &operation.state {
        State::Ended {
            report: Some(Report::Import(report)),
            failure: None,
            ..
        } => report,
        State::Ended { .. } | State::Canceled { .. } => {
            return Err(refused(
                "plan_failed",
                format!("dry run {plan} did not end well and has no plan: make another one"),
            ));
        }
        State::Pending | State::Running { .. } => {
            return Err(refused(
                "plan_not_ready",
                format!("dry run {plan} is not over yet: wait until its Status is COMPLETED"),
            ));
        }
    };
    let sections = report.results.iter();
    let errors: u64 = sections.map(|section| section.error_count).sum();
    if errors > 0 {
        return Err(refused(
            "plan_has_errors",
            format!("dry run {plan} found {errors} errors: settle them and make another one"),
        ));
    }
    Ok(())
}

fn refused(code: &'static str, message: String) -> EngineError {
    EngineError::Conflict { code, message }
}
