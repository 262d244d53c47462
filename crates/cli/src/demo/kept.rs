//! The folder of a demo: one that goes at the end, or one that is kept and gone on with.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use super::setup::Person;
use crate::exit::CommandError;

/// What a kept demo remembers beside its data.
#[derive(Debug, Deserialize)]
pub(super) struct Memory {
    pub(super) people: Vec<Person>,
    /// The import that the demo showed.
    pub(super) import: String,
}

/// Where a demo lives.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    /// Goes with everything in it when this is dropped.
    temporary: Option<TempDir>,
}

impl Home {
    /// Opens the folder to keep, or makes one that goes at the end.
    pub(super) fn open(keep: Option<&Path>) -> Result<Self, CommandError> {
        let Some(folder) = keep else {
            let temporary = tempfile::Builder::new()
                .prefix("dev2prod-demo-")
                .tempdir()?;
            return Ok(Self {
                folder: temporary.path().to_owned(),
                temporary: Some(temporary),
            });
        };
        std::fs::create_dir_all(folder)
            .with_context(|| format!("could not make the folder {}", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            temporary: None,
        })
    }

    /// The server's data.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What to say about where the data is.
    pub(super) fn described(&self) -> String {
        match &self.temporary {
            Some(_) => "a temporary folder that goes when this ends".to_owned(),
            None => self.folder.display().to_string(),
        }
    }

    /// The demo that was kept here; `None` in an empty folder.
    pub(super) fn recall(&self) -> Result<Option<Memory>, CommandError> {
        let path = self.memory();
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let memory = serde_json::from_str(&text)
                    .with_context(|| format!("could not read {}", path.display()))?;
                Ok(Some(memory))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.check_empty()?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn check_empty(&self) -> Result<(), CommandError> {
        if std::fs::read_dir(&self.folder)?.next().is_none() {
            return Ok(());
        }
        let folder = self.folder.display();
        Err(
            CommandError::usage(format!("{folder} is not empty and holds no finished demo"))
                .hint("choose another folder for --keep, or empty this one"),
        )
    }

    /// Remembers the demo, if it is kept. Only the owner can read the passwords.
    pub(super) fn remember(&self, people: &[Person], import: &str) -> anyhow::Result<()> {
        if self.temporary.is_some() {
            return Ok(());
        }
        let person = |person: &Person| {
            json!({
                "login": person.login,
                "password": person.password.expose_secret(),
                "may": person.may,
            })
        };
        let people: Vec<_> = people.iter().map(person).collect();
        let text = serde_json::to_string_pretty(&json!({ "people": people, "import": import }))?;
        // A temporary file is made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(self.memory())?;
        Ok(())
    }

    fn memory(&self) -> PathBuf {
        self.folder.join("demo.json")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_kept_demo_is_recalled_and_its_passwords_are_the_owner_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keep = folder.path().join("new/demo");
        let home = Home::open(Some(&keep)).unwrap();
        assert!(home.recall().unwrap().is_none());
        home.remember(&[Person::new("pia", "promote")], "67975a80e4b0c050849153ae")
            .unwrap();

        let memory = Home::open(Some(&keep)).unwrap().recall().unwrap().unwrap();
        assert_eq!(memory.people[0].login, "pia");
        assert_eq!(memory.import, "67975a80e4b0c050849153ae");
        let mode = std::fs::metadata(keep.join("demo.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("letter.txt"), "Dear").unwrap();
        let home = Home::open(Some(folder.path())).unwrap();
        let error = format!("{:?}", home.recall().unwrap_err());
        assert!(
            error.contains("is not empty and holds no finished demo"),
            "{error}"
        );
    }

    #[test]
    fn a_temporary_folder_goes_with_its_demo() {
        let home = Home::open(None).unwrap();
        home.remember(&[], "x").unwrap();
        let folder = home.folder.clone();
        assert!(!folder.join("demo.json").exists());
        drop(home);
        assert!(!folder.exists());
    }
}
