//! The work of an export: what a package carries, at one revision, as a file of the tenant.
//!
//! Nothing is seen of it before it is whole: bundle, then blob, then row, then report. A worker
//! that dies on the way leaves at most bytes without a row, which housekeeping finds; whoever
//! takes over begins anew.

mod attachments;
mod bundle;
mod feed;

use dev2prod_bundle::{Manifest, ManifestOrigin, ManifestPackage, ManifestParts};
use dev2prod_model::access::{FileWrite, HistoryRead, PackageRead, Scope, Upkeep, VersionRead};
use dev2prod_model::digest::sha256;
use dev2prod_model::file::File;
use dev2prod_model::id::{FileId, PackageId};
use dev2prod_model::item::Revision;
use dev2prod_model::operation::{Claim, ExportReport, Notice, Phase, Progress, Report, Request};
use dev2prod_model::package::{Mode, Package, Selection};
use dev2prod_model::section::Section;
use dev2prod_model::tenant::Tenant;

use crate::context::Engine;
use crate::operations::bundle_name;
use crate::ports::BlobPath;
use crate::runner::{Brought, Heartbeat, JobError, JobOutcome};
use crate::selection::{self, Carried, SelectionError, Warnings};
use bundle::Made;

/// Does an export, from choosing to the file's record.
pub(crate) async fn run(
    engine: &Engine,
    claim: &Claim,
    heartbeat: &Heartbeat,
) -> Result<JobOutcome, JobError> {
    let Request::Export { package } = claim.operation().request else {
        return Err(JobError::internal(
            "an operation of another kind was given to the export",
        ));
    };
    let Some(tenant) = engine
        .store()
        .tenant(&Scope::<HistoryRead>::for_work(claim))
        .await?
    else {
        return Err(JobError::Fenced);
    };
    let package = package_of(engine, claim, package).await?;
    let carried = select(
        engine,
        claim,
        &package.selection,
        tenant.revision,
        heartbeat,
    )
    .await?;
    fail::fail_point!("export.selected");
    let mut warnings = carried.warnings().clone();
    let parts = parts_of(engine, claim, &tenant, &package);
    let made = bundle::make(
        engine,
        claim,
        &package.selection,
        &carried,
        parts,
        heartbeat,
    )
    .await?;
    for warning in made.missing_attachments.first.iter().cloned() {
        warnings.push(|| warning);
    }
    warnings.count += made.missing_attachments.count - made.missing_attachments.first.len() as u64;
    check_kept(engine, &tenant).await?;
    fail::fail_point!("export.written");
    heartbeat.check()?;
    let file = keep(engine, claim, &made, heartbeat).await?;
    Ok(JobOutcome::Report(Report::Export(report(
        file.id,
        &made.manifest,
        warnings,
    ))))
}

async fn package_of(engine: &Engine, claim: &Claim, id: PackageId) -> Result<Package, JobError> {
    let scope = Scope::<PackageRead>::for_work(claim);
    engine.store().package(&scope, id).await?.ok_or_else(|| {
        JobError::permanent(
            "unknown_package",
            format!("package {id} was deleted before its export began"),
            "Export a package that is there.",
        )
    })
}

async fn select(
    engine: &Engine,
    claim: &Claim,
    selection: &Selection,
    at: Revision,
    heartbeat: &Heartbeat,
) -> Result<Carried, JobError> {
    heartbeat.report(Progress::at(Phase::Selecting));
    let scope = Scope::<VersionRead>::for_work(claim);
    let show = |items_done| {
        heartbeat.report(Progress {
            items_done,
            ..Progress::at(Phase::Selecting)
        });
    };
    let carried = selection::carried_by_job(engine.store(), &scope, at, selection, &show).await;
    carried.map_err(|error| match error {
        SelectionError::Store(error) => error.into(),
        SelectionError::TooMany(error) => JobError::permanent(
            "too_many_dependencies",
            error.to_string(),
            "Change the package and export it again.",
        ),
    })
}

