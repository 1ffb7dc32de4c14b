//! A journal against the log: each of its rules fires alone.

use event_store::StoredAnswer;
use invariants::{Answered, Asked, Journal, JournalLine, Report, Rule, Seen};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::log::{clean, id_at};

/// A client's command that stands in the log at position 2.
const KEY: &str = "received";

fn asked(attempt: u64, body: &Value) -> JournalLine {
    asked_by(None, attempt, body)
}

fn asked_by(caller: Option<&str>, attempt: u64, body: &Value) -> JournalLine {
    let (key, path) = (KEY.to_owned(), "/v1/stock/mug/receive".to_owned());
    let (caller, body) = (caller.map(str::to_owned), body.clone());
    let may_change_nothing = false;
    JournalLine::Asked(Asked { attempt, caller, key, path, body, may_change_nothing })
}

fn answered(attempt: u64, status: u16, replayed: bool, body: Value) -> JournalLine {
    JournalLine::Answered(Answered { attempt, status, replayed, body })
}

fn seen(position: u64, event: Uuid) -> JournalLine {
    JournalLine::Seen(Seen { reader: "EVENTS".to_owned(), position, event })
}

fn done(position: u64) -> Value {
    json!({ "id": "mug", "version": 1, "position": position })
}

/// Compares lines with a log in which the command stands at position 2, or nowhere.
fn compare(lines: Vec<JournalLine>, in_log: bool) -> Report {
    compare_as("client", lines, in_log)
}

/// The same with this before the key in the command's id.
fn compare_as(whose: &str, lines: Vec<JournalLine>, in_log: bool) -> Report {
    let mut log = clean();
    if in_log {
        log.0[1].command_id = format!("{whose}/{KEY}");
    }
    let mut journal = Journal::default();
    for line in lines {
        journal.take(line).unwrap();
    }
    for event in log.recorded() {
        journal.observe(&event);
    }
    let mut report = Report::default();
    journal.finish(&mut report);
    report
}

#[track_caller]
fn finds_alone(rule: Rule, words: &str, lines: Vec<JournalLine>, in_log: bool) {
    let report = compare(lines, in_log);
    assert_eq!(report.found.keys().collect::<Vec<_>>(), [&rule], "{:#?}", report.findings);
    assert!(report.findings[0].statement.contains(words), "{:#?}", report.findings);
}

#[test]
fn what_was_acknowledged_repeated_lost_and_seen_agrees_with_the_log() {
    let (ten, eleven) = (json!({ "quantity": 10 }), json!({ "quantity": 11 }));
    let lost = JournalLine::Lost { attempt: 1, cause: "reset".to_owned() };
    let used = json!({ "code": "idempotency_key_reused" });
    let lines = vec![
        asked(1, &ten),
        lost,
        asked(2, &ten),
        answered(2, 503, false, json!({ "code": "unavailable" })),
        asked(3, &ten),
        answered(3, 200, true, done(2)),
        asked(4, &ten),
        answered(4, 200, true, done(2)),
        asked(5, &eleven),
        answered(5, 422, false, used),
        seen(1, id_at(1)),
        seen(2, id_at(2)),
    ];
    let report = compare(lines, true);
    assert!(report.is_clean(), "{:#?}", report.findings);
    assert_eq!((report.counts.acknowledged, report.counts.unanswered), (1, 0));
}

#[test]
fn a_key_is_one_of_each_caller_s_and_a_command_is_looked_for_under_its_caller_s_name() {
    let of = |caller, attempt| {
        [asked_by(caller, attempt, &json!({})), answered(attempt, 200, false, done(2))]
    };
    let ada = Some("staff:ada");
    let report = compare_as("caller/staff:ada", of(ada, 1).to_vec(), true);
    assert!(report.is_clean(), "{:#?}", report.findings);
    // Bob's and nobody's are others, of which the log has no event; and no repeats.
    let lines = [of(ada, 1), of(Some("staff:bob"), 2), of(None, 3)].concat();
    let report = compare_as("caller/staff:ada", lines, true);
    assert_eq!(report.found.keys().collect::<Vec<_>>(), [&Rule::Acknowledged]);
    let mut missing: Vec<&str> =
        report.findings.iter().filter_map(|found| found.statement.split('`').nth(1)).collect();
    missing.sort_unstable();
    assert_eq!(missing, ["caller/staff:bob/received", "client/received"]);
}

