//! A file's bytes: plain or gzip (told apart by the first two bytes), hashed while they pass.
//!
//! **Invariant:** the hash is that of the unpacked content, so a file and its gzip are the same file.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use aws_lc_rs::digest;
use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// Bytes that are kept of a line.
const LONGEST_LINE: usize = 1 << 16;

/// The unpacked bytes of one file.
pub(crate) struct Source {
    bytes: Box<dyn Read>,
    digest: digest::Context,
    last_line: Vec<u8>,
}

impl Source {
    /// Opens a file and looks at its first bytes.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("{shown}: can't be opened"))?;
        let mut file = BufReader::new(file);
        let start = file.fill_buf().with_context(|| format!("{shown}: can't be read"))?;
        let bytes: Box<dyn Read> = if start.starts_with(&GZIP_MAGIC) {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        Ok(Self { bytes, digest: digest::Context::new(&digest::SHA256), last_line: Vec::new() })
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
        let length = self.bytes.read(buffer)?;
        let read = &buffer[..length];
        self.digest.update(read);
        self.keep_last_line(read);
        Ok(length)
    }
}
