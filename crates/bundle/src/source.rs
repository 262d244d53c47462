//! Ranges of a file, read side by side.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

/// Reads the bytes of a file from `at` to `end`.
///
/// Reads name their place, so that any number of these on one file, on any threads, do not disturb
/// one another: an index, a chunk and an attachment of one bundle may be open at a time.
#[derive(Clone, Debug)]
pub(crate) struct FileRange {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl FileRange {
    pub(crate) fn new(file: &Arc<File>, at: u64, end: u64) -> Self {
        Self {
            file: Arc::clone(file),
            at,
            end,
        }
    }

    /// Where in the file the next byte comes from.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }
}

impl Read for FileRange {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = read_at(&self.file, &mut buffer[..wanted], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Places are those of the whole file; one beyond the range reads nothing.
impl Seek for FileRange {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn two_ranges_of_one_file_do_not_disturb_one_another() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"abcdef").unwrap();
        let file = Arc::new(file);
        let (mut left, mut right) = (FileRange::new(&file, 0, 3), FileRange::new(&file, 3, 100));
        let mut one = [0; 1];
        left.read_exact(&mut one).unwrap();
        let (mut rest, mut tail) = (String::new(), String::new());
        right.read_to_string(&mut tail).unwrap();
        left.read_to_string(&mut rest).unwrap();
        assert_eq!((one, rest.as_str(), tail.as_str()), ([b'a'], "bc", "def"));
    }
}