#[test]
fn what_nobody_answered_may_be_in_the_log_or_not() {
    for in_log in [true, false] {
        let report = compare(vec![asked(1, &json!({}))], in_log);
        assert!(report.is_clean(), "{:#?}", report.findings);
        assert_eq!((report.counts.acknowledged, report.counts.unanswered), (0, 1));
    }
    // Refused at last, but what was lost before may have happened.
    let refused = json!({ "code": "out_of_stock" });
    let lines = vec![asked(1, &json!({})), asked(2, &json!({})), answered(2, 422, false, refused)];
    assert!(compare(lines, true).is_clean());
}

#[test]
fn an_acknowledged_command_that_is_not_in_the_log_is_found() {
    let lines = || vec![asked(1, &json!({})), answered(1, 200, false, done(2))];
    finds_alone(Rule::Acknowledged, "no event of it", lines(), false);
    assert!(compare(lines(), true).is_clean());
    let mut lines = lines();
    let JournalLine::Asked(asked) = &mut lines[0] else { unreachable!("it is asked first") };
    asked.may_change_nothing = true;
    assert!(compare(lines, false).is_clean(), "it was so already");
    let early = vec![asked_and(1), answered(1, 200, false, done(1))];
    finds_alone(Rule::Acknowledged, "has an event at 2", early, true);
}

fn asked_and(attempt: u64) -> JournalLine {
    asked(attempt, &json!({}))
}

#[test]
fn a_refused_command_that_is_in_the_log_is_found() {
    let refused = json!({ "code": "wrong_state" });
    let lines = vec![asked_and(1), answered(1, 422, false, refused)];
    finds_alone(Rule::Refused, "refused with 422", lines, true);
}

#[test]
fn a_repeat_that_is_answered_otherwise_or_is_not_called_one_is_found() {
    let first = || vec![asked_and(1), answered(1, 200, false, done(2)), asked_and(2)];
    let with = |line: JournalLine| [first(), vec![line]].concat();
    let rule = Rule::SameAnswer;
    finds_alone(rule, "answered otherwise", with(answered(2, 200, true, done(3))), true);
    finds_alone(rule, "answered otherwise, 422", with(answered(2, 422, true, done(2))), true);
    finds_alone(rule, "not said to be one", with(answered(2, 200, false, done(2))), true);
}

#[test]
fn another_request_under_a_used_key_is_refused_and_under_an_unused_one_is_not() {
    let other = json!({ "quantity": 1 });
    let done_again = vec![
        asked_and(1),
        answered(1, 200, false, done(2)),
        asked(2, &other),
        answered(2, 200, false, done(3)),
    ];
    finds_alone(Rule::SameAnswer, "another request was answered 200", done_again, true);
    let used = json!({ "code": "idempotency_key_reused" });
    let never_used = vec![asked_and(1), answered(1, 422, false, used)];
    finds_alone(Rule::SameAnswer, "called used", never_used, false);
}

#[test]
fn a_reader_that_saw_another_event_more_events_or_not_all_of_them_is_found() {
    let other = Uuid::from_u128(99);
    finds_alone(Rule::Positions, "where the log holds", vec![seen(2, other)], true);
    finds_alone(Rule::Positions, "the log ends at 33", vec![seen(34, id_at(34))], true);
    for (first, second) in [(2, 4), (2, 2), (2, 1)] {
        let lines = vec![seen(first, id_at(first)), seen(second, id_at(second))];
        finds_alone(Rule::Deliveries, "after 2", lines, true);
    }
}

#[test]
fn a_journal_speaks_only_of_what_a_line_of_it_tells() {
    let of = |lines: Vec<JournalLine>| {
        let mut journal = Journal::default();
        for line in lines {
            journal.take(line).unwrap();
        }
        journal.speaks_of().into_iter().collect::<Vec<_>>()
    };
    let ten = json!({ "quantity": 10 });
    let done_once = || vec![asked(1, &ten), answered(1, 200, false, done(2))];
    assert_eq!(of(Vec::new()), []);
    assert_eq!(of(vec![asked(1, &ten)]), []);
    assert_eq!(of(done_once()), [Rule::Acknowledged]);
    let again = [asked(2, &ten), answered(2, 200, true, done(2))];
    let repeated = done_once().into_iter().chain(again).collect();
    assert_eq!(of(repeated), [Rule::Acknowledged, Rule::SameAnswer]);
    let refused = vec![asked(1, &ten), answered(1, 409, false, json!({ "code": "busy" }))];
    assert_eq!(of(refused), [Rule::Refused]);
    assert_eq!(of(vec![seen(1, id_at(1))]), [Rule::Deliveries]);
}

