//! What the provider did not do is settled by hand: every saga goes on to its end from there, and nothing is claimed that
//! did not happen.

use chrono::Duration;
use domain::ids::{CancellationId, PaymentId, ReturnId, SagaId};
use domain::orders::{CancelLines, CancelOrder, OrderStatus, ReceiveReturn, RequestReturn};
use domain::payments::{PaymentStatus, Settlement};
use domain::sagas::{SagaAction, SagaActionError, SagaState};

use super::world::{World, lines, order_id, order_saga, payment_id};

const TOTAL: i64 = 9 * 250 + 2 * 795 + 500;

fn placed(method: &str) -> World {
    let mut world = World::new();
    world.place(method);
    world.run();
    world
}

/// The whole order left and arrived, and the provider did not take its money.
fn unpaid(method: &str) -> World {
    let mut world = placed(method);
    world.ship(1, None);
    world.deliver(1).unwrap();
    world.run();
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    world
}

fn cancellation() -> SagaId {
    SagaId::of_cancellation(&CancellationId::nth(&order_id(), 1))
}

fn returned() -> SagaId {
    SagaId::of_return(&ReturnId::nth(&order_id(), 1))
}

/// Units of a line come back.
fn take_back(world: &mut World, units: &[(u32, u32)]) {
    world.order(RequestReturn { order_id: order_id(), lines: lines(units), reason: None });
    let return_id = ReturnId::nth(&order_id(), 1);
    world.order(ReceiveReturn { order_id: order_id(), return_id, restock: true, reason: None });
    world.run();
}

#[track_caller]
fn assert_ended(world: &World, status: OrderStatus) {
    assert_eq!(world.status(), status);
    assert!(world.sagas.values().all(|saga| saga.status.state.is_ended()));
    world.assert_nothing_held();
}

#[test]
fn an_order_that_was_paid_otherwise_is_completed_and_what_was_held_is_given_back() {
    for settlement in [Settlement::Elsewhere, Settlement::Waived] {
        let mut world = unpaid("pm_capture_refused");
        world.resolve(&order_saga(), settlement).unwrap();
        assert_eq!(world.state_of(&order_saga()), SagaState::Running);
        world.run();
        assert_ended(&world, OrderStatus::Completed);
        let payment = world.payment(&payment_id());
        assert_eq!((payment.captured(), payment.settled_by_hand()), (0, TOTAL));
        assert_eq!((payment.voided(), payment.status()), (TOTAL, PaymentStatus::SettledByHand));
        let saga = &world.sagas[&order_saga()];
        assert_eq!(saga.resolved().unwrap().as_str(), "paid in cash");
        assert_eq!(
            world.steps()[6..],
            [
                "capture_payment/536365-s1/1",
                "capture_payment/536365-s1/2",
                "capture_payment/536365-s1/3",
                "record_delivered/536365-s1/1",
                "complete_order/1",
            ],
            "asked, settled by hand, given back what was held"
        );
    }
}

#[test]
fn later_parcels_are_followed_and_settled_one_by_one() {
    let mut world = placed("pm_capture_refused");
    world.ship(1, Some(&[(1, 6)]));
    world.run();
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    world.run();
    assert_eq!(world.state_of(&order_saga()), SagaState::Waiting);
    assert_eq!(world.payment(&payment_id()).uncaptured(), TOTAL - 6 * 250, "the rest is held");
    world.ship(2, None);
    world.deliver(1).unwrap();
    world.deliver(2).unwrap();
    world.run();
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    world.resolve(&order_saga(), Settlement::Waived).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    assert_eq!(world.payment(&payment_id()).settled_by_hand(), TOTAL);
}

#[test]
fn parcels_that_failed_together_are_settled_together() {
    let mut world = placed("pm_capture_refused");
    world.ship(1, Some(&[(1, 6)]));
    world.ship(2, None);
    world.deliver(1).unwrap();
    world.deliver(2).unwrap();
    world.run();
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    assert_eq!(world.payment(&payment_id()).settled_by_hand(), TOTAL);
}

#[test]
fn what_has_not_left_can_still_be_cancelled() {
    let mut world = placed("pm_capture_refused");
    world.ship(1, Some(&[(1, 6)]));
    world.deliver(1).unwrap();
    world.run();
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    world.order(CancelOrder { order_id: order_id(), reason: None });
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    assert_eq!(world.payment(&payment_id()).settled_by_hand(), 6 * 250);
    assert_eq!(world.stock("MUG"), (14, 0));
}

