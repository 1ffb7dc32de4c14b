//! Says on stderr when the platform does not answer, and when it does again; and when it answers and nothing comes to its
//! end. The requests themselves are patient and quiet.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use service_kit::clock::Clock;

use super::client::Client;
use super::progress::Progress;

/// How often the platform is asked.
const EVERY: Duration = Duration::from_millis(500);
/// How long it may take to say that it lives.
const PATIENCE: Duration = Duration::from_millis(900);
/// How often it is said that nothing comes to its end, seconds.
const SAID_EVERY_S: i64 = 60;
/// Questions in a row without an answer after which it is said.
const SILENT: u32 = 2;

/// Watches until the import has ended, which ends this too.
pub(crate) async fn watch(client: Client, progress: Progress, clock: Clock) {
    let mut silence = Silence::default();
    let mut standstill = Standstill::of(&client);
    loop {
        let asked = clock();
        let answered = client.answers(PATIENCE).await;
        if answered && let Some(lasts) = standstill.seen(progress.at(), clock()) {
            let troubles = client.troubles(PATIENCE).await;
            progress.say(&stands_still(&progress.at(), lasts, client.waiting(), troubles));
        }
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

/// How long nothing has come to its end.
#[derive(Debug)]
struct Standstill {
    bears: Duration,
    at: (String, u64, u64),
    since: Option<DateTime<Utc>>,
    said: Option<DateTime<Utc>>,
}

impl Standstill {
    fn of(client: &Client) -> Self {
        let bears = client.patience.standstill;
        Self { bears, at: Default::default(), since: None, said: None }
    }

    /// How long it has been so, when that is to be said: at first, and then every minute.
    fn seen(&mut self, at: (String, u64, u64), now: DateTime<Utc>) -> Option<Duration> {
        // Before the first phase the platform is waited for, and after the last step nothing is.
        let has_ended = at.0.is_empty() || at.1 == at.2;
        if self.at != at || has_ended {
            (self.at, self.since, self.said) = (at, None, None);
        }
        let since = *self.since.get_or_insert(now);
        let lasts = (now - since).to_std().unwrap_or_default();
        let again = self.said.is_none_or(|said| (now - said).num_seconds() >= SAID_EVERY_S);
        if has_ended || lasts < self.bears || !again {
            return None;
        }
        self.said = Some(now);
        Some(lasts)
    }
}

fn stands_still(
    (phase, done, all): &(String, u64, u64),
    lasts: Duration,
    waiting: usize,
    troubles: Option<Vec<String>>,
) -> String {
    let seconds = lasts.as_secs();
    let waits = match waiting {
        0 => String::new(),
        waiting => format!("; {waiting} wait until the platform has carried them out"),
    };
    let says = match troubles {
        None => "it does not say how its parts are".to_owned(),
        Some(troubles) if troubles.is_empty() => "it says that all its parts work".to_owned(),
        Some(troubles) => format!("it says of its parts: {}", troubles.join(", ")),
    };
    format!(
        "nothing has come to its end for {seconds} s: {phase}, {done} of {all}{waits}; {says}. The import goes on by itself"
    )
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
    fn a_standstill_is_said_after_a_while_and_then_once_a_minute_until_something_is_done() {
        let bears = Duration::from_secs(10);
        let mut standstill = Standstill { bears, at: Default::default(), since: None, said: None };
        let orders = |done| ("orders".to_owned(), done, 127);
        let mut said = |done, second| {
            let seen = standstill.seen(orders(done), at(second));
            seen.map(|lasts| lasts.as_secs())
        };
        let heard = [0, 9, 10, 11, 69, 70].map(|second| said(12, second));
        assert_eq!(heard, [None, None, Some(10), None, None, Some(70)]);
        assert_eq!([said(13, 71), said(13, 80), said(13, 81)], [None, None, Some(10)]);
        assert_eq!([said(127, 90), said(127, 200)], [None, None], "nothing is left to be done");
        let mut arrival = Standstill { bears, at: Default::default(), since: None, said: None };
        assert_eq!(arrival.seen(Default::default(), at(0)), None);
        assert_eq!(arrival.seen(Default::default(), at(99)), None, "the platform is waited for");
    }

    #[test]
    fn who_waits_reads_what_for_and_what_the_platform_says_of_itself() {
        let at = ("orders".to_owned(), 12, 127);
        let said =
            |waiting, troubles| stands_still(&at, Duration::from_secs(10), waiting, troubles);
        let away = vec!["saga-orchestrator: is not there".to_owned()];
        assert_eq!(
            said(8, Some(away)),
            "nothing has come to its end for 10 s: orders, 12 of 127; 8 wait until the platform has carried them out; \
             it says of its parts: saga-orchestrator: is not there. The import goes on by itself"
        );
        assert!(said(0, Some(vec![])).contains("127; it says that all its parts work"));
        assert!(said(0, None).contains("does not say how its parts are"));
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
