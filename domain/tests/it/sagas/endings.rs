//! The sagas played against the real decisions of the whole domain: every ending, every failure, money and stock back.

use super::world::{World, code, lines, order_id, order_saga, payment_id};
use chrono::Duration;
use domain::event::Event;
use domain::ids::{CancellationId, PaymentId, ReturnId, SagaId};
use domain::orders::{
    CancelLines, CancelOrder, HoldOrder, OrderStatus, ReceiveReturn, ReleaseHold, RequestReturn,
};
use domain::payments::PaymentStatus;
use domain::sagas::{SagaAction, SagaState};

const TOTAL: i64 = 9 * 250 + 2 * 795 + 500;

fn placed(method: &str) -> World {
    let mut world = World::new();
    world.place(method);
    world.run();
    world
}

fn reason(world: &World) -> String {
    let rejected = world.log.iter().rev().find_map(|(event, _)| match event {
        Event::Order(domain::orders::OrderEvent::OrderRejected(event)) => {
            Some(event.reason.clone())
        }
        _ => None,
    });
    rejected.unwrap().to_string()
}

fn cancellation() -> SagaId {
    SagaId::of_cancellation(&CancellationId::nth(&order_id(), 1))
}

fn returned() -> SagaId {
    SagaId::of_return(&ReturnId::nth(&order_id(), 1))
}

fn hold() -> HoldOrder {
    HoldOrder { order_id: order_id(), reason: None }
}

fn release() -> ReleaseHold {
    ReleaseHold { order_id: order_id(), reason: None }
}

fn cancel(of: &[(u32, u32)]) -> CancelLines {
    CancelLines { order_id: order_id(), lines: lines(of), reason: None }
}

#[test]
fn an_order_out_of_a_cart_with_gaps_in_its_lines_is_carried_out_like_any_other() {
    let mut world = World::new();
    world.place_from_a_cart("pm_ok");
    world.run();
    assert_eq!(world.stock("MUG"), (11, 9));
    world.order(cancel(&[(3, 1)]));
    world.run();
    world.ship(1, None);
    world.run();
    world.deliver(1).unwrap();
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    assert_eq!(world.payment(&payment_id()).captured(), TOTAL - 795);
    world.order(RequestReturn { order_id: order_id(), lines: lines(&[(4, 3)]), reason: None });
    let return_id = ReturnId::nth(&order_id(), 1);
    world.order(ReceiveReturn { order_id: order_id(), return_id, restock: true, reason: None });
    world.run();
    assert_eq!(world.state_of(&returned()), SagaState::Completed);
    assert_eq!(world.payment(&payment_id()).refunded(), 3 * 250);
    assert_eq!((world.stock("MUG"), world.stock("LAMP")), ((14, 0), (19, 0)));
    world.assert_nothing_held();
}

#[test]
fn an_order_goes_from_placed_to_completed() {
    let mut world = placed("pm_ok");
    assert_eq!(world.status(), OrderStatus::Confirmed);
    assert_eq!(world.state_of(&order_saga()), SagaState::Waiting);
    assert_eq!(world.stock("MUG"), (11, 9));
    world.ship(1, None);
    world.run();
    assert_eq!(world.status(), OrderStatus::Fulfilling);
    world.deliver(1).unwrap();
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    assert_eq!(world.state_of(&order_saga()), SagaState::Completed);
    assert_eq!(world.payment(&payment_id()).captured(), TOTAL);
    assert_eq!(world.stock("MUG"), (11, 0));
    world.assert_nothing_held();
    assert_eq!(
        world.steps(),
        [
            "reserve_stock/1",
            "authorize_payment/1",
            "confirm_order/1",
            "create_shipment/1",
            "ship_stock/536365-s1/1",
            "record_shipped/536365-s1/1",
            "capture_payment/536365-s1/1",
            "record_delivered/536365-s1/1",
            "complete_order/1",
        ]
    );
}

