//! The promises of the processor, each as a test.

use std::time::Duration;

use command_service::processor::{ExecuteError, ProcessorSettings};
use domain::catalog::RegisterProduct;
use domain::command::Command;
use domain::ids::{OrderId, Sku};
use domain::inventory::{AdjustStock, ReceiveStock, ReserveStock, SkuQuantity};
use domain::money::{Currency, Money};
use domain::orders::{NewOrder, PlaceOrder, ShippingAddress, WantedLine};
use domain::refusal::Refusal;
use domain::text::{Country, Label, PaymentMethod, Quantity, Reason};
use event_store::{EventLog, StreamId};
use futures::future::join_all;

use crate::support::{Fault, FaultyLog, asked, events, execute, processor, types};

fn sku() -> Sku {
    Sku::parse("22423").unwrap()
}

fn product(sku: &Sku) -> RegisterProduct {
    RegisterProduct {
        sku: sku.clone(),
        name: Label::parse("Cakestand").unwrap(),
        unit_price: Money::new(1275, Currency::parse("GBP").unwrap()),
        stocked: true,
    }
}

fn receive(units: u32) -> ReceiveStock {
    ReceiveStock { sku: sku(), quantity: Quantity::new(units).unwrap(), reason: None }
}

fn order_of(id: &str, lines: Vec<WantedLine>) -> PlaceOrder {
    PlaceOrder(NewOrder {
        order_id: OrderId::parse(id).unwrap(),
        customer_id: None,
        currency: Currency::parse("GBP").unwrap(),
        lines,
        payment_method: PaymentMethod::parse("pm_ok").unwrap(),
        shipping_address: ShippingAddress {
            country: Country::parse("France").unwrap(),
            details: None,
        },
        reference: None,
    })
}

fn one() -> Vec<WantedLine> {
    vec![WantedLine { sku: sku(), quantity: Quantity::new(1).unwrap(), unit_price: None }]
}

fn reserve(id: &str) -> ReserveStock {
    let lines = vec![SkuQuantity { sku: sku(), quantity: Quantity::new(1).unwrap() }];
    ReserveStock { order_id: OrderId::parse(id).unwrap(), lines }
}

fn take(units: i64) -> AdjustStock {
    AdjustStock { sku: sku(), delta: -units, reason: Reason::parse("count").unwrap() }
}

#[tokio::test]
async fn a_thousand_commands_on_one_stream_each_have_their_effect() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    execute(&processor, "p", product(&sku())).await.unwrap();
    let ids: Vec<String> = (0..1_000).map(|n| format!("r{n}")).collect();
    let all = join_all(ids.iter().map(|id| execute(&processor, id, receive(1)))).await;
    let mut versions: Vec<u64> = all.into_iter().map(|outcome| outcome.unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=1_000).collect::<Vec<_>>());
    execute(&processor, "all", take(1_000)).await.unwrap();
    let more = execute(&processor, "more", take(1)).await;
    assert!(matches!(more, Err(ExecuteError::Refused(Refusal::OutOfStock { available: 0, .. }))));
}

#[tokio::test]
async fn a_key_has_one_effect_and_the_same_answer_however_often_it_comes() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    execute(&processor, "p", product(&sku())).await.unwrap();
    let same = join_all((0..50).map(|_| execute(&processor, "k", receive(3)))).await;
    let replayed = same.iter().filter(|outcome| outcome.as_ref().unwrap().replayed).count();
    assert_eq!(replayed, 49);
    assert!(same.iter().all(|outcome| outcome.as_ref().unwrap().position == 2));
    assert_eq!(types(&*log, "stock-22423").await, ["StockReceived"]);
    let other = execute(&processor, "k", receive(4)).await;
    assert_eq!(other, Err(ExecuteError::KeyReused));
}

#[tokio::test]
async fn the_log_is_not_asked_for_what_is_here() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    execute(&processor, "p", product(&sku())).await.unwrap();
    execute(&processor, "r", receive(3)).await.unwrap();
    let asked_for = log.loads();
    for n in 0..5 {
        execute(&processor, &format!("r{n}"), receive(1)).await.unwrap();
    }
    assert!(execute(&processor, "t", take(9)).await.is_err());
    assert_eq!(log.loads(), asked_for);
}

