//! The server's options: defaults, then a TOML file, then the environment, then arguments.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use dev2prod_engine::Settings;
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Serve tenants from a folder.
///
/// Every option is also a line of the file that --config names, under its long name. The
/// administrator of a new folder has the login DEV2PROD_ADMIN_LOGIN (admin) and the password
/// DEV2PROD_ADMIN_PASSWORD, or one that is made up and shown once.
#[derive(Args, Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[command(after_help = "Example:\n  dev2prod serve --data ./data --listen 127.0.0.1:8080")]
pub(crate) struct ServeArgs {
    /// A TOML file with options
    #[arg(long, env = "DEV2PROD_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
    /// The folder that holds everything; made if it is not there [default: dev2prod-data]
    #[arg(long, env = "DEV2PROD_DATA", value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one, and the first line of output says which
    /// [default: 127.0.0.1:8080]
    #[arg(long, env = "DEV2PROD_LISTEN", value_name = "ADDRESS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) listen: Option<String>,
    /// What this server is called in reports and bundles [default: the address]
    #[arg(long, env = "DEV2PROD_SERVER_NAME", value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_name: Option<String>,
    /// A catalogue instead of the built-in one: how references are found, what does not travel
    #[arg(long, env = "DEV2PROD_CATALOGUE", value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) catalogue: Option<PathBuf>,
    /// Operations that are worked on at the same time [default: 2]
    #[arg(long, env = "DEV2PROD_WORKERS", value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workers: Option<usize>,
    /// How long a session is good, in minutes [default: 60]
    #[arg(long, env = "DEV2PROD_SESSION_MINUTES", value_name = "MINUTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_minutes: Option<u32>,
    /// How long an import may run, in seconds [default: 10000]
    #[arg(long, env = "DEV2PROD_TIME_TO_LIVE_SECONDS", value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_to_live_seconds: Option<u32>,
    /// How long files are kept, in days [default: 90]
    #[arg(long, env = "DEV2PROD_FILE_DAYS", value_name = "DAYS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_days: Option<u32>,
    /// The largest file, in MiB [default: 16384]
    #[arg(long, env = "DEV2PROD_FILE_MIB_MAX", value_name = "MIB")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file_mib_max: Option<u64>,
    /// How long old versions of items, operations and what they did are kept, in days
    /// [default: for ever]
    #[arg(long, env = "DEV2PROD_HISTORY_DAYS", value_name = "DAYS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) history_days: Option<u32>,
    /// How long the audit trail is kept, in days [default: for ever]
    #[arg(long, env = "DEV2PROD_AUDIT_DAYS", value_name = "DAYS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) audit_days: Option<u32>,
    /// How long the pages of a listing go on after its content was replaced, in minutes
    /// [default: 60]
    #[arg(long, env = "DEV2PROD_REVISION_MINUTES", value_name = "MINUTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision_minutes: Option<u32>,
    /// How long the plan of a dry run may be carried out, in days [default: 30]
    #[arg(long, env = "DEV2PROD_PLAN_DAYS", value_name = "DAYS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan_days: Option<u32>,
    /// How long running operations may go on once the server is asked to stop, in seconds; what is
    /// not over by then goes on after the next start [default: 10]
    #[arg(long, env = "DEV2PROD_STOP_SECONDS", value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_seconds: Option<u32>,
    /// The most bytes that the database may take [default: what the disk has]
    #[arg(long, env = "DEV2PROD_DATABASE_BYTES_MAX", value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database_bytes_max: Option<u64>,
    /// How log lines are written [default: text]
    #[arg(long, env = "DEV2PROD_LOG_FORMAT", value_name = "FORMAT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_format: Option<LogFormat>,
    /// What is logged: a level, or levels by module [default: info]
    #[arg(long, env = "DEV2PROD_LOG", value_name = "LEVELS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
}

