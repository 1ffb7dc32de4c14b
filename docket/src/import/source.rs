//! A file's bytes: plain or gzip (told apart by the first two bytes), hashed while they pass.
//!
//! **Invariant:** the hash is that of the unpacked content, so a file and its gzip are the same file.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use anyhow::Context;
use aws_lc_rs::digest;
use flate2::bufread::MultiGzDecoder;

use super::lines::Lines;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Bytes that are kept of a line.
const LONGEST_LINE: usize = 1 << 16;

/// The unpacked bytes of one file.
pub(crate) struct Source {
    bytes: Box<dyn Read>,
    is_packed: bool,
    /// Why it could not be read on, if it could not.
    failed: Option<Failure>,
    digest: digest::Context,
    last_line: Vec<u8>,
    lines: Lines,
}

/// An error that the bytes ended in.
struct Failure {
    kind: ErrorKind,
    words: String,
}

impl Source {
    /// Opens a file and looks at its first bytes.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("{shown}: can't be opened"))?;
        Self::of(BufReader::new(file)).with_context(|| format!("{shown}: can't be read"))
    }

    /// The content that comes out of a reader, looking at its first bytes.
    pub(crate) fn of(mut packed: impl BufRead + 'static) -> std::io::Result<Self> {
        let is_packed = packed.fill_buf()?.starts_with(&GZIP_MAGIC);
        let bytes: Box<dyn Read> =
            if is_packed { Box::new(MultiGzDecoder::new(packed)) } else { Box::new(packed) };
        let digest = digest::Context::new(&digest::SHA256);
        let (last_line, lines) = (Vec::new(), Lines::new());
        Ok(Self { bytes, is_packed, failed: None, digest, last_line, lines })
    }

    /// What is wrong with a packed file, if something is. Only its end tells: the rest of it is read for that.
    pub(crate) fn damage(&mut self) -> Option<String> {
        if !self.is_packed {
            return None;
        }
        if self.failed.is_none() {
            // What it comes to is kept with the source.
            drop(std::io::copy(self, &mut std::io::sink()));
        }
        let Failure { kind, words } = self.failed.as_ref()?;
        Some(match kind {
            ErrorKind::UnexpectedEof => "ends too early".to_owned(),
            _ => format!("is damaged ({words})"),
        })
    }

    /// The hash of what has been read, as hexadecimal digits; a last line counts the same with and without its break.
    pub(crate) fn hash(&self) -> String {
        let nibble = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        let mut digest = self.digest.clone();
        if !self.last_line.is_empty() {
            digest.update(b"\n");
        }
        let hash = digest.finish();
        hash.as_ref().iter().flat_map(|byte| [nibble(byte >> 4), nibble(byte & 15)]).collect()
    }

    /// What was read after the last line break: the end of a last line that has none, empty otherwise.
    pub(crate) fn unended_line(&self) -> &[u8] {
        &self.last_line
    }

    /// The line, counted from 1, of the row that the reader has found at this byte.
    pub(crate) fn line_at(&self, byte: u64) -> u64 {
        self.lines.at(byte)
    }

    fn keep_last_line(&mut self, read: &[u8]) {
        let line = match read.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(line_break) => {
                self.last_line.clear();
                &read[line_break + 1..]
            }
            None => read,
        };
        // A line that is longer is no line of such a file: its row is refused for that.
        let room = LONGEST_LINE.saturating_sub(self.last_line.len());
        self.last_line.extend(&line[..line.len().min(room)]);
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.bytes.read(buffer).inspect_err(|error| {
            self.failed = Some(Failure { kind: error.kind(), words: error.to_string() });
        })?;
        let read = &buffer[..length];
        self.digest.update(read);
        self.keep_last_line(read);
        self.lines.look(read);
        Ok(length)
    }
}
