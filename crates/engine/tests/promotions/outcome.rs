//! How an operation ended, in the words of a story; and the lines and options it began with.

use dev2prod_model::id::OperationId;
use dev2prod_model::item::ItemRef;
use dev2prod_model::operation::{Counts, Failure, ImportReport, Notice, SectionReport};
use dev2prod_model::plan::{ImportOptions, Reason};
use serde_json::{Value, json};

/// How a dry run or an import ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) id: OperationId,
    pub(crate) report: ImportReport,
    pub(crate) failure: Option<Failure>,
    /// A line for each entry of the plan.
    pub(crate) plan: String,
}

impl Outcome {
    /// The outcome, if it did not fail.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.failure, None, "{:#?}\n{}", self.errors(), self.plan);
        self
    }

    /// The code of the failure.
    #[track_caller]
    pub(crate) fn failed(&self) -> &str {
        &self.failure.as_ref().expect("it failed").code
    }

    pub(crate) fn totals(&self) -> Counts {
        let mut all = Counts::default();
        for section in &self.report.results {
            all.add(&section.counts);
        }
        all
    }

    /// Added, modified, removed, failed, skipped.
    pub(crate) fn numbers(&self) -> [u64; 5] {
        let all = self.totals();
        [
            all.added,
            all.modified,
            all.removed,
            all.failed,
            all.skipped,
        ]
    }

    pub(crate) fn errors(&self) -> Vec<String> {
        self.notices(|section| &section.errors)
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.notices(|section| &section.warnings)
    }

    fn notices(&self, of: impl Fn(&SectionReport) -> &Vec<Notice>) -> Vec<String> {
        let of_section = |section: &SectionReport| {
            let notices = of(section).iter();
            notices
                .map(|notice| format!("{}: {}", notice.code, notice.message))
                .collect::<Vec<_>>()
        };
        self.report.results.iter().flat_map(of_section).collect()
    }

    /// How many entries of the plan have this reason.
    pub(crate) fn count(&self, reason: Reason) -> usize {
        let of_reason = format!(" {}: ", reason.code());
        let lines = self.plan.lines();
        lines.filter(|line| line.contains(&of_reason)).count()
    }
}

pub(crate) fn item_ref(section: &str, key: &str) -> ItemRef {
    ItemRef::new(section.parse().unwrap(), key.parse().unwrap())
}

/// A line of content.
pub(crate) fn line(section: &str, key: &str, body: Value) -> String {
    line_to(section, key, body, &[])
}

/// A line of content that refers to items besides its body.
pub(crate) fn line_to(section: &str, key: &str, body: Value, to: &[(&str, &str)]) -> String {
    let references: Vec<_> = to
        .iter()
        .map(|(section, key)| json!({"PackageName": section, "Key": key}))
        .collect();
    let mut line = json!({"PackageName": section, "Key": key, "References": references});
    line["Body"] = body;
    format!("{line}\n")
}

/// A feature, which refers to nothing: the plainest item of configuration there is.
pub(crate) fn feature(key: &str, value: impl Into<Value>) -> String {
    line("featureInstances", key, json!({"value": value.into()}))
}

/// Options as a request spells them.
pub(crate) fn options(json: Value) -> ImportOptions {
    serde_json::from_value(json).unwrap()
}

/// No options at all.
pub(crate) fn plain() -> ImportOptions {
    ImportOptions::default()
}
