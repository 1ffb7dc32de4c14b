//! Journals of clients and readers, as files of JSON lines.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use invariants::{Journal, Rule};

use crate::numbers::counted;

/// What was written down, and what should be known of it.
#[derive(Debug, Default)]
pub(super) struct Journals {
    pub(super) all: Vec<Journal>,
    pub(super) notes: Vec<String>,
}

impl Journals {
    /// Reads them all. A line that can't be read is an error, but for a last one that was cut off when its writer ended: that one
    /// is left out, and told.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self> {
        let mut journals = Self::default();
        for file in files {
            let bytes =
                fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
            let read = Read::parse(&bytes)
                .with_context(|| format!("{} is not a journal", file.display()))?;
            journals.notes.extend(read.notes(file));
            journals.all.push(read.journal);
        }
        Ok(journals)
    }
}

/// A journal as it was read.
#[derive(Debug, Default)]
struct Read {
    journal: Journal,
    /// The lines that could be read.
    lines: u64,
    is_cut_off: bool,
}

impl Read {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let mut read = Self::default();
        for (number, line) in (1_u64..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            match serde_json::from_slice(line) {
                Ok(line) => {
                    let taken = read.journal.take(line);
                    taken.with_context(|| format!("line {number} answers no question"))?;
                    read.lines += 1;
                }
                // Only the last one can have no line break.
                Err(_) if !line.ends_with(b"\n") => read.is_cut_off = true,
                Err(error) => {
                    return Err(error).with_context(|| format!("line {number} can't be read"));
                }
            }
        }
        Ok(read)
    }

    fn notes(&self, file: &Path) -> Vec<String> {
        let (file, mut notes) = (file.display(), Vec::new());
        if self.is_cut_off {
            notes.push(format!("The last line of {file} was cut off, and is left out."));
        }
        if self.journal.speaks_of().is_empty() {
            let rules = Rule::ALL.iter().filter(|rule| rule.needs_journal());
            let rules: Vec<&str> = rules.map(|rule| rule.id()).collect();
            let has = match self.lines {
                0 => "it has no line".to_owned(),
                lines => format!("it has {}", counted(lines, "line")),
            };
            notes.push(format!(
                "{file} says nothing of {} ({has}): they were not checked with it.",
                rules.join(", ")
            ));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = r#"{"line":"asked","attempt":1,"key":"k","path":"/v1/orders","body":{}}"#;
    const ANSWERED: &str =
        r#"{"line":"answered","attempt":1,"status":200,"body":{"position":1,"name":"Zoë"}}"#;

    fn notes(bytes: &[u8]) -> Vec<String> {
        Read::parse(bytes).unwrap().notes(Path::new("j.jsonl"))
    }

    #[test]
    fn a_line_that_was_cut_off_is_left_out_and_another_that_can_t_be_read_is_named() {
        let text = format!("{ASKED}\n{ANSWERED}\n{ASKED}");
        let cut_off = "The last line of j.jsonl was cut off, and is left out.";
        for less in 1..ASKED.len() {
            let read = &text.as_bytes()[..text.len() - less];
            assert_eq!(notes(read), [cut_off], "{less} bytes less");
        }
        assert_eq!(notes(text.as_bytes()), [""; 0], "a line that is whole needs no line break");
        // In the middle of a letter, too.
        let in_a_letter = text.find('ë').unwrap() + 1;
        assert_eq!(notes(&text.as_bytes()[..in_a_letter])[0], cut_off);
        for (torn, line) in [
            (format!("{ASKED}\n{{\"line\":\"ans\n{ASKED}\n"), 2),
            (format!("{ASKED}\nnonsense\n"), 2),
            (format!("\n{ASKED}\n"), 1),
        ] {
            let error = Read::parse(torn.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("line {line} can't be read"));
        }
    }

    #[test]
    fn an_answer_without_its_question_is_named_by_its_line() {
        let again = format!("{ASKED}\n{ANSWERED}\n{ANSWERED}\n");
        for (text, line) in [(ANSWERED, 1), (again.as_str(), 3)] {
            let error = format!("{:#}", Read::parse(text.as_bytes()).unwrap_err());
            let begins =
                format!("line {line} answers no question: it tells what became of attempt 1");
            assert!(error.starts_with(&begins), "{error}");
        }
    }

    #[test]
    fn a_journal_that_says_nothing_is_noted() {
        let nothing = |has: &str| {
            format!(
                "j.jsonl says nothing of I1, I3, I13, I14 ({has}): they were not checked with it."
            )
        };
        assert_eq!(notes(b""), [nothing("it has no line")]);
        let asked = format!("{ASKED}\n");
        assert_eq!(notes(asked.as_bytes()), [nothing("it has 1 line")]);
        assert_eq!(notes(format!("{asked}{{").as_bytes())[1], nothing("it has 1 line"));
    }
}
