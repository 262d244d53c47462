//! A bundle as a folder, for version control: one pretty file for each item.
//!
//! ```text
//! bundle.json                             what the bundle says of itself
//! items/<PackageName>/<key>.json          {"Key","Body","References","Revision","Carried"}
//! attachments/<sha256>                    the bytes of files that items of `attachments` name
//! ```
//!
//! [`unpack`] and [`pack`] lead to each other: nothing that an import looks at is lost. Both hold
//! one item in memory, whatever the size.

mod error;
mod facts;
mod item;
mod name;
mod pack;
mod read;
mod sorted;
mod unpack;

pub use error::FolderError;
pub use facts::Facts;
pub use item::FolderItem;
pub use pack::pack;
pub use read::Folder;
pub use unpack::unpack;

const FACTS: &str = "bundle.json";
const ITEMS: &str = "items";
const ATTACHMENTS: &str = "attachments";
