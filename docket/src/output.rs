//! What commands print.
//!
//! **Invariant:** a reader that has seen enough (`docket digest | head -1`) is no error and ends no work under way;
//! `println!` would panic, so nothing here uses it.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Error, Result};

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

/// Says on stderr what went wrong. When nobody can be told, the exit code has to do.
pub(crate) fn complain(error: &Error) {
    drop(writeln!(std::io::stderr(), "docket: {error:#}"));
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
    fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is_one() {
        assert_eq!(told(Ok(())).unwrap(), Reader::Listening);
        assert_eq!(told(Err(ErrorKind::BrokenPipe.into())).unwrap(), Reader::Gone);
        told(Err(ErrorKind::StorageFull.into())).unwrap_err();
    }
}
