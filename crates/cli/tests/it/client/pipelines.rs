//! What pipelines ask for: a JUnit file, and an end that warnings count for.

use quick_junit::{Report, TestCaseStatus, TestSuite};

use super::tenants::{DEVELOPMENT, PRODUCTION, fill, line, promote, two};
use crate::common::Home;

fn steps(key: &str, steps: u8) -> String {
    line("workflow", key, &format!("{{\"Steps\":{steps}}}"))
}

fn read(home: &Home) -> Report {
    let xml = std::fs::read_to_string(home.file("junit.xml")).unwrap();
    Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"))
}

fn suite<'a>(report: &'a Report, name: &str) -> &'a TestSuite {
    let mut suites = report.test_suites.iter();
    suites.find(|suite| suite.name.as_str() == name).unwrap()
}

/// Names of failed cases with their types and messages.
fn failed(suite: &TestSuite) -> Vec<(String, String, String)> {
    let cases = suite.test_cases.iter().filter_map(|case| {
        let TestCaseStatus::NonSuccess { ty, message, .. } = &case.status else {
            return None;
        };
        let text = |text: &Option<quick_junit::XmlString>| {
            text.as_ref().map_or("", |text| text.as_str()).to_owned()
        };
        Some((case.name.as_str().to_owned(), text(ty), text(message)))
    });
    cases.collect()
}

#[test]
fn a_conflict_is_a_failed_case_that_names_its_item() {
    let (_server, home) = two();
    // What XML would take for its own.
    let hostile = "a<b>&'c]]>é";
    fill(
        &home,
        DEVELOPMENT,
        &[steps("Incident", 1), steps(hostile, 1)],
    );
    home.run(&promote(&["--yes", "--junit", "junit.xml"])).ok();
    let clean = read(&home);
    assert_eq!((clean.failures, clean.errors), (0, 0));
    let workflow = suite(&clean, "workflow");
    assert_eq!(workflow.test_cases.len(), 1);
    assert_eq!(failed(workflow), []);

    fill(
        &home,
        DEVELOPMENT,
        &[steps("Incident", 2), steps(hostile, 2)],
    );
    fill(
        &home,
        PRODUCTION,
        &[steps("Incident", 3), steps(hostile, 3)],
    );
    let ran = home.run(&promote(&["--yes", "--junit", "junit.xml"]));
    assert_eq!(ran.code, Some(3), "{ran}");
    let report = read(&home);
    assert_eq!(report.failures, 2);
    let failed = failed(suite(&report, "workflow"));
    let names: Vec<_> = failed
        .iter()
        .map(|(name, code, _)| (name.as_str(), code.as_str()))
        .collect();
    assert_eq!(names, [("Incident", "conflict"), (hostile, "conflict")]);
    assert!(
        failed[0].2.contains("/Steps of workflow Incident"),
        "{failed:?}"
    );
}

#[test]
fn every_conflict_is_a_case_even_those_that_a_report_only_counts() {
    let (_server, home) = two();
    let all = |to: u8| {
        let keys = (0..130_u8).map(|key| steps(&format!("w{key:03}"), to));
        keys.collect::<Vec<_>>()
    };
    fill(&home, DEVELOPMENT, &all(1));
    home.run(&promote(&["--yes"])).ok();
    fill(&home, DEVELOPMENT, &all(2));
    fill(&home, PRODUCTION, &all(3));
    let ran = home.run(&promote(&["--dry-run", "--junit", "junit.xml"]));
    assert_eq!(ran.code, Some(3), "{ran}");
    let report = read(&home);
    let cases = failed(suite(&report, "workflow"));
    assert_eq!((report.failures, cases.len()), (130, 130));
    assert_eq!(cases[129].0, "w129");
}

