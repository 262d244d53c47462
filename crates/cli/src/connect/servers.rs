//! Saved servers: a file that nobody else can read.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::exit::CommandError;

/// A server that was saved by `dev2prod login`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedServer {
    pub(crate) url: String,
    pub(crate) login: Option<String>,
    pub(crate) password: Option<SecretString>,
    pub(crate) token: Option<SecretString>,
    pub(crate) tenant: Option<String>,
    #[serde(rename = "ca-file")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// All saved servers, by name.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    path: Option<PathBuf>,
    by_name: BTreeMap<String, SavedServer>,
}

impl Servers {
    /// Reads the file; none are saved if there is none.
    pub(crate) fn load() -> Result<Self, CommandError> {
        match default_path() {
            Some(path) => Self::load_from(path),
            None => Ok(Self::default()),
        }
    }

    fn load_from(path: PathBuf) -> Result<Self, CommandError> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self {
                    path: Some(path),
                    by_name: BTreeMap::new(),
                });
            }
            Err(error) => {
                let error = anyhow::Error::new(error);
                return Err(error
                    .context(format!("could not read {}", path.display()))
                    .into());
            }
        };
        check_private(&path)?;
        let file: File = toml::from_str(&text).map_err(|error| {
            // The error itself would repeat the line, and with it a password.
            let place = error
                .span()
                .map_or(0, |span| text[..span.start].lines().count().max(1));
            CommandError::usage(format!(
                "{}, line {place}: {}",
                path.display(),
                error.message()
            ))
        })?;
        Ok(Self {
            path: Some(path),
            by_name: file.servers,
        })
    }

    /// The server of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&SavedServer> {
        self.by_name.get(name)
    }

    /// A server at this address.
    pub(crate) fn at(&self, url: &str) -> Option<&SavedServer> {
        self.by_name
            .values()
            .find(|server| super::same_server(&server.url, url))
    }

    /// All, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &SavedServer)> {
        self.by_name
            .iter()
            .map(|(name, server)| (name.as_str(), server))
    }

    /// Saves a server in place of any other of this name; the answer is where.
    pub(crate) fn save(&mut self, name: &str, server: SavedServer) -> anyhow::Result<&Path> {
        self.by_name.insert(name.to_owned(), server);
        self.write()
    }

    /// Forgets a server; whether there was one.
    pub(crate) fn forget(&mut self, name: &str) -> anyhow::Result<bool> {
        let known = self.by_name.remove(name).is_some();
        if known {
            self.write()?;
        }
        Ok(known)
    }

    /// The file is there whole or as it was, and never readable by others, not even for a moment.
    fn write(&self) -> anyhow::Result<&Path> {
        let path = self
            .path
            .as_deref()
            .context("neither XDG_CONFIG_HOME nor HOME is set")?;
        let folder = path
            .parent()
            .context("the file of saved servers is in no folder")?;
        let unwritable = || format!("could not write {}", path.display());
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(unwritable)?;
        let servers = self
            .by_name
            .iter()
            .map(|(name, server)| (name, Written::from(server)));
        let text = toml::to_string(&WrittenFile {
            servers: servers.collect(),
        })?;
        // A temporary file is made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder).with_context(unwritable)?;
        file.write_all(text.as_bytes()).with_context(unwritable)?;
        file.as_file().sync_all().with_context(unwritable)?;
        file.persist(path).with_context(unwritable)?;
        Ok(path)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    servers: BTreeMap<String, SavedServer>,
}

#[derive(Serialize)]
struct WrittenFile<'a> {
    servers: BTreeMap<&'a String, Written<'a>>,
}

/// The one place that writes a secret down.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Written<'a> {
    url: &'a str,
    login: Option<&'a str>,
    password: Option<&'a str>,
    token: Option<&'a str>,
    tenant: Option<&'a str>,
    ca_file: Option<&'a Path>,
}

impl<'a> From<&'a SavedServer> for Written<'a> {
    fn from(server: &'a SavedServer) -> Self {
        Self {
            url: &server.url,
            login: server.login.as_deref(),
            password: server.password.as_ref().map(ExposeSecret::expose_secret),
            token: server.token.as_ref().map(ExposeSecret::expose_secret),
            tenant: server.tenant.as_deref(),
            ca_file: server.ca_file.as_deref(),
        }
    }
}

fn check_private(path: &Path) -> Result<(), CommandError> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(
        CommandError::usage(format!("{path} holds credentials, and others can read it"))
            .hint(format!("chmod 600 {path}")),
    )
}

fn default_path() -> Option<PathBuf> {
    let folder = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
    };
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    Some(config?.join("dev2prod").join("servers.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(password: &str) -> SavedServer {
        SavedServer {
            url: "https://company.net".to_owned(),
            login: Some("ann".to_owned()),
            password: Some(SecretString::from(password)),
            token: None,
            tenant: Some("123456789".to_owned()),
            ca_file: None,
        }
    }

    #[test]
    fn what_is_saved_is_read_again_and_others_cannot_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dev2prod/servers.toml");
        let mut servers = Servers::load_from(path.clone()).unwrap();
        servers.save("prod", saved("it's \"s3cret\"")).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        let mut servers = Servers::load_from(path.clone()).unwrap();
        let prod = servers.named("prod").unwrap();
        let password = prod.password.as_ref().unwrap().expose_secret();
        assert_eq!(password, "it's \"s3cret\"");
        assert!(!format!("{servers:?}").contains("s3cret"));
        assert!(servers.at("https://company.net/").is_some());
        assert!(servers.forget("prod").unwrap());
        assert!(!servers.forget("prod").unwrap());
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers.toml");
        let mut servers = Servers::load_from(path.clone()).unwrap();
        servers.save("prod", saved("s3cret")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = format!("{:?}", Servers::load_from(path).unwrap_err());
        assert!(error.contains("others can read it"), "{error}");
    }

    #[test]
    fn a_broken_file_is_refused_without_showing_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("servers.toml");
        std::fs::write(&path, "[servers.prod]\nurl = \"x\"\npassword = s3cret\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = format!("{:?}", Servers::load_from(path).unwrap_err());
        assert!(error.contains("line 3"), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}
