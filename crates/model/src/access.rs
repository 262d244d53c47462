//! Who may do what in which tenant. A [`Scope`] is the proof, and the data layer asks for it.
//!
//! A scope is made only by [`authorize`], or by [`Scope::for_work`] for an operation that was
//! authorized when it was accepted. Approving stands beside the roles: no role includes it, so that
//! whoever may import, or administers the tenant, cannot for that reason approve. Its proof is an
//! [`ApproverScope`]. Deliberately absent: looking callers up.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::id::{Login, OperationId, TenantId};
use crate::operation::Claim;

/// A role in one tenant; each includes the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Sees packages, operations, plans and results.
    Viewer,
    /// Exports, imports, moves files.
    Promoter,
    /// Reads and writes content and packages, gives roles.
    TenantAdmin,
}

impl Role {
    /// All roles, least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Promoter, Self::TenantAdmin];

    /// The name on the wire and in a store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Promoter => "Promoter",
            Self::TenantAdmin => "TenantAdmin",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// An authenticated caller with everything it was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Who.
    pub login: Login,
    /// Whether the caller administers the server; alone this reads no content.
    pub system_admin: bool,
    /// The caller's role in each tenant it knows of.
    pub roles: BTreeMap<TenantId, Role>,
    /// The tenants, of those, whose plans the caller may approve.
    pub approves: BTreeSet<TenantId>,
}

/// What a user may do in one tenant: a role, and beside it whether the user is an `Approver`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Whether the user may approve plans that others made.
    pub approver: bool,
}

impl Grant {
    /// The name of approving, beside those of the roles.
    pub const APPROVER: &'static str = "Approver";

    /// A role without approving.
    pub fn of(role: Role) -> Self {
        Self {
            role,
            approver: false,
        }
    }
}

/// Why a caller may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller may not even know whether the tenant exists: answered like an unknown one.
    #[error("there is no tenant {0} that you may know of")]
    UnknownTenant(TenantId),
    /// The caller is known in the tenant, but its role does not reach.
    #[error("{what} in tenant {tenant} needs the role {needs}; yours is {has}", needs = needs.name(), has = has.name())]
    RoleTooLow {
        /// The tenant.
        tenant: TenantId,
        /// What was attempted, as a gerund: `exporting`.
        what: &'static str,
        /// The least role that may.
        needs: Role,
        /// The caller's role.
        has: Role,
    },
    /// The caller is known in the tenant, but is no approver there.
    #[error("{what} in tenant {tenant} needs the role Approver, which no other role includes")]
    NotApprover {
        /// The tenant.
        tenant: TenantId,
        /// What was attempted, as a gerund: `approving plans`.
        what: &'static str,
    },
    /// Nobody approves or rejects what they made themselves.
    #[error("dry run {0} is your own: somebody else with the role Approver has to look at it")]
    OwnPlan(OperationId),
    /// Only a system administrator may.
    #[error("this needs a system administrator")]
    NotSystemAdmin,
}

/// Something a role permits: a marker type, named in the signature of what needs it.
pub trait Permission: Copy + Send + Sync + 'static {
    /// The least role that has it.
    const ROLE: Role;
    /// What it lets one do, as a gerund.
    const WHAT: &'static str;
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $role:ident, $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Permission for $name {
            const ROLE: Role = Role::$role;
            const WHAT: &'static str = $what;
        }
    )*};
}

