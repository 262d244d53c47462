//! The guide to pipelines: what its examples run is run as written, against two real servers.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::client::tenants::{DEVELOPMENT, PRODUCTION, line};
use crate::client::trust::servers;
use crate::common::Home;
use crate::common::server::Server;

const GUIDE: &str = include_str!("../../../../docs/guides/promote-from-a-pipeline.md");

/// The password of the pipeline's account.
const PASSWORD: &str = "the pipeline's own password";

/// The blocks of a language below a heading.
fn blocks(heading: &str, language: &str) -> Vec<String> {
    let section = GUIDE
        .split("\n## ")
        .find(|section| section.starts_with(heading));
    let mut parts = section.unwrap().split("```");
    parts.next();
    let blocks = parts.step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix(&format!("{language}\n")));
    blocks.map(str::to_owned).collect()
}

/// What an example runs, job by job: the scripts behind `run:`, and the list behind `script:`.
fn scripts(yaml: &str) -> BTreeMap<String, Vec<String>> {
    let mut jobs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut job = String::new();
    let mut lines = yaml.lines().peekable();
    while let Some(line) = lines.next() {
        let (text, indent) = (line.trim(), indent(line));
        if ["plan:", "promote:"].contains(&text) && indent <= 2 {
            job = text.trim_end_matches(':').to_owned();
            continue;
        }
        let steps = jobs.entry(job.clone()).or_default();
        if text == "run: |" {
            let mut script = String::new();
            while let Some(more) = lines.next_if(|more| self::indent(more) > indent) {
                script.push_str(more.trim());
                script.push('\n');
            }
            steps.push(script);
        } else if let Some(script) = text.strip_prefix("run: ") {
            steps.push(script.to_owned());
        } else if text == "script:" {
            while let Some(more) = lines.next_if(|more| more.trim().starts_with("- ")) {
                steps.push(more.trim()[2..].to_owned());
            }
        }
    }
    jobs.retain(|_, steps| !steps.is_empty());
    jobs
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// A company with a server for development and one for production, and what a runner has.
struct Company {
    dev: Server,
    prod: Server,
    admin: Home,
    runner: Home,
}

impl Company {
    fn new() -> Self {
        let (dev, prod, admin) = servers();
        let company = Self {
            dev,
            prod,
            admin,
            runner: Home::new(),
        };
        let passwords = [
            ("DEV2PROD_PASSWORD", Server::PASSWORD),
            ("DEV2PROD_NEW_PASSWORD", PASSWORD),
        ];
        for block in blocks("Once", "sh") {
            succeeded(&company.bash(&company.admin, &block, &passwords));
        }
        company
    }

    /// Runs a script as a runner does; the answer is how it ended and what it printed.
    fn bash(&self, home: &Home, script: &str, more: &[(&str, &str)]) -> (Option<i32>, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_dev2prod")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(program.to_owned()).chain(std::env::split_paths(&path));
        let mut command = Command::new("bash");
        command
            .args(["-e", "-c", &format!("exec 2>&1\n{script}")])
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", std::env::join_paths(paths).unwrap())
            .envs(more.iter().copied())
            .current_dir(home.path())
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), format!("$ {script}\n{printed}"))
    }

    fn fill(&self, server: &str, tenant: &str, steps: u8) {
        let lines = line("workflow", "Incident", &format!("{{\"Steps\":{steps}}}"));
        self.admin.write("fill/items.ndjson", lines);
        let push = ["content", "push", "fill", "--replace"];
        let place = ["--server", server, "--tenant", tenant];
        self.admin.run(&[&push[..], &place].concat()).ok();
    }

    fn steps_in_production(&self) -> u64 {
        let get = ["content", "get", "workflow", "Incident"];
        let place = ["--server", "prod", "--tenant", PRODUCTION];
        let item = self.admin.run(&[&get[..], &place].concat()).ok().json();
        item["Body"]["Steps"].as_u64().unwrap()
    }

    /// The variables that an example sets, with the addresses of these servers.
    fn variables<'a>(&'a self, yaml: &'a str) -> Vec<(&'a str, &'a str)> {
        let named = yaml.lines().filter_map(|line| {
            let (name, value) = line.trim().split_once(": ")?;
            name.starts_with("DEV2PROD_")
                .then_some((name, value.trim_matches('"')))
        });
        let mut variables: Vec<_> = named
            .map(|(name, value)| match name {
                "DEV2PROD_FROM_URL" => (name, self.dev.url.as_str()),
                "DEV2PROD_TO_URL" => (name, self.prod.url.as_str()),
                _ => (name, value),
            })
            .collect();
        assert_eq!(variables[1], ("DEV2PROD_FROM_TENANT", DEVELOPMENT));
        variables.retain(|(name, _)| *name != "DEV2PROD_PASSWORD");
        variables.push(("DEV2PROD_PASSWORD", PASSWORD));
        variables
    }

    /// Runs a job; the answer is how its last step ended and what all printed.
    fn job(&self, steps: &[String], variables: &[(&str, &str)]) -> (Option<i32>, String) {
        let mut printed = String::new();
        for step in steps {
            let (code, text) = self.bash(&self.runner, step, variables);
            printed.push_str(&text);
            if code != Some(0) {
                return (code, printed);
            }
        }
        (Some(0), printed)
    }
}

