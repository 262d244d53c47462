//! Writers that watch what goes through them.

use std::io::{self, Write};

use dev2prod_model::digest::Hasher;
use dev2prod_model::item::Digest;

/// Counts what goes through, until the output gives an error.
///
/// From then on it takes everything and does nothing, so that an archive that is dropped does not
/// try to end itself on a full disk; [`finish`](Self::finish) gives an error.
pub(crate) struct Counted<W> {
    output: W,
    bytes: u64,
    failed: bool,
}

impl<W: Write> Counted<W> {
    pub(crate) fn new(output: W) -> Self {
        Self {
            output,
            bytes: 0,
            failed: false,
        }
    }

    /// The output, flushed, and how many bytes it got.
    pub(crate) fn finish(mut self) -> io::Result<(W, u64)> {
        self.output.flush()?;
        if self.failed {
            return Err(io::Error::other("the bundle was ended after an error"));
        }
        Ok((self.output, self.bytes))
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failed {
            return Ok(bytes.len());
        }
        let written = self.output.write(bytes);
        match &written {
            Ok(count) => self.bytes += *count as u64,
            Err(error) => self.failed = error.kind() != io::ErrorKind::Interrupted,
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed {
            Ok(())
        } else {
            self.output.flush()
        }
    }
}

/// Hashes what goes through.
pub(crate) struct Hashed<W> {
    output: W,
    hasher: Hasher,
}

impl<W: Write> Hashed<W> {
    pub(crate) fn new(output: W) -> Self {
        Self {
            output,
            hasher: Hasher::new(),
        }
    }

    /// The digest of all that went through.
    pub(crate) fn finish(self) -> Digest {
        self.hasher.finish()
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}
