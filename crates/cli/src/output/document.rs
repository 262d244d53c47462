//! A JSON document whose `Items` are written as they are found, so that nobody holds them all.

use std::cell::RefCell;
use std::io::{BufWriter, Write};

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::exit::CommandError;

/// Writes `{"Items": […], …}` to standard output: the items one by one, and then what is known only
/// after the last of them. The first item that is an error ends it.
pub(crate) fn write<T: Serialize>(
    items: &mut dyn Iterator<Item = Result<T, CommandError>>,
    rest: &dyn Fn() -> Map<String, Value>,
) -> Result<(), CommandError> {
    let document = Document {
        items: RefCell::new(items),
        failed: RefCell::new(None),
        rest,
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, &document);
    if let Some(error) = document.failed.take() {
        return Err(error);
    }
    written.map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

struct Document<'a, T> {
    items: RefCell<&'a mut dyn Iterator<Item = Result<T, CommandError>>>,
    failed: RefCell<Option<CommandError>>,
    rest: &'a dyn Fn() -> Map<String, Value>,
}

impl<T: Serialize> Serialize for Document<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("Items", &List(self))?;
        if self.failed.borrow().is_some() {
            return Err(S::Error::custom("an item could not be read"));
        }
        for (name, value) in (self.rest)() {
            members.serialize_entry(&name, &value)?;
        }
        members.end()
    }
}

struct List<'a, 'b, T>(&'a Document<'b, T>);

impl<T: Serialize> Serialize for List<'_, '_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document { items, failed, .. } = self.0;
        let mut items = items.borrow_mut();
        serializer.collect_seq(std::iter::from_fn(|| match items.next()? {
            Ok(item) => Some(item),
            Err(error) => {
                failed.replace(Some(error));
                None
            }
        }))
    }
}