permissions! {
    /// See packages and what they would carry.
    PackageRead: Viewer, "reading packages";
    /// Make, change and delete packages.
    PackageWrite: TenantAdmin, "changing packages";
    /// See operations, plans and results.
    HistoryRead: Viewer, "reading operations";
    /// Download files.
    FileRead: Promoter, "downloading files";
    /// Upload files.
    FileWrite: Promoter, "uploading files";
    /// Start an export; name this tenant's files in an import elsewhere.
    Export: Promoter, "exporting";
    /// Start a dry run or an import.
    Import: Promoter, "importing";
    /// Start an operation of any kind.
    OperationStart: Promoter, "starting operations";
    /// Stop an operation of any kind.
    OperationCancel: Promoter, "canceling operations";
    /// Compare versions of items: what plans, packages' listings and differences are made of.
    VersionRead: Viewer, "comparing content";
    /// Read content.
    ContentRead: TenantAdmin, "reading content";
    /// Write content.
    ContentWrite: TenantAdmin, "writing content";
    /// Change what the tenant asks of imports.
    SettingsWrite: TenantAdmin, "changing settings";
    /// See who administered the tenant, and who was kept out.
    AuditRead: TenantAdmin, "reading the audit trail";
    /// See whose bundles the tenant trusts.
    TrustRead: Viewer, "reading trusted servers";
    /// Trust servers, or no more.
    TrustWrite: TenantAdmin, "changing trusted servers";
    /// See a tenant's bindings.
    BindingRead: Viewer, "reading bindings";
    /// Replace a tenant's bindings.
    BindingWrite: TenantAdmin, "changing bindings";
    /// Give and take roles of the tenant.
    RoleWrite: TenantAdmin, "giving roles";
}

/// Proof that its holder may do `P` in one tenant.
#[derive(Debug)]
pub struct Scope<P> {
    tenant: TenantId,
    login: Login,
    permission: PhantomData<P>,
}

impl<P> Clone for Scope<P> {
    fn clone(&self) -> Self {
        Self {
            tenant: self.tenant.clone(),
            login: self.login.clone(),
            permission: PhantomData,
        }
    }
}

impl<P: Permission> Scope<P> {
    /// The tenant that the scope opens, and no other.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// On whose behalf.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// The same proof for something that every role with `P` may do besides.
    ///
    /// Asking for more than `P` implies does not compile.
    pub fn narrow<Q: Permission>(&self) -> Scope<Q> {
        const {
            assert!(Q::ROLE as u8 <= P::ROLE as u8, "a scope cannot be widened");
        }
        Scope {
            tenant: self.tenant.clone(),
            login: self.login.clone(),
            permission: PhantomData,
        }
    }

    /// The scope of a claimed operation in its own tenant: it was authorized when it was accepted.
    pub fn for_work(claim: &Claim) -> Self {
        Self {
            tenant: claim.tenant().clone(),
            login: claim.login().clone(),
            permission: PhantomData,
        }
    }

    /// The scope of a claimed operation in the tenant it reads its file from, which was authorized
    /// when it was accepted.
    pub fn for_work_source(claim: &Claim) -> Self {
        Self {
            tenant: claim.source_tenant().clone(),
            login: claim.login().clone(),
            permission: PhantomData,
        }
    }
}

/// Grants `P` in `tenant` to a caller whose role there reaches.
pub fn authorize<P: Permission>(
    principal: &Principal,
    tenant: &TenantId,
) -> Result<Scope<P>, Denied> {
    let has = principal.roles.get(tenant).copied();
    match has {
        None => Err(Denied::UnknownTenant(tenant.clone())),
        Some(has) if has < P::ROLE => Err(Denied::RoleTooLow {
            tenant: tenant.clone(),
            what: P::WHAT,
            needs: P::ROLE,
            has,
        }),
        Some(_) => Ok(Scope {
            tenant: tenant.clone(),
            login: principal.login.clone(),
            permission: PhantomData,
        }),
    }
}

/// Proof that its holder may approve plans in one tenant.
#[derive(Clone, Debug)]
pub struct ApproverScope {
    tenant: TenantId,
    login: Login,
}

impl ApproverScope {
    /// The tenant that the scope opens, and no other.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// On whose behalf.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// The right to see what is to be approved.
    pub fn history(&self) -> Scope<HistoryRead> {
        Scope {
            tenant: self.tenant.clone(),
            login: self.login.clone(),
            permission: PhantomData,
        }
    }
}

