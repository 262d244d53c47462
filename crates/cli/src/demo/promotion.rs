//! A promotion by the seven documented calls, each shown as it is made.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use dev2prod_client::api::ImportRequest;
use dev2prod_client::{InTenant, Outcome, Part, RemoteExport, RemoteImport, Wait};

use super::screen;
use super::setup::PACKAGE;
use crate::exit::CommandError;
use crate::output::progress::bytes;

/// Whether the calls are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Calls {
    Shown,
    Silent,
}

/// A promotion between two tenants.
pub(super) struct Promotion<'a> {
    pub(super) source: &'a InTenant,
    pub(super) target: &'a InTenant,
    pub(super) scratch: &'a Path,
    pub(super) calls: Calls,
}

impl Promotion<'_> {
    /// Steps 1 to 4: export, ask, download, upload. The answer is the file in the target.
    pub(super) async fn carry(&self) -> Result<String, CommandError> {
        let source = format!("/rest/{}", self.source.tenant());
        self.call(
            Some(1),
            "POST",
            &format!("{source}/dev2prod/export/types/{PACKAGE}"),
        )?;
        let id = self.source.start_export(PACKAGE, None).await?;
        self.answer(&format!("export {id}"))?;

        self.call(Some(2), "GET", &format!("{source}/dev2prod/export/{id}"))?;
        let export = self
            .source
            .wait_for_export(&id, &patience(), |_| ())
            .await?;
        let file = self.exported(&export)?;

        self.call(Some(3), "GET", &format!("{source}/ces/attachment/{file}"))?;
        let path = self.scratch.join("bundle.zip");
        let downloaded = self.source.download_to(&file, &path, None).await?;
        self.answer(&bytes(downloaded.bytes))?;

        let target = format!("/rest/{}", self.target.tenant());
        self.call(Some(4), "POST", &format!("{target}/ces/attachment"))?;
        let name = export.name.as_deref().unwrap_or(&file);
        let part = Part::bundle(format!("{name}.zip"));
        let uploaded = self.target.upload(&path, &part, None).await?;
        self.answer(&format!("file {}", uploaded.id))?;
        tokio::fs::remove_file(&path).await?;
        Ok(uploaded.id)
    }

    /// Steps 5 and 6: the dry run, and what it found.
    pub(super) async fn dry_run(&self, file: &str) -> Result<RemoteImport, CommandError> {
        self.import_steps(file, true, [Some(5), Some(6)]).await
    }

    /// Step 7: the import.
    pub(super) async fn import(&self, file: &str) -> Result<RemoteImport, CommandError> {
        self.import_steps(file, false, [Some(7), None]).await
    }

    async fn import_steps(
        &self,
        file: &str,
        dry_run: bool,
        steps: [Option<u8>; 2],
    ) -> Result<RemoteImport, CommandError> {
        let imports = format!("/rest/{}/dev2prod/import", self.target.tenant());
        let query = if dry_run { "?dryRun=true" } else { "" };
        self.call(steps[0], "POST", &format!("{imports}{query}"))?;
        let request = ImportRequest::of_file(file);
        let id = self.target.start_import(dry_run, &request, None).await?;
        self.answer(&format!("import {id}"))?;
        self.call(steps[1], "GET", &format!("{imports}/{id}"))?;
        let import = self
            .target
            .wait_for_import(&id, &patience(), |_| ())
            .await?;
        self.answer(&summary(&import))?;
        if import.outcome() == Outcome::Succeeded {
            return Ok(import);
        }
        crate::output::notices::of_import(&import);
        let what = if dry_run { "the dry run" } else { "the import" };
        Err(CommandError::failed(format!(
            "{what} {id} ended as {}",
            import.status
        )))
    }

    fn exported(&self, export: &RemoteExport) -> Result<String, CommandError> {
        if export.outcome() != Outcome::Succeeded {
            crate::output::notices::of_export(export);
            let error = format!("the export {} ended as {}", export.id, export.status);
            return Err(CommandError::failed(error));
        }
        let name = export.name.as_deref().unwrap_or_default();
        let items = export.item_count.unwrap_or_default();
        self.answer(&format!("{}, {items} items as {name}", export.status))?;
        Ok(export.file_id.clone().context("the export names no file")?)
    }

    fn call(&self, step: Option<u8>, method: &str, path: &str) -> Result<(), CommandError> {
        match self.calls {
            Calls::Shown => screen::call(step, method, path),
            Calls::Silent => Ok(()),
        }
    }

    fn answer(&self, text: &str) -> Result<(), CommandError> {
        match self.calls {
            Calls::Shown => screen::answer(text),
            Calls::Silent => Ok(()),
        }
    }
}

/// Status and counts on a line.
fn summary(import: &RemoteImport) -> String {
    let totals = &import.totals;
    let counted = [
        (totals.added, "added"),
        (totals.modified, "modified"),
        (totals.removed, "removed"),
        (totals.skipped, "skipped"),
        (totals.failed, "failed"),
    ];
    let counted = counted
        .into_iter()
        .filter_map(|(count, word)| Some(format!("{} {word}", count?)));
    format!(
        "{}: {}",
        import.status,
        counted.collect::<Vec<_>>().join(", ")
    )
}

/// Asks often: nobody watches a demo to wait.
fn patience() -> Wait {
    Wait {
        timeout: Duration::from_secs(5 * 60),
        pause_first: Duration::from_millis(20),
        pause_max: Duration::from_millis(200),
        ..Wait::default()
    }
}
