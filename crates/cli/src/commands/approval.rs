//! A tenant that wants somebody else to look at a plan before it is carried out.

use dev2prod_client::api::Feature;
use dev2prod_client::{InTenant, RemoteImport};

use crate::exit::CommandError;
use crate::output::say;

/// Whether the tenant carries out approved plans only.
pub(super) async fn is_needed(tenant: &InTenant) -> Result<bool, CommandError> {
    let features = tenant.client().features().await?;
    Ok(features.contains(&Feature::Settings) && tenant.settings().await?.require_approval)
}

/// Whether a plan changes nothing, which people are told: nobody needs to look at it.
pub(super) fn is_of_nothing(dry_run: &RemoteImport) -> bool {
    let nothing = dry_run.totals.changes() == 0;
    if nothing {
        say("There is nothing to approve: the plan changes nothing.");
    }
    nothing
}

/// The end of a command whose plan somebody else has to approve first.
pub(super) fn waits(tenant: &InTenant, dry_run: &RemoteImport) -> CommandError {
    let id = &dry_run.id;
    let tenant = tenant.tenant();
    CommandError::still_going(format!(
        "tenant {tenant} imports approved plans only, and that of dry run {id} is not approved yet; nothing was changed"
    ))
    .hint(format!(
        "somebody else with the role Approver looks at it: 'dev2prod changes {id}', then 'dev2prod approve {id}'"
    ))
    .hint(format!("then go on: '{}'", carries_out(dry_run)))
}

/// The command that carries out the plan of a dry run.
pub(super) fn carries_out(dry_run: &RemoteImport) -> String {
    let id = &dry_run.id;
    match &dry_run.undo_of {
        Some(of) => format!("dev2prod undo {of} --plan {id}"),
        None => format!("dev2prod promote --plan {id}"),
    }
}