#[test]
fn warnings_are_told_and_stop_a_promotion_only_if_asked() {
    let (_server, home) = two();
    fill(&home, DEVELOPMENT, &[steps("Incident", 1)]);
    fill(&home, PRODUCTION, &[steps("Incident", 2)]);
    let take = ["--yes", "--first-delivery", "take", "--junit", "junit.xml"];
    let strict = [&take[..], &["--fail-on-warnings"]].concat();
    let ran = home.run(&promote(&strict));
    assert_eq!(ran.code, Some(3), "{ran}");
    assert!(
        ran.stderr
            .contains("error: the plan has 1 warning; nothing was changed"),
        "{ran}"
    );
    let get = [
        "content", "get", "workflow", "Incident", "--tenant", PRODUCTION,
    ];
    assert_eq!(home.run(&get).ok().json()["Body"]["Steps"], 2);
    let report = read(&home);
    let cases = failed(suite(&report, "workflow"));
    assert_eq!(
        (cases[0].0.as_str(), cases[0].1.as_str()),
        ("Incident", "first_delivery")
    );

    home.run(&promote(&take)).ok();
    let report = read(&home);
    assert_eq!(report.failures, 0);
    let workflow = suite(&report, "workflow");
    let told = workflow.system_out.as_ref().unwrap().as_str();
    assert!(told.starts_with("warning: 'Incident': "), "{told}");
    assert!(told.contains("(first_delivery)"), "{told}");
    assert_eq!(home.run(&get).ok().json()["Body"]["Steps"], 1);
    home.run(&promote(&["--yes", "--fail-on-warnings"])).ok();
}

#[test]
fn an_import_looks_at_its_plan_before_warnings_can_count() {
    let (_server, home) = two();
    fill(&home, DEVELOPMENT, &[steps("Incident", 1)]);
    fill(&home, PRODUCTION, &[steps("Incident", 2)]);
    let file = home.line(&["export", "--tenant", DEVELOPMENT]);
    home.run(&["download", &file, "--to", "b.zip", "--tenant", DEVELOPMENT])
        .ok();
    let file = home.line(&["upload", "b.zip", "--tenant", PRODUCTION]);
    let import = [
        "import",
        &file,
        "--tenant",
        PRODUCTION,
        "--junit",
        "junit.xml",
    ];
    let strict = [&import[..], &["--fail-on-warnings"]].concat();
    let ran = home.run(&strict);
    assert_eq!(ran.code, Some(3), "{ran}");
    assert_eq!(read(&home).failures, 1);
    let keep = [
        &strict[..],
        &["--conflicts", "keep", "--first-delivery", "keep"],
    ]
    .concat();
    let ran = home.run(&keep);
    assert_eq!(ran.code, Some(3), "what is kept is a warning too: {ran}");

    home.run(&import).ok();
    let ran = home.run(&strict).ok();
    assert!(ran.stderr.contains("Dry run"), "{ran}");
    assert_eq!(read(&home).failures, 0);
    let ran = home.run(&[&import[..], &["--no-wait"]].concat());
    assert_eq!(ran.code, Some(2), "{ran}");
}

#[test]
fn what_ends_a_promotion_is_in_the_file_even_if_it_is_no_item() {
    let (_server, home) = two();
    let missing = promote(&["--yes", "--package", "77", "--junit", "junit.xml"]);
    let ran = home.run(&missing);
    assert_eq!(ran.code, Some(1), "{ran}");
    let report = read(&home);
    assert_eq!((report.failures, report.errors), (0, 1));
    let cases = failed(suite(&report, "dev2prod"));
    assert_eq!(cases[0].0, "promote");
    assert!(cases[0].2.contains("package 77"), "{cases:?}");

    fill(&home, DEVELOPMENT, &[steps("Incident", 1)]);
    let nowhere = promote(&["--yes", "--junit", "no/such/folder/junit.xml"]);
    let ran = home.run(&nowhere);
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(
        ran.stderr
            .contains("it is done, but no/such/folder/junit.xml"),
        "{ran}"
    );
}

#[test]
fn a_plan_that_was_made_before_ends_as_a_promotion_does() {
    let (_server, home) = two();
    fill(&home, DEVELOPMENT, &[steps("Incident", 1)]);
    fill(&home, PRODUCTION, &[steps("Incident", 2)]);
    let dry_run = ["--dry-run", "--first-delivery", "take", "--output", "json"];
    let made = home.run(&promote(&dry_run)).ok().json();
    let plan = made["DryRun"]["id"].as_str().unwrap();
    let to = [
        "promote",
        "--to-tenant",
        PRODUCTION,
        "--yes",
        "--plan",
        plan,
    ];
    let to = [&to[..], &["--junit", "junit.xml"]].concat();
    let strict = home.run(&[&to[..], &["--fail-on-warnings", "--output", "json"]].concat());
    assert_eq!(strict.code, Some(3), "{strict}");
    let told = strict.json();
    assert_eq!(
        (&told["Outcome"], told.get("Import")),
        (&"Refused".into(), None)
    );
    assert_eq!(told["DryRun"]["id"], plan);
    let cases = read(&home);
    let cases = failed(suite(&cases, "workflow"));
    assert_eq!(
        (cases[0].0.as_str(), cases[0].1.as_str()),
        ("Incident", "first_delivery")
    );
    let get = [
        "content", "get", "workflow", "Incident", "--tenant", PRODUCTION,
    ];
    assert_eq!(home.run(&get).ok().json()["Body"]["Steps"], 2);

    let done = home.run(&[&to[..], &["--output", "json"]].concat()).ok();
    let told = done.json();
    assert_eq!(told["Outcome"], "Imported");
    assert_eq!(told["FileId"], made["FileId"]);
    assert_eq!(told["Target"]["Name"], "Service desk");
    assert_eq!(told["Import"]["PlanId"], plan);
    assert_eq!(read(&home).failures, 0);
    assert_eq!(home.run(&get).ok().json()["Body"]["Steps"], 1);

    // A used plan is no item, and in the file all the same.
    let again = home.run(&to);
    assert_eq!(again.code, Some(1), "{again}");
    assert_eq!(read(&home).errors, 1);
}

