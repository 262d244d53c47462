//! The server as a process of its own, on an empty folder.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::Home;

/// A server that holds nothing but its administrator. Dropped, it is killed.
pub(crate) struct Server {
    /// Its address.
    pub(crate) url: String,
    child: Child,
    /// Where it keeps what it holds; goes with it.
    _home: Home,
}

impl Server {
    /// The login of the administrator.
    pub(crate) const LOGIN: &str = "admin";
    /// The password of the administrator.
    pub(crate) const PASSWORD: &str = "correct horse battery staple";

    /// Starts it and waits until it says where it listens.
    pub(crate) fn start() -> Self {
        let home = Home::new();
        let mut child = home
            .command(&["serve", "--data", "data", "--listen", "127.0.0.1:0"])
            .env("DEV2PROD_ADMIN_PASSWORD", Self::PASSWORD)
            .env("DEV2PROD_LOG", "warn")
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line.trim().to_owned();
        assert!(
            url.starts_with("http://127.0.0.1:"),
            "no address but {url:?}"
        );
        Self {
            url,
            child,
            _home: home,
        }
    }

    /// A home from which every command calls this server as its administrator.
    pub(crate) fn home(&self) -> Home {
        let mut home = Home::new();
        home.set("DEV2PROD_URL", &self.url);
        home.set("DEV2PROD_LOGIN", Self::LOGIN);
        home.set("DEV2PROD_PASSWORD", Self::PASSWORD);
        home
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it has ended already, that is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
