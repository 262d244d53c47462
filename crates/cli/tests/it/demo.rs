//! The demo as somebody meets it who has just got the project.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use regex_lite::Regex;
use rustix::process::{Pid, Signal, kill_process};

use crate::common::filter::filtered;
use crate::common::{Home, Ran};

/// What the demo writes when it stays.
const LAST_LINE: &str = "The server runs until you press Ctrl-C.";

fn without_times(text: &str) -> String {
    Regex::new(r"\d+ ms")
        .unwrap()
        .replace_all(text, "[ms] ms")
        .into_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "the whole output is one snapshot")]
fn the_demo_promotes_a_release_shows_each_call_and_leaves_nothing_behind() {
    let home = Home::new();
    let temporary = home.file("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let output = home
        .command(&["demo", "--exit"])
        .env("TMPDIR", &temporary)
        .output()
        .unwrap();
    let ran = Ran {
        code: output.status.code(),
        stdout: without_times(&String::from_utf8(output.stdout).unwrap()),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    insta::assert_snapshot!(ran, @r#"
        exit 0
        -- stdout

          dev2prod: from development to production

        1 A server with two tenants

          http://[address], data in a temporary folder that goes when this ends
          100000001  development: 800 items, 15 files
          200000002  production: nothing yet

          The development tenant holds an IT service desk: fields, forms, workflows,
          notifications, offerings, people, labels in several languages. Package 10100
          is all of it. A first promotion brings it to production:

          800 items added in [ms] ms

        2 Both sides go on

          Development makes a release: a process for major incidents with its fields,
          form and workflow, company mobile phones to order, everything in Dutch as
          well. 82 items are new, 83 changed, 6 gone.

          Meanwhile production's administrators have added 2 items of their own and
          changed 3, one of them only in its secret API key. None of that may get lost.

        3 The release is promoted, by the seven calls of the API

          1  POST /rest/100000001/dev2prod/export/types/10100
                  export [id]
          2  GET  /rest/100000001/dev2prod/export/[id]
                  COMPLETED, 876 items as Package-10100-100000001-[time]
          3  GET  /rest/100000001/ces/attachment/[uuid]
                  [size]
          4  POST /rest/200000002/ces/attachment
                  file [uuid]
          5  POST /rest/200000002/dev2prod/import?dryRun=true
                  import [id]
          6  GET  /rest/200000002/dev2prod/import/[id]
                  COMPLETED: 82 added, 83 modified, 6 removed, 711 skipped, 0 failed

          The dry run changed nothing. This is what an import would do:

          SECTION                          ADDED  MODIFIED  REMOVED  SKIPPED  WARNINGS
          resourceBundles                     28        55        2      258         0
          metadata                             9         3        1      172         0
          SLTTenantSetting                     1         3        0        7         1
          customAppSltSettings                 0         1        0        4         0
          indexConfiguration                   0         4        0        7         0
          notificationTemplateDefinitions      2         0        1       17         0
          notificationTemplateBodies          13         4        1       46         1
          formLayouts                          2         1        0       17         0
          workflow                             0         1        0        5         0
          customAction                         2         0        0        8         0
          uiComponentConfig                    1         2        0       12         0
          featureInstances                     0         3        1        7         0
          attachments                          2         2        0       13         0
          data                                11         2        0       94         0
          userOptionMetadata                   4         0        0       16         0
          rulesInEntity                        3         2        0       11         0
          many2manyRelations                   4         0        0       17         0
          total                               82        83        6      711         2

          warning: SLTTenantSetting: 1 item changed in the target and not in the source
            since the last delivery: the target keeps its own
          warning: notificationTemplateBodies: 1 item changed in the target and not in
            the source since the last delivery: the target keeps its own

          7  POST /rest/200000002/dev2prod/import
                  import [id]
             GET  /rest/200000002/dev2prod/import/[id]
                  COMPLETED: 82 added, 83 modified, 6 removed, 711 skipped, 0 failed

          All of it became visible at one moment; until then readers saw what was
          before. It took [ms] ms.

        4 Some of it, field by field

             GET  /rest/200000002/dev2prod/import/[id]/changes
                  ?diff=true, 173 changes, 6 of them:

          Removed metadata Incident.PagerNumber_c (source_removed)
          Modified featureInstances selfServicePortal (source_changed)
              ~ /settings/supportedLocales: ["en","de","fr"] → ["en","de","fr","nl"]
          Modified featureInstances majorIncident (source_changed)
              ~ /enabled: false → true
              ~ /settings/bridgeProvider: null → "https://meet.merrivale.example/bridge"
              + /settings/reportEveryMinutes: 30
          Modified SLTTenantSetting Incident/resolution (source_changed)
              ~ /targets/1/minutes: 480 → 360
              ~ /targets/1/warnAtPercent: 75 → 70
          Added metadata Incident.BusinessImpact_c (new)
          Skipped SLTTenantSetting Request/fulfilment (target_kept)
              /targets/1/minutes
                  base: 1320
                  target: 990
                  package: 1320

        5 The same once more

          A second export and dry run: 0 added, 0 modified, 0 removed; all 876 items
          stay as they are. Nothing is left to do.

        6 The server is yours

          Everything held. The server stops now, as --exit asks.
        "#);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
    check_picture(&ran.stdout);
}

/// The README's picture shows what the demo writes.
fn check_picture(written: &str) {
    let tight = |text: &str| -> String {
        let text = without_times(&filtered(text));
        text.split_whitespace().collect()
    };
    let written: Vec<_> = written.lines().map(tight).collect();
    let tags = Regex::new("<[^>]*>").unwrap();
    let lines = include_str!("../../../../docs/images/demo.svg").lines();
    let shown: Vec<_> = lines
        .filter(|line| line.starts_with("<text"))
        .map(|line| {
            let text = tags.replace_all(line, "");
            tight(
                &text
                    .replace("&quot;", "\"")
                    .replace("&#x27;", "'")
                    .replace("&amp;", "&"),
            )
        })
        .collect();
    assert!(shown.len() > 50);
    for line in shown {
        assert!(
            written.contains(&line),
            "docs/images/demo.svg shows '{line}'; docs/images/ansi-to-svg.py says how to draw it anew"
        );
    }
}

/// A demo that stays.
struct Demo {
    child: Child,
    /// Read to its end by nobody; a demo that writes into nothing would fail.
    stdout: BufReader<ChildStdout>,
    /// What it wrote, to the last line.
    text: String,
}

impl Demo {
    fn start(home: &Home, keep: &Path) -> Self {
        let keep = keep.to_str().unwrap();
        let mut child = home
            .command(&["demo", "--keep", keep])
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.ends_with(&format!("  {LAST_LINE}\n")) {
            let read = stdout.read_line(&mut text).unwrap();
            assert!(read > 0, "the demo ended: {text}");
        }
        Self {
            child,
            stdout,
            text,
        }
    }

    /// The commands that it shows, as they would be pasted.
    fn commands(&self) -> String {
        let (_, after) = self.text.split_once("To try in another terminal").unwrap();
        let lines = after
            .lines()
            .skip(2)
            .take_while(|line| !line.contains(LAST_LINE));
        lines.fold(String::new(), |commands, line| {
            commands + line.strip_prefix("  ").unwrap_or(line) + "\n"
        })
    }

    fn interrupt(mut self) -> Option<i32> {
        let id = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
        let mut rest = String::new();
        while self.stdout.read_line(&mut rest).unwrap() > 0 {}
        assert_eq!(rest, "");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // If it has ended already, that is what is wanted.
        self.child.kill().ok();
    }
}

/// Runs commands as a terminal would; both outputs together, in order.
fn paste(home: &Home, commands: &str) -> Ran {
    let mut shell = Command::new("sh");
    let output = shell
        .args(["-e", "-c", &format!("exec 2>&1\n{commands}")])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .current_dir(home.path())
        .output()
        .unwrap();
    let program = env!("CARGO_BIN_EXE_dev2prod");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)
            .unwrap()
            .replace(program, "dev2prod"),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "the whole output is one snapshot")]
fn the_commands_that_the_demo_shows_work_when_they_are_pasted_and_a_kept_demo_goes_on() {
    let home = Home::new();
    let keep = home.file("kept");
    let demo = Demo::start(&home, &keep);
    let shown = demo
        .commands()
        .replace(env!("CARGO_BIN_EXE_dev2prod"), "dev2prod");
    let passwords = Regex::new("[a-z]+(-[a-z]+){3}").unwrap();
    let shown = passwords
        .replace_all(&filtered(&shown), "[password]")
        .into_owned();
    insta::assert_snapshot!(shown.trim_end(), @r#"
        # pia promotes; nothing is left to do, and a dry run says so
        export DEV2PROD_URL=http://[address]
        export DEV2PROD_LOGIN=pia DEV2PROD_PASSWORD=[password]
        export DEV2PROD_FROM_TENANT=100000001 DEV2PROD_TO_TENANT=200000002
        dev2prod promote --package 10100 --dry-run

        # what the import above did, item by item and field by field
        dev2prod changes [id]
        dev2prod changes [id] --section data --diff

        # dora changes development, pia brings it to production
        echo '{"name":"darkMode","enabled":true}' |
          DEV2PROD_LOGIN=dora DEV2PROD_PASSWORD=[password] \
          dev2prod content put \
          --tenant 100000001 featureInstances darkMode - --body
        dev2prod promote --package 10100 --yes

        # tenants and users
        DEV2PROD_LOGIN=admin DEV2PROD_PASSWORD=[password] \
          dev2prod user list
        "#);

    let first = paste(&home, &demo.commands());
    let (_, own_change) = first
        .stdout
        .split_once("'darkMode' of")
        .expect("it is written");
    insta::assert_snapshot!(filtered(own_change), @r"
     featureInstances is written.
    From  Merrivale service desk, development (100000001, Development) at http://[address]
    To    Merrivale service desk, production (200000002, Production) at http://[address]
    Exporting package 10100 …
    Export [id]: COMPLETED, 877 items
    Downloading file [uuid] …
    Downloaded [size]
    Uploading Package-10100-100000001-[time].zip …
    Uploaded as file [uuid]
    Dry run of file [uuid] …
    Dry run [id]: COMPLETED
    SECTION                          ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    resourceBundles                      0         0        0      341       0       0         0
    metadata                             0         0        0      184       0       0         0
    SLTTenantSetting                     0         0        0       11       0       0         1
    customAppSltSettings                 0         0        0        5       0       0         0
    indexConfiguration                   0         0        0       11       0       0         0
    notificationTemplateDefinitions      0         0        0       19       0       0         0
    notificationTemplateBodies           0         0        0       63       0       0         1
    formLayouts                          0         0        0       20       0       0         0
    workflow                             0         0        0        6       0       0         0
    customAction                         0         0        0       10       0       0         0
    uiComponentConfig                    0         0        0       15       0       0         0
    featureInstances                     1         0        0       10       0       0         0
    attachments                          0         0        0       17       0       0         0
    data                                 0         0        0      107       0       0         0
    userOptionMetadata                   0         0        0       20       0       0         0
    rulesInEntity                        0         0        0       16       0       0         0
    many2manyRelations                   0         0        0       21       0       0         0
    total                                1         0        0      876       0       0         2
    warning: SLTTenantSetting: 1 item changed in the target and not in the source since the last delivery: the target keeps its own (target_kept)
    warning: notificationTemplateBodies: 1 item changed in the target and not in the source since the last delivery: the target keeps its own (target_kept)
    Import of file [uuid] …
    Import [id]: COMPLETED
    SECTION                          ADDED  MODIFIED  REMOVED  SKIPPED  FAILED  ERRORS  WARNINGS
    resourceBundles                      0         0        0      341       0       0         0
    metadata                             0         0        0      184       0       0         0
    SLTTenantSetting                     0         0        0       11       0       0         1
    customAppSltSettings                 0         0        0        5       0       0         0
    indexConfiguration                   0         0        0       11       0       0         0
    notificationTemplateDefinitions      0         0        0       19       0       0         0
    notificationTemplateBodies           0         0        0       63       0       0         1
    formLayouts                          0         0        0       20       0       0         0
    workflow                             0         0        0        6       0       0         0
    customAction                         0         0        0       10       0       0         0
    uiComponentConfig                    0         0        0       15       0       0         0
    featureInstances                     1         0        0       10       0       0         0
    attachments                          0         0        0       17       0       0         0
    data                                 0         0        0      107       0       0         0
    userOptionMetadata                   0         0        0       20       0       0         0
    rulesInEntity                        0         0        0       16       0       0         0
    many2manyRelations                   0         0        0       21       0       0         0
    total                                1         0        0      876       0       0         2
    LOGIN  SYSTEM ADMIN  ROLES
    admin  yes           TenantAdmin in 100000001, TenantAdmin in 200000002
    dora   no            TenantAdmin in 100000001
    otto   no            TenantAdmin in 200000002
    pia    no            Promoter in 100000001, Promoter in 200000002
    ");
    assert_eq!(first.code, Some(0), "{first}");
    assert_eq!(demo.interrupt(), Some(0));

    let demo = Demo::start(&home, &keep);
    assert!(
        demo.text
            .contains("The demo that this folder keeps, once more"),
        "{}",
        demo.text
    );
    let again = paste(&home, &demo.commands());
    assert_eq!(again.code, Some(0), "{again}");
    assert_eq!(demo.interrupt(), Some(0));
}
