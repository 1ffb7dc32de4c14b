//! Numbers as people read them.

use std::str::FromStr;

pub(crate) use domain::figures::grouped;

/// Reads a whole number of the command line, in words of ours when it is none.
pub(crate) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "is not a whole number, at least 0".to_owned())
}

/// A number with what it counts, in the plural where it is one.
pub(crate) fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([counted(1, "event"), counted(1_000, "event")], ["1 event", "1,000 events"]);
    }
}
