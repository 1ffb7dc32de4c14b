//! Journals of clients and readers, as files of JSON lines.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use invariants::Journal;

/// Reads them all. A last line without its line break was cut off when its writer ended, and is left out.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Journal>> {
    let read = |file: &PathBuf| {
        let text = fs::read_to_string(file)
            .with_context(|| format!("{} can't be read", file.display()))?;
        parse(&text).with_context(|| format!("{} is not a journal", file.display()))
    };
    files.iter().map(read).collect()
}

fn parse(text: &str) -> Result<Journal> {
    let mut journal = Journal::default();
    for (number, line) in
        (1..).zip(text.split_inclusive('\n')).filter(|(_, line)| line.ends_with('\n'))
    {
        let line =
            serde_json::from_str(line).with_context(|| format!("line {number} can't be read"))?;
        journal.take(line);
    }
    Ok(journal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_left_out_and_another_that_can_t_be_read_is_named() {
        let whole = r#"{"line":"lost","attempt":1,"cause":"reset"}"#;
        assert!(parse(&format!("{whole}\n{{\"line\":\"ans")).is_ok());
        let error = parse(&format!("{whole}\nnonsense\n")).unwrap_err();
        assert_eq!(error.to_string(), "line 2 can't be read");
    }
}
