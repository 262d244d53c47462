//! The File Repository: files of a tenant, their bytes streamed in and out.

use bytes::Bytes;
use dev2prod_model::access::{FileRead, FileWrite, Scope};
use dev2prod_model::digest::Hasher;
use dev2prod_model::file::File;
use dev2prod_model::id::FileId;

use crate::context::Engine;
use crate::error::{EngineError, EngineResult};
use crate::ports::{BlobPath, BlobStream, BlobWriter};
use crate::time;

/// The longest name of a file, in characters.
const NAME_CHARS_MAX: usize = 255;
/// What a file is said to be if nobody says anything that a header can hold.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// A file to be received.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Its name, as the sender has it.
    pub name: String,
    /// Its media type, if the sender says.
    pub content_type: Option<String>,
}

/// A file on its way in. Nobody sees it before [`Receiving::finish`]; dropped, it leaves nothing.
pub struct Receiving {
    engine: Engine,
    scope: Scope<FileWrite>,
    id: FileId,
    name: String,
    content_type: String,
    writer: Option<Box<dyn BlobWriter>>,
    hasher: Hasher,
    bytes: u64,
}

/// Begins to receive a file.
pub async fn begin(
    engine: &Engine,
    scope: &Scope<FileWrite>,
    new: NewFile,
) -> EngineResult<Receiving> {
    let id = FileId(engine.new_uuid());
    let writer = engine
        .blobs()
        .writer(&BlobPath::file(scope.tenant(), id))
        .await?;
    Ok(Receiving {
        engine: engine.clone(),
        scope: scope.clone(),
        id,
        name: tidy_name(&new.name),
        content_type: tidy_type(new.content_type),
        writer: Some(writer),
        hasher: Hasher::new(),
        bytes: 0,
    })
}

impl Receiving {
    /// Takes the next bytes.
    pub async fn write(&mut self, bytes: Bytes) -> EngineResult<()> {
        let bytes_max = self.engine.settings().file_bytes_max;
        self.bytes += bytes.len() as u64;
        if self.bytes > bytes_max {
            return Err(EngineError::TooLarge(format!(
                "a file is at most {bytes_max} bytes large; nothing was kept"
            )));
        }
        self.hasher.update(&bytes);
        let writer = self
            .writer
            .as_mut()
            .expect("there is a writer until the end");
        Ok(writer.write(bytes).await?)
    }

    /// Keeps the file: its bytes first, then its record.
    pub async fn finish(mut self) -> EngineResult<File> {
        if self.bytes == 0 {
            return Err(EngineError::invalid(
                "empty_file",
                "the file is empty: send its bytes",
            ));
        }
        let writer = self.writer.take().expect("there is a writer until the end");
        writer.finish().await?;
        let now_ms = self.engine.now_ms();
        let file = File {
            id: self.id,
            name: std::mem::take(&mut self.name),
            content_type: std::mem::take(&mut self.content_type),
            bytes: self.bytes,
            sha256: std::mem::take(&mut self.hasher).finish(),
            created_by: self.scope.login().clone(),
            created_ms: now_ms,
            expires_ms: now_ms + self.engine.settings().file_retention_ms,
        };
        if let Err(error) = self.engine.store().insert_file(&self.scope, &file).await {
            // Without a record nobody finds the bytes; housekeeping deletes them if this does not.
            let path = BlobPath::file(self.scope.tenant(), self.id);
            let _ = self.engine.blobs().delete(path.as_str()).await;
            return Err(error.into());
        }
        Ok(file)
    }

    /// Gives the file up.
    pub async fn abort(mut self) {
        if let Some(writer) = self.writer.take() {
            writer.abort().await;
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        // A broken connection drops its request: the space is given back now rather than by
        // housekeeping, which sees to what a process that ends cannot do any more.
        if let Some(writer) = self.writer.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(writer.abort());
        }
    }
}

/// The record of a file whose bytes are there.
pub async fn get(engine: &Engine, scope: &Scope<FileRead>, id: FileId) -> EngineResult<File> {
    let file = engine.store().file(scope, id).await?.ok_or_else(|| {
        EngineError::not_found("unknown_file", format!("this tenant has no file {id}"))
    })?;
    if file.expires_ms > engine.now_ms() || outlives(engine, scope, &file).await? {
        Ok(file)
    } else {
        Err(expired(&file))
    }
}

/// The bytes of a file from `start` to before `end`.
pub async fn read(
    engine: &Engine,
    scope: &Scope<FileRead>,
    file: &File,
    start: u64,
    end: u64,
) -> EngineResult<BlobStream> {
    let path = BlobPath::file(scope.tenant(), file.id);
    match engine.blobs().read(&path, start, Some(end)).await? {
        Some(stream) => Ok(stream),
        None if file.expires_ms <= engine.now_ms() => Err(expired(file)),
        None => Err(EngineError::internal(format!(
            "the bytes of file {} are gone",
            file.id
        ))),
    }
}

/// Whether an expired file is kept because an item of `attachments` names its bytes.
async fn outlives(engine: &Engine, scope: &Scope<FileRead>, file: &File) -> EngineResult<bool> {
    let named = engine
        .store()
        .attachments_in_use(&scope.narrow(), &[file.sha256])
        .await?;
    if named.is_empty() {
        return Ok(false);
    }
    // The item may be younger than the file's end, and mean another file of the same bytes.
    let path = BlobPath::file(scope.tenant(), file.id);
    Ok(engine.blobs().read(&path, 0, Some(1)).await?.is_some())
}

fn expired(file: &File) -> EngineError {
    EngineError::not_found(
        "file_expired",
        format!(
            "file {} expired at {}: make it anew",
            file.id,
            time::iso(file.expires_ms)
        ),
    )
}

/// The last part of a path as any system writes it, without what a header or terminal would trip
/// over.
fn tidy_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let base: String = base
        .chars()
        .filter(|c| !c.is_control())
        .take(NAME_CHARS_MAX)
        .collect();
    match base.trim() {
        "" | "." | ".." => "file".to_owned(),
        base => base.to_owned(),
    }
}

fn tidy_type(content_type: Option<String>) -> String {
    content_type
        .filter(|text| {
            (1..=NAME_CHARS_MAX).contains(&text.len())
                && text.contains('/')
                && text
                    .bytes()
                    .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        })
        .unwrap_or_else(|| UNKNOWN_TYPE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path_and_fits_a_header() {
        for (name, tidy) in [
            ("Package-1.zip", "Package-1.zip"),
            ("C:\\temp\\b.zip", "b.zip"),
            ("../../etc/passwd", "passwd"),
            ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
            ("..", "file"),
            ("a/", "file"),
            ("", "file"),
        ] {
            assert_eq!(tidy_name(name), tidy, "{name:?}");
        }
        assert_eq!(tidy_name(&"ä".repeat(256)), "ä".repeat(255));
    }

    #[test]
    fn a_type_that_is_none_becomes_bytes() {
        let tidy = |text: &str| tidy_type(Some(text.to_owned()));
        assert_eq!(
            tidy("text/plain; charset=utf-8"),
            "text/plain; charset=utf-8"
        );
        for bad in ["", "zip", "a/b\r\nx: y", &format!("a/{}", "x".repeat(254))] {
            assert_eq!(tidy(bad), UNKNOWN_TYPE);
        }
    }
}
