//! Says on stderr when the platform does not answer, and when it does again. The requests themselves are patient and quiet.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use service_kit::clock::Clock;

use super::client::Client;
use super::progress::Progress;

/// How often the platform is asked.
const EVERY: Duration = Duration::from_millis(500);
/// How long it may take to say that it lives.
const PATIENCE: Duration = Duration::from_millis(900);
/// Questions in a row without an answer after which it is said.
const SILENT: u32 = 2;

/// Watches until the import has ended, which ends this too.
pub(crate) async fn watch(client: Client, progress: Progress, clock: Clock) {
    let mut silence = Silence::default();
    loop {
        let asked = clock();
        let answered = client.answers(PATIENCE).await;
        let said = silence.heard(answered, asked, clock());
        if let Some(said) = said.map(|said| said.text(client.url(), client.patience.away)) {
            progress.say(&said);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// It does not answer since then.
    Away { since: DateTime<Utc> },
    /// It answers again, after so long.
    Back { after: Duration },
}

impl Said {
    fn text(self, url: &str, patience: Duration) -> String {
        match self {
            Self::Away { since } => {
                let until = (since + patience).to_rfc3339_opts(SecondsFormat::Secs, true);
                format!("the platform does not answer at {url}; trying again until {until}")
            }
            Self::Back { after } => format!(
                "the platform at {url} answers again, after {} s; the import goes on",
                after.as_secs().max(1)
            ),
        }
    }
}

/// How long the platform has been silent. One that never answered is not missed: who waits for it says so.
#[derive(Debug, Default)]
struct Silence {
    has_answered: bool,
    unanswered: u32,
    since: Option<DateTime<Utc>>,
}

impl Silence {
    fn heard(&mut self, answered: bool, asked: DateTime<Utc>, now: DateTime<Utc>) -> Option<Said> {
        if answered {
            self.has_answered = true;
            let missed = std::mem::take(&mut self.unanswered) >= SILENT;
            let since = self.since.take().filter(|_| missed)?;
            return Some(Said::Back { after: (now - since).to_std().unwrap_or_default() });
        }
        if self.has_answered {
            let since = *self.since.get_or_insert(asked);
            self.unanswered = self.unanswered.saturating_add(1);
            return (self.unanswered == SILENT).then_some(Said::Away { since });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_secs(1_291_190_400 + second).unwrap()
    }

    /// What is said after these answers, one a second.
    fn heard(answers: &[bool]) -> Vec<Option<Said>> {
        let mut silence = Silence::default();
        let times = (0..).zip(answers);
        times.map(|(second, answered)| silence.heard(*answered, at(second), at(second))).collect()
    }

    #[test]
    fn an_absence_is_said_once_and_its_end_too() {
        let away = Some(Said::Away { since: at(1) });
        let back = Some(Said::Back { after: Duration::from_secs(3) });
        assert_eq!(
            heard(&[true, false, false, false, true, true]),
            [None, None, away, None, back, None]
        );
    }

    #[test]
    fn one_late_answer_and_a_platform_that_never_answered_are_not_said() {
        assert_eq!(heard(&[true, false, true, false, true]), [None; 5]);
        assert_eq!(heard(&[false, false, false]), [None; 3]);
    }

    #[test]
    fn what_is_said_names_the_address_and_the_time() {
        let text = |said: Said| said.text("http://shop:8080", Duration::from_mins(1));
        let away = text(Said::Away { since: at(0) });
        assert_eq!(
            away,
            "the platform does not answer at http://shop:8080; trying again until 2010-12-01T08:01:00Z"
        );
        assert!(text(Said::Back { after: Duration::from_secs(12) }).contains("after 12 s"));
    }
}
