//! Exports and imports: started, looked at, listed, followed, stopped.

pub(crate) mod bindings;
pub(crate) mod cancel;
pub(crate) mod changes;
pub(crate) mod drift;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod history;
pub(crate) mod import;
mod import_request;
pub(crate) mod review;
pub(crate) mod settings;
pub(crate) mod undo;
