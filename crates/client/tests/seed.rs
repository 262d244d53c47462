//! The seven documented steps against a server that answers the documented JSON and nothing else,
//! and against servers that differ from it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dev2prod_client::api::ImportRequest;
use dev2prod_client::{
    Access, Client, ClientError, ClientOptions, InTenant, OnBytes, Outcome, Part, RemoteImport,
    Wait,
};
use dev2prod_testkit::seed_server::{Behaviour, SeedServer};
use serde_json::json;
use tempfile::TempDir;

const DEVELOPMENT: &str = "123456789";
const PRODUCTION: &str = "987654321";

fn options(url: &str) -> ClientOptions {
    let access = Access::password(SeedServer::LOGIN, SeedServer::PASSWORD);
    ClientOptions {
        login_tenant: Some(DEVELOPMENT.to_owned()),
        timeout: Duration::from_secs(10),
        ..ClientOptions::new(url, access)
    }
}

fn client(server: &SeedServer) -> Client {
    Client::new(options(&server.url())).unwrap()
}

fn quickly() -> Wait {
    Wait {
        timeout: Duration::from_secs(10),
        pause_first: Duration::from_millis(2),
        pause_max: Duration::from_millis(10),
        patience: Duration::from_millis(300),
    }
}

/// A promotion as the page describes it: export, download, upload, dry run, import.
struct Promotion {
    client: Client,
    folder: TempDir,
}