#[tokio::test]
async fn p2_once_a_repeat_that_nobody_looked_for_is_found_by_the_append() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    execute(&processor, "p", product(&sku())).await.unwrap();
    let first = execute(&processor, "r", receive(3)).await.unwrap();
    execute(&processor, "t", take(3)).await.unwrap();
    let (asked_for, handle) = (log.loads(), processor.handle());
    // Decided anew the second would be refused, and what comes with them builds on the third.
    let again = [("r", receive(3)), ("s", receive(1)), ("r", receive(2)), ("u", receive(1))];
    let again = again.map(|(id, command)| handle.execute(asked(id, command)));
    let (taken, again) =
        tokio::join!(handle.execute(asked("t", take(3))), futures::future::join_all(again));
    let taken = taken.unwrap();
    assert_eq!((taken.replayed, taken.version), (true, 2));
    let replayed = again[0].as_ref().unwrap();
    assert_eq!((replayed.replayed, replayed.position), (true, first.position));
    assert_eq!(again[2], Err(ExecuteError::KeyReused));
    let mut versions = [1, 3].map(|n: usize| again[n].as_ref().unwrap().version);
    versions.sort_unstable();
    assert_eq!(versions, [3, 4]);
    assert!(log.loads() > asked_for, "after a repeat it asks first");
    execute(&processor, "v", receive(1)).await.unwrap();
    let asked_for = log.loads();
    execute(&processor, "w", receive(1)).await.unwrap();
    assert_eq!(log.loads(), asked_for, "for a while only");
}

#[tokio::test]
async fn nothing_is_looked_for_under_an_id_that_was_just_drawn() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    execute(&processor, "p", product(&sku())).await.unwrap();
    execute(&processor, "r", receive(3)).await.unwrap();
    let place = |id: &str, order: &str| {
        let mut request = asked(id, order_of(order, one()));
        request.expected = Some(0);
        let handle = processor.handle();
        async move { handle.execute(request).await }
    };
    let asked_for = log.loads();
    assert_eq!(place("a", "o-1").await.unwrap().version, 1);
    execute(&processor, "reserve", reserve("o-1")).await.unwrap();
    assert_eq!(log.loads(), asked_for, "neither for the order nor for its reservation");
    let taken = place("b", "o-1").await;
    assert_eq!(taken, Err(ExecuteError::VersionMismatch { expected: 0, current: 1 }));

    // Whoever expects wrongly, and has it from no cache, hears it from the log.
    let elsewhere = crate::support::processor(&log, ProcessorSettings::default());
    let mut request = asked("c", order_of("o-1", one()));
    request.expected = Some(0);
    let taken = elsewhere.handle().execute(request).await;
    assert_eq!(taken, Err(ExecuteError::VersionMismatch { expected: 0, current: 1 }));
}

#[tokio::test]
async fn a_refusal_leaves_nothing_and_is_judged_anew() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    execute(&processor, "p", product(&sku())).await.unwrap();
    assert!(matches!(execute(&processor, "t", take(1)).await, Err(ExecuteError::Refused(_))));
    execute(&processor, "r", receive(1)).await.unwrap();
    assert!(!execute(&processor, "t", take(1)).await.unwrap().replayed);
}

#[tokio::test]
async fn another_writers_events_are_seen_before_anything_is_decided_on_a_stale_state() {
    let log = FaultyLog::new([]);
    let here = processor(&log, ProcessorSettings::default());
    let there = processor(&log, ProcessorSettings::default());
    execute(&here, "p", product(&sku())).await.unwrap();
    execute(&here, "r", receive(10)).await.unwrap();
    execute(&there, "other", take(8)).await.unwrap();
    let (five, four) =
        tokio::join!(execute(&here, "five", take(5)), execute(&here, "four", take(2)));
    assert!(
        matches!(five, Err(ExecuteError::Refused(Refusal::OutOfStock { available: 2, .. }))),
        "{five:?}"
    );
    assert!(four.is_ok());
}

#[tokio::test]
async fn p2_once_a_request_is_not_carried_out_after_its_repeat_was_refused() {
    let log = FaultyLog::new([]);
    let here = processor(&log, ProcessorSettings::default());
    let there = processor(&log, ProcessorSettings::default());
    execute(&here, "p", product(&sku())).await.unwrap();
    execute(&here, "r", receive(1)).await.unwrap();
    execute(&there, "other", take(1)).await.unwrap();
    // All are in one batch. What is decided on the stale state goes again, and so does the repeat.
    let (first, repeat, received) = tokio::join!(
        execute(&here, "t", take(1)),
        execute(&here, "t", take(1)),
        execute(&here, "more", receive(1))
    );
    assert!(matches!(first, Err(ExecuteError::Refused(Refusal::OutOfStock { .. }))), "{first:?}");
    assert!(received.is_ok());
    assert!(!repeat.unwrap().replayed, "it comes after the delivery, and is judged anew");
}

