//! What pipelines ask of a promotion: an end that warnings count for, and a file that they show.

use std::path::{Path, PathBuf};

use clap::Args;
use dev2prod_client::api::model::plan::Action;
use dev2prod_client::api::{Change, ChangesQuery, Feature};
use dev2prod_client::{InTenant, RemoteExport, RemoteImport, RemoteNotice, RemoteSection};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::counted;

/// The most failed items that a file names one by one; the rest is counted.
const FAILED_MAX: usize = 10_000;
/// The most items that are asked for at once.
const PAGE: u32 = 1_000;

/// What pipelines ask for.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Pipelines")]
pub(super) struct PipelineArgs {
    /// Write what came of it into a file in JUnit's form: a suite for each section, a failed case
    /// for each conflict or error, named like its item
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Import nothing if there are warnings: end with 3, as for errors
    #[arg(long)]
    pub(super) fail_on_warnings: bool,
}

impl PipelineArgs {
    /// Whether any of them is used.
    pub(super) fn is_asked(&self) -> bool {
        self.junit.is_some() || self.fail_on_warnings
    }

    /// Stops before anything is changed, if warnings count.
    pub(super) fn refuse_warnings(&self, of: &str, count: u64) -> Result<(), CommandError> {
        if count == 0 || !self.fail_on_warnings {
            return Ok(());
        }
        let warnings = counted(count, "warning");
        Err(
            CommandError::refused(format!("the {of} has {warnings}; nothing was changed"))
                .hint("without --fail-on-warnings it would go on"),
        )
    }
}

/// The file that a pipeline shows, in the making.
pub(super) struct Junit<'a> {
    command: &'static str,
    path: Option<&'a Path>,
    fail_on_warnings: bool,
    export: Option<TestSuite>,
    /// Of the last dry run or import.
    sections: Vec<TestSuite>,
}

impl<'a> Junit<'a> {
    /// Of a command; nothing is written before it ends.
    pub(super) fn new(command: &'static str, args: &'a PipelineArgs) -> Self {
        Self {
            command,
            path: args.junit.as_deref(),
            fail_on_warnings: args.fail_on_warnings,
            export: None,
            sections: Vec::new(),
        }
    }

    /// Notes what an export has to say.
    pub(super) fn note_export(&mut self, export: &RemoteExport) {
        let mut suite = Suite::new("export");
        suite.fail_all(&export.errors, export.errors.len() as u64, "errors");
        suite.warn(
            &export.warnings,
            export.warnings.len() as u64,
            self.fail_on_warnings,
        );
        self.export = Some(suite.finish());
    }

    /// Notes a dry run or an import, in place of one before it.
    pub(super) async fn note_import(
        &mut self,
        target: &InTenant,
        import: &RemoteImport,
    ) -> Result<(), CommandError> {
        if self.path.is_none() {
            return Ok(());
        }
        self.sections.clear();
        let mut whole = Suite::new(self.command);
        whole.fail_all(&import.errors, import.errors.len() as u64, "errors");
        let warnings = &import.warnings;
        whole.warn(warnings, warnings.len() as u64, self.fail_on_warnings);
        self.sections.push(whole.finish());
        for section in &import.results {
            let more = more_failed(target, import, section).await?;
            self.sections.push(self.section(section, &more));
        }
        Ok(())
    }

    fn section(&self, section: &RemoteSection, more: &[Change]) -> TestSuite {
        let mut suite = Suite::new(&section.name);
        let listed = &section.errors;
        suite.fail_each(listed);
        let mut named = listed.len() as u64;
        for change in more {
            let key = change.key.as_str();
            if listed.iter().all(|error| error.key.as_deref() != Some(key)) {
                let about: Vec<_> = change.references.iter().map(ToString::to_string).collect();
                suite.fail(key, change.reason.code(), &about.join(", "));
                named += 1;
            }
        }
        suite.fail_rest(section.error_count.saturating_sub(named), "errors");
        let warnings = &section.warnings;
        suite.warn(warnings, section.warning_count, self.fail_on_warnings);
        suite.finish()
    }