#[test]
fn a_plan_with_conflicts_is_told_case_by_case_and_not_carried_out() {
    let (_server, home) = two();
    fill(&home, DEVELOPMENT, &[steps("Incident", 1)]);
    home.run(&promote(&["--yes"])).ok();
    fill(&home, DEVELOPMENT, &[steps("Incident", 2)]);
    fill(&home, PRODUCTION, &[steps("Incident", 3)]);
    let made = home.run(&promote(&["--dry-run", "--output", "json"]));
    let plan = made.json()["DryRun"]["id"].as_str().unwrap().to_owned();
    let to = [
        "promote",
        "--to-tenant",
        PRODUCTION,
        "--yes",
        "--plan",
        &plan,
    ];
    let ran = home.run(&[&to[..], &["--junit", "junit.xml"]].concat());
    assert_eq!(ran.code, Some(3), "{ran}");
    let cases = read(&home);
    let cases = failed(suite(&cases, "workflow"));
    assert_eq!(
        (cases[0].0.as_str(), cases[0].1.as_str()),
        ("Incident", "conflict")
    );
}

#[test]
fn taking_an_import_back_has_a_file_and_an_end_that_warnings_count_for() {
    let (_server, home) = two();
    let body = |a: u8, b: u8| line("workflow", "Incident", &format!("{{\"a\":{a},\"b\":{b}}}"));
    fill(&home, DEVELOPMENT, &[body(1, 1)]);
    home.run(&promote(&["--yes"])).ok();
    fill(&home, DEVELOPMENT, &[body(2, 1)]);
    let done = home
        .run(&promote(&["--yes", "--output", "json"]))
        .ok()
        .json();
    let id = done["Import"]["id"].as_str().unwrap();
    // Another field was changed since: what the undo keeps of it is a warning.
    fill(&home, PRODUCTION, &[body(2, 7)]);
    let undo = ["undo", id, "--tenant", PRODUCTION, "--junit", "junit.xml"];
    let strict = [&undo[..], &["--fail-on-warnings"]].concat();
    for how in [&["--yes"][..], &["--dry-run"]] {
        let ran = home.run(&[&strict[..], how].concat());
        assert_eq!(ran.code, Some(3), "{ran}");
        assert!(ran.stderr.contains("the plan has 1 warning"), "{ran}");
        let cases = read(&home);
        let cases = failed(suite(&cases, "workflow"));
        assert_eq!(
            (cases[0].0.as_str(), cases[0].1.as_str()),
            ("Incident", "merged")
        );
    }
    let dry_run = [&undo[..], &["--dry-run", "--output", "json"]].concat();
    let shown = home.run(&dry_run).ok().json();
    let plan = ["--plan", shown["id"].as_str().unwrap()];
    let ran = home.run(&[&strict[..], &plan].concat());
    assert_eq!(ran.code, Some(3), "{ran}");
    let get = [
        "content", "get", "workflow", "Incident", "--tenant", PRODUCTION,
    ];
    assert_eq!(home.run(&get).ok().json()["Body"]["a"], 2);

    home.run(&[&undo[..], &plan].concat()).ok();
    assert_eq!(read(&home).failures, 0);
    let body = home.run(&get).ok().json()["Body"].clone();
    assert_eq!(body.to_string(), r#"{"a":1,"b":7}"#);
    let unseen = [&undo[..], &["--dry-run", "--no-wait"]].concat();
    assert_eq!(home.run(&unseen).code, Some(2));
}