#[tokio::test]
async fn a_stale_state_never_causes_a_wrong_refusal() {
    let log = FaultyLog::new([]);
    let here = processor(&log, ProcessorSettings::default());
    let there = processor(&log, ProcessorSettings::default());
    execute(&here, "p", product(&sku())).await.unwrap();
    assert!(execute(&here, "empty", take(1)).await.is_err());
    execute(&there, "r", receive(10)).await.unwrap();
    assert!(execute(&here, "t", take(10)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_was_lost_is_answered_as_done_and_done_once() {
    for fault in [Fault::AnswerLost, Fault::NotDone] {
        let log = FaultyLog::new([fault, fault]);
        let processor = processor(&log, ProcessorSettings::default());
        let outcome = execute(&processor, "p", product(&sku())).await.unwrap();
        assert!(!outcome.replayed, "{fault:?}");
        assert_eq!(events(&*log).await.len(), 1, "{fault:?}");
        execute(&processor, "r", receive(1)).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn p2_once_a_repeat_that_meets_a_silent_log_is_told_from_an_own_commit() {
    for fault in [Fault::AnswerLost, Fault::NotDone] {
        let log = FaultyLog::new([]);
        let processor = processor(&log, ProcessorSettings::default());
        execute(&processor, "p", product(&sku())).await.unwrap();
        execute(&processor, "r", receive(3)).await.unwrap();
        execute(&processor, "t", take(3)).await.unwrap();
        // Decided anew the first would be refused, the second has events again, the third finds everything so.
        let repeats: [(&str, Command, u64); 3] = [
            ("t", take(3).into(), 3),
            ("r", receive(3).into(), 2),
            ("p", product(&sku()).into(), 1),
        ];
        for (id, command, position) in repeats {
            log.goes_wrong_next(fault);
            let again = execute(&processor, id, command).await.unwrap();
            assert_eq!((again.replayed, again.position), (true, position), "{id}, {fault:?}");
            // After a repeat it asks first, for a while.
            execute(&processor, &format!("{id}, more"), receive(1)).await.unwrap();
        }
        let new: [(&str, Command); 2] = [("n", product(&sku()).into()), ("s", receive(1).into())];
        for (id, command) in new {
            log.goes_wrong_next(fault);
            let outcome = execute(&processor, id, command).await.unwrap();
            assert!(!outcome.replayed, "{id}, {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_stays_unknown_is_said_to_be_unknown() {
    let log = FaultyLog::broken();
    let processor = processor(&log, ProcessorSettings::default());
    let outcome = execute(&processor, "p", product(&sku())).await;
    assert_eq!(outcome, Err(ExecuteError::OutcomeUnknown));
}

#[tokio::test(start_paused = true)]
async fn what_was_given_up_is_shut_out_before_anything_else_is_decided() {
    let log = FaultyLog::new([Fault::NotDone; 100]);
    let processor = processor(&log, ProcessorSettings::default());
    let outcome = execute(&processor, "p", product(&sku())).await;
    assert_eq!(outcome, Err(ExecuteError::OutcomeUnknown));
    log.goes_right_again();
    log.is_deaf(true);
    let (loads, again) = (log.loads(), execute(&processor, "p", product(&sku())).await);
    assert_eq!((again, log.loads()), (Err(ExecuteError::Unavailable), loads), "nothing is decided");
    log.is_deaf(false);
    execute(&processor, "p", product(&sku())).await.unwrap();
    execute(&processor, "r", receive(1)).await.unwrap();
    assert_eq!(log.shut_outs(), 1, "then there is no doubt any more");
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_a_silent_log_is_refused_after_five_seconds_and_nothing_is_done_later() {
    // Ten attempts in vain: until 6.5 s after the first.
    let log = FaultyLog::new([Fault::NotDone; 10]);
    let processor = processor(&log, ProcessorSettings::default());
    let begun = tokio::time::Instant::now();
    let first = async { (execute(&processor, "first", product(&sku())).await, begun.elapsed()) };
    let behind = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        (execute(&processor, "behind", receive(1)).await, begun.elapsed())
    };
    let (first, behind) = tokio::join!(first, behind);
    assert!(first.0.is_ok() && first.1 > Duration::from_secs(6), "{first:?}");
    assert_eq!(behind.0, Err(ExecuteError::Unavailable));
    assert!(behind.1 < Duration::from_secs(6), "{behind:?}");
    execute(&processor, "later", receive(2)).await.unwrap();
    let done: Vec<String> =
        events(&*log).await.iter().map(|event| event.metadata.command_id.to_string()).collect();
    assert_eq!(done, ["first", "later"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_outcome_stays_unknown_is_told_so_after_ten_seconds_and_a_call() {
    let log = FaultyLog::broken();
    let processor = processor(&log, ProcessorSettings::default());
    let begun = tokio::time::Instant::now();
    let outcome = execute(&processor, "p", product(&sku())).await;
    assert_eq!(outcome, Err(ExecuteError::OutcomeUnknown));
    let took = begun.elapsed();
    assert!((8..=10).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn a_stale_expectation_is_refused_with_the_current_version() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    execute(&processor, "p", product(&sku())).await.unwrap();
    execute(&processor, "r", receive(1)).await.unwrap();
    let expecting = |id: &str, version| {
        let mut request = asked(id, receive(1));
        request.expected = Some(version);
        let handle = processor.handle();
        async move { handle.execute(request).await }
    };
    let mismatch = expecting("a", 0).await;
    assert_eq!(mismatch, Err(ExecuteError::VersionMismatch { expected: 0, current: 1 }));
    assert_eq!(expecting("b", 1).await.unwrap().version, 2);
    let (one, other) = tokio::join!(expecting("c", 2), expecting("d", 2));
    assert_eq!(one.unwrap().version, 3);
    assert_eq!(other, Err(ExecuteError::VersionMismatch { expected: 2, current: 3 }));
}

#[tokio::test]
async fn a_full_queue_turns_commands_away() {
    let log = FaultyLog::new([]);
    let settings = ProcessorSettings { queue: 2, ..ProcessorSettings::default() };
    let processor = processor(&log, settings);
    let ids = ["a", "b", "c", "d"];
    let all = join_all(ids.iter().map(|id| execute(&processor, id, product(&sku())))).await;
    assert!(all[..2].iter().all(Result::is_ok), "{all:?}");
    assert!(all[2..].iter().all(|outcome| *outcome == Err(ExecuteError::Overloaded)));
}

#[tokio::test]
async fn an_event_that_is_too_large_fails_its_own_command_only() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    let wide = Sku::parse(&"𝄞".repeat(64)).unwrap();
    execute(&processor, "p", product(&wide)).await.unwrap();
    execute(&processor, "q", product(&sku())).await.unwrap();
    let quantity = Quantity::new(1).unwrap();
    let line = WantedLine { sku: wide, quantity, unit_price: None };
    let order = order_of("o", vec![line; 2_000]);
    let (order, neighbour) =
        tokio::join!(execute(&processor, "o", order), execute(&processor, "r", receive(1)));
    let too_large = matches!(
        order,
        Err(ExecuteError::EventTooLarge { event_type: "OrderPlaced", size_bytes }) if size_bytes > 512 * 1024
    );
    assert!(too_large, "{order:?}");
    neighbour.unwrap();
}

#[tokio::test]
async fn a_state_from_a_snapshot_is_the_state_from_its_events() {
    let log = FaultyLog::new([]);
    let settings = ProcessorSettings { snapshot_every: 10, ..ProcessorSettings::default() };
    let first = processor(&log, settings.clone());
    execute(&first, "p", product(&sku())).await.unwrap();
    for n in 0..25 {
        execute(&first, &format!("r{n}"), receive(2)).await.unwrap();
    }
    first.shutdown().await;
    let second = processor(&log, settings);
    let more = execute(&second, "t", take(51)).await;
    assert!(matches!(more, Err(ExecuteError::Refused(Refusal::OutOfStock { available: 50, .. }))));
    assert_eq!(execute(&second, "u", take(50)).await.unwrap().version, 26);
}

#[tokio::test]
async fn what_waits_at_shutdown_is_still_answered() {
    let log = FaultyLog::new([]);
    let processor = processor(&log, ProcessorSettings::default());
    let handle = processor.handle();
    let first = handle.clone();
    let waiting = tokio::spawn(async move { first.execute(asked("p", product(&sku()))).await });
    tokio::task::yield_now().await;
    processor.shutdown().await;
    waiting.await.unwrap().unwrap();
    let late = handle.execute(asked("late", receive(1))).await;
    assert_eq!(late, Err(ExecuteError::Stopped));
    let stream: StreamId = "product-22423".into();
    assert_eq!(log.read_stream(&stream, 0, 10).await.unwrap().len(), 1);
}
