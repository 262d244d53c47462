//! Who comes in: users, their roles in tenants, their passwords and tokens.
//!
//! Deliberately absent: deciding what a caller may do. [`authenticate`] finds out who calls;
//! `dev2prod_model::access::authorize` makes scopes of that.

mod doorkeeper;
mod throttle;

pub(crate) use doorkeeper::Doorkeeper;