/// The server's options, complete.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ServeConfig {
    pub(crate) data: PathBuf,
    pub(crate) listen: String,
    server_name: Option<String>,
    pub(crate) catalogue: Option<PathBuf>,
    workers: usize,
    session_minutes: u32,
    time_to_live_seconds: u32,
    file_days: u32,
    file_mib_max: u64,
    revision_minutes: u32,
    history_days: Option<u32>,
    audit_days: Option<u32>,
    plan_days: u32,
    stop_seconds: u32,
    pub(crate) database_bytes_max: Option<u64>,
    pub(crate) log_format: LogFormat,
    pub(crate) log: String,
    /// From the environment alone.
    #[serde(skip, default = "admin_login")]
    pub(crate) admin_login: String,
    /// From the environment alone, so that it stands in no file and no list of processes.
    #[serde(skip, default = "admin_password")]
    pub(crate) admin_password: Option<SecretString>,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            data: PathBuf::from("dev2prod-data"),
            listen: "127.0.0.1:8080".to_owned(),
            server_name: None,
            catalogue: None,
            workers: 2,
            session_minutes: 60,
            time_to_live_seconds: 10_000,
            file_days: 90,
            file_mib_max: 16 * 1024,
            revision_minutes: 60,
            history_days: None,
            audit_days: None,
            plan_days: 30,
            stop_seconds: 10,
            database_bytes_max: None,
            log_format: LogFormat::Text,
            log: "info".to_owned(),
            admin_login: admin_login(),
            admin_password: admin_password(),
        }
    }
}

fn admin_login() -> String {
    std::env::var("DEV2PROD_ADMIN_LOGIN").unwrap_or_else(|_| "admin".to_owned())
}

fn admin_password() -> Option<SecretString> {
    let password = std::env::var("DEV2PROD_ADMIN_PASSWORD").ok()?;
    (!password.is_empty()).then(|| SecretString::from(password))
}

impl ServeConfig {
    /// Puts arguments (with the environment behind them) over the file over the defaults.
    pub(crate) fn read(args: ServeArgs) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(path) = &args.config {
            anyhow::ensure!(path.is_file(), "there is no file {}", path.display());
            figment = figment.merge(Toml::file_exact(path));
        }
        let config: Self = figment
            .merge(Serialized::defaults(args))
            .extract()
            .context("the server's options")?;
        anyhow::ensure!(
            config.workers > 0,
            "workers: at least 1 must work operations off"
        );
        Ok(config)
    }

    /// How long running operations may go on once the server is asked to stop.
    pub(crate) fn stop_deadline(&self) -> Duration {
        Duration::from_secs(self.stop_seconds.into())
    }

    /// What of it the engine asks for, listening at this address.
    pub(crate) fn settings(&self, address: SocketAddr) -> Settings {
        let minutes = |minutes: u32| i64::from(minutes) * 60_000;
        Settings {
            server_name: self
                .server_name
                .clone()
                .unwrap_or_else(|| address.to_string()),
            session_ms: minutes(self.session_minutes),
            time_to_live_ms: i64::from(self.time_to_live_seconds) * 1_000,
            workers: self.workers,
            file_retention_ms: minutes(self.file_days) * 24 * 60,
            revision_retention_ms: minutes(self.revision_minutes),
            history_retention_ms: self.history_days.map(|days| minutes(days) * 24 * 60),
            audit_retention_ms: self.audit_days.map(|days| minutes(days) * 24 * 60),
            plan_retention_ms: minutes(self.plan_days) * 24 * 60,
            file_bytes_max: self.file_mib_max * 1024 * 1024,
            ..Settings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_win_over_the_file_and_the_file_over_the_defaults() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "listen = \"127.0.0.1:1\"\nfile-days = 7\n").unwrap();
        let args = ServeArgs {
            config: Some(file.path().to_owned()),
            listen: Some("127.0.0.1:2".to_owned()),
            ..ServeArgs::default()
        };
        let config = ServeConfig::read(args).unwrap();
        assert_eq!(config.listen, "127.0.0.1:2");
        assert_eq!(
            config
                .settings(([127, 0, 0, 1], 1).into())
                .file_retention_ms,
            7 * 24 * 3_600_000
        );
        assert_eq!(
            config.settings(([127, 0, 0, 1], 1).into()).session_ms,
            3_600_000
        );
    }

    #[test]
    fn an_option_that_does_not_exist_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "lissten = \"x\"\n").unwrap();
        let args = ServeArgs {
            config: Some(file.path().to_owned()),
            ..ServeArgs::default()
        };
        let error = format!("{:#}", ServeConfig::read(args).unwrap_err());
        assert!(error.contains("lissten"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error() {
        let args = ServeArgs {
            config: Some("no/such.toml".into()),
            ..ServeArgs::default()
        };
        assert!(ServeConfig::read(args).is_err());
    }
}
