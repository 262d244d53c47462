//! `dev2prod demo`: a promotion from beginning to end, on a server of its own.
//!
//! Everything goes over HTTP, as any client would do it. Nothing here knows the server's inside
//! but for starting and stopping it.

mod content;
mod kept;
mod next;
mod passwords;
mod promotion;
mod proof;
mod screen;
mod setup;
mod story;

use std::path::PathBuf;

use clap::Args;

use self::kept::{Home, Memory};
use self::next::Next;
use self::setup::{ADMIN, Person};
use self::story::Story;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::serve::{self, ServeArgs, ServeConfig, Server};

/// Watch a promotion from development to production, on a server of its own
///
/// Makes a development and a production tenant of an IT service desk, promotes a release by the
/// documented calls, shows each of them, proves that nothing is left to do, and leaves the server
/// running to play with. It needs no other service, and leaves nothing behind.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  dev2prod demo --keep ./demo")]
pub(crate) struct DemoArgs {
    /// Keep the data in this folder; the next time the server is started on it again
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: String,
    /// Stop at the end, with 0 if everything held and 1 if not
    #[arg(long)]
    exit: bool,
}

/// Runs the demo until it is interrupted, or to its end with `--exit`.
pub(crate) async fn run(args: DemoArgs) -> CommandResult {
    let home = Home::open(args.keep.as_deref())?;
    let memory = home.recall()?;
    let admin = Person::new(ADMIN, "administer the server");
    let mut config = ServeConfig::read(ServeArgs {
        data: Some(home.data()),
        listen: Some(args.listen.clone()),
        server_name: Some("dev2prod-demo".to_owned()),
        log: Some("warn".to_owned()),
        ..ServeArgs::default()
    })?;
    config.admin_login = admin.login.clone();
    config.admin_password = Some(admin.password.clone());
    serve::start_logging(&config)?;
    let server = Server::start(&config).await?;
    let demo = Demo {
        args: &args,
        home: &home,
        url: url_of(&server),
    };
    let ended = Box::pin(demo.run(memory, admin)).await;
    server.stop().await?;
    ended
}

/// Resolves when the demo is asked to stop, also by closing its terminal: nothing is left behind.
async fn asked_to_stop() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        stopped = serve::stop_asked() => stopped,
        _ = hangup.recv() => Ok(()),
    }
}

/// The address under which this machine reaches the server.
fn url_of(server: &Server) -> String {
    let mut address = server.address;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

struct Demo<'a> {
    args: &'a DemoArgs,
    home: &'a Home,
    url: String,
}

impl Demo<'_> {
    async fn run(&self, memory: Option<Memory>, admin: Person) -> CommandResult {
        let memory = match memory {
            Some(memory) => {
                screen::title("The demo that this folder keeps, once more")?;
                memory
            }
            None => {
                let memory = tokio::select! {
                    memory = self.tell(admin) => memory?,
                    stopped = asked_to_stop() => {
                        stopped?;
                        return Err(CommandError::failed("stopped before the end"));
                    }
                };
                screen::chapter(6, "The server is yours")?;
                memory
            }
        };
        let next = Next {
            url: &self.url,
            people: &memory.people,
            import: &memory.import,
        };
        next.show(self.args.exit)?;
        if !self.args.exit {
            asked_to_stop().await?;
        }
        Ok(Exit::Done)
    }

    async fn tell(&self, admin: Person) -> Result<Memory, CommandError> {
        let scratch = tempfile::tempdir()?;
        let story = Story {
            url: &self.url,
            home: self.home,
            scratch: scratch.path(),
        };
        let memory = Box::pin(story.tell(admin)).await?;
        self.home.remember(&memory.people, &memory.import)?;
        Ok(memory)
    }
}
