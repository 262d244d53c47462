//! The server's own right to work in a tenant, where no caller asks for it.

use dev2prod_model::access::{Permission, Principal, Role, Scope, Upkeep, authorize};
use dev2prod_model::id::{Login, TenantId};

/// The login that the server's own work is done under.
const SERVER: &str = "server";

/// A scope of the server itself: for housekeeping, and for nothing that a caller asks.
pub(crate) fn scope<P: Permission>(_: &Upkeep, tenant: &TenantId) -> Scope<P> {
    let login: Login = SERVER.parse().expect("a short word is a login");
    let roles = [(tenant.clone(), Role::TenantAdmin)].into();
    let itself = Principal {
        login,
        system_admin: false,
        roles,
        approves: [].into(),
    };
    authorize(&itself, tenant).expect("an administrator of a tenant may do all in it")
}
