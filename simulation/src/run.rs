//! One run of a seed: rough, then calm, then judged.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::listener;
use crate::plan::{Kept, Plan, ROUGH};
use crate::violation::Violation;
use crate::world::World;

/// After everything healed, all has to come to its end in this time.
const SETTLES_WITHIN: Duration = Duration::from_mins(15);

/// What to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What everything is drawn from.
    pub seed: u64,
    /// Orders that are placed.
    pub orders: usize,
    /// The parts of the plan that are left.
    pub kept: Kept,
    /// Whether the lines of the trace are kept.
    pub lines: bool,
}

impl Settings {
    /// Everything that this seed draws.
    pub fn of(seed: u64) -> Self {
        Self { seed, orders: 6, kept: Kept::default(), lines: false }
    }
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// Of everything that happened, in order.
    pub hash: u64,
    /// Things that happened.
    pub steps: u64,
    /// Events in the log.
    pub events: u64,
    /// How long it took by its own clock.
    pub lasted: Duration,
    /// What should not be so.
    pub violations: Vec<Violation>,
    /// How often things of interest happened.
    pub happened: BTreeMap<&'static str, u64>,
    /// The lines of the trace, if they were kept.
    pub lines: Vec<String>,
    /// Operations and faults of the plan.
    pub size: (usize, usize),
}

/// Runs a seed in this thread. Parts of the plan that are to be kept have to be in it.
pub fn run(settings: &Settings) -> io::Result<Report> {
    // What asks the runtime's neighbours for a random pause asks this thread's generator.
    fastrand::seed(settings.seed);
    let plan = Plan::of(settings.seed, settings.orders);
    if let Some(lacking) = plan.lacks(&settings.kept) {
        return Err(io::Error::new(ErrorKind::InvalidInput, lacking));
    }
    let plan = plan.keep(&settings.kept);
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(simulate(plan, settings.lines)))
}

async fn simulate(plan: Plan, keeps_lines: bool) -> Report {
    let size = (plan.operations.len(), plan.faults.len());
    let world = World::new(plan, keeps_lines);
    let _heard = listener::listen(&world.trace);
    world.start_commands();
    world.start_orchestrator(0);
    world.start_orchestrator(1);
    world.start_projectors();
    let mut asked = Vec::new();
    for operation in world.plan.opening.iter().chain(&world.plan.operations) {
        asked.push(tokio::spawn(Arc::clone(&world).carry_out(operation.clone())));
    }
    let strikes: Vec<_> = world
        .plan
        .faults
        .iter()
        .map(|(at, fault)| tokio::spawn(Arc::clone(&world).strike(*at, *fault)))
        .collect();
    tokio::spawn(Arc::clone(&world).keep_shop());
    tokio::spawn(Arc::clone(&world).attend());
    tokio::spawn(Arc::clone(&world).attend_models());
    tokio::spawn(Arc::clone(&world).supervise());
    sleep(ROUGH.saturating_sub(world.trace.elapsed())).await;
    for strike in strikes {
        drop(strike.await);
    }
    world.heal().await;
    let mut violations = Vec::new();
    for one in asked {
        if let Err(error) = one.await {
            violations.push(Violation::of("panic", error.to_string()));
        }
    }
    violations.extend(settle(&world).await);
    violations.extend(world.judge().await);
    let events = *event_store::EventLog::head(&*world.log()).borrow();
    let lasted = world.trace.elapsed();
    let (hash, steps, happened, lines) = world.trace.summary();
    Report { hash, steps, events, lasted, violations, happened, lines, size }
}

/// Liveness: all comes to its end, and stays there.
async fn settle(world: &World) -> Vec<Violation> {
    let begun = world.trace.elapsed();
    let mut quiet = 0;
    loop {
        let open = world.unsettled().await;
        quiet = if open.is_empty() { quiet + 1 } else { 0 };
        // Twenty seconds of rest: longer than the warehouse takes to react.
        if quiet > 20 {
            return Vec::new();
        }
        if world.trace.elapsed().saturating_sub(begun) > SETTLES_WITHIN {
            let statement = format!("Not ended {SETTLES_WITHIN:?} after all healed: {open:?}.");
            return vec![Violation::of("liveness", statement)];
        }
        sleep(Duration::from_secs(1)).await;
    }
}
