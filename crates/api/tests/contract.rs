//! The wire types against the documented examples, which `tests/seed/` holds word for word.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod shape;

use dev2prod_api::{ExportStatus, ExportView, ImportRequest, ImportStatus, ImportView, Started};
use dev2prod_model::id::{OperationId, PackageId};
use dev2prod_model::item::{Digest, Revision};
use dev2prod_model::operation::{
    Counts, ExportReport, Failure, ImportReport, Notice, Operation, Phase, Progress, Report,
    Request, SectionReport, State,
};
use dev2prod_model::plan::ImportOptions;
use dev2prod_model::section::Section;
use dev2prod_model::sender::Sender;
use shape::Shape;

const EXPORT: &str = include_str!("seed/export_status_use_case.json");
const EXPORT_CUT: &str = include_str!("seed/export_status.json");
const IMPORT: &str = include_str!("seed/import_status.json");
const IMPORT_USE_CASE: &str = include_str!("seed/import_status_use_case.json");

/// Everything documented is there, in this order and of this type; what follows is ours.
#[track_caller]
fn keeps_contract(documented: &str, ours: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(ours).unwrap();
    let expected = Shape::read(documented);
    if let Err(difference) = expected.is_kept_by(&Shape::read(&text)) {
        panic!("{difference}\n{text}");
    }
    text
}

fn exported() -> Operation {
    let counts = [
        (Section::Workflow, 24),
        (Section::FormLayouts, 117),
        (Section::FeatureInstances, 26),
        (Section::NotificationTemplateDefinitions, 88),
        (Section::NotificationTemplateBodies, 97),
    ];
    Operation {
        id: "6797556be4b0c05084915394".parse().unwrap(),
        tenant: "123456789".parse().unwrap(),
        request: Request::Export {
            package: PackageId(54321),
        },
        created_by: "ann".parse().unwrap(),
        sender: Sender::default(),
        created_ms: 1_737_971_051_000,
        updated_ms: 1_737_971_053_134,
        state: State::Ended {
            server: "company-server".to_owned(),
            started_ms: 1_737_971_051_843,
            report: Some(Report::Export(ExportReport {
                file: Some("c7e87b89-f214-4766-8032-bba6967e1c49".parse().unwrap()),
                statistics: counts.to_vec(),
                revision: Revision(7),
                content_digest: Some(Digest([7; 32])),
                warnings: vec![],
            })),
            failure: None,
        },
    }
}

fn export_view() -> ExportView {
    ExportView {
        package_bundle_name: "Package-54321-123456789-2025-01-27 09-44".to_owned(),
    }
}

fn section(section: Section, modified: u64) -> SectionReport {
    SectionReport {
        section,
        counts: Counts {
            modified,
            ..Counts::default()
        },
        errors: vec![],
        error_count: 0,
        warnings: vec![],
        warning_count: 0,
    }
}

fn dry_run() -> Operation {
    Operation {
        id: "67975a80e4b0c050849153ae".parse().unwrap(),
        tenant: "123456789".parse().unwrap(),
        request: Request::Import {
            dry_run: true,
            file: "9bf82520-f087-4763-af10-cf1ed38d893d".parse().unwrap(),
            file_tenant: "123456789".parse().unwrap(),
            options: ImportOptions::default(),
            plan: None,
        },
        created_by: "ann".parse().unwrap(),
        sender: Sender::default(),
        created_ms: 1_737_972_352_000,
        updated_ms: 1_737_972_406_603,
        state: State::Ended {
            server: "company-server".to_owned(),
            started_ms: 1_737_972_352_849,
            report: Some(Report::Import(ImportReport {
                package_manager_id: Some("67975a8be4b0c050849153b2".parse().unwrap()),
                results: vec![
                    section(Section::Metadata, 300),
                    section(Section::SltTenantSetting, 0),
                    section(Section::IndexConfiguration, 26),
                ],
                warnings: Vec::new(),
                plan: Some(Digest([9; 32])),
                target_revision: Revision(3),
                result_revision: None,
                origin: None,
                content_digest: None,
            })),
            failure: None,
        },
    }
}

fn import_view() -> ImportView {
    ImportView {
        time_to_live_ms: 10_000_740,
        ..ImportView::default()
    }
}

fn status(operation: &Operation) -> ImportStatus {
    ImportStatus::from_operation(operation, &import_view()).unwrap()
}

