//! How often the disk can be made to keep something.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::harness::Measurement;
use crate::row;
use crate::subjects::Asked;

const BLOCK: usize = 8_192;

/// 8 kB, written over and synced.
pub(super) fn measure(asked: &Asked) -> Result<Measurement> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("block");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    let block = [7; BLOCK];
    file.write_all(&block)?;
    file.sync_all()?;
    let mut us = row::empty();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(asked.seconds) {
        let sent = Instant::now();
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&block)?;
        file.sync_data()?;
        row::record(&mut us, sent.elapsed());
    }
    let rate = row::per_second(us.len(), begun.elapsed());
    Ok(Measurement::of(&asked.subject, &asked.row).value(rate, "1/s").latency(&us))
}
