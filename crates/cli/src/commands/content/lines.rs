//! The items of a folder as a stream that breaks where the file does.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::poll_fn;
use tokio::io::AsyncRead;
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use tokio_util::io::StreamReader;

use super::folder;

const CHUNK_BYTES: usize = 256 * 1024;

/// Reads a file of items, unpacked, in a thread of its own; the second part tells afterwards why
/// it could not be read to its end, if so.
///
/// If the file is damaged the stream ends in an error, never as if that were all of it: a server
/// would take the part for the whole.
pub(super) fn read(path: &Path) -> (impl AsyncRead + Send + 'static, Trouble) {
    let (send, mut receive) = mpsc::channel(4);
    let trouble = Trouble::default();
    let (path, noted) = (path.to_owned(), trouble.clone());
    std::thread::spawn(move || {
        if let Err(error) = pass_on(&path, &send) {
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            // Nobody listens any more if the request has ended.
            send.blocking_send(Err(error)).ok();
        }
    });
    (
        StreamReader::new(poll_fn(move |context| receive.poll_recv(context))),
        trouble,
    )
}

/// Why a file could not be read to its end.
pub(super) type Trouble = Arc<Mutex<Option<String>>>;

fn pass_on(path: &Path, send: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let mut file = folder::open(path)?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let read = file
            .by_ref()
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut chunk)?;
        if read == 0 || send.blocking_send(Ok(Bytes::from(chunk))).is_err() {
            return Ok(());
        }
    }
}
