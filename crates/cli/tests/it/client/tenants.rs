//! Two tenants with a little content, as most stories need them.

use crate::common::Home;
use crate::common::server::Server;

pub(crate) const DEVELOPMENT: &str = "123456789";
pub(crate) const PRODUCTION: &str = "987654321";

/// A server with a development and a production tenant, and a home that administers both.
pub(crate) fn two() -> (Server, Home) {
    let server = Server::start();
    let home = server.home();
    for (id, name, kind) in [
        (DEVELOPMENT, "Workshop", "development"),
        (PRODUCTION, "Service desk", "production"),
    ] {
        home.run(&["tenant", "create", id, "--name", name, "--kind", kind])
            .ok();
    }
    (server, home)
}

/// A line of content.
pub(crate) fn line(section: &str, key: &str, body: &str) -> String {
    format!("{{\"PackageName\":\"{section}\",\"Key\":\"{key}\",\"Body\":{body}}}\n")
}

/// Makes this exactly the tenant's content.
#[track_caller]
pub(crate) fn fill(home: &Home, tenant: &str, lines: &[String]) {
    home.write("fill/items.ndjson", lines.concat());
    home.run(&["content", "push", "fill", "--replace", "--tenant", tenant])
        .ok();
}

/// The arguments of a promotion from one to the other.
pub(crate) fn promote<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let sides = [
        "promote",
        "--from-tenant",
        DEVELOPMENT,
        "--to-tenant",
        PRODUCTION,
    ];
    [&sides[..], more].concat()
}