#[test]
fn an_order_that_waits_for_its_parcel_says_for_which_and_since_when() {
    let mut world = placed("pm_ok");
    let told = |world: &World| {
        let told = world.sagas[&order_saga()].explain();
        (told.waiting_for, told.attempts, told.since)
    };
    world.run();
    let (waits, attempts, since) = told(&world);
    assert_eq!((waits.as_str(), attempts), ("parcel 536365-s1 to be shipped", 0));
    world.wait(Duration::hours(1));
    assert_eq!(told(&world).2, since, "time alone changes nothing");
    world.ship(1, None);
    world.run();
    let (waits, attempts, shipped) = told(&world);
    assert_eq!((waits.as_str(), attempts), ("parcel 536365-s1 to arrive", 0));
    assert!(shipped > since);
}

#[test]
fn every_event_twice_changes_nothing() {
    let mut world = World::new();
    world.stutters = true;
    world.place("pm_capture_fails_twice");
    world.run();
    world.ship(1, Some(&[(1, 2)]));
    world.wait(Duration::minutes(1));
    world.order(cancel(&[(3, 3)]));
    world.ship(2, None);
    world.deliver(1).unwrap();
    world.deliver(2).unwrap();
    world.wait(Duration::minutes(1));
    assert_eq!(world.status(), OrderStatus::Completed);
    world.assert_nothing_held();
}

#[test]
fn an_order_without_stock_is_rejected_and_nothing_is_held() {
    let mut world = World::new();
    world.place_lines("pm_ok", &[("LAMP", 2), ("MUG", 12), ("MUG", 9)]);
    world.run();
    assert_eq!((world.status(), reason(&world).as_str()), (OrderStatus::Rejected, "out_of_stock"));
    assert_eq!(world.state_of(&order_saga()), SagaState::Compensated);
    assert_eq!(world.stock("LAMP"), (20, 0));
    world.assert_nothing_held();
}

#[test]
fn a_declined_payment_gives_the_stock_back() {
    let world = placed("pm_declined");
    assert_eq!((world.status(), reason(&world).as_str()), (OrderStatus::Rejected, "card_declined"));
    assert_eq!(world.state_of(&order_saga()), SagaState::Compensated);
    assert_eq!(world.stock("MUG"), (20, 0));
    assert!(!world.steps().contains(&"void_authorization/1"), "nothing was held");
}

#[test]
fn p7_unknown_is_an_outcome_that_is_waited_for_and_found() {
    let mut world = placed("pm_timeout_then_ok");
    assert_eq!(world.state_of(&order_saga()), SagaState::Running);
    world.wait(Duration::minutes(6));
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    world.wait(Duration::minutes(30));
    assert_eq!(world.status(), OrderStatus::Placed, "no deadline while the outcome is unknown");
    world.probe();
    world.run();
    assert_eq!(world.status(), OrderStatus::Confirmed);
    assert_eq!(world.state_of(&order_saga()), SagaState::Waiting);
}

#[test]
fn another_amount_than_was_asked_calls_a_person_at_once_and_nothing_is_undone() {
    let mut world = placed("pm_differs");
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    let told = world.sagas[&order_saga()].explain();
    assert_eq!(told.last_error.as_deref(), Some("amount_differs"));
    assert_eq!(told.waiting_for, "the provider to tell what became of authorize_payment");
    world.wait(Duration::minutes(30));
    assert_eq!((world.status(), world.stock("MUG")), (OrderStatus::Placed, (11, 9)));
    // Somebody has put it right there.
    world.probe();
    world.run();
    assert_eq!(world.status(), OrderStatus::Rejected);
    world.assert_nothing_held();
}

#[test]
fn p7_unknown_that_never_happened_rejects() {
    let mut world = placed("pm_timeout_then_nothing");
    world.probe();
    world.run();
    assert_eq!(
        (world.status(), reason(&world).as_str()),
        (OrderStatus::Rejected, "payment_failed")
    );
    world.assert_nothing_held();
}

