//! The time that a client gives to what it asks for: past at will, for what is brought in later, but not far ahead.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::problem::{Code, Problem};

/// The years that a business time may lie in; outside them a date is a slip, and not every store can keep it.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9998;

/// How far ahead of our clock a client's may be, or its day.
const MOST_AHEAD: TimeDelta = TimeDelta::hours(24);

/// When it happened: RFC 3339, from 1970 on and at most 24 hours ahead of the clock
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BusinessTime(DateTime<Utc>);

/// The text is no business time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is RFC 3339, such as `2010-12-01T08:26:00Z`, in a year from 1970 to 9998")]
pub struct InvalidTime;

impl BusinessTime {
    /// Parses the text.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        Self::at(DateTime::parse_from_rfc3339(text).map_err(|_| InvalidTime)?.to_utc())
    }

    /// Checks a time.
    pub fn at(time: DateTime<Utc>) -> Result<Self, InvalidTime> {
        if YEARS.contains(&time.year()) { Ok(Self(time)) } else { Err(InvalidTime) }
    }

    /// The time.
    pub fn get(self) -> DateTime<Utc> {
        self.0
    }

    /// Refuses what is said to have happened more than a day from `now`: reports would show it in a month to come.
    pub fn check(self, now: DateTime<Utc>) -> Result<(), Problem> {
        if self.0.signed_duration_since(now) <= MOST_AHEAD {
            return Ok(());
        }
        let detail = format!("`{}` is more than 24 hours from now", shown(self.0));
        Err(Problem::from(Code::TimeInFuture).mistake("/occurred_at", detail))
    }

    /// Refuses what is said to have happened before what it follows from: a slip of the pen would move it to another month of the
    /// reports.
    pub fn check_after(self, cause: DateTime<Utc>, happened: &str) -> Result<(), Problem> {
        if self.0 >= cause {
            return Ok(());
        }
        let (given, cause) = (shown(self.0), shown(cause));
        let detail = format!("`{given}` is before `{cause}`, when {happened}");
        Err(Problem::from(Code::TimeBeforeCause).mistake("/occurred_at", detail))
    }
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl<'de> Deserialize<'de> for BusinessTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_did_not_happen_more_than_a_day_from_now() {
        let now = BusinessTime::parse("2010-12-01T08:26:00Z").unwrap().get();
        for right in ["1970-01-01T00:00:00Z", "2010-12-01T08:26:00Z", "2010-12-02T08:26:00Z"] {
            assert!(BusinessTime::parse(right).unwrap().check(now).is_ok(), "{right}");
        }
        for wrong in ["2010-12-02T08:26:01Z", "2999-01-01T00:00:00Z", "9998-12-31T00:00:00Z"] {
            let refused = BusinessTime::parse(wrong).unwrap().check(now).unwrap_err();
            assert_eq!(refused.code(), "time_in_future", "{wrong}");
        }
    }

    #[test]
    fn nothing_happened_before_its_cause() {
        let cause = BusinessTime::parse("2010-12-01T08:26:00Z").unwrap().get();
        let check = |text| {
            let given = BusinessTime::parse(text).unwrap();
            given.check_after(cause, "it began").map_err(|problem| problem.to_json())
        };
        assert!(check("2010-12-01T08:26:00Z").is_ok(), "at the same time is not before");
        let refused = check("2010-12-01T09:25:59+01:00").unwrap_err();
        assert_eq!(refused["code"], "time_before_cause");
        assert!(refused["detail"].as_str().unwrap().ends_with("when it began"), "{refused}");
    }

    #[test]
    fn a_business_time_is_rfc_3339_in_a_year_that_can_be_meant() {
        for right in ["2010-12-01T08:26:00Z", "1970-01-01T00:00:00Z", "9998-12-31T23:59:59+01:00"] {
            assert!(BusinessTime::parse(right).is_ok(), "{right}");
        }
        for wrong in ["yesterday", "2010-12-01", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", ""]
        {
            assert_eq!(BusinessTime::parse(wrong), Err(InvalidTime), "{wrong}");
        }
    }
}
