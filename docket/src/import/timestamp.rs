//! A row's time: `YYYY-MM-DD HH:MM:SS`, taken as UTC.

use chrono::{DateTime, NaiveDateTime, SecondsFormat};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Timestamp(i64);

impl Timestamp {
    /// Reads the file's form; another form, or a day that does not exist, is no time.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?;
        // chrono also accepts `2010-1-1`; the file's form has 19 characters, no more and no fewer.
        (text.len() == 19).then(|| Self(time.and_utc().timestamp()))
    }

    /// Reads what the platform answers; parts of a second are left out.
    pub(crate) fn parse_rfc3339(text: &str) -> Option<Self> {
        Some(Self(DateTime::parse_from_rfc3339(text).ok()?.timestamp()))
    }

    /// The same time of the day before.
    #[cfg(test)]
    pub(crate) fn day_before(self) -> Self {
        Self(self.0 - 86_400)
    }

    /// RFC 3339, as the platform's commands take it.
    pub(crate) fn rfc3339(self) -> String {
        DateTime::from_timestamp_secs(self.0)
            .map_or_else(String::new, |time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_time_is_utc() {
        let time = Timestamp::parse("2010-12-01 08:26:00").unwrap();
        assert_eq!(time.rfc3339(), "2010-12-01T08:26:00Z");
        assert_eq!(Timestamp::parse_rfc3339(&time.rfc3339()), Some(time));
    }

    #[test]
    fn another_form_is_no_time() {
        for text in
            ["2010-12-01", "2010-02-30 08:26:00", "2010-1-01 08:26:00", "01/12/2010 08:26", ""]
        {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