#[test]
fn what_is_held_for_later_parcels_is_renewed_without_what_was_settled() {
    let mut world = placed("pm_capture_refused");
    world.ship(1, Some(&[(1, 6)]));
    world.run();
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    world.wait(Duration::days(10));
    let further = world.payment(&PaymentId::nth(&order_id(), 2));
    assert_eq!(further.authorized(), TOTAL - 6 * 250);
}

#[test]
fn a_matter_that_was_settled_when_the_money_was_gone_already_ends_too() {
    let mut world = placed("pm_capture_refused");
    world.ship(1, None);
    world.deliver(1).unwrap();
    world.wait(Duration::days(8));
    assert_eq!(world.payment(&payment_id()).uncaptured(), 0, "its time is over");
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    assert_eq!(world.queue[0].occurred_at, world.now, "settled now, not when the parcel left");
    world.run();
    assert_ended(&world, OrderStatus::Completed);
}

#[test]
fn a_hold_that_the_provider_does_not_give_back_is_settled_by_a_second_word() {
    let mut world = unpaid("pm_nothing_works");
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    world.run();
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    let told = world.sagas[&order_saga()].explain();
    assert_eq!(told.last_error.as_deref(), Some("void_refused"));
    world.resolve(&order_saga(), Settlement::Waived).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    assert_eq!(world.payment(&payment_id()).settled_by_hand(), TOTAL, "once");
}

#[test]
fn a_cancellation_whose_void_is_refused_goes_on_when_that_was_settled() {
    let mut world = placed("pm_nothing_works");
    world.order(CancelLines { order_id: order_id(), lines: lines(&[(2, 2)]), reason: None });
    world.run();
    assert_eq!(world.state_of(&cancellation()), SagaState::NeedsAttention);
    world.resolve(&cancellation(), Settlement::Elsewhere).unwrap();
    world.run();
    assert_eq!(world.state_of(&cancellation()), SagaState::Completed);
    assert_eq!(world.payment(&payment_id()).uncaptured(), TOTAL - 2 * 795);
    assert_eq!(world.stock("LAMP"), (20, 0));
}

#[test]
fn an_order_whose_undo_is_refused_by_the_provider_ends_when_that_was_settled() {
    let mut world = World::new();
    world.place("pm_nothing_works");
    while !world.steps().contains(&"authorize_payment/1") {
        world.run_one();
    }
    world.order(CancelOrder { order_id: order_id(), reason: None });
    world.run();
    assert_eq!(world.state_of(&order_saga()), SagaState::NeedsAttention);
    world.resolve(&order_saga(), Settlement::Waived).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Cancelled);
    assert_eq!(world.state_of(&order_saga()), SagaState::Compensated);
    assert_eq!(world.stock("MUG"), (20, 0));
}

#[test]
fn a_return_whose_refund_fails_is_stocked_when_it_was_paid_back_by_hand() {
    let mut world = placed("pm_refund_fails");
    world.ship(1, None);
    world.deliver(1).unwrap();
    world.run();
    take_back(&mut world, &[(1, 2)]);
    assert_eq!(world.state_of(&returned()), SagaState::NeedsAttention);
    assert_eq!(world.stock("MUG"), (11, 0), "not before the money is settled");
    world.resolve(&returned(), Settlement::Elsewhere).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    assert_eq!((world.payment(&payment_id()).refunded(), world.stock("MUG")), (0, (13, 0)));
}

#[test]
fn a_return_of_an_order_that_was_settled_by_hand_calls_a_person_before_any_refund() {
    let mut world = unpaid("pm_capture_refused");
    world.resolve(&order_saga(), Settlement::Waived).unwrap();
    world.run();
    take_back(&mut world, &[(1, 2)]);
    let told = world.sagas[&returned()].explain();
    assert_eq!(told.waiting_for, "a person, at refund_payment");
    assert_eq!(told.last_error.as_deref(), Some("settled_by_hand"));
    assert!(!world.steps().iter().any(|step| step.starts_with("refund_payment")));
    world.retry(&returned()).unwrap();
    world.run();
    let told = world.sagas[&returned()].explain();
    assert_eq!(told.last_error.as_deref(), Some("nothing_left_to_refund"));
    world.resolve(&returned(), Settlement::Waived).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    assert_eq!(world.stock("MUG"), (13, 0));
}

