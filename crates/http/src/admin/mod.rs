//! The administration of the server: tenants, users, their roles.

pub(crate) mod audit;
pub(crate) mod roles;
pub(crate) mod tenants;
pub(crate) mod users;