    /// Writes the file, if one is asked for, and ends as the command did. What ended it is in the
    /// file too, even if that was no item.
    pub(super) fn write(self, ended: CommandResult) -> CommandResult {
        let Some(path) = self.path else { return ended };
        let mut report = Report::new(format!("dev2prod {}", self.command));
        report.add_test_suites(self.export.into_iter().chain(self.sections));
        if let Err(error) = &ended
            && report.failures == 0
        {
            let kind = match error.exit() {
                Exit::Refused => NonSuccessKind::Failure,
                _ => NonSuccessKind::Error,
            };
            let mut suite = Suite::new("dev2prod");
            suite.add(self.command, kind, "", &error.message());
            report.add_test_suite(suite.finish());
        }
        let xml = report.to_string().map_err(anyhow::Error::new)?;
        let written = std::fs::write(path, xml);
        match (ended, written) {
            (ended, Ok(())) => ended,
            (Ok(_), Err(error)) => Err(CommandError::failed(format!(
                "it is done, but {} could not be written: {error}",
                path.display()
            ))),
            (Err(ended), Err(error)) => {
                let path = path.display();
                Err(ended.hint(format!("{path} could not be written: {error}")))
            }
        }
    }
}

/// The failed items of a section, where its report lists only the first of them and the server
/// shows the others.
async fn more_failed(
    target: &InTenant,
    import: &RemoteImport,
    section: &RemoteSection,
) -> Result<Vec<Change>, CommandError> {
    let mut failed = Vec::new();
    let listed = section.errors.len() as u64;
    let Ok(name) = section.name.parse() else {
        return Ok(failed);
    };
    if section.error_count <= listed
        || import.plan_digest.is_none()
        || !target
            .client()
            .features()
            .await?
            .contains(&Feature::Changes)
    {
        return Ok(failed);
    }
    let mut cursor = None;
    loop {
        let query = ChangesQuery {
            package_name: Some(name),
            action: Some(Action::Failed),
            cursor: cursor.take(),
            size: Some(PAGE),
            ..ChangesQuery::default()
        };
        let mut page = target.changes(&import.id, &query).await?;
        failed.append(&mut page.items);
        cursor = page.next_cursor;
        if cursor.is_none() || failed.len() >= FAILED_MAX {
            failed.truncate(FAILED_MAX);
            return Ok(failed);
        }
    }
}

/// A suite in the making.
struct Suite {
    suite: TestSuite,
    warnings: String,
}

impl Suite {
    fn new(name: &str) -> Self {
        Self {
            suite: TestSuite::new(name),
            warnings: String::new(),
        }
    }

    fn add(&mut self, name: &str, kind: NonSuccessKind, code: &str, message: &str) {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message);
        if !code.is_empty() {
            status.set_type(code);
        }
        let mut case = TestCase::new(name, status);
        case.set_classname(self.suite.name.as_str());
        self.suite.add_test_case(case);
    }

    fn fail(&mut self, name: &str, code: &str, message: &str) {
        self.add(name, NonSuccessKind::Failure, code, message);
    }

    /// A failed case for each, named by its item.
    fn fail_each(&mut self, notices: &[RemoteNotice]) {
        for notice in notices {
            let name = notice.key.as_deref().or(notice.code.as_deref());
            let code = notice.code.as_deref().unwrap_or_default();
            self.fail(name.unwrap_or("error"), code, &notice.message);
        }
    }

    fn fail_all(&mut self, notices: &[RemoteNotice], count: u64, what: &str) {
        self.fail_each(notices);
        self.fail_rest(count.saturating_sub(notices.len() as u64), what);
    }

    fn fail_rest(&mut self, count: u64, what: &str) {
        if count > 0 {
            let message = format!("{count} more {what} are not listed");
            self.fail(&format!("more {what}"), "", &message);
        }
    }

    /// Warnings are told with the suite; where they count they are failed cases besides.
    fn warn(&mut self, notices: &[RemoteNotice], count: u64, fail: bool) {
        for notice in notices {
            let key = notice.key.as_deref().map(|key| format!("'{key}': "));
            let code = notice.code.as_deref().map(|code| format!(" ({code})"));
            let (key, code) = (key.unwrap_or_default(), code.unwrap_or_default());
            self.warnings
                .push_str(&format!("warning: {key}{}{code}\n", notice.message));
        }
        let more = count.saturating_sub(notices.len() as u64);
        if more > 0 {
            self.warnings
                .push_str(&format!("warning: and {more} more\n"));
        }
        if fail {
            self.fail_all(notices, count, "warnings");
        }
    }

    /// A suite without a failed case has one that succeeded, so that it is seen.
    fn finish(mut self) -> TestSuite {
        if self.suite.test_cases.is_empty() {
            let mut case = TestCase::new("plan", TestCaseStatus::success());
            case.set_classname(self.suite.name.as_str());
            self.suite.add_test_case(case);
        }
        if !self.warnings.is_empty() {
            self.suite.set_system_out(self.warnings);
        }
        self.suite
    }
}