#[test]
fn p7_unknown_is_never_undone_a_cancelled_order_waits_for_the_outcome() {
    let mut world = placed("pm_timeout_then_ok");
    world.order(CancelOrder { order_id: order_id(), reason: None });
    world.run();
    assert_eq!(world.stock("MUG"), (11, 9), "stock stays reserved while the outcome is unknown");
    let waits = world.sagas[&order_saga()].explain().waiting_for;
    assert_eq!(waits, "the provider to tell what became of authorize_payment");
    world.probe();
    world.run();
    assert_eq!(world.status(), OrderStatus::Cancelled);
    assert_eq!(world.state_of(&order_saga()), SagaState::Compensated);
    assert_eq!(world.payment(&payment_id()).status(), PaymentStatus::Voided);
    world.assert_nothing_held();
}

#[test]
fn an_order_is_rejected_when_its_deadline_passes() {
    let mut world = World::new();
    world.place("pm_ok");
    world.queue.clear();
    world.wait(Duration::minutes(16));
    let end = (world.status(), reason(&world));
    assert_eq!(end, (OrderStatus::Rejected, "deadline_passed".to_owned()));
    world.assert_nothing_held();
}

#[test]
fn a_hold_stops_the_next_step_and_the_deadline() {
    let mut world = World::new();
    world.place("pm_ok");
    world.order(hold());
    world.run();
    assert_eq!(world.steps(), ["reserve_stock/1"]);
    assert_eq!(world.state_of(&order_saga()), SagaState::Waiting);
    world.wait(Duration::hours(1));
    assert_eq!(world.status(), OrderStatus::OnHold);
    world.order(release());
    world.run();
    assert_eq!(world.status(), OrderStatus::Confirmed);
}

#[test]
fn a_held_parcel_does_not_leave() {
    let mut world = placed("pm_ok");
    world.order(hold());
    assert_eq!(code(world.try_ship(1, None)), "on_hold");
    world.order(release());
    world.ship(1, None);
}

#[test]
fn a_failing_capture_is_tried_again_later() {
    let mut world = placed("pm_capture_fails_twice");
    world.ship(1, None);
    world.run();
    assert_eq!(world.state_of(&order_saga()), SagaState::Running);
    world.deliver(1).unwrap();
    world.wait(Duration::seconds(5));
    assert_eq!(world.status(), OrderStatus::Completed);
    assert!(world.steps().contains(&"capture_payment/536365-s1/3"));
    assert_eq!(world.payment(&payment_id()).captured(), TOTAL);
}

#[test]
fn a_refused_capture_needs_attention_and_can_be_retried() {
    let mut world = placed("pm_capture_refused");
    world.ship(1, None);
    world.deliver(1).unwrap();
    world.wait(Duration::hours(1));
    assert_eq!(world.status(), OrderStatus::Fulfilling);
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    let explained = world.sagas[&order_saga()].explain();
    assert_eq!(explained.waiting_for, "a person: capture_payment failed");
    assert_eq!(explained.last_error.as_deref(), Some("capture_refused"));
    assert_eq!(explained.actions, [SagaAction::Retry, SagaAction::Resolve]);
    world.retry(&order_saga()).unwrap();
    assert_eq!(world.queue[0].command_id(), "order-536365/capture_payment/536365-s1/2");
    world.run();
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
}

#[test]
fn a_partial_shipment_is_paid_for_what_left() {
    let mut world = placed("pm_ok");
    world.ship(1, Some(&[(1, 6), (4, 1)]));
    world.run();
    assert_eq!(world.payment(&payment_id()).captured(), 6 * 250 + 500);
    world.ship(2, Some(&[(3, 3)]));
    world.run();
    world.ship(3, None);
    for n in 1..=3 {
        world.deliver(n).unwrap();
    }
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    world.assert_nothing_held();
}

#[test]
fn cancelled_lines_give_back_stock_and_money() {
    let mut world = placed("pm_ok");
    world.order(cancel(&[(1, 2), (2, 2)]));
    world.run();
    assert_eq!(world.state_of(&cancellation()), SagaState::Completed);
    assert_eq!((world.stock("MUG"), world.stock("LAMP")), ((13, 7), (20, 0)));
    assert_eq!(world.payment(&payment_id()).voided(), 2 * 250 + 2 * 795);
    world.ship(1, None);
    world.deliver(1).unwrap();
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    assert_eq!(world.payment(&payment_id()).captured(), 7 * 250 + 500);
    world.assert_nothing_held();
}

