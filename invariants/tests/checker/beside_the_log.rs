//! What stands beside the log: remembered answers, open intents, and where followers stand.

use std::collections::HashSet;

use event_store::{LogIdentity, Mark, StoredAnswer};
use invariants::{Appends, Checker, Finding, Follower, Followers, Report, Rule};
use uuid::Uuid;

use crate::log::{Log, clean, id_at};

fn told(position: u64) -> StoredAnswer {
    StoredAnswer { status: 200, body: r#"{"id":"mug"}"#.to_owned(), version: 1, position }
}

/// Compares every append with an answer that may be changed.
fn with_answers(log: &Log, change: impl Fn(&str, StoredAnswer) -> Option<StoredAnswer>) -> Report {
    let (mut checker, mut appends) = (Checker::default(), Appends::default());
    let mut ended = Vec::new();
    for event in log.recorded() {
        checker.observe(&event);
        ended.extend(appends.observe(&event));
    }
    ended.extend(appends.finish());
    assert_eq!(ended.len(), log.0.len());
    for append in &ended {
        let answer = change(&append.command_id, told(append.last));
        checker.compare_answer(append, answer.as_ref());
    }
    checker.finish()
}

#[track_caller]
fn only(report: &Report) -> &Finding {
    let [found] = &report.findings[..] else { panic!("{:#?}", report.findings) };
    found
}

/// The clean log; its second append, two events at 4 and 5 of one command, is a client's.
fn of_client() -> Log {
    let mut log = clean();
    let reserved = log.find("o1", "StockReserved");
    "client/reserve".clone_into(&mut log.0[reserved].command_id);
    log
}

#[test]
fn answers_that_are_of_their_events_are_clean() {
    let report = with_answers(&of_client(), |_, answer| Some(answer));
    assert!(report.is_clean(), "{:#?}", report.findings);
    let nothing = |_: &str, answer| Some(StoredAnswer { body: "{}".to_owned(), ..answer });
    assert!(with_answers(&clean(), nothing).is_clean(), "the platform's own say nothing");
}

#[test]
fn an_answer_that_is_missing_of_other_events_or_empty_is_found() {
    let mine = |id: &str| id == "client/reserve";
    let missing = with_answers(&of_client(), |id, answer| (!mine(id)).then_some(answer));
    let found = only(&missing);
    assert_eq!((found.rule, found.positions.as_slice()), (Rule::Once, &[4, 5][..]));

    let shorter =
        with_answers(&of_client(), |id, answer| Some(if mine(id) { told(4) } else { answer }));
    let found = only(&shorter);
    assert_eq!((found.rule, found.positions.as_slice()), (Rule::Once, &[4, 5][..]));
    assert!(found.statement.contains("its 2 events end at 5"), "{found:?}");

    for (status, body) in [(200, "{}"), (200, "nonsense"), (500, r#"{"id":"mug"}"#)] {
        let useless = with_answers(&of_client(), |id, answer| {
            let useless = StoredAnswer { status, body: body.to_owned(), ..answer.clone() };
            Some(if mine(id) { useless } else { answer })
        });
        assert_eq!(only(&useless).rule, Rule::SameAnswer, "{status} {body}");
    }
}

/// Compares the log, up to where the capture was asked for at 13, with these open calls.
fn with_calls(head: u64, calls: &[&str]) -> Report {
    let mut log = clean();
    log.0.truncate(log.find("o1", "CaptureRequested") + 1);
    let mut checker = Checker::default();
    log.recorded().iter().for_each(|event| checker.observe(event));
    let open: HashSet<String> = calls.iter().map(|key| (*key).to_owned()).collect();
    checker.compare_intents_read_before(head, &open);
    checker.finish()
}

#[test]
fn what_the_provider_was_asked_has_its_intent_until_the_outcome_is_recorded() {
    assert!(with_calls(13, &["o1-p1/capture/1"]).is_clean());
    assert!(with_calls(12, &[]).is_clean(), "it was asked after the intents were read");
    let forgotten = with_calls(13, &["o1-p1/capture/2"]);
    let found = only(&forgotten);
    assert_eq!((found.rule, found.positions.as_slice()), (Rule::Charges, &[13][..]));
}

fn log_identity(epoch: u32) -> LogIdentity {
    LogIdentity { log: "log".into(), epoch }
}

/// Where one follower stands, compared with the clean log of epoch 2, which ends at 33.
fn with_follower(position: u64, event_id: Option<Uuid>, epoch: u32) -> Report {
    let mark = Mark { log: log_identity(epoch), position, event_id };
    let (name, look) = ("the sagas".to_owned(), "docket status".to_owned());
    let mut followers = Followers::new(vec![Follower { name, rule: Rule::Outbox, mark, look }]);
    clean().recorded().iter().for_each(|event| followers.observe(event));
    let mut report = Report::default();
    followers.finish(&log_identity(2), 33, &mut report);
    report
}

#[test]
fn a_follower_stands_at_an_event_of_the_log_and_in_no_later_epoch() {
    for (position, epoch) in [(33, 2), (5, 2), (5, 1)] {
        assert!(with_follower(position, Some(id_at(position)), epoch).is_clean());
    }
    assert!(with_follower(0, None, 2).is_clean(), "it has read nothing");
    let other = with_follower(5, Some(id_at(6)), 2);
    let found = only(&other);
    assert_eq!((found.rule, found.positions.as_slice()), (Rule::Outbox, &[5][..]));
    assert!(found.statement.starts_with("the sagas stood at position 5 with"), "{found:?}");
    let ahead = with_follower(34, Some(id_at(34)), 2);
    assert!(only(&ahead).statement.contains("but the log ends at 33"));
    let later = with_follower(5, Some(id_at(5)), 3);
    assert!(only(&later).statement.contains("the sagas stood in epoch 3"));
}
