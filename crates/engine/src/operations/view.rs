//! One operation as its caller sees it.

use dev2prod_model::access::{HistoryRead, Scope};
use dev2prod_model::id::OperationId;
use dev2prod_model::operation::{Kind, Operation, Request, Status};
use dev2prod_model::review::Review;
use dev2prod_model::settings::Moment;
use jiff::Timestamp;

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::Holder;
use crate::tenants;

/// An operation with what its caller asks besides.
#[derive(Clone, Debug)]
pub struct View {
    /// The operation.
    pub operation: Operation,
    /// The import of the same tenant that a pending one waits for.
    pub waiting_for: Option<OperationId>,
    /// When the tenant's window opens that a pending import waits for, in epoch milliseconds.
    pub waiting_until: Option<i64>,
    /// What was decided about the plan that a dry run made, or that an import carries out.
    pub review: Option<Review>,
    /// Milliseconds that were left to the work at the last update; all of them while it waits.
    pub time_to_live_ms: i64,
    /// Whether the operation closes the tenant's content to other writers.
    pub studio_locked: bool,
    /// Whether the tenant is closed for maintenance.
    pub system_locked: bool,
    /// The name of the bundle that an export makes.
    pub bundle_name: Option<String>,
}

/// An operation of one of these kinds; one of another kind is as unknown as one that never was.
pub async fn get(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    id: OperationId,
    kinds: &[Kind],
) -> EngineResult<View> {
    let store = engine.store();
    let operation = find(engine, scope, id, kinds).await?;
    let status = operation.status();
    let import = operation.request.kind() == Kind::Import;
    let waiting_for = match status {
        Status::Pending if import => store.waiting_for(scope, id).await?,
        _ => None,
    };
    let waiting_until = match status {
        Status::Pending if import => waiting_until(engine, scope).await?,
        _ => None,
    };
    let studio_locked = import
        && status == Status::Running
        && store.stage_holder(scope).await? == Some(Holder::Operation(id));
    Ok(View {
        waiting_for,
        waiting_until,
        review: review(engine, scope, &operation).await?,
        time_to_live_ms: time_to_live_ms(&operation, engine.settings().time_to_live_ms),
        studio_locked,
        system_locked: tenants::own(engine, scope).await?.maintenance,
        bundle_name: bundle_name(&operation),
        operation,
    })
}

/// An operation of one of these kinds, by itself.
pub(super) async fn find(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    id: OperationId,
    kinds: &[Kind],
) -> EngineResult<Operation> {
    let operation = engine.store().operation(scope, id).await?;
    operation
        .filter(|operation| kinds.contains(&operation.request.kind()))
        .ok_or_else(|| unknown_operation(id, kinds))
}

async fn waiting_until(engine: &Engine, scope: &Scope<HistoryRead>) -> EngineResult<Option<i64>> {
    let settings = engine.store().tenant_settings(scope).await?;
    let moment = settings.map(|settings| settings.moment(engine.now_ms()));
    Ok(match moment {
        Some(Moment::Wait(until_ms)) => Some(until_ms),
        Some(Moment::Now | Moment::Refuse(_)) | None => None,
    })
}

async fn review(
    engine: &Engine,
    scope: &Scope<HistoryRead>,
    operation: &Operation,
) -> EngineResult<Option<Review>> {
    let dry_run = match operation.request.kind() {
        Kind::DryRun if operation.status() == Status::Completed => Some(operation.id),
        Kind::DryRun | Kind::Export => None,
        Kind::Import => operation.request.plan(),
    };
    let Some(dry_run) = dry_run else {
        return Ok(None);
    };
    let reviews = engine.store().reviews(scope, &[dry_run]).await?;
    Ok(reviews.into_iter().next().map(|(_, review)| review))
}

/// `Package-{package id}-{tenant id}-{start time, UTC}`; `None` of what is not an export. While an
/// export waits, the time is that at which it was accepted.
pub fn bundle_name(operation: &Operation) -> Option<String> {
    let Request::Export { package } = &operation.request else {
        return None;
    };
    let start_ms = operation.started_ms().unwrap_or(operation.created_ms);
    let start = Timestamp::from_millisecond(start_ms).unwrap_or_default();
    Some(format!(
        "Package-{package}-{}-{}",
        operation.tenant,
        start.strftime("%Y-%m-%d %H-%M")
    ))
}

/// What was left at the last update; it counts down from the moment work starts.
fn time_to_live_ms(operation: &Operation, whole_ms: i64) -> i64 {
    let worked_ms = operation.started_ms().map_or(0, |started_ms| {
        operation.updated_ms.saturating_sub(started_ms)
    });
    whole_ms.saturating_sub(worked_ms.max(0)).max(0)
}

pub(super) fn unknown_operation(id: OperationId, kinds: &[Kind]) -> EngineError {
    let what = if kinds == [Kind::Export] {
        "export"
    } else if kinds.contains(&Kind::Export) {
        "operation"
    } else {
        "import"
    };
    EngineError::not_found(
        "unknown_operation",
        format!("this tenant has no {what} {id}"),
    )
}

#[cfg(test)]
mod tests {
    use dev2prod_model::id::PackageId;
    use dev2prod_model::operation::State;
    use dev2prod_model::sender::Sender;

    use super::*;

    fn export(package: u64, tenant: &str, created_ms: i64) -> Operation {
        Operation {
            id: OperationId::new(created_ms, [0; 8]),
            tenant: tenant.parse().unwrap(),
            request: Request::Export {
                package: PackageId(package),
            },
            created_by: "ann".parse().unwrap(),
            sender: Sender::default(),
            created_ms,
            updated_ms: created_ms,
            state: State::Pending,
        }
    }

    #[test]
    fn a_bundle_is_named_as_in_the_documented_examples() {
        let name = |package, tenant| {
            let pending = export(package, tenant, 1_737_971_051_000);
            bundle_name(&pending.start("s".to_owned(), 1_737_971_051_843).unwrap()).unwrap()
        };
        assert_eq!(
            name(10_204, "555500000"),
            "Package-10204-555500000-2025-01-27 09-44"
        );
        assert_eq!(
            name(54_321, "123456789"),
            "Package-54321-123456789-2025-01-27 09-44"
        );
    }

    #[test]
    fn a_bundle_is_named_by_the_start_of_work_which_may_be_a_minute_after_it_was_asked_for() {
        let pending = export(1, "1", 1_737_971_051_843);
        assert_eq!(
            bundle_name(&pending).unwrap(),
            "Package-1-1-2025-01-27 09-44"
        );
        let started = pending
            .start("s".to_owned(), 1_737_971_051_843 + 60_000)
            .unwrap();
        assert_eq!(
            bundle_name(&started).unwrap(),
            "Package-1-1-2025-01-27 09-45"
        );
    }

    #[test]
    fn time_to_live_is_what_was_left_at_the_last_update() {
        let left = |operation: &Operation| time_to_live_ms(operation, 10_000_000);
        let mut operation = export(1, "1", 1_000);
        operation.updated_ms = 5_000;
        assert_eq!(left(&operation), 10_000_000, "waiting costs nothing");
        let mut operation = operation.start("s".to_owned(), 6_000).unwrap();
        assert_eq!(left(&operation), 10_000_000);
        operation.updated_ms = 6_000 + 53_014;
        assert_eq!(left(&operation), 9_946_986, "the documented example");
        operation.updated_ms = 20_000_000;
        assert_eq!(left(&operation), 0);
    }
}
