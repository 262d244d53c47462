//! A stream of bytes as numbered lines, none longer than the limit.

use std::io;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};

use crate::error::{EngineError, EngineResult};

/// How long an upload may say nothing: it keeps other writers waiting.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// How long an upload has to be waited for before its pace counts, each time.
const PACE_WINDOW: Duration = Duration::from_secs(60);
/// The least that comes in such a time, in bytes: 1 KiB a second.
const PACE_BYTES_MIN: u64 = 60 * 1_024;

/// A line of an upload.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its text without the end of line; `None` if it is longer than the limit.
    pub(super) text: Option<Bytes>,
}

/// Lines as they come. Lines of nothing but white space are counted and left out.
pub(super) struct Lines<S> {
    stream: S,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of line.
    searched: usize,
    line_bytes_max: usize,
    number: u64,
    too_long: bool,
    ended: bool,
    pace: Pace,
}

/// How fast a sender sends, by the time for which it was waited: what is done with its lines in
/// between takes the time that it takes.
#[derive(Clone, Copy, Debug)]
struct Pace {
    window: Duration,
    bytes_min: u64,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    fn new(window: Duration, bytes_min: u64) -> Self {
        Self {
            window,
            bytes_min,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// Notes bytes that were waited for; whether the sender has been fast enough.
    fn keeps_up(&mut self, waited: Duration, bytes: usize) -> bool {
        self.waited += waited;
        self.bytes += bytes as u64;
        if self.waited < self.window {
            return true;
        }
        let enough = self.bytes >= self.bytes_min;
        *self = Self::new(self.window, self.bytes_min);
        enough
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Lines<S> {
    pub(super) fn new(stream: S, line_bytes_max: usize) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            searched: 0,
            line_bytes_max,
            number: 1,
            too_long: false,
            ended: false,
            pace: Pace::new(PACE_WINDOW, PACE_BYTES_MIN),
        }
    }

    /// The next lines: at most `lines_max`, and no more once they hold `bytes_max`; none at the end.
    pub(super) async fn batch(
        &mut self,
        lines_max: usize,
        bytes_max: usize,
    ) -> EngineResult<Vec<Line>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < lines_max && bytes < bytes_max {
            let Some(line) = self.next().await? else {
                break;
            };
            bytes += line.text.as_ref().map_or(0, Bytes::len);
            batch.push(line);
        }
        Ok(batch)
    }

    async fn next(&mut self) -> EngineResult<Option<Line>> {
        loop {
            let end = self.buffer[self.searched..]
                .iter()
                .position(|&byte| byte == b'\n');
            if let Some(end) = end {
                let mut text = self.buffer.split_to(self.searched + end + 1);
                text.truncate(text.len() - 1);
                if let Some(line) = self.line(text.freeze()) {
                    return Ok(Some(line));
                }
                continue;
            }
            self.searched = self.buffer.len();
            if self.searched > self.line_bytes_max {
                // The rest of the line is read and dropped, so that the lines after it are seen.
                self.too_long = true;
                self.buffer.clear();
                self.searched = 0;
            }
            if self.ended {
                let text = self.buffer.split().freeze();
                return Ok(self.line(text));
            }
            self.read().await?;
        }
    }

    /// The line that has just ended, if it is to be seen.
    fn line(&mut self, text: Bytes) -> Option<Line> {
        let number = self.number;
        let too_long = std::mem::take(&mut self.too_long) || text.len() > self.line_bytes_max;
        self.number += 1;
        self.searched = 0;
        if too_long {
            return Some(Line { number, text: None });
        }
        let blank = text.iter().all(u8::is_ascii_whitespace);
        (!blank).then_some(Line {
            number,
            text: Some(text),
        })
    }

    async fn read(&mut self) -> EngineResult<()> {
        let next = pin!(self.stream.next());
        let began = Instant::now();
        match tokio::time::timeout(SILENCE_MAX, next).await {
            Err(_) => Err(EngineError::invalid(
                "upload_broken",
                format!(
                    "nothing came for {} s; nothing was changed: send the whole upload again",
                    SILENCE_MAX.as_secs()
                ),
            )),
            Ok(Some(Err(error))) => Err(EngineError::invalid(
                "upload_broken",
                format!("the upload broke off ({error}); nothing was changed: send it again"),
            )),
            Ok(Some(Ok(bytes))) => {
                if !self.pace.keeps_up(began.elapsed(), bytes.len()) {
                    return Err(EngineError::TooSlow(format!(
                        "less than {} bytes came in {:?}; nothing was changed: send the whole upload again, faster",
                        self.pace.bytes_min, self.pace.window
                    )));
                }
                self.buffer.extend_from_slice(&bytes);
                Ok(())
            }
            Ok(None) => {
                self.ended = true;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn on_runtime<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(work)
    }

    fn lines(pieces: &[&str], line_bytes_max: usize) -> Vec<(u64, Option<String>)> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Bytes::copy_from_slice(piece.as_bytes())))
            .collect();
        on_runtime(async {
            let mut lines = Lines::new(futures::stream::iter(pieces), line_bytes_max);
            let mut all = Vec::new();
            loop {
                let batch = lines.batch(2, 10).await.unwrap();
                if batch.is_empty() {
                    return all;
                }
                all.extend(batch.into_iter().map(|line| {
                    let text = line
                        .text
                        .map(|text| String::from_utf8(text.to_vec()).unwrap());
                    (line.number, text)
                }));
            }
        })
    }

