//! Sagas under people who do anything at any time, and commands that arrive in any order: every order still ends, and
//! money and stock add up after every event.

use std::collections::BTreeMap;

use super::world::{World, lines, order_id, payment_id};
use chrono::Duration;
use domain::command::Command;
use domain::event::Event;
use domain::ids::{ReturnId, SagaId};
use domain::orders::{
    CancelLines, CancelOrder, HoldOrder, OrderStatus, ReceiveReturn, ReleaseHold, RequestReturn,
};
use domain::payments::{PaymentEvent, Settlement};
use domain::sagas::SagaActionError;
use proptest::prelude::*;

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// So many commands are handled, each picked by one of these numbers.
    Handle(Vec<usize>),
    Hold,
    Release,
    CancelOrder,
    CancelLine(u32, u32),
    Ship(u32, Option<(u32, u32)>),
    Deliver(u32),
    RequestReturn(u32, u32),
    ReceiveReturn(u32, bool),
    Probe,
    Wait(i64),
    BackUpSagas,
    RestoreSagas,
    Retry,
    Resolve,
}

fn step() -> impl Strategy<Value = Step> {
    let line = 1..=4_u32;
    let units = 1..=6_u32;
    prop_oneof![
        6 => prop::collection::vec(0..6_usize, 1..6).prop_map(Step::Handle),
        1 => Just(Step::Hold),
        1 => Just(Step::Release),
        1 => Just(Step::CancelOrder),
        2 => (line.clone(), units.clone()).prop_map(|(line, units)| Step::CancelLine(line, units)),
        2 => (1..4_u32, prop::option::of((line.clone(), units.clone())))
            .prop_map(|(n, part)| Step::Ship(n, part)),
        2 => (1..4_u32).prop_map(Step::Deliver),
        1 => (line, units).prop_map(|(line, units)| Step::RequestReturn(line, units)),
        1 => (1..3_u32, any::<bool>()).prop_map(|(n, restock)| Step::ReceiveReturn(n, restock)),
        1 => Just(Step::Probe),
        1 => (1..120_i64).prop_map(Step::Wait),
        1 => (1..5_i64).prop_map(|days| Step::Wait(days * 86_400)),
        1 => Just(Step::BackUpSagas),
        1 => Just(Step::RestoreSagas),
        1 => Just(Step::Retry),
        1 => Just(Step::Resolve),
    ]
}

fn method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "pm_ok",
        "pm_ok",
        "pm_declined",
        "pm_timeout_then_ok",
        "pm_timeout_then_nothing",
        "pm_capture_fails_twice",
        "pm_capture_refused",
        "pm_nothing_works",
        "pm_refund_fails",
        "pm_not_renewed",
        "pm_captured_once",
        "pm_captured_once",
    ])
}

/// A person tries; a refusal is as good an answer as any.
fn attempt(world: &mut World, command: impl Into<Command>) {
    let _answer = world.try_order(command);
}

fn play(world: &mut World, step: Step) {
    let order_id = order_id();
    match step {
        Step::Handle(picks) => {
            for pick in picks {
                if !world.queue.is_empty() {
                    let at = pick % world.queue.len();
                    world.queue.rotate_left(at);
                    world.run_one();
                }
            }
        }
        Step::Hold => attempt(world, HoldOrder { order_id, reason: None }),
        Step::Release => attempt(world, ReleaseHold { order_id, reason: None }),
        Step::CancelOrder => attempt(world, CancelOrder { order_id, reason: None }),
        Step::CancelLine(line, units) => {
            let lines = lines(&[(line, units)]);
            attempt(world, CancelLines { order_id, lines, reason: None });
        }
        Step::Ship(n, part) => {
            let _answer =
                world.try_ship(n, part.map(|part| [part]).as_ref().map(<[_; 1]>::as_slice));
        }
        Step::Deliver(n) => {
            let _answer = world.deliver(n);
        }
        Step::RequestReturn(line, units) => {
            let lines = lines(&[(line, units)]);
            attempt(world, RequestReturn { order_id, lines, reason: None });
        }
        Step::ReceiveReturn(n, restock) => {
            let return_id = ReturnId::nth(&order_id, n);
            attempt(world, ReceiveReturn { order_id, return_id, restock, reason: None });
        }
        Step::Probe => world.probe(),
        Step::Retry => {
            for saga in ids(world) {
                let _answer = world.retry(&saga);
            }
        }
        Step::Resolve => {
            for saga in ids(world) {
                let _answer = world.resolve(&saga, Settlement::Elsewhere);
            }
        }
        Step::BackUpSagas => world.back_up_sagas(),
        Step::RestoreSagas => world.restore_sagas(),
        Step::Wait(seconds) => world.wait(Duration::seconds(seconds)),
    }
}

