//! What commands print.
//!
//! **Invariant:** a reader that has seen enough (`docket digest | head -1`) is no error and ends no work under way;
//! `println!` would panic, so nothing here uses it.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Error, Result};
use serde_json::json;

use crate::config::LogFormat;

/// Whoever reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// It takes what comes.
    Listening,
    /// It has closed the pipe: what only prints may end.
    Gone,
}

/// Prints a line.
pub(crate) fn line(text: impl Display) -> Result<Reader> {
    told(writeln!(std::io::stdout(), "{text}"))
}

/// Prints a text that brings its own line breaks.
pub(crate) fn text(text: impl Display) -> Result<Reader> {
    told(write!(std::io::stdout(), "{text}"))
}

/// Prints what a process says to whoever started it: a line like those of its log, for people or for machines.
pub(crate) fn of_process(format: LogFormat, text: String) -> Result<Reader> {
    match format {
        LogFormat::Text => line(text),
        LogFormat::Json => line(json!({ "level": "INFO", "target": "docket", "message": text })),
    }
}

/// Says on stderr what went wrong. When nobody can be told, the exit code has to do.
pub(crate) fn complain(error: &Error) {
    drop(writeln!(std::io::stderr(), "docket: {}", in_words(error)));
}

/// An error with its causes, each said once. A server that is not there is told apart from everything that can go wrong with
/// one: whoever reads it can do something.
pub(crate) fn in_words(error: &Error) -> String {
    let refused = |cause: &std::io::Error| cause.kind() == ErrorKind::ConnectionRefused;
    if error.root_cause().downcast_ref().is_some_and(refused) {
        return format!(
            "{error} (connection refused): does its server run, and is this its address?"
        );
    }
    error.chain().map(ToString::to_string).fold(String::new(), |mut said, cause| {
        if said.is_empty() {
            return cause;
        }
        if !said.ends_with(&cause) {
            said.push_str(": ");
            said.push_str(&cause);
        }
        said
    })
}

/// Says on stderr what whoever looks on should know, though nothing is wrong.
pub(crate) fn note(text: impl Display) {
    drop(writeln!(std::io::stderr(), "docket: {text}"));
}

/// Says on stderr that what is shown may be older than the log is, where it says so.
pub(crate) fn note_stale(why: Option<&str>) {
    if let Some(why) = why {
        note(format_args!("what is shown may be old: {why}"));
    }
}

fn told(written: std::io::Result<()>) -> Result<Reader> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        written => {
            written.map(|()| Reader::Listening).context("the standard output can't be written")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once_and_a_server_that_is_not_there_in_one_sentence() {
        let error = Error::msg("no URL").context("wrong words: no URL").context("it can't be read");
        assert_eq!(in_words(&error), "it can't be read: wrong words: no URL");
        let refused = std::io::Error::from(ErrorKind::ConnectionRefused);
        let error = Error::new(refused).context("pool").context("db:5432/log can't be read");
        assert_eq!(
            in_words(&error),
            "db:5432/log can't be read (connection refused): does its server run, and is this its address?"
        );
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is_one() {
        assert_eq!(told(Ok(())).unwrap(), Reader::Listening);
        assert_eq!(told(Err(ErrorKind::BrokenPipe.into())).unwrap(), Reader::Gone);
        told(Err(ErrorKind::StorageFull.into())).unwrap_err();
    }
}
