//! Errors and warnings of an operation, for people.

use dev2prod_client::{RemoteExport, RemoteImport, RemoteNotice};
use owo_colors::OwoColorize;

use super::say;

/// The most that are told; the rest is counted.
const SHOWN_MAX: usize = 20;

/// Tells what an import or dry run has to say, errors first.
pub(crate) fn of_import(import: &RemoteImport) {
    let by_section = |pick: fn(&dev2prod_client::RemoteSection) -> &[RemoteNotice]| {
        import.results.iter().flat_map(move |section| {
            pick(section)
                .iter()
                .map(move |notice| (Some(section.name.as_str()), notice))
        })
    };
    let own = import.errors.iter().map(|notice| (None, notice));
    let errors = own.chain(by_section(|section| &section.errors));
    tell(
        "error".red().bold().to_string().as_str(),
        errors,
        import.error_count(),
    );
    let own = import.warnings.iter().map(|notice| (None, notice));
    let warnings = own.chain(by_section(|section| &section.warnings));
    tell(
        "warning".yellow().bold().to_string().as_str(),
        warnings,
        import.warning_count(),
    );
}

/// Tells what an export has to say.
pub(crate) fn of_export(export: &RemoteExport) {
    let lines = |notices: &'_ [RemoteNotice]| notices.len() as u64;
    let errors = export.errors.iter().map(|notice| (None, notice));
    tell(
        "error".red().bold().to_string().as_str(),
        errors,
        lines(&export.errors),
    );
    let warnings = export.warnings.iter().map(|notice| (None, notice));
    tell(
        "warning".yellow().bold().to_string().as_str(),
        warnings,
        lines(&export.warnings),
    );
}

fn tell<'a>(
    word: &str,
    notices: impl Iterator<Item = (Option<&'a str>, &'a RemoteNotice)>,
    count: u64,
) {
    let mut told = 0;
    for (section, notice) in notices.take(SHOWN_MAX) {
        say(format!("{word}: {}", sentence(section, notice)));
        told += 1;
    }
    if count > told {
        say(format!("{word}: and {} more", count - told));
    }
}

fn sentence(section: Option<&str>, notice: &RemoteNotice) -> String {
    let mut sentence = match (section, &notice.key) {
        (Some(section), Some(key)) => format!("{section} '{key}': "),
        (Some(section), None) => format!("{section}: "),
        (None, Some(key)) => format!("'{key}': "),
        (None, None) => String::new(),
    };
    sentence.push_str(&notice.message);
    if let Some(code) = &notice.code {
        sentence.push_str(&format!(" ({code})"));
    }
    if let Some(hint) = notice.hint.as_ref().filter(|hint| !hint.is_empty()) {
        sentence.push_str(&format!("; {hint}"));
    }
    sentence
}

/// The codes of all errors that are listed.
pub(crate) fn error_codes(import: &RemoteImport) -> std::collections::BTreeSet<&str> {
    let sections = import.results.iter().flat_map(|section| &section.errors);
    let all = import.errors.iter().chain(sections);
    all.filter_map(|notice| notice.code.as_deref()).collect()
}