#[test]
fn what_is_found_more_often_than_it_is_kept_is_counted() {
    let ten = json!({ "quantity": 10 });
    let mut lines = vec![asked(1, &ten), answered(1, 200, false, done(2))];
    for attempt in 2..=31 {
        lines.extend([asked(attempt, &ten), answered(attempt, 200, false, done(2))]);
    }
    let report = compare(lines, true);
    assert_eq!((report.findings.len(), report.found[&Rule::SameAnswer]), (20, 30));
}

#[test]
fn a_line_is_json_that_a_person_can_read() {
    let line = answered(4, 200, true, done(2));
    let text = serde_json::to_string(&line).unwrap();
    let shown = "{\"line\":\"answered\",\"attempt\":4,\"status\":200,\"replayed\":true,\
                 \"body\":{\"id\":\"mug\",\"position\":2,\"version\":1}}";
    assert_eq!(text, shown);
    assert_eq!(serde_json::from_str::<JournalLine>(&text).unwrap(), line);
}

#[test]
fn what_became_of_nothing_that_was_asked_is_no_line_of_a_journal() {
    let lost = |attempt| JournalLine::Lost { attempt, cause: "reset".to_owned() };
    let mut journal = Journal::default();
    let unasked = [answered(1, 200, false, done(2)), lost(1)].map(|line| journal.take(line));
    assert!(unasked.iter().all(Result::is_err));
    journal.take(asked_and(1)).unwrap();
    journal.take(answered(1, 200, false, done(2))).unwrap();
    for again in [answered(1, 200, true, done(2)), lost(1)] {
        let told = journal.take(again).unwrap_err().to_string();
        assert!(told.contains("attempt 1"), "{told}");
    }
}

/// What is found when a client was told this, and a repeat would be told what is remembered.
fn with_remembered(told: &Value, status: u16, body: &str) -> Vec<String> {
    let mut log = clean();
    log.0[1].command_id = format!("client/{KEY}");
    let mut journal = Journal::default();
    for line in [asked_and(1), answered(1, 200, false, told.clone())] {
        journal.take(line).unwrap();
    }
    log.recorded().iter().for_each(|event| journal.observe(event));
    let acknowledged: Vec<String> = journal.acknowledged().map(str::to_owned).collect();
    assert_eq!(acknowledged, ["client/received"]);
    let remembered = StoredAnswer { status, body: body.to_owned(), version: 1, position: 2 };
    journal.compare_answer("client/received", &remembered);
    journal.compare_answer("client/another", &remembered);
    let mut report = Report::default();
    journal.finish(&mut report);
    let found = report.findings.into_iter().map(|found| {
        assert_eq!((found.rule, found.positions), (Rule::SameAnswer, vec![2]));
        found.statement
    });
    found.collect()
}

#[test]
fn what_is_remembered_is_what_the_client_was_told() {
    let stored = r#"{"id":"mug"}"#;
    assert_eq!(with_remembered(&done(2), 200, stored), [""; 0]);
    let changed = with_remembered(&done(2), 200, r#"{"id":"jug"}"#);
    assert!(changed[0].contains("`client/received` was answered 200"), "{changed:?}");
    assert!(changed[0].contains(r#"answered 200 with `{"id":"jug","#), "{changed:?}");
    for (status, body) in
        [(201, stored), (200, r#"{"id":"mug","line":1}"#), (200, "{}"), (200, "nonsense")]
    {
        assert_eq!(with_remembered(&done(2), status, body).len(), 1, "{status} {body}");
    }
}

#[test]
fn who_waited_was_told_more_than_is_remembered() {
    let decided = json!({
        "id": "o1", "status": "rejected", "reason": "out_of_stock", "version": 3, "position": 9,
    });
    assert_eq!(with_remembered(&decided, 200, r#"{"id":"o1","status":"placed"}"#), [""; 0]);
    assert_eq!(with_remembered(&decided, 200, r#"{"id":"o2","status":"placed"}"#).len(), 1);
}

#[test]
fn what_two_journals_tell_is_counted_together() {
    let of_one = || {
        let mut journal = Journal::default();
        for line in [asked_and(1), answered(1, 200, false, done(2))] {
            journal.take(line).unwrap();
        }
        journal
    };
    let mut report = Report::default();
    for journal in [of_one(), of_one()] {
        journal.finish(&mut report);
    }
    assert_eq!(report.counts.acknowledged, 2);
}