#[track_caller]
fn succeeded((code, printed): &(Option<i32>, String)) {
    assert_eq!(*code, Some(0), "{printed}");
}

#[test]
fn the_gitlab_example_runs_as_written() {
    let company = Company::new();
    let yaml = blocks("GitLab CI", "yaml").remove(0);
    let jobs = scripts(&yaml);
    assert_eq!(jobs.keys().collect::<Vec<_>>(), ["plan", "promote"]);
    let mut variables = company.variables(&yaml);
    variables.push(("CI_PIPELINE_ID", "4711"));

    company.fill("dev", DEVELOPMENT, 1);
    succeeded(&company.job(&jobs["plan"], &variables));
    succeeded(&company.job(&jobs["promote"], &variables));
    assert_eq!(company.steps_in_production(), 1);
    let xml = std::fs::read_to_string(company.runner.file("promote.xml")).unwrap();
    assert!(xml.contains("<testsuite name=\"workflow\""), "{xml}");
    let again = company.job(&jobs["promote"], &variables);
    assert_eq!(again.0, Some(1), "{}", again.1);
    assert!(again.1.contains("was carried out by import"), "{}", again.1);

    // What moved between the two jobs.
    company.fill("dev", DEVELOPMENT, 2);
    succeeded(&company.job(&jobs["plan"], &variables));
    company.fill("prod", PRODUCTION, 3);
    let moved = company.job(&jobs["promote"], &variables);
    assert_eq!(moved.0, Some(1), "{}", moved.1);
    assert!(moved.1.contains("plan_moved"), "{}", moved.1);
    assert_eq!(company.steps_in_production(), 3);

    // Both sides changed it.
    let conflict = company.job(&jobs["plan"], &variables);
    assert_eq!(conflict.0, Some(3), "{}", conflict.1);
    let xml = std::fs::read_to_string(company.runner.file("plan.xml")).unwrap();
    assert!(xml.contains("<testcase name=\"Incident\""), "{xml}");

    for block in blocks("What happens when", "sh") {
        let (code, printed) = company.bash(&company.runner, &block, &variables);
        assert_eq!(code, Some(0), "{printed}");
    }
    let item = "configuration/items/workflow/Incident~1.json";
    assert!(company.runner.file(item).exists());
}

#[test]
fn the_github_example_runs_as_written() {
    let company = Company::new();
    let yaml = blocks("GitHub Actions", "yaml").remove(0);
    let jobs = scripts(&yaml);
    let mut variables = company.variables(&yaml);
    variables.push(("GITHUB_OUTPUT", "outputs"));
    variables.push(("GITHUB_STEP_SUMMARY", "summary.md"));
    variables.push(("GITHUB_RUN_ID", "4711"));

    company.fill("dev", DEVELOPMENT, 1);
    succeeded(&company.job(&jobs["plan"], &variables));
    let summary = std::fs::read_to_string(company.runner.file("summary.md")).unwrap();
    assert!(
        summary.starts_with("Added workflow Incident (new)"),
        "{summary}"
    );

    // What one job gives to the next is named in the example, and passed on by the service.
    let outputs = std::fs::read_to_string(company.runner.file("outputs")).unwrap();
    let output = |name: &str| {
        let prefix = format!("{name}=");
        let line = outputs.lines().find_map(|line| line.strip_prefix(&prefix));
        assert!(
            yaml.contains(&format!("needs.plan.outputs.{name} ")),
            "{name}"
        );
        line.unwrap().to_owned()
    };
    let (plan, file) = (output("plan"), output("file"));
    variables.extend([("PLAN", plan.as_str()), ("FILE", file.as_str())]);
    succeeded(&company.job(&jobs["promote"], &variables));
    assert_eq!(company.steps_in_production(), 1);
}
