//! What holds of any bytes that are handed over as a file of rows. `fuzz/` holds the same.

use std::io::Cursor;

use crate::import::rows::{Retail, read_source};
use crate::import::source::Source;

/// Panics where it does not hold; gives what was read, or what is said about the file.
pub(crate) fn check(bytes: &[u8]) -> Result<Retail, String> {
    let read = || {
        let mut retail = Retail::default();
        let source = Source::of(Cursor::new(bytes.to_vec())).expect("bytes in memory");
        let read = read_source("file.csv", source, &mut retail);
        read.map(|()| retail).map_err(|wrong| format!("{wrong:#}"))
    };
    let read_once = read();
    match (&read_once, read()) {
        (Ok(retail), Ok(again)) => {
            assert_eq!(retail.rows, again.rows);
            assert_eq!(retail.files.len(), 1);
            assert_eq!(retail.files[0].is_empty, retail.rows.is_empty());
            check_places(retail);
        }
        (Err(said), Err(again)) => {
            assert_eq!(*said, again);
            check_words(said);
        }
        (first, second) => panic!("read twice it is {first:?} and {second:?}"),
    }
    read_once
}

/// Every row knows its line, below the one that names the columns.
fn check_places(retail: &Retail) {
    let lines: Vec<u32> = retail.rows.iter().map(|row| row.place.line).collect();
    assert!(lines.first().is_none_or(|line| *line > 1), "{lines:?}");
    assert!(lines.is_sorted_by(|before, after| before < after), "{lines:?}");
    for row in &retail.rows {
        assert!(!retail.names.text(row.sku).is_empty(), "{row:?}");
        assert!(!retail.names.text(row.country).is_empty(), "{row:?}");
    }
}

/// A file that is refused is named with the line, on one line of a terminal; but a damaged gzip has no lines.
fn check_words(said: &str) {
    assert!(said.chars().count() < 1_000 && !said.chars().any(char::is_control), "{said:?}");
    let rest = said.strip_prefix("file.csv:").unwrap_or_else(|| panic!("no file in {said:?}"));
    let line = rest.split(':').next().unwrap_or_default();
    let is_packed = rest.starts_with(" the compressed file ");
    assert!(is_packed || line.parse::<u64>().is_ok_and(|line| line > 0), "no line in {said:?}");
}
