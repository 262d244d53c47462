//! What handlers take out of a request, each refusing what is malformed with a problem.

mod body;
mod caller;
mod credentials;
mod idempotency;
mod params;
mod path_id;
pub(crate) mod preconditions;
mod sender;

pub(crate) use body::{JsonBody, object, read_body, typed};
pub(crate) use caller::{Allowed, Approver, Caller, Presented, ServerAdmin};
pub(crate) use credentials::COOKIES;
pub(crate) use idempotency::IdempotencyKey;
pub(crate) use params::{Params, all_params};
pub(crate) use path_id::{InPath, TokenId};
pub(crate) use sender::{AskedFrom, peer, sender};
