//! Exports and imports: started, looked at, listed.

pub(crate) mod bindings;
pub(crate) mod changes;
pub(crate) mod export;
pub(crate) mod history;
pub(crate) mod import;
mod import_request;
pub(crate) mod undo;
