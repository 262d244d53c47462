//! What to do with the demo's server: who can sign in, and commands that work when they are pasted.

use comfy_table::Cell;
use secrecy::ExposeSecret;

use super::screen;
use super::setup::{ADMIN, DEVELOPER, DEVELOPMENT, PACKAGE, PRODUCTION, PROMOTER, Person};
use crate::exit::CommandError;
use crate::output::table;

/// A demo that can be played with.
pub(super) struct Next<'a> {
    pub(super) url: &'a str,
    pub(super) people: &'a [Person],
    /// The import that the demo showed.
    pub(super) import: &'a str,
}

impl Next<'_> {
    /// Shows addresses, logins and commands; of a server that stops now only that.
    pub(super) fn show(&self, stops: bool) -> Result<(), CommandError> {
        if stops {
            screen::text("Everything held. The server stops now, as --exit asks.")?;
            return Ok(());
        }
        let url = self.url;
        screen::block(&format!("{url}         the server"))?;
        screen::block(&format!("{url}/docs    its API, to read"))?;
        screen::gap()?;
        screen::block(&self.logins())?;
        screen::gap()?;
        screen::text("To try in another terminal, in this folder:")?;
        screen::gap()?;
        screen::block(&self.commands())?;
        screen::gap()?;
        screen::text("The server runs until you press Ctrl-C.")
    }

    fn logins(&self) -> String {
        let mut logins = table::table(&["LOGIN", "PASSWORD", "MAY"]);
        for person in self.people {
            let password = person.password.expose_secret();
            logins.add_row([
                Cell::new(&person.login),
                Cell::new(password),
                Cell::new(&person.may),
            ]);
        }
        table::text(&logins)
    }

    fn commands(&self) -> String {
        let (url, import, program) = (self.url, self.import, program());
        let (promoter, developer) = (self.password(PROMOTER), self.password(DEVELOPER));
        let admin = self.password(ADMIN);
        format!(
            "\
# {PROMOTER} promotes; nothing is left to do, and a dry run says so
export DEV2PROD_URL={url}
export DEV2PROD_LOGIN={PROMOTER} DEV2PROD_PASSWORD={promoter}
export DEV2PROD_FROM_TENANT={DEVELOPMENT} DEV2PROD_TO_TENANT={PRODUCTION}
{program} promote --package {PACKAGE} --dry-run

# what the import above did, item by item and field by field
{program} changes {import}
{program} changes {import} --section data --diff

# {DEVELOPER} changes development, {PROMOTER} brings it to production
echo '{{\"name\":\"darkMode\",\"enabled\":true}}' |
  DEV2PROD_LOGIN={DEVELOPER} DEV2PROD_PASSWORD={developer} \\
  {program} content put \\
  --tenant {DEVELOPMENT} featureInstances darkMode - --body
{program} promote --package {PACKAGE} --yes

# tenants and users
DEV2PROD_LOGIN={ADMIN} DEV2PROD_PASSWORD={admin} \\
  {program} user list"
        )
    }

    fn password(&self, login: &str) -> &str {
        let mut people = self.people.iter();
        let person = people.find(|person| person.login == login);
        person.map_or("", |person| person.password.expose_secret())
    }
}

/// This program as it was called, so that the same works in another terminal.
fn program() -> String {
    let called = std::env::args_os()
        .next()
        .and_then(|name| name.into_string().ok());
    let called = called.unwrap_or_else(|| "dev2prod".to_owned());
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if called.chars().all(plain) {
        called
    } else {
        format!("'{}'", called.replace('\'', "'\\''"))
    }
}
