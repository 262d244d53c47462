//! The bundle: the file that an export makes of a package at one revision, and that an import
//! reads without trusting it.
//!
//! A zip that ordinary tools open:
//!
//! ```text
//! manifest.json                          what it is, of whom, of when; counts and digests
//! sections/<PackageName>/index.ndjson    {"Key","Digest","Revision","Chunk","Carried"} by key
//! sections/<PackageName>/0001.ndjson     {"Body","Key","References"} canonical, in key order
//! attachments/<sha256>                   the bytes of files that items of `attachments` name
//! ```
//!
//! [`Writer`] streams one out and [`Reader`] reads one by parts, both in bounded memory whatever
//! the size; [`verify()`] reads all of one once. A reader never follows a name of the archive to a
//! file system: the names are a closed set ([`EntryName`]), and each way to be wrong is an error
//! of its own ([`BundleError`]). [`Spool`] keeps what is sorted by item on disk and finds it there;
//! [`unpack`] and [`pack`] lead to a folder with a file for each item and back.
//!
//! The zip is written by the `zip` crate and read by this one: an archive that two readers could
//! take for different ones is refused rather than guessed at. Deliberately absent: async, and any
//! decision what an import does with an item.

mod bodies;
mod content;
mod coverage;
mod directory;
mod entry;
mod error;
mod folder;
#[cfg(feature = "hostile")]
pub mod hostile;
mod index;
mod limits;
mod line;
mod manifest;
mod name;
mod notary;
mod reader;
mod signature;
mod source;
mod spool;
mod through;
mod verify;
mod writer;

pub use bodies::Bodies;
pub use content::{ContentDigest, IndexDigest, SectionDigest};
pub use coverage::Coverage;
pub use entry::EntryReader;
pub use error::{BundleError, WriteError};
pub use folder::{Facts, Folder, FolderError, FolderItem, pack, unpack};
pub use index::{Carried, IndexEntry, IndexIter};
pub use limits::Limits;
pub use line::{ChunkItem, ChunkIter};
pub use manifest::{
    FORMAT, Manifest, ManifestOrigin, ManifestPackage, ManifestParts, ManifestSecrets,
    ManifestSection, RemovedBase, VERSION, VERSION_WITH_BASES,
};
pub use name::EntryName;
pub use notary::{Notary, VerifiedItem};
pub use reader::Reader;
pub use signature::{Signature, SigningKey};
pub use spool::{Keyed, Spool, SpoolIter, SpoolWriter};
pub use verify::{Verified, verify, verify_noting};
pub use writer::{BaseLine, Compression, ItemLine, Seal, Summary, Writer, WriterOptions};