#[test]
fn cancelling_everything_after_the_pivot_ends_both_sagas() {
    let mut world = placed("pm_ok");
    world.order(CancelOrder { order_id: order_id(), reason: None });
    world.run();
    assert_eq!(world.status(), OrderStatus::Cancelled);
    assert_eq!(world.state_of(&order_saga()), SagaState::Completed);
    assert_eq!(world.state_of(&cancellation()), SagaState::Completed);
    world.assert_nothing_held();
}

#[test]
fn a_cancellation_that_the_parcel_overtakes_is_declined() {
    let mut world = placed("pm_ok");
    world.order(cancel(&[(1, 2)]));
    world.ship(1, None);
    world.run();
    assert_eq!(world.state_of(&cancellation()), SagaState::Compensated);
    world.deliver(1).unwrap();
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    assert_eq!(world.payment(&payment_id()).captured(), TOTAL);
}

#[test]
fn a_cancellation_follows_its_lines_into_the_next_parcel() {
    let mut world = placed("pm_ok");
    world.order(cancel(&[(2, 2)]));
    world.ship(1, Some(&[(1, 6)]));
    world.run();
    assert_eq!(world.state_of(&cancellation()), SagaState::Completed);
    assert_eq!(world.shipment(2).lines().len(), 2);
}

#[test]
fn an_order_on_hold_can_be_cancelled_before_its_parcel_exists() {
    let mut world = World::new();
    world.place("pm_ok");
    while world.status() == OrderStatus::Placed {
        let next = world.queue.clone();
        world.queue.clear();
        world.queue.extend(next);
        world.run_one();
    }
    world.queue.retain(|send| send.step != "create_shipment");
    world.order(hold());
    world.order(CancelOrder { order_id: order_id(), reason: None });
    assert_eq!(world.state_of(&cancellation()), SagaState::Waiting);
}

#[test]
fn a_return_gives_back_money_and_stock() {
    for restock in [true, false] {
        let mut world = placed("pm_ok");
        world.ship(1, None);
        world.run();
        world.deliver(1).unwrap();
        world.run();
        world.order(RequestReturn {
            order_id: order_id(),
            lines: lines(&[(1, 2), (4, 1)]),
            reason: None,
        });
        world.run();
        assert_eq!(world.state_of(&returned()), SagaState::Waiting);
        world.order(ReceiveReturn {
            order_id: order_id(),
            return_id: ReturnId::nth(&order_id(), 1),
            restock,
            reason: None,
        });
        world.run();
        assert_eq!(world.state_of(&returned()), SagaState::Completed);
        assert_eq!(world.payment(&payment_id()).refunded(), 2 * 250 + 500);
        assert_eq!(world.stock("MUG"), (if restock { 13 } else { 11 }, 0));
    }
}

#[test]
fn a_parked_command_of_any_step_that_is_replayed_lets_its_saga_go_on() {
    for before in 0..4 {
        let mut world = World::new();
        world.place("pm_ok");
        for _ in 0..before {
            world.run_one();
        }
        let parked = world.park_next();
        world.run();
        assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention, "{}", parked.step);
        world.replay(&parked);
        world.run();
        world.ship(1, None);
        world.deliver(1).unwrap();
        world.run();
        assert_eq!(world.status(), OrderStatus::Completed, "{}", parked.step);
        assert_eq!(world.state_of(&order_saga()), SagaState::Completed, "{}", parked.step);
        assert_eq!(world.payment(&payment_id()).captured(), TOTAL);
    }
}

#[test]
fn a_refusal_at_any_step_before_the_pivot_is_undone() {
    for step in ["reserve_stock", "authorize_payment", "confirm_order"] {
        let mut world = World::new();
        world.refuse = Some(step.to_owned());
        world.place("pm_ok");
        world.wait(Duration::minutes(1));
        assert_eq!(
            (world.status(), reason(&world).as_str()),
            (OrderStatus::Rejected, "test"),
            "{step}"
        );
        assert_eq!(world.state_of(&order_saga()), SagaState::Compensated, "{step}");
        world.assert_nothing_held();
        assert_eq!(world.stock("MUG"), (20, 0));
    }
}

