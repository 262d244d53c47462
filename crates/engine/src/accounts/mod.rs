//! Who comes in: users, their roles in tenants, their passwords and tokens.
//!
//! Deliberately absent: deciding what a caller may do. [`authenticate`] finds out who calls;
//! `dev2prod_model::access::authorize` makes scopes of that.

mod doorkeeper;
mod password;
mod session;
mod sign_in;
mod throttle;
mod tokens;
mod users;

pub(crate) use doorkeeper::Doorkeeper;
pub use password::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN};
pub use sign_in::{authenticate, sign_in};
pub use tokens::{
    NewToken, TOKEN_PREFIX, TOKENS_MAX, create_token, delete_token, token_end, tokens,
};
pub use users::{
    FirstAdmin, UserChange, UserView, change_user, create_user, delete_user, first_admin, set_role,
    users,
};
