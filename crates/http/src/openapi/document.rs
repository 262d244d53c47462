//! The document without any route: what holds for all.

use dev2prod_api::{Problem, words};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};
use utoipa::{PartialSchema, ToSchema};

use crate::extract::COOKIES;

const DESCRIPTION: &str = "\
Promotes configuration and data from a development tenant to a production tenant: \
export a package, download its bundle, upload it, dry run, import.

- Every error reply is a problem document (RFC 9457); `Code` is from a closed set, `detail` says \
what to do.
- The roles of a tenant are `Viewer`, `Promoter` and `TenantAdmin`, each including the one before; \
`Approver` stands beside them and is included in none. A system administrator is the server's and alone reads no content.
- Doubled and trailing slashes in paths are tolerated, and `TENANTID` is accepted as a query \
parameter everywhere; one that contradicts the path is refused.
- `X-Request-Id` is taken over from a request or made up, and is in the reply and in the log.
- The header `Dev2Prod-Features` names what this server offers beyond the documented API.";

const TAGS: [(&str, &str); 11] = [
    ("Promotion", "Exports, dry runs and imports."),
    ("File Repository", "Bundles and other files of a tenant."),
    ("Package Manager", "Saved selections of a tenant's content."),
    (
        "Drift",
        "What was changed in a tenant since it was last delivered.",
    ),
    ("Settings", "What a tenant asks of imports into it."),
    ("Trust", "Signed bundles, and whose a tenant trusts."),
    (
        "Bindings",
        "Values that stay a tenant's own whatever a package brings, and secrets.",
    ),
    ("Content", "A tenant's content itself."),
    ("Signing in", "Sessions and API tokens."),
    ("Administration", "Tenants, users and roles."),
    ("Server", "The server itself."),
];

pub(super) fn empty() -> OpenApi {
    let mut components = Components::new();
    let mut schemas = vec![
        (Problem::name().into_owned(), Problem::schema()),
        (
            words::TenantId::name().into_owned(),
            words::TenantId::schema(),
        ),
        (
            words::OperationId::name().into_owned(),
            words::OperationId::schema(),
        ),
        (words::FileId::name().into_owned(), words::FileId::schema()),
        (words::Login::name().into_owned(), words::Login::schema()),
        (
            words::PackageName::name().into_owned(),
            words::PackageName::schema(),
        ),
        (words::Key::name().into_owned(), words::Key::schema()),
        (words::Action::name().into_owned(), words::Action::schema()),
        (words::Reason::name().into_owned(), words::Reason::schema()),
        (words::Status::name().into_owned(), words::Status::schema()),
    ];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for (name, cookie) in ["session", "session_lwsso"].into_iter().zip(COOKIES) {
        let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
            cookie,
            "The token that signing in gave.",
        ));
        components.add_security_scheme(name, SecurityScheme::ApiKey(cookie));
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API token, or the token that signing in gave."));
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    let tags = TAGS.map(|(name, description)| {
        TagBuilder::new()
            .name(name)
            .description(Some(description))
            .build()
    });
    let license = LicenseBuilder::new()
        .name("Apache-2.0")
        .identifier(Some("Apache-2.0"));
    let info = InfoBuilder::new()
        .title("dev2prod")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license.build()));
    OpenApiBuilder::new()
        .info(info.build())
        .components(Some(components))
        .tags(Some(tags))
        .build()
}
