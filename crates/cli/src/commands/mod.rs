//! The commands of a client, one file each. They call servers through the client crate alone.

pub(crate) mod bindings;
pub(crate) mod bundle;
pub(crate) mod changes;
pub(crate) mod completions;
pub(crate) mod content;
pub(crate) mod download;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod login;
mod offered;
pub(crate) mod package;
mod plan_options;
pub(crate) mod promote;
pub(crate) mod status;
mod steps;
pub(crate) mod tenant;
pub(crate) mod token;
pub(crate) mod undo;
pub(crate) mod upload;
pub(crate) mod user;
mod verdict;
mod waiting;
mod words;
