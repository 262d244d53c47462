//! The environment: `DEV2PROD_URL`, `…TENANT`, `…LOGIN`, `…PASSWORD`, `…TOKEN`, and the same with
//! `FROM_` and `TO_` for the two sides of a promotion.

use std::collections::BTreeMap;

use dev2prod_client::Access;

/// Which side of a promotion a command is on, and with it which variables it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// What a promotion takes from.
    From,
    /// What a promotion changes.
    To,
    /// A command of its own, on what promotions take from.
    Source,
    /// A command of its own, on what promotions change.
    Target,
    /// A command that concerns no side.
    Server,
}

impl Side {
    /// The variables' prefixes; the first that says something wins.
    const fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::From => &["DEV2PROD_FROM_", "DEV2PROD_"],
            Self::To => &["DEV2PROD_TO_", "DEV2PROD_"],
            Self::Source => &["DEV2PROD_", "DEV2PROD_FROM_"],
            Self::Target => &["DEV2PROD_", "DEV2PROD_TO_"],
            Self::Server => &["DEV2PROD_"],
        }
    }

    /// The prefix that an error advises.
    pub(super) const fn prefix(self) -> &'static str {
        self.prefixes()[0]
    }

    pub(super) const fn how_server(self) -> &'static str {
        match self {
            Self::From => "pass --from URL or NAME, or set DEV2PROD_FROM_URL",
            Self::To => "pass --to URL or NAME, or set DEV2PROD_TO_URL",
            Self::Source | Self::Target | Self::Server => {
                "pass --server URL or NAME, or set DEV2PROD_URL"
            }
        }
    }

    pub(super) const fn how_tenant(self) -> &'static str {
        match self {
            Self::From => "pass --from-tenant ID, or set DEV2PROD_FROM_TENANT",
            Self::To => "pass --to-tenant ID, or set DEV2PROD_TO_TENANT",
            Self::Source | Self::Target | Self::Server => {
                "pass --tenant ID, or set DEV2PROD_TENANT"
            }
        }
    }
}

/// The variables of this program, as they were when it started.
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Those of this process. An empty variable is none.
    pub(crate) fn of_process() -> Self {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name
                .into_string()
                .ok()
                .filter(|name| name.starts_with("DEV2PROD_"))?;
            Some((
                name,
                value.into_string().ok().filter(|value| !value.is_empty())?,
            ))
        });
        Self {
            variables: ours.collect(),
        }
    }

    /// The first of the side's variables that is set.
    pub(crate) fn first(&self, side: Side, name: &str) -> Option<String> {
        side.prefixes()
            .iter()
            .find_map(|prefix| self.get(prefix, name))
    }

    fn get(&self, prefix: &str, name: &str) -> Option<String> {
        self.variables.get(&format!("{prefix}{name}")).cloned()
    }

    /// The credentials for a server. Variables that name another server keep theirs to it.
    pub(super) fn access(
        &self,
        side: Side,
        login: Option<&str>,
        is_this_server: impl Fn(&str) -> bool,
    ) -> Option<Access> {
        let prefixes = side.prefixes().iter();
        let mut for_this = prefixes.filter(|prefix| {
            self.get(prefix, "URL")
                .is_none_or(|url| is_this_server(&url))
        });
        for_this.find_map(|prefix| {
            if login.is_none()
                && let Some(token) = self.get(prefix, "TOKEN")
            {
                return Some(Access::token(token));
            }
            let password = self.get(prefix, "PASSWORD")?;
            let login = login
                .map(str::to_owned)
                .or_else(|| self.first(side, "LOGIN"))?;
            Some(Access::password(login, password))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Environment {
            variables: variables.iter().map(own).collect(),
        }
    }

    fn chosen(variables: &[(&str, &str)], side: Side, login: Option<&str>) -> String {
        let access = environment(variables).access(side, login, |url| url == "https://here.net");
        match access {
            Some(Access::Password { login, password }) => {
                use secrecy::ExposeSecret;
                format!("{login}:{}", password.expose_secret())
            }
            Some(Access::Token(token)) => {
                use secrecy::ExposeSecret;
                token.expose_secret().to_owned()
            }
            Some(Access::Anonymous) | None => "nothing".to_owned(),
        }
    }

    #[test]
    fn credentials_come_from_the_side_and_then_from_what_is_common() {
        let both = [("DEV2PROD_TOKEN", "common"), ("DEV2PROD_TO_TOKEN", "to")];
        assert_eq!(chosen(&both, Side::To, None), "to");
        assert_eq!(chosen(&both, Side::From, None), "common");
        assert_eq!(chosen(&both, Side::Target, None), "common");
        assert_eq!(chosen(&both[1..], Side::Target, None), "to");
        assert_eq!(chosen(&both[1..], Side::Source, None), "nothing");
        assert_eq!(chosen(&both[1..], Side::Server, None), "nothing");
    }

    #[test]
    fn a_login_that_is_named_asks_for_its_password() {
        let both = [("DEV2PROD_TOKEN", "token"), ("DEV2PROD_PASSWORD", "pw")];
        assert_eq!(chosen(&both, Side::Server, Some("ann")), "ann:pw");
        assert_eq!(chosen(&both[1..], Side::Server, None), "nothing");
    }

    #[test]
    fn credentials_of_another_server_are_never_sent() {
        let other = [
            ("DEV2PROD_URL", "https://other.net"),
            ("DEV2PROD_TOKEN", "other"),
            ("DEV2PROD_TO_URL", "https://here.net"),
            ("DEV2PROD_TO_TOKEN", "here"),
        ];
        assert_eq!(chosen(&other, Side::Target, None), "here");
        assert_eq!(chosen(&other[..2], Side::Target, None), "nothing");
    }
}