/// Grants approving in `tenant` to a caller that is an approver there, whatever its role.
pub fn authorize_approver(
    principal: &Principal,
    tenant: &TenantId,
) -> Result<ApproverScope, Denied> {
    authorize::<HistoryRead>(principal, tenant)?;
    if principal.approves.contains(tenant) {
        Ok(ApproverScope {
            tenant: tenant.clone(),
            login: principal.login.clone(),
        })
    } else {
        Err(Denied::NotApprover {
            tenant: tenant.clone(),
            what: "approving plans",
        })
    }
}

/// Proof that its holder administers the server.
#[derive(Clone, Debug)]
pub struct ServerScope {
    login: Login,
}

impl ServerScope {
    /// On whose behalf.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// The right to give and take the roles of a tenant, which a system administrator has in all.
    pub fn roles_of(&self, tenant: &TenantId) -> Scope<RoleWrite> {
        Scope {
            tenant: tenant.clone(),
            login: self.login.clone(),
            permission: PhantomData,
        }
    }
}

/// The server's own right to tidy up in every tenant; no caller can have it.
#[derive(Debug)]
pub struct Upkeep(());

impl Upkeep {
    /// For the server's housekeeping, and for nothing that a caller asks.
    pub fn of_the_server() -> Self {
        Self(())
    }
}

/// Grants the administration of the server to a system administrator.
pub fn authorize_server(principal: &Principal) -> Result<ServerScope, Denied> {
    if principal.system_admin {
        Ok(ServerScope {
            login: principal.login.clone(),
        })
    } else {
        Err(Denied::NotSystemAdmin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(role: Option<Role>) -> Principal {
        let tenant: TenantId = "1".parse().unwrap();
        Principal {
            login: "ann".parse().unwrap(),
            system_admin: true,
            roles: role.map(|role| (tenant, role)).into_iter().collect(),
            approves: BTreeSet::new(),
        }
    }

    #[test]
    fn each_role_includes_the_one_before() {
        let tenant: TenantId = "1".parse().unwrap();
        for (role, export, content) in [
            (Role::Viewer, false, false),
            (Role::Promoter, true, false),
            (Role::TenantAdmin, true, true),
        ] {
            let caller = caller(Some(role));
            assert!(authorize::<HistoryRead>(&caller, &tenant).is_ok());
            assert_eq!(
                authorize::<Export>(&caller, &tenant).is_ok(),
                export,
                "{role:?}"
            );
            assert_eq!(
                authorize::<ContentWrite>(&caller, &tenant).is_ok(),
                content,
                "{role:?}"
            );
        }
    }

    #[test]
    fn approving_is_beside_the_roles() {
        let tenant: TenantId = "1".parse().unwrap();
        for role in Role::ALL {
            let mut caller = caller(Some(role));
            let denied = authorize_approver(&caller, &tenant).unwrap_err();
            assert!(matches!(denied, Denied::NotApprover { .. }), "{role:?}");
            caller.approves.insert(tenant.clone());
            assert!(authorize_approver(&caller, &tenant).is_ok(), "{role:?}");
            assert_eq!(
                authorize::<Import>(&caller, &tenant).is_ok(),
                role >= Role::Promoter,
                "an approver need not be able to promote: {role:?}"
            );
        }
        let mut stranger = caller(None);
        stranger.approves.insert(tenant.clone());
        assert_eq!(
            authorize_approver(&stranger, &tenant).unwrap_err(),
            Denied::UnknownTenant(tenant)
        );
    }

    #[test]
    fn a_system_administrator_alone_knows_no_tenant() {
        let tenant: TenantId = "1".parse().unwrap();
        let caller = caller(None);
        assert!(authorize_server(&caller).is_ok());
        assert_eq!(
            authorize::<HistoryRead>(&caller, &tenant).unwrap_err(),
            Denied::UnknownTenant(tenant)
        );
    }
}
