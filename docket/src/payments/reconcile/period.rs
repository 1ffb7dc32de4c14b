//! Which payments are compared: those that were begun in a period.

use anyhow::{Result, bail};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::Serialize;

/// From a moment on, and before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Period {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

impl Period {
    /// What was said; else the whole day before today, in UTC.
    pub(super) fn of(
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
        let to = to.unwrap_or(today);
        let from = from.or_else(|| to.checked_sub_days(Days::new(1))).unwrap_or(to);
        if from >= to {
            bail!("the period ends at {to}, before it begins at {from}");
        }
        Ok(Self { from, to })
    }

    pub(super) fn has(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }
}

/// A day, or a moment.
pub(super) fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    if let Ok(day) = day {
        return Ok(day.and_time(NaiveTime::MIN).and_utc());
    }
    let moment = DateTime::parse_from_rfc3339(text);
    moment.map(|moment| moment.to_utc()).map_err(|_| {
        "is neither a day like 2026-11-30 (in UTC) nor a moment like 2026-11-30T06:00:00Z"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_words_it_is_the_day_before_today() {
        let now = moment("2026-11-30T04:10:00Z").unwrap();
        let Period { from, to } = Period::of(None, None, now).unwrap();
        assert_eq!((from, to), (moment("2026-11-29").unwrap(), moment("2026-11-30").unwrap()));
        let since = Period::of(Some(moment("2026-11-01").unwrap()), None, now).unwrap();
        assert!(since.has(moment("2026-11-29T23:59:59Z").unwrap()) && !since.has(now));
        assert!(Period::of(Some(now), Some(from), now).is_err());
        assert!(moment("yesterday").is_err());
        assert_eq!(moment("2026-11-30T01:00:00+01:00"), moment("2026-11-30"));
    }
}