fn all_ended(world: &World) -> bool {
    world.sagas.values().all(|saga| saga.status.state.is_ended())
}

fn ids(world: &World) -> Vec<SagaId> {
    world.sagas.keys().cloned().collect()
}

/// A person sees to every saga that calls for one: settles by hand what can be, cancels what is left otherwise.
fn see_to(world: &mut World) {
    for _ in 0..4 {
        if all_ended(world) {
            return;
        }
        for saga in ids(world) {
            if let Err(SagaActionError::NotByHand { .. }) = world.resolve(&saga, Settlement::Waived)
            {
                attempt(world, CancelOrder { order_id: order_id(), reason: None });
            }
        }
        world.wait(Duration::hours(1));
    }
}

/// The world does all that is expected of it: outcomes are found, holds released, parcels shipped and delivered.
fn wind_up(world: &mut World) {
    attempt(world, ReleaseHold { order_id: order_id(), reason: None });
    world.run();
    world.probe();
    world.wait(Duration::minutes(20));
    for n in 1..20 {
        let _answer = world.try_ship(n, None);
        world.wait(Duration::minutes(1));
        let _answer = world.deliver(n);
        world.wait(Duration::minutes(1));
        let return_id = ReturnId::nth(&order_id(), n);
        attempt(
            world,
            ReceiveReturn { order_id: order_id(), return_id, restock: true, reason: None },
        );
    }
    world.wait(Duration::hours(1));
}

/// Each plays a whole life of an order.
const CASES: u32 = 400;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn every_order_ends_and_everything_adds_up(
        method in method(),
        stutters in any::<bool>(),
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let mut world = World::new();
        world.stutters = stutters;
        world.place(method);
        for step in steps {
            play(&mut world, step);
        }
        // Also what is still on its way when every saga has ended.
        wind_up(&mut world);
        see_to(&mut world);
        for _ in 0..2 {
            if !all_ended(&world) {
                wind_up(&mut world);
                see_to(&mut world);
            }
        }
        prop_assert!(world.queue.is_empty(), "{:?}", world.queue);
        let payment = world.payment(&payment_id());
        prop_assert!(!payment.has_open_operation());
        for saga in world.sagas.values() {
            prop_assert!(saga.status.state.is_ended(), "{:?} {:?}", saga.status, saga.explain());
        }
        let mut captures = BTreeMap::new();
        for (event, _) in &world.log {
            if let Event::Payment(PaymentEvent::PaymentCaptured(event)) = event {
                *captures.entry(event.payment_id.clone()).or_insert(0) += 1;
            }
        }
        let most = if method == "pm_captured_once" { 1 } else { usize::MAX };
        prop_assert!(captures.values().all(|captures| *captures <= most), "{captures:?}");
        let ends = [OrderStatus::Completed, OrderStatus::Rejected, OrderStatus::Cancelled];
        prop_assert!(ends.contains(&world.status()));
        world.assert_nothing_held();
        if world.status() != OrderStatus::Completed {
            prop_assert_eq!((payment.captured(), world.stock("MUG")), (0, (20, 0)));
        }
    }
}