fn parts_of(engine: &Engine, claim: &Claim, tenant: &Tenant, package: &Package) -> ManifestParts {
    let operation = claim.operation();
    let Selection {
        mode,
        sections,
        exclude,
        remove,
        ..
    } = &package.selection;
    let covers = |section: &Section| {
        *mode == Mode::Full
            && sections
                .as_ref()
                .is_none_or(|sections| sections.contains(*section))
    };
    ManifestParts {
        package_bundle_name: bundle_name(operation).expect("the operation is an export"),
        package: ManifestPackage {
            id: package.id,
            name: package.name.clone(),
        },
        mode: *mode,
        scope: Section::ALL.into_iter().filter(covers).collect(),
        excluded: exclude.clone(),
        remove: if *mode == Mode::Granular {
            remove.clone()
        } else {
            Vec::new()
        },
        removed_bases: Vec::new(),
        origin: ManifestOrigin {
            id: tenant.origin,
            tenant_id: tenant.id.clone(),
            server: engine.settings().server_name.clone(),
        },
        source_revision: tenant.revision,
        catalogue: engine.catalogue().fingerprint(),
        secrets: Vec::new(),
        time_ms: operation.started_ms().unwrap_or(operation.created_ms),
    }
}

/// Fails if the revision that was read may have been pruned while it was read.
async fn check_kept(engine: &Engine, tenant: &Tenant) -> Result<(), JobError> {
    let Some(kept) = engine.settings().version_retention_ms() else {
        return Ok(());
    };
    let upkeep = Upkeep::of_the_server();
    let oldest = engine
        .store()
        .revision_before(&upkeep, &tenant.id, kept)
        .await?;
    if oldest.is_some_and(|oldest| tenant.revision < oldest) {
        return Err(JobError::permanent(
            "revision_not_kept",
            "the content was changed while it was exported, and the export took longer than an \
             earlier revision is kept",
            "Export it again; if it stays, have old revisions kept for longer.",
        ));
    }
    Ok(())
}

/// One id for all tries of an export: a try that died after it had kept its file leaves no second
/// one.
fn file_id(claim: &Claim) -> FileId {
    let name = format!("{}/{}", claim.tenant(), claim.operation().id);
    let digest = sha256(name.as_bytes());
    let id = digest
        .0
        .first_chunk()
        .expect("a digest is longer than an id");
    FileId(uuid::Builder::from_random_bytes(*id).into_uuid())
}

/// The bundle's bytes become a blob, then the blob a file of the tenant.
async fn keep(
    engine: &Engine,
    claim: &Claim,
    made: &Made,
    heartbeat: &Heartbeat,
) -> Result<File, JobError> {
    let scope = Scope::<FileWrite>::for_work(claim);
    let now_ms = engine.now_ms();
    let file = File {
        id: file_id(claim),
        name: format!("{}.zip", made.manifest.package_bundle_name),
        content_type: "application/zip".to_owned(),
        bytes: made.bytes,
        sha256: made.sha256,
        created_by: claim.login().clone(),
        created_ms: now_ms,
        expires_ms: now_ms.saturating_add(engine.settings().file_retention_ms),
    };
    heartbeat.brings(Brought::File(file.id));
    engine
        .blobs()
        .put_file(&BlobPath::file(scope.tenant(), file.id), made.path())
        .await?;
    fail::fail_point!("export.stored");
    engine.store().insert_file(&scope, &file).await?;
    Ok(file)
}

fn report(file: FileId, manifest: &Manifest, warnings: Warnings) -> ExportReport {
    let Warnings { mut first, count } = warnings;
    let more = count - first.len() as u64;
    if more > 0 {
        first.push(Notice {
            key: None,
            code: "more_warnings".to_owned(),
            message: format!("{more} more warnings are not listed"),
            references: Vec::new(),
        });
    }
    ExportReport {
        file: Some(file),
        statistics: manifest
            .sections
            .iter()
            .filter(|section| section.count > 0)
            .map(|section| (section.section, section.count))
            .collect(),
        revision: manifest.source_revision,
        content_digest: Some(manifest.content_digest),
        warnings: first,
    }
}
