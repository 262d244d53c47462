//! What stands between a clean dry run and the import.

use dev2prod_client::api::model::plan::{FirstDelivery, Reason};
use dev2prod_client::api::{ChangesQuery, Feature, ImportRequest};
use dev2prod_client::{InTenant, RemoteImport};

use super::super::plan_options::PlanArgs;
use super::super::steps;
use crate::exit::CommandError;
use crate::output::counted;

/// Stops before a first delivery that would replace what the target has, unless the caller chose.
///
/// A server takes such items with a warning; whoever promotes for the first time should have seen
/// them, for what they replace was made by somebody in the target.
pub(super) async fn first_delivery(
    target: &InTenant,
    plan: &RemoteImport,
    options: &PlanArgs,
) -> Result<(), CommandError> {
    if options.first_delivery.is_some() {
        return Ok(());
    }
    let count = replaced(target, plan).await?;
    if count == 0 {
        return Ok(());
    }
    let items = counted(count, "item");
    Err(CommandError::refused(format!(
        "the first delivery would replace {items} that the target has in another version; nothing was changed"
    ))
    .hint(format!("'dev2prod changes {} --reason first_delivery --diff' shows them", plan.id))
    .hint("--first-delivery take replaces them, --first-delivery keep leaves them"))
}

/// The request for the import itself: the plan that was shown, where the server carries out plans.
/// Elsewhere no first delivery that the dry run did not show may slip in meanwhile; with no choice
/// made, the dry run showed none.
pub(super) async fn nothing_new(
    target: &InTenant,
    request: ImportRequest,
    plan: &RemoteImport,
) -> Result<ImportRequest, CommandError> {
    let request = steps::by_plan(target, request, plan).await?;
    if request.plan_id.is_some() {
        return Ok(request);
    }
    let features = target.client().features().await?;
    let offered = features.contains(&Feature::FirstDelivery);
    let chosen = request.first_delivery.is_some();
    let first_delivery = if offered && !chosen {
        Some(FirstDelivery::Fail)
    } else {
        request.first_delivery
    };
    Ok(ImportRequest {
        first_delivery,
        ..request
    })
}

/// How many items would be replaced by a first delivery.
async fn replaced(target: &InTenant, plan: &RemoteImport) -> Result<u64, CommandError> {
    let code = Reason::FirstDelivery.code();
    let sections = plan.results.iter();
    let listed = sections.flat_map(|section| &section.warnings);
    let listed = listed
        .filter(|warning| warning.code.as_deref() == Some(code))
        .count() as u64;
    // A server lists only the first warnings of a section; others may hide behind them.
    let cut = plan
        .results
        .iter()
        .any(|s| s.warning_count > s.warnings.len() as u64);
    if !cut
        || !target
            .client()
            .features()
            .await?
            .contains(&Feature::Changes)
    {
        return Ok(listed);
    }
    let query = ChangesQuery {
        reason: Some(Reason::FirstDelivery),
        size: Some(1),
        ..ChangesQuery::default()
    };
    Ok(target.changes(&plan.id, &query).await?.total_count)
}
