//! Server-sent events of a tenant's operations, which only our own server offers.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Method, Response};
use serde_json::Value;

use crate::client::{InTenant, shown};
use crate::error::ClientError;
use crate::lenient;
use crate::reply;

/// How long a stream may be silent: a server says more often than that that it is alive.
const SILENT: Duration = Duration::from_secs(45);
/// The longest event.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// An open stream.
#[derive(Debug)]
pub(crate) struct Events {
    response: Response,
    url: String,
    parser: Parser,
    waiting: VecDeque<Event>,
}

/// An event `operation`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// What the next stream is to go on after.
    pub(crate) mark: Option<String>,
    /// Where the operation stands, with the members of its status.
    pub(crate) document: Value,
}

impl Event {
    /// Whether it is about this operation.
    pub(crate) fn is_of(&self, id: &str) -> bool {
        lenient::id(&self.document).as_deref() == Some(id)
    }
}

impl Events {
    /// Opens a stream that goes on after a mark.
    pub(crate) async fn open(tenant: &InTenant, after: Option<&str>) -> Result<Self, ClientError> {
        let path = ["dev2prod", "events"];
        let after = after.and_then(|mark| HeaderValue::from_str(mark).ok());
        let response = tenant.client.send(|| {
            let get = tenant.request(Method::GET, &path)?;
            let get = get
                .timeout(Duration::MAX)
                .header(ACCEPT, "text/event-stream");
            Ok(match &after {
                Some(mark) => get.header("Last-Event-ID", mark),
                None => get,
            })
        });
        let idle = tenant.client.inner.timeout;
        let response = reply::within(idle, tenant.client.url(), response).await??;
        Ok(Self {
            url: shown(response.url()),
            response,
            parser: Parser::default(),
            waiting: VecDeque::new(),
        })
    }

    /// The next event; `None` when the server has ended the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            let chunk = reply::within(SILENT, &self.url, self.response.chunk()).await?;
            let chunk = chunk.map_err(|error| ClientError::transport(self.url.clone(), error))?;
            let Some(chunk) = chunk else {
                return Ok(None);
            };
            self.waiting.extend(self.parser.push(&chunk));
            if self.parser.bytes() > EVENT_BYTES_MAX {
                return Err(ClientError::Unexpected {
                    url: self.url.clone(),
                    what: format!("an event of more than {EVENT_BYTES_MAX} bytes"),
                });
            }
        }
    }
}

/// Reads events out of bytes as they come, in pieces of any size.
#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    name: String,
    mark: Option<String>,
    data: String,
}

impl Parser {
    /// How many bytes wait for their end.
    fn bytes(&self) -> usize {
        self.line.len() + self.data.len()
    }

    /// The events that end in these bytes.
    fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                events.extend(self.line(line.trim_end_matches('\r')));
            } else {
                self.line.push(byte);
            }
        }
        events
    }

    /// Takes a line; an empty one ends an event.
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (name, data) = (
                std::mem::take(&mut self.name),
                std::mem::take(&mut self.data),
            );
            let document = serde_json::from_str(&data).ok()?;
            let mark = self.mark.clone();
            return (name == "operation").then_some(Event { mark, document });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" => self.mark = Some(value.to_owned()),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            // A comment, how soon to come again, or what a later server says.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STREAM: &str = "retry: 1000\n\n: alive\n\nid: a-1\nevent: operation\n\
        data: {\"Id\":\"6\",\ndata: \"Status\":\"RUNNING\"}\n\nevent: other\ndata: {}\n\n\
        id:a-2\r\nevent:operation\r\ndata:{\"Id\":\"7\"}\r\n\r\nevent: operation\ndata: no\n\n";

    #[test]
    fn events_are_read_however_they_are_cut() {
        let expected = [
            Event {
                mark: Some("a-1".to_owned()),
                document: json!({"Id": "6", "Status": "RUNNING"}),
            },
            Event {
                mark: Some("a-2".to_owned()),
                document: json!({"Id": "7"}),
            },
        ];
        for size in [1, 2, 7, STREAM.len()] {
            let mut parser = Parser::default();
            let pieces = STREAM.as_bytes().chunks(size);
            let events: Vec<_> = pieces.flat_map(|piece| parser.push(piece)).collect();
            assert_eq!(events, expected, "in pieces of {size}");
            assert_eq!(parser.bytes(), 0);
        }
        assert!(expected[0].is_of("6") && !expected[0].is_of("7"));
    }
}
