//! I17: nobody calls itself ready without what it can't do without, and nobody dead.
//!
//! **Invariant:** an outage that is too short to be told of proves nothing, and is not counted as if it did.

use std::time::Duration;

use crate::awake::Awake;
use crate::load::Tally;
use crate::probes::Heard;

/// A time in which something that a process can't do without was away.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    /// The process.
    pub(crate) process: String,
    pub(crate) from: Awake,
    pub(crate) to: Awake,
}

/// What is counted when a process said, late enough in an outage, that it is not ready.
pub(crate) const SAID: &str = "said that they are not ready";

/// What was heard against the outages; within so long a process has to say that it lacks something.
pub(crate) fn violations(
    heard: &Heard,
    outages: &[Outage],
    told_within: Duration,
    tally: &Tally,
) -> Vec<String> {
    let mut violations: Vec<String> =
        heard.dead.iter().map(|what| format!("I17: {what}")).collect();
    for Outage { process, from, to } in outages {
        let late = |at: Awake| at.since(*from) > told_within && at < *to;
        let asked = heard.readiness.iter().filter(|said| said.process == *process);
        let mut asked = asked.filter(|said| late(said.at)).peekable();
        if asked.peek().is_none() {
            continue;
        }
        if let Some(ready) = asked.find(|said| said.ready) {
            violations.push(format!(
                "I17: {process} called itself ready {:.1} s after what it needs was gone",
                ready.at.since(*from).as_secs_f64()
            ));
        } else {
            tally.one(SAID);
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::Readiness;

    const TOLD_WITHIN: Duration = Duration::from_secs(7);

    /// An outage of the command-service from second 10 on for so long, in which it was asked at these seconds; the last said
    /// that it is ready or not.
    fn judged(lasts_s: u64, asked_at_s: &[u64], last_is_ready: bool) -> (Vec<String>, u64) {
        let begun = Awake::now();
        let at = |seconds| begun.after(Duration::from_secs(seconds));
        let process = || "command-service".to_owned();
        let outage = Outage { process: process(), from: at(10), to: at(10 + lasts_s) };
        let mut heard = Heard::default();
        for (n, second) in asked_at_s.iter().enumerate() {
            let ready = last_is_ready && n + 1 == asked_at_s.len();
            heard.readiness.push(Readiness { process: process(), at: at(*second), ready });
        }
        let tally = Tally::default();
        let violations = violations(&heard, &[outage], TOLD_WITHIN, &tally);
        (violations, tally.get(SAID))
    }

    #[test]
    fn who_calls_itself_ready_long_into_an_outage_is_found() {
        let (violations, said) = judged(12, &[9, 12, 20], true);
        let expected =
            "I17: command-service called itself ready 10.0 s after what it needs was gone";
        assert_eq!((violations, said), (vec![expected.to_owned()], 0));
    }

    #[test]
    fn who_says_that_it_is_not_ready_is_counted() {
        assert_eq!(judged(12, &[12, 18, 20], false), (Vec::new(), 1));
    }

    #[test]
    fn a_short_outage_and_one_in_which_nobody_was_asked_prove_nothing() {
        assert_eq!(judged(5, &[9, 12, 14], true), (Vec::new(), 0));
        assert_eq!(judged(12, &[9, 12, 25], true), (Vec::new(), 0));
    }

    #[test]
    fn who_answers_that_it_is_not_alive_is_found() {
        let mut heard = Heard::default();
        heard.dead.push("gateway answered 500 on /health/live".to_owned());
        let found = violations(&heard, &[], TOLD_WITHIN, &Tally::default());
        assert_eq!(found, ["I17: gateway answered 500 on /health/live"]);
    }
}