#[test]
fn an_export_status_is_the_documented_one_and_ours_after_it() {
    let ours = ExportStatus::from_operation(&exported(), &export_view()).unwrap();
    let text = keeps_contract(EXPORT, &ours);
    let (documented, our_own) = text
        .split_once("  \"OperationType\": \"Export\",\n")
        .unwrap();
    assert_eq!(
        Shape::values(EXPORT)[..Shape::values(EXPORT).len() - 1],
        Shape::values(&format!(
            "{}}}",
            documented.trim_end().trim_end_matches(',')
        )),
        "the documented example has these very values"
    );
    insta::assert_snapshot!(our_own, @r#"
      "ContentDigest": "0707070707070707070707070707070707070707070707070707070707070707",
      "SourceRevision": 7,
      "CreatedBy": "ann"
    }
    "#);
    let read: ExportStatus = serde_json::from_str(&text).unwrap();
    assert_eq!(read, ours);
}

#[test]
fn the_short_export_example_has_the_same_members() {
    let mut ours = ExportStatus::from_operation(&exported(), &export_view()).unwrap();
    ours.statistics.truncate(3);
    keeps_contract(EXPORT_CUT, &ours);
}

#[test]
fn an_export_that_waits_has_every_member_and_no_file() {
    let mut waiting = exported();
    waiting.state = State::Pending;
    let ours = ExportStatus::from_operation(&waiting, &export_view()).unwrap();
    assert_eq!(ours.start_time, waiting.created_ms);
    assert_eq!(ours.statistics.len(), 17);
    let text = serde_json::to_string(&ours).unwrap();
    assert!(text.contains(r#""FileId":null"#), "{text}");
}

#[test]
fn an_export_that_failed_shows_no_file() {
    let mut failed = exported();
    let State::Ended { failure, .. } = &mut failed.state else {
        unreachable!("an export that ended")
    };
    *failure = Some(Failure {
        code: "file_lost".to_owned(),
        message: "the file is gone".to_owned(),
        hint: "export again".to_owned(),
    });
    let ours = ExportStatus::from_operation(&failed, &export_view()).unwrap();
    assert_eq!(ours.file_id, None);
    assert_eq!(ours.error.unwrap().code, "file_lost");
}

#[test]
fn an_import_status_is_the_documented_one_and_ours_after_it() {
    let ours = status(&dry_run());
    let text = keeps_contract(IMPORT, &ours);
    keeps_contract(IMPORT_USE_CASE, &ours);
    let (_, our_own) = text
        .split_once("  \"OperationType\": \"Import\",\n")
        .unwrap();
    insta::assert_snapshot!(our_own, @r#"
      "PlanDigest": "0909090909090909090909090909090909090909090909090909090909090909",
      "TargetRevision": 3,
      "CreatedBy": "ann"
    }
    "#);
    let read: ImportStatus = serde_json::from_str(&text).unwrap();
    assert_eq!(read, ours);

    let documented: ImportStatus = {
        let with_ours = IMPORT
            .replace(
                "\"OperationType\": \"Import\"",
                "\"OperationType\": \"Import\",\"CreatedBy\":\"ann\"",
            )
            .replace(
                "\"Skipped\": 0\n            }",
                "\"Skipped\": 0, \"Added\": 0\n            }",
            )
            .replace(
                "\"Warnings\": []",
                "\"Warnings\": [], \"ErrorCount\": 0, \"WarningCount\": 0",
            );
        serde_json::from_str(&with_ours).unwrap()
    };
    let without_ours = ImportStatus {
        plan_digest: None,
        target_revision: None,
        ..ours
    };
    assert_eq!(
        documented, without_ours,
        "the documented values are built from the model"
    );
}

#[test]
fn results_have_added_and_counts_after_the_documented_members() {
    let mut found = dry_run();
    let State::Ended {
        report: Some(Report::Import(report)),
        ..
    } = &mut found.state
    else {
        unreachable!("a dry run that ended")
    };
    report.results.truncate(1);
    report.results[0].counts.failed = 1;
    report.results[0].error_count = 1;
    report.results[0].errors.push(Notice {
        key: Some("Incident".parse().unwrap()),
        code: "conflict".to_owned(),
        message: "both sides changed".to_owned(),
        references: vec![],
    });
    insta::assert_snapshot!(
        serde_json::to_string_pretty(&status(&found).results).unwrap(),
        @r#"
    [
      {
        "PackageName": "metadata",
        "Statistics": {
          "Modified": 300,
          "Removed": 0,
          "Failed": 1,
          "Skipped": 0,
          "Added": 0
        },
        "Errors": [
          {
            "Key": "Incident",
            "Code": "conflict",
            "Message": "both sides changed",
            "References": []
          }
        ],
        "Warnings": [],
        "ErrorCount": 1,
        "WarningCount": 0
      }
    ]
    "#
    );
}

#[test]
fn a_failed_import_counts_nothing_as_changed() {
    let mut failed = dry_run();
    let Request::Import { dry_run, .. } = &mut failed.request else {
        unreachable!("an import")
    };
    *dry_run = false;
    let State::Ended { failure, .. } = &mut failed.state else {
        unreachable!("an import that ended")
    };
    *failure = Some(Failure {
        code: "conflict".to_owned(),
        message: "1 item changed on both sides".to_owned(),
        hint: "see changes".to_owned(),
    });
    let ours = status(&failed);
    assert_eq!(ours.totals.modified, 0);
    assert!(
        ours.results
            .iter()
            .all(|section| section.statistics.modified == 0)
    );
    assert_eq!(ours.error.unwrap().hint, "see changes");
}

#[test]
fn time_to_live_counts_down_while_work_goes_on_and_stops_at_zero() {
    let mut running = dry_run();
    let view = |time_to_live_ms| ImportView {
        time_to_live_ms,
        ..ImportView::default()
    };
    let left = |operation: &Operation, ms| {
        ImportStatus::from_operation(operation, &view(ms))
            .unwrap()
            .time_to_live
    };
    assert_eq!(left(&running, 10_000_000), 9_946_246);
    assert_eq!(left(&running, 1_000), 0);
    running.state = State::Pending;
    assert_eq!(left(&running, 10_000_000), 10_000_000);
}

#[test]
fn a_running_import_says_who_works_and_how_far_it_is() {
    let mut running = dry_run();
    running.state = State::Running {
        cancel_by: None,
        server: "company-server".to_owned(),
        started_ms: running.created_ms,
        progress: Some(Progress::at(Phase::Staging)),
    };
    let ours = status(&running);
    assert_eq!(
        ours.processing_server_name.as_deref(),
        Some("company-server")
    );
    assert_eq!(ours.package_manager_id, None);
    insta::assert_snapshot!(
        serde_json::to_string(&ours.progress).unwrap(),
        @r#"{"Phase":"Staging","ItemsDone":0,"BytesDone":0}"#
    );
}

#[test]
fn a_running_import_says_how_fast_it_goes_and_which_bundle_is_open() {
    let bundle: OperationId = "66fabdf1e4b06908b04d4051".parse().unwrap();
    let mut running = dry_run();
    running.state = State::Running {
        cancel_by: Some("bob".parse().unwrap()),
        server: "company-server".to_owned(),
        started_ms: running.created_ms,
        progress: Some(Progress {
            items_done: 300,
            items_total: Some(900),
            since_ms: Some(1_000),
            counted_ms: Some(4_000),
            bundle: Some(bundle),
            ..Progress::at(Phase::Planning)
        }),
    };
    let ours = status(&running);
    assert_eq!(ours.package_manager_id, Some(bundle));
    assert_eq!(ours.canceled_by.unwrap().as_str(), "bob");
    insta::assert_snapshot!(
        serde_json::to_string(&ours.progress).unwrap(),
        @r#"{"Phase":"Planning","ItemsDone":300,"ItemsTotal":900,"BytesDone":0,"ItemsPerSecond":100,"EstimatedEndTime":10000}"#
    );
}

#[test]
fn an_export_is_no_import_and_an_import_no_export() {
    let none = ExportStatus::from_operation(&dry_run(), &export_view());
    assert_eq!(none, None);
    assert_eq!(
        ImportStatus::from_operation(&exported(), &import_view()),
        None
    );
}

#[test]
fn what_starts_an_operation_answers_its_id() {
    let id: OperationId = "66fabdf1e4b06908b04d4051".parse().unwrap();
    keeps_contract(include_str!("seed/started.json"), &Started { id });
}

#[test]
fn an_import_request_without_options_is_the_documented_one() {
    let file = "9bf82520-f087-4763-af10-cf1ed38d893d";
    let text = serde_json::to_string(&ImportRequest::of_file(file)).unwrap();
    let documented = include_str!("seed/import_request.json");
    assert_eq!(Shape::read(&text), Shape::read(documented));
    assert_eq!(Shape::values(&text), Shape::values(documented));
}
