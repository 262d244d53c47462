//! The documented steps, as the commands and a promotion do them.

use std::path::Path;

use dev2prod_client::api::{Feature, ImportRequest};
use dev2prod_client::{InTenant, Part, RemoteExport, RemoteImport, UploadedFile};

use super::offered;
use super::waiting::Deadline;
use crate::exit::CommandError;
use crate::interrupt::Waiting;
use crate::output::progress::{Step, bytes};
use crate::output::{counted, notices, progress};

/// Starts an export; the answer is its id.
pub(super) async fn start_export(source: &InTenant, package: &str) -> Result<String, CommandError> {
    let key = offered::idempotency_key(source.client()).await?;
    Ok(source.start_export(package, key.as_deref()).await?)
}

/// Exports a package and waits for it, however it ends.
pub(super) async fn export(
    source: &InTenant,
    package: &str,
    deadline: &Deadline,
) -> Result<RemoteExport, CommandError> {
    let mut step = Step::begin(format!("Exporting package {package}"));
    let id = start_export(source, package).await?;
    let wait = deadline.wait();
    let _waiting = Waiting::of(source, &id);
    let waited = source.wait_for_export(&id, &wait, |export| {
        step.status(&export.status, export.progress.as_ref(), None);
    });
    let export = waited.await?;
    let items = export
        .item_count
        .map_or_else(String::new, |items| format!(", {}", counted(items, "item")));
    step.done(format!("Export {id}: {}{items}", export.status));
    notices::of_export(&export);
    Ok(export)
}

/// Downloads a file to a path; the answer is how many bytes.
pub(super) async fn download(
    source: &InTenant,
    file_id: &str,
    path: &Path,
) -> Result<u64, CommandError> {
    let step = Step::begin(format!("Downloading file {file_id}"));
    let downloaded = source
        .download_to(file_id, path, step.on_bytes().as_ref())
        .await?;
    step.done(format!("Downloaded {}", bytes(downloaded.bytes)));
    Ok(downloaded.bytes)
}

/// Uploads a file.
pub(super) async fn upload(
    target: &InTenant,
    path: &Path,
    part: &Part,
) -> Result<UploadedFile, CommandError> {
    let step = Step::begin(format!("Uploading {}", part.name));
    let uploaded = target.upload(path, part, step.on_bytes().as_ref()).await?;
    step.done(format!("Uploaded as file {}", uploaded.id));
    Ok(uploaded)
}

/// Starts a dry run or an import; the answer is its id.
pub(super) async fn start_import(
    target: &InTenant,
    dry_run: bool,
    request: &ImportRequest,
) -> Result<String, CommandError> {
    let key = offered::idempotency_key(target.client()).await?;
    Ok(target
        .start_import(dry_run, request, key.as_deref())
        .await?)
}

/// Does a dry run or an import and waits for it, however it ends.
pub(super) async fn import(
    target: &InTenant,
    dry_run: bool,
    request: &ImportRequest,
    deadline: &Deadline,
) -> Result<RemoteImport, CommandError> {
    let what = if dry_run { "Dry run" } else { "Import" };
    let step = progress::Step::begin(format!("{what} of file {}", request.file_id));
    let id = start_import(target, dry_run, request).await?;
    follow_import(target, &id, what, step, deadline).await
}

/// The request for exactly the plan of a dry run, where the server carries out plans; elsewhere the
/// request as it is.
pub(super) async fn by_plan(
    target: &InTenant,
    request: ImportRequest,
    plan: &RemoteImport,
) -> Result<ImportRequest, CommandError> {
    let features = target.client().features().await?;
    let offered = features.contains(&Feature::SealedPlan);
    Ok(match plan.id.parse().ok().filter(|_| offered) {
        None => request,
        Some(plan) => ImportRequest {
            plan_id: Some(plan),
            comment: request.comment,
            ..ImportRequest::of_file(request.file_id)
        },
    })
}

/// Waits for a dry run or import, however it ends.
pub(super) async fn follow_import(
    target: &InTenant,
    id: &str,
    what: &str,
    mut step: Step,
    deadline: &Deadline,
) -> Result<RemoteImport, CommandError> {
    let wait = deadline.wait();
    let _waiting = Waiting::of(target, id);
    let waited = target.wait_for_import(id, &wait, |import| {
        let waiting_for = import.waiting_for.as_deref();
        step.status(&import.status, import.progress.as_ref(), waiting_for);
    });
    let import = waited.await?;
    step.done(format!("{what} {id}: {}", import.status));
    Ok(import)
}
