//! A typed client of the Dev2Prod API, for our own server and for any other that offers it.
//!
//! What the documented API answers is read leniently ([`RemoteExport`], [`RemoteImport`]): names
//! in any case, missing counts as absent, errors of any shape. What only our server offers is
//! read strictly, with the types of [`api`]. A secret never appears in an error or a `Debug`.
//!
//! ```no_run
//! # async fn example() -> Result<(), dev2prod_client::ClientError> {
//! use dev2prod_client::{Access, Client, ClientOptions, Wait};
//!
//! let access = Access::password("ann", "secret");
//! let client = Client::new(ClientOptions::new("https://company.net", access))?;
//! let development = client.in_tenant("123456789");
//! let export = development.start_export("10000", None).await?;
//! let export = development.wait_for_export(&export, &Wait::default(), |_| ()).await?;
//! println!("{:?}", export.file_id);
//! # Ok(())
//! # }
//! ```

mod admin;
mod bindings;
mod client;
mod content;
mod download;
mod error;
mod events;
mod files;
mod history;
mod lenient;
mod options;
mod packages;
mod promotion;
mod remote;
mod remote_import;
mod reply;
mod review;
mod session;
mod trust;
mod wait;

pub use client::{Client, InTenant};
pub use download::Downloaded;
pub use error::ClientError;
pub use files::{Part, UploadedFile};
pub use history::OnePage;
pub use options::{Access, ClientOptions, OnBytes};
pub use remote::{Outcome, RemoteExport, RemoteNotice, RemoteProgress};
pub use remote_import::{RemoteCounts, RemoteImport, RemoteSection};
pub use wait::Wait;

/// The wire types.
pub use dev2prod_api as api;