    #[test]
    fn a_line_of_the_limit_is_taken_and_one_byte_more_is_not() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            lines(&["12345\n123456\n\r\n1\n", "12345"], 5),
            [
                (1, some("12345")),
                (2, None),
                (4, some("1")),
                (5, some("12345"))
            ]
        );
        assert_eq!(
            lines(&["12", "34", "56", "78\n9"], 5),
            [(1, None), (2, some("9"))]
        );
        assert_eq!(lines(&["123456"], 5), [(1, None)]);
        assert_eq!(lines(&["1234567890", "\n"], 5), [(1, None)]);
        assert_eq!(lines(&[], 5), []);
    }

    #[test]
    fn an_upload_that_breaks_off_is_an_error() {
        let pieces = [
            Ok(Bytes::from("a\n")),
            Err(io::ErrorKind::ConnectionReset.into()),
        ];
        let mut lines = Lines::new(futures::stream::iter(pieces), 100);
        let error = on_runtime(lines.batch(9, 100)).unwrap_err();
        insta::assert_snapshot!(error, @"the upload broke off (connection reset); nothing was changed: send it again");
    }

    #[test]
    fn a_sender_is_measured_by_the_time_for_which_it_is_waited() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(PACE_WINDOW, PACE_BYTES_MIN);
        for _ in 0..3 {
            // The least is enough, however it comes.
            assert!(pace.keeps_up(59 * second, 1));
            assert!(pace.keeps_up(second, 60 * 1_024 - 1));
            assert!(pace.keeps_up(Duration::ZERO, 0));
            assert!(pace.keeps_up(90 * second, 60 * 1_024));
        }
        // What came before does not make up for what does not come.
        assert!(pace.keeps_up(Duration::ZERO, 60 * 1_024 - 1));
        assert!(!pace.keeps_up(60 * second, 0));
    }

    #[test]
    fn an_upload_that_is_too_slow_is_an_error() {
        let told = |bytes_min| {
            let pieces = futures::stream::iter(["a\n", "b\n", "c\n"]).then(|piece| async move {
                tokio::time::sleep(Duration::from_millis(30)).await;
                Ok(Bytes::from(piece))
            });
            on_runtime(async move {
                let mut lines = Lines::new(Box::pin(pieces), 100);
                lines.pace = Pace::new(Duration::from_millis(20), bytes_min);
                let read = lines.batch(9, 100).await;
                read.map(|lines| lines.len())
            })
        };
        assert_eq!(told(2).unwrap(), 3);
        insta::assert_snapshot!(told(3).unwrap_err(), @"less than 3 bytes came in 20ms; nothing was changed: send the whole upload again, faster");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_cuts_between_pieces_do_not_matter(
            text in "[ab\n]{0,40}",
            cuts in prop::collection::vec(0..40_usize, 0..6),
        ) {
            let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < text.len()).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
            prop_assert_eq!(lines(&pieces, 4), lines(&[&text], 4));
        }
    }
}