impl Promotion {
    fn new(server: &SeedServer) -> Self {
        Self {
            client: client(server),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("bundle.zip")
    }

    fn source(&self) -> InTenant {
        self.client.in_tenant(DEVELOPMENT)
    }

    fn target(&self) -> InTenant {
        self.client.in_tenant(PRODUCTION)
    }

    async fn export(&self) -> Result<String, ClientError> {
        let source = self.source();
        let id = source.start_export("54321", None).await?;
        let export = source.wait_for_export(&id, &quickly(), |_| ()).await?;
        assert_eq!(export.outcome(), Outcome::Succeeded);
        Ok(export.file_id.unwrap())
    }

    async fn download(&self, file_id: &str) -> Result<u64, ClientError> {
        let path = self.file();
        let downloaded = self.source().download_to(file_id, &path, None).await?;
        Ok(downloaded.bytes)
    }

    async fn upload(&self) -> Result<String, ClientError> {
        let part = Part::bundle("bundle.zip");
        Ok(self.target().upload(&self.file(), &part, None).await?.id)
    }

    async fn import(&self, dry_run: bool, file: &str) -> Result<RemoteImport, ClientError> {
        let target = self.target();
        let request = ImportRequest::of_file(file);
        let id = target.start_import(dry_run, &request, None).await?;
        target.wait_for_import(&id, &quickly(), |_| ()).await
    }

    async fn run(&self) -> Result<RemoteImport, ClientError> {
        let file = self.export().await?;
        self.download(&file).await?;
        let file = self.upload().await?;
        let dry_run = self.import(true, &file).await?;
        assert_eq!(dry_run.outcome(), Outcome::Succeeded);
        self.import(false, &file).await
    }
}

#[tokio::test]
async fn the_seven_steps_are_the_documented_calls() {
    let server = SeedServer::start(Behaviour::default());
    let promotion = Promotion::new(&server);
    let import = promotion.run().await.unwrap();

    assert_eq!(import.outcome(), Outcome::Succeeded);
    assert_eq!(import.totals.modified, Some(326));
    assert_eq!(import.dry_run, Some(false));
    assert_eq!(server.uploads(), [Behaviour::default().bundle]);
    insta::assert_snapshot!(server.calls().join("\n"), @r"
    POST /auth/authentication-endpoint/authenticate/token?TENANTID=123456789
    POST /rest/123456789/dev2prod/export/types/54321
    GET /rest/123456789/dev2prod/export/66fabdf1e4b06908b04d0001
    GET /rest/123456789/dev2prod/export/66fabdf1e4b06908b04d0001
    GET /rest/123456789/ces/attachment/c7e87b89-f214-4766-8032-bba6967e1c49
    POST /rest/987654321/ces/attachment
    POST /rest/987654321/dev2prod/import?dryRun=true
    GET /rest/987654321/dev2prod/import/66fabdf1e4b06908b04d0002
    GET /rest/987654321/dev2prod/import/66fabdf1e4b06908b04d0002
    POST /rest/987654321/dev2prod/import
    GET /rest/987654321/dev2prod/import/66fabdf1e4b06908b04d0003
    GET /rest/987654321/dev2prod/import/66fabdf1e4b06908b04d0003
    ");
    insta::assert_snapshot!(server.imports().join("\n"), @r#"
    {"FileId":"9bf82520-f087-4763-af10-000000000002"}
    {"FileId":"9bf82520-f087-4763-af10-000000000002"}
    "#);
    let agents: Vec<_> = server.user_agents().into_iter().collect();
    assert_eq!(agents, ["Apache-HttpClient/4.5 (dev2prod 0.1)"]);
}

#[tokio::test]
async fn it_works_literally_on_one_tenant() {
    let server = SeedServer::start(Behaviour::default());
    let promotion = Promotion::new(&server);
    let file = promotion.export().await.unwrap();
    let source = promotion.source();
    let request = ImportRequest::of_file(&file);
    let id = source.start_import(false, &request, None).await.unwrap();
    let import = source.wait_for_import(&id, &quickly(), |_| ()).await;
    assert_eq!(import.unwrap().file_id, Some(file));
}

#[tokio::test]
async fn an_export_is_read_with_its_counts() {
    let server = SeedServer::start(Behaviour::default());
    let source = client(&server).in_tenant(DEVELOPMENT);
    let id = source.start_export("54321", None).await.unwrap();
    let mut seen = Vec::new();
    let export = source
        .wait_for_export(&id, &quickly(), |export| seen.push(export.status.clone()))
        .await
        .unwrap();
    assert_eq!(seen, ["RUNNING", "COMPLETED"]);
    assert_eq!(
        export.name.as_deref(),
        Some("Package-54321-123456789-2025-01-27 09-44")
    );
    assert_eq!(export.item_count, Some(352));
    assert_eq!(export.statistics.len(), 17);
    assert_eq!(export.statistics[2], ("formLayouts".to_owned(), Some(117)));
    assert_eq!(export.start_time, Some(1_737_971_051_843));
}

#[tokio::test]
async fn an_upload_may_answer_its_id_under_other_names() {
    for upload_member in ["guid", "id", "GUID"] {
        let server = SeedServer::start(Behaviour {
            upload_member,
            ..Behaviour::default()
        });
        let import = Promotion::new(&server).run().await.unwrap();
        assert_eq!(import.outcome(), Outcome::Succeeded, "{upload_member}");
    }
}

#[tokio::test]
async fn an_unknown_status_is_waited_for() {
    let server = SeedServer::start(Behaviour {
        statuses: vec!["PENDING", "IN_QUEUE", "Somewhere", "COMPLETING"],
        ..Behaviour::default()
    });
    let import = Promotion::new(&server).run().await.unwrap();
    assert_eq!(import.outcome(), Outcome::Succeeded);
}

#[tokio::test]
async fn a_status_of_failure_ends_an_operation() {
    let server = SeedServer::start(Behaviour {
        import_ends: "FAILED_WITH_ERRORS",
        export_ends: "canceled",
        ..Behaviour::default()
    });
    let source = client(&server).in_tenant(DEVELOPMENT);
    let id = source.start_export("54321", None).await.unwrap();
    let export = source.wait_for_export(&id, &quickly(), |_| ()).await;
    assert_eq!(export.unwrap().outcome(), Outcome::Failed);
    let request = ImportRequest::of_file("c7e87b89-f214-4766-8032-bba6967e1c49");
    let id = source.start_import(true, &request, None).await.unwrap();
    let import = source.wait_for_import(&id, &quickly(), |_| ()).await;
    assert_eq!(import.unwrap().outcome(), Outcome::Failed);
}

#[tokio::test]
async fn errors_of_any_shape_are_no_success() {
    let server = SeedServer::start(Behaviour {
        errors: vec![
            json!("Field Priority_c is missing"),
            json!({"errorMessage": "no such form", "id": "Incident"}),
        ],
        totals_without: vec!["Failed", "Added"],
        ..Behaviour::default()
    });
    let promotion = Promotion::new(&server);
    let file = promotion.export().await.unwrap();
    let import = promotion.import(true, &file).await.unwrap();
    assert_eq!(import.outcome(), Outcome::WithErrors);
    assert_eq!(import.totals.failed, None);
    assert_eq!(import.totals.modified, Some(326));
    let said: Vec<_> = import.results[0]
        .errors
        .iter()
        .map(|error| (error.key.as_deref(), error.message.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (None, "Field Priority_c is missing"),
            (Some("Incident"), "no such form")
        ]
    );
}

#[tokio::test]
async fn an_expired_session_is_opened_again() {
    for calls in 1..=5 {
        let server = SeedServer::start(Behaviour {
            session_calls: Some(calls),
            ..Behaviour::default()
        });
        let import = Promotion::new(&server).run().await.unwrap();
        assert_eq!(import.outcome(), Outcome::Succeeded);
        assert!(server.logins() > 1, "after {calls} calls");
    }
}

#[tokio::test]
async fn a_session_that_never_holds_is_tried_twice_and_no_more() {
    let server = SeedServer::start(Behaviour {
        session_calls: Some(0),
        ..Behaviour::default()
    });
    let error = Promotion::new(&server).export().await.unwrap_err();
    assert!(
        matches!(error, ClientError::NotAuthorized { .. }),
        "{error}"
    );
    assert_eq!(server.logins(), 2);
}

#[tokio::test]
async fn an_older_login_is_found() {
    let server = SeedServer::start(Behaviour {
        login_path: "login",
        ..Behaviour::default()
    });
    client(&server).sign_in().await.unwrap();
    assert_eq!(server.logins(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_told_without_showing_it() {
    let server = SeedServer::start(Behaviour::default());
    let mut options = options(&server.url());
    options.access = Access::password(SeedServer::LOGIN, "s3cret-guess");
    let client = Client::new(options).unwrap();
    let error = client.in_tenant("1").start_export("1", None).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, ClientError::NotAuthorized { .. }),
        "{error}"
    );
    assert_eq!(error.status(), Some(401));
    assert!(!format!("{error} {error:?}").contains("s3cret-guess"));
}

#[tokio::test]
async fn a_server_that_says_nothing_offers_nothing_more() {
    let server = SeedServer::start(Behaviour::default());
    let features = client(&server).features().await.unwrap();
    assert!(features.is_empty());
    assert_eq!(server.calls().len(), 1, "signing in told it");
}

#[tokio::test]
async fn nobody_there_is_not_reachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let client = Client::new(options(&url)).unwrap();
    let error = client.in_tenant("1").export_status("1").await.unwrap_err();
    assert!(matches!(error, ClientError::NotReachable { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("could not reach {url}/auth")),
        "{message}"
    );
}

#[tokio::test]
async fn an_unknown_operation_is_a_problem_with_the_documented_word() {
    let server = SeedServer::start(Behaviour::default());
    let source = client(&server).in_tenant(DEVELOPMENT);
    let error = source.export_status("66fabdf1e4b06908b04d9999").await;
    let error = error.unwrap_err();
    assert_eq!(error.status(), Some(404));
    let problem = error.problem().unwrap();
    assert_eq!(problem.title, "Page/Resource was not found");
    assert_eq!(problem.detail, "Page/Resource was not found");
}

#[tokio::test]
async fn an_option_that_the_server_does_not_know_is_its_to_refuse() {
    let server = SeedServer::start(Behaviour::default());
    let promotion = Promotion::new(&server);
    let file = promotion.export().await.unwrap();
    let mut request = ImportRequest::of_file(file);
    request.comment = Some("release 7".to_owned());
    let error = promotion.target().start_import(true, &request, None).await;
    assert_eq!(error.unwrap_err().status(), Some(400));
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_stopped() {
    let server = SeedServer::start(Behaviour {
        download_breaks_after: Some(70_000),
        download_ranges: true,
        ..Behaviour::default()
    });
    let promotion = Promotion::new(&server);
    let file = promotion.export().await.unwrap();
    assert_eq!(promotion.download(&file).await.unwrap(), 300_000);
    let bytes = std::fs::read(promotion.file()).unwrap();
    assert!(bytes == Behaviour::default().bundle, "every byte once");
    let calls = server.calls().into_iter();
    let downloads = calls.filter(|call| call.contains("/ces/attachment/"));
    assert!(downloads.count() > 3, "it broke and went on");
}

#[tokio::test]
async fn a_broken_download_that_cannot_go_on_leaves_nothing() {
    let server = SeedServer::start(Behaviour {
        download_breaks_after: Some(70_000),
        ..Behaviour::default()
    });
    let promotion = Promotion::new(&server);
    std::fs::write(promotion.file(), "what was there before").unwrap();
    let file = promotion.export().await.unwrap();
    let error = promotion.download(&file).await.unwrap_err();
    assert!(matches!(error, ClientError::BrokenOff { .. }), "{error}");
    let left: Vec<_> = std::fs::read_dir(promotion.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["bundle.zip"]);
    let kept = std::fs::read_to_string(promotion.file()).unwrap();
    assert_eq!(kept, "what was there before");
}

#[tokio::test]
async fn bytes_are_counted_as_they_go() {
    let server = SeedServer::start(Behaviour::default());
    let promotion = Promotion::new(&server);
    let file = promotion.export().await.unwrap();
    let counter = || {
        let counted = Arc::new(AtomicU64::new(0));
        let into = counted.clone();
        let on_bytes: OnBytes = Arc::new(move |done, total| {
            assert_eq!(total, Some(300_000));
            into.store(done, Ordering::Relaxed);
        });
        (counted, on_bytes)
    };
    let (down, on_bytes) = counter();
    let (source, target) = (promotion.source(), promotion.target());
    let path = promotion.file();
    let downloaded = source.download_to(&file, &path, Some(&on_bytes)).await;
    assert_eq!(downloaded.unwrap().bytes, 300_000);
    assert_eq!(down.load(Ordering::Relaxed), 300_000);
    let (up, on_bytes) = counter();
    let part = Part::bundle("bündel \"1\".zip");
    target.upload(&path, &part, Some(&on_bytes)).await.unwrap();
    assert_eq!(up.load(Ordering::Relaxed), 300_000);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_by_name() {
    let server = SeedServer::start(Behaviour::default());
    let target = client(&server).in_tenant(PRODUCTION);
    let part = Part::bundle("x");
    let path = PathBuf::from("/nowhere/bundle.zip");
    let error = target.upload(&path, &part, None).await.unwrap_err();
    assert_eq!(error.to_string(), "could not read /nowhere/bundle.zip");
}

#[tokio::test]
async fn waiting_stops_without_stopping_the_operation() {
    let server = SeedServer::start(Behaviour {
        statuses: vec!["RUNNING"; 1_000],
        ..Behaviour::default()
    });
    let source = client(&server).in_tenant(DEVELOPMENT);
    let id = source.start_export("54321", None).await.unwrap();
    let wait = Wait {
        timeout: Duration::from_millis(50),
        ..quickly()
    };
    let waited = source.wait_for_export(&id, &wait, |_| ()).await;
    let error = waited.unwrap_err();
    assert!(
        matches!(&error, ClientError::StillGoing { status, .. } if status == "RUNNING"),
        "{error}"
    );
}