#[test]
fn a_return_is_refunded_for_what_the_provider_took_and_by_hand_for_the_rest() {
    let mut world = placed("pm_capture_fails_twice");
    world.ship(1, Some(&[(1, 2)]));
    world.deliver(1).unwrap();
    world.wait(Duration::minutes(1));
    assert_eq!(world.payment(&payment_id()).captured(), 2 * 250);
    world.refuse = Some("capture_payment/536365-s2".to_owned());
    world.timeouts.attempts_before_alarm = 1;
    world.ship(2, None);
    world.deliver(2).unwrap();
    world.run();
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    take_back(&mut world, &[(1, 4)]);
    world.retry(&returned()).unwrap();
    world.run();
    assert_eq!(world.payment(&payment_id()).refunded(), 2 * 250, "all that the provider took");
    assert_eq!(world.state_of(&returned()), SagaState::NeedsAttention);
    world.resolve(&returned(), Settlement::Elsewhere).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    assert_eq!(world.stock("MUG"), (15, 0));
}

#[test]
fn what_nobody_can_do_in_the_providers_place_is_not_resolved() {
    let refusal = |world: &mut World| {
        let actions = world.sagas[&order_saga()].explain().actions;
        assert_eq!(actions, [SagaAction::Retry]);
        match world.resolve(&order_saga(), Settlement::Elsewhere) {
            Err(SagaActionError::NotByHand { step, instead }) => (step, instead),
            other => panic!("{other:?}"),
        }
    };
    let mut unknown = placed("pm_timeout_then_ok");
    unknown.wait(Duration::minutes(6));
    let (step, instead) = refusal(&mut unknown);
    assert_eq!(step, "authorize_payment");
    assert!(instead.starts_with("the provider has not told"), "{instead}");
    let mut not_renewed = placed("pm_not_renewed");
    not_renewed.wait(Duration::days(6) + Duration::hours(1));
    let (step, instead) = refusal(&mut not_renewed);
    assert_eq!(step, "renew_authorization");
    assert!(instead.contains("cancel what has not left"), "{instead}");
    let mut parked = World::new();
    parked.place("pm_ok");
    let letter = parked.park_next();
    assert_eq!(refusal(&mut parked).0, "reserve_stock");
    parked.replay(&letter);
    parked.run();
    assert_eq!(parked.status(), OrderStatus::Confirmed);
}

#[test]
fn an_order_whose_money_is_not_renewed_ends_by_a_cancellation() {
    let mut world = placed("pm_not_renewed");
    world.wait(Duration::days(8));
    world.order(CancelOrder { order_id: order_id(), reason: None });
    world.run();
    assert_ended(&world, OrderStatus::Cancelled);
}

#[test]
fn a_saga_that_does_not_need_a_person_is_not_resolved() {
    let mut world = placed("pm_ok");
    let state = SagaState::Waiting;
    assert_eq!(
        world.resolve(&order_saga(), Settlement::Elsewhere),
        Err(SagaActionError::NotNeeded { state })
    );
}

#[test]
fn a_parked_capture_that_was_settled_by_hand_takes_nothing_when_it_is_replayed() {
    let mut world = placed("pm_ok");
    world.ship(1, None);
    while !world.queue[0].step.starts_with("capture_payment") {
        world.run_one();
    }
    let letter = world.park_next();
    world.deliver(1).unwrap();
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    world.run();
    assert_ended(&world, OrderStatus::Completed);
    world.replay(&letter);
    assert_eq!(world.payment(&payment_id()).captured(), 0);
}

#[test]
fn restored_sagas_learn_from_the_log_what_was_settled_by_hand() {
    let mut world = unpaid("pm_capture_refused");
    world.back_up_sagas();
    world.resolve(&order_saga(), Settlement::Elsewhere).unwrap();
    world.run_one();
    world.restore_sagas();
    assert_eq!(world.sagas[&order_saga()].resolved().unwrap().as_str(), "paid in cash");
    world.run();
    assert_ended(&world, OrderStatus::Completed);
}
