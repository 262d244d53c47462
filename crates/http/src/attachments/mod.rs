//! The File Repository Service: files of a tenant, uploaded and downloaded as streams.

pub(crate) mod download;
mod range;
pub(crate) mod upload;