#[test]
fn a_refusal_at_any_step_of_the_undo_is_tried_again() {
    for step in ["reject_order", "void_authorization", "release_stock", "finish"] {
        let mut world = World::new();
        world.place("pm_ok");
        world.refuse = Some(step.to_owned());
        while !world.steps().contains(&"confirm_order/1") {
            world.run_one();
            if world.queue.first().is_some_and(|next| next.step == "confirm_order") {
                world.refuse_next("not_covered");
            }
        }
        world.wait(Duration::minutes(1));
        assert_eq!(world.status(), OrderStatus::Rejected, "{step}");
        assert_eq!(world.state_of(&order_saga()), SagaState::Compensated, "{step}");
        world.assert_nothing_held();
    }
}

#[test]
fn a_refusal_at_any_step_after_the_pivot_is_tried_again() {
    let of_parcel = ["ship_stock", "record_shipped", "capture_payment", "record_delivered"];
    let of_parcel = of_parcel.map(|step| format!("{step}/536365-s1"));
    let steps = ["create_shipment", "complete_order"].map(str::to_owned);
    for step in steps.into_iter().chain(of_parcel) {
        let mut world = World::new();
        world.refuse = Some(step.clone());
        world.place("pm_ok");
        world.wait(Duration::minutes(1));
        world.ship(1, None);
        world.deliver(1).unwrap();
        world.wait(Duration::minutes(1));
        assert_eq!(world.status(), OrderStatus::Completed, "{step}");
        world.assert_nothing_held();
    }
}

#[test]
fn an_authorization_is_renewed_before_it_expires() {
    let mut world = placed("pm_ok");
    world.ship(1, Some(&[(1, 6)]));
    world.wait(Duration::days(10));
    assert_eq!(world.state_of(&order_saga()), SagaState::Waiting);
    let further = PaymentId::nth(&order_id(), 2);
    assert_eq!(world.payment(&payment_id()).uncaptured(), 0, "the old one is voided");
    assert_eq!(world.payment(&further).uncaptured(), TOTAL - 6 * 250);
    world.ship(2, None);
    world.deliver(1).unwrap();
    world.deliver(2).unwrap();
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    assert_eq!(world.payment(&further).captured(), TOTAL - 6 * 250);
    world.order(RequestReturn {
        order_id: order_id(),
        lines: lines(&[(1, 6), (2, 2), (3, 3), (4, 1)]),
        reason: None,
    });
    let return_id = ReturnId::nth(&order_id(), 1);
    world.order(ReceiveReturn { order_id: order_id(), return_id, restock: true, reason: None });
    world.run();
    let refunded = [payment_id(), further].map(|payment| world.payment(&payment).refunded());
    assert_eq!(refunded, [6 * 250, TOTAL - 6 * 250], "each gives back what it took");
    assert_eq!(world.state_of(&returned()), SagaState::Completed);
}

#[test]
fn an_authorization_is_renewed_as_often_as_it_takes() {
    let mut world = placed("pm_ok");
    world.wait(Duration::days(20));
    assert_eq!(world.payment(&PaymentId::nth(&order_id(), 4)).uncaptured(), TOTAL);
    world.ship(1, None);
    world.deliver(1).unwrap();
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    world.assert_nothing_held();
}

#[test]
fn an_authorization_that_is_not_renewed_holds_the_order_and_calls_a_person() {
    let mut world = placed("pm_not_renewed");
    world.wait(Duration::days(6) + Duration::hours(1));
    assert_eq!(world.status(), OrderStatus::OnHold);
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    world.retry(&order_saga()).unwrap();
    let target = domain::decide::Decide::target(&world.queue[0].command);
    assert_eq!(target.to_string(), "payment-536365-p3");
}

#[test]
fn a_provider_that_captures_once_is_asked_for_the_rest_before_the_next_parcel_leaves() {
    let mut world = placed("pm_captured_once");
    world.ship(1, Some(&[(1, 6)]));
    assert_eq!(code(world.try_ship(2, None)), "authorization_expired", "the first is to be paid");
    world.run();
    let further = |n| PaymentId::nth(&order_id(), n);
    assert_eq!(world.payment(&payment_id()).captured(), 6 * 250);
    assert_eq!(world.payment(&payment_id()).uncaptured(), 0, "the rest of the first is voided");
    assert_eq!(world.payment(&further(2)).authorized(), TOTAL - 6 * 250);
    assert_eq!(world.state_of(&order_saga()), SagaState::Waiting);
    world.ship(2, Some(&[(2, 2)]));
    world.run();
    world.order(cancel(&[(3, 1)]));
    world.run();
    world.ship(3, None);
    for n in 1..=3 {
        world.deliver(n).unwrap();
    }
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    let captured = [1, 2, 3].map(|n| world.payment(&further(n)).captured());
    assert_eq!(captured, [6 * 250, 2 * 795, 2 * 250 + 500]);
    assert_eq!(world.payment(&further(4)).authorized(), 0, "nothing is left to be paid");
    world.assert_nothing_held();
}

#[test]
fn one_parcel_for_all_needs_no_further_payment() {
    let mut world = placed("pm_captured_once");
    world.ship(1, None);
    world.deliver(1).unwrap();
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
    assert!(!world.steps().iter().any(|step| step.starts_with("renew_authorization")));
}

#[test]
fn an_authorization_that_is_not_renewed_is_let_go_when_its_time_is_over() {
    let mut world = placed("pm_not_renewed");
    world.wait(Duration::days(8));
    assert_eq!(world.payment(&payment_id()).status(), PaymentStatus::Expired);
    assert_eq!(world.payment(&payment_id()).uncaptured(), 0);
    assert!(world.steps().contains(&"expire_authorization/536365-p1/1"));
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    world.order(release());
    assert_eq!(code(world.try_ship(1, None)), "authorization_expired");
}

#[test]
fn an_order_held_until_its_money_is_gone_is_rejected() {
    let mut world = World::new();
    world.place("pm_ok");
    while !world.steps().contains(&"authorize_payment/1") {
        world.run_one();
    }
    world.order(hold());
    world.wait(Duration::days(8));
    assert_eq!(world.payment(&payment_id()).status(), PaymentStatus::Expired);
    world.order(release());
    world.wait(Duration::hours(1));
    assert_eq!((world.status(), reason(&world).as_str()), (OrderStatus::Rejected, "not_covered"));
    assert_eq!(world.state_of(&order_saga()), SagaState::Compensated);
    world.assert_nothing_held();
}

#[test]
fn restored_sagas_learn_from_the_log_what_was_asked_for_when_its_time_had_come() {
    let mut world = placed("pm_capture_fails_twice");
    world.ship(1, None);
    world.run();
    world.back_up_sagas();
    world.wait(world.timeouts.retry_first);
    assert_eq!(world.steps().last(), Some(&"capture_payment/536365-s1/2"));
    world.restore_sagas();
    world.deliver(1).unwrap();
    world.wait(Duration::minutes(10));
    assert!(world.steps().contains(&"capture_payment/536365-s1/3"), "{:?}", world.steps());
    assert_eq!(world.status(), OrderStatus::Completed);
    world.assert_nothing_held();
}

#[test]
fn restored_sagas_know_their_own_later_attempts_in_the_log() {
    let mut world = placed("pm_ok");
    world.refuse = Some("release_stock".to_owned());
    world.order(cancel(&[(3, 3)]));
    world.run();
    world.back_up_sagas();
    world.refuse = Some("void_authorization".to_owned());
    world.wait(world.timeouts.retry_first);
    let stock = world.stock("MUG");
    assert_eq!(world.steps().last(), Some(&"void_authorization/1"));
    world.restore_sagas();
    world.wait(Duration::minutes(10));
    assert!(world.state_of(&cancellation()).is_ended());
    assert_eq!(world.stock("MUG"), stock, "released once");
}

#[test]
fn restored_sagas_learn_of_a_renewal_that_began_when_its_time_had_come() {
    let mut world = placed("pm_ok");
    world.wait(Duration::days(6));
    world.run();
    world.restore_sagas();
    world.wait(Duration::hours(1));
    world.ship(1, None);
    world.run();
    world.deliver(1).unwrap();
    world.wait(Duration::minutes(10));
    assert_eq!(world.status(), OrderStatus::Completed);
    world.assert_nothing_held();
}

#[test]
fn a_pause_while_an_order_is_on_hold_counts_once() {
    let mut world = World::new();
    world.place("pm_ok");
    world.order(hold());
    world.run();
    let (begun, pause) = (world.now, Duration::hours(1));
    world.now += pause;
    let timeouts = world.timeouts;
    world.sagas.get_mut(&order_saga()).unwrap().shift(pause, &timeouts);
    world.order(release());
    let deadline = begun + pause + timeouts.order_deadline;
    assert_eq!(world.sagas[&order_saga()].status.wake_at, Some(deadline));
}

#[test]
fn a_step_without_an_answer_calls_a_person_and_goes_on_when_it_comes() {
    let mut world = World::new();
    world.place("pm_ok");
    while world.status() != OrderStatus::Confirmed {
        world.run_one();
    }
    let lost = std::mem::take(&mut world.queue);
    assert_eq!(lost[0].step, "create_shipment");
    let state = |world: &World| world.state_of(&order_saga());
    world.wait(Duration::minutes(59));
    assert_eq!(state(&world), SagaState::Running);
    world.wait(Duration::minutes(2));
    assert_eq!(state(&world), SagaState::NeedsAttention);
    assert!(world.queue.is_empty(), "nothing is undone or asked for twice");
    world.queue = lost;
    world.run();
    assert_eq!(state(&world), SagaState::Waiting);
    world.ship(1, None);
    world.deliver(1).unwrap();
    world.run();
    assert_eq!(world.status(), OrderStatus::Completed);
}

#[test]
fn a_hold_that_was_parked_is_seen_and_asked_for_again() {
    let mut world = placed("pm_not_renewed");
    world.now = world.sagas[&order_saga()].status.wake_at.unwrap();
    let (now, timeouts) = (world.now, world.timeouts);
    let sends = world.sagas.get_mut(&order_saga()).unwrap().on_time(now, &timeouts);
    world.queue.extend(sends);
    world.run_one();
    assert!(world.park_next().step.starts_with("hold_order"));
    let saga = world.sagas.get_mut(&order_saga()).unwrap();
    let sends = saga.retry(now, &timeouts).unwrap();
    let again =
        |sent: &domain::sagas::Outgoing| sent.step.starts_with("hold_order") && sent.attempt == 2;
    assert!(sends.iter().any(again), "{sends:?}");
    world.queue.extend(sends);
    world.run();
    assert_eq!(world.status(), OrderStatus::OnHold);
}

#[test]
fn a_step_of_a_cancellation_that_was_retried_and_then_replayed_has_its_effect_once() {
    for step in ["release_stock", "void_authorization"] {
        let mut world = placed("pm_ok");
        let held = world.payment(&payment_id()).uncaptured();
        world.order(cancel(&[(1, 1)]));
        while world.queue[0].step != step {
            world.run_one();
        }
        let parked = world.park_next();
        let (now, timeouts) = (world.now, world.timeouts);
        let saga = world.sagas.get_mut(&cancellation()).unwrap();
        let sends = saga.retry(now, &timeouts).unwrap();
        world.queue.extend(sends);
        world.run();
        world.replay(&parked);
        world.run();
        assert_eq!(world.stock("MUG"), (12, 8), "{step}");
        assert_eq!(world.payment(&payment_id()).uncaptured(), held - 250, "{step}");
        assert_eq!(world.state_of(&cancellation()), SagaState::Completed, "{step}");
    }
}
