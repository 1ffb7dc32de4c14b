//! A process stands still, as in a long pause of a virtual machine, and goes on as if nothing had been.

use anyhow::{Result, ensure};
use rustix::process::Signal;

use super::leases;
use crate::fault::Fault;
use crate::scene::Scene;
use crate::stack::{Layout, Role};

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F18",
        name: "an orchestrator wakes after another took its lease",
        layout: |_| Layout { seconds: vec![Role::Sagas], ..Layout::distributed() },
        act: |scene| Box::pin(orchestrator_replaced(scene)),
        must: &["pauses", "lease changes"],
        sometimes: &["stood by when it woke"],
        ..Fault::USUAL
    },
    Fault {
        id: "F19",
        name: "what takes commands stands still for 1 to 12 s, or until another took its place",
        layout: |random| match random.u32(..4) {
            0 => Layout::embedded(),
            1 => Layout::distributed(),
            _ => Layout { seconds: vec![Role::Commands], ..Layout::distributed() },
        },
        act: |scene| Box::pin(writer(scene)),
        must: &["pauses"],
        sometimes: &["lease changes", "ended when it woke"],
        ..Fault::USUAL
    },
];

/// F18: an orchestrator stands still until the second one has its lease; then it wakes, and is refused.
async fn orchestrator_replaced(scene: &mut Scene) -> Result<()> {
    scene.moment(5..25).await;
    replaced(scene, Role::Sagas).await
}

/// F19: what takes commands stands still. Of several processes the second takes its place; where there is one only, everybody
/// waits.
async fn writer(scene: &mut Scene) -> Result<()> {
    scene.moment(5..25).await;
    if scene.stack().await.second(Role::Commands).is_ok() {
        return replaced(scene, Role::Commands).await;
    }
    for _ in 0..scene.random.u32(1..3) {
        scene.stack().await.writer().signal(Signal::STOP)?;
        scene.tally.one("pauses");
        // Longer than clients wait for an answer, now and then.
        scene.pause(1_000..12_000).await;
        scene.stack().await.writer().signal(Signal::CONT)?;
        scene.recovers().await?;
        scene.moment(5..25).await;
    }
    Ok(())
}

async fn replaced(scene: &mut Scene, role: Role) -> Result<()> {
    let stack = scene.stack().await;
    let (active, standby) = leases::pair(&stack, role).await?;
    leases::until_it_stands_by(role, standby).await?;
    let paused = active.pid();
    active.signal(Signal::STOP)?;
    scene.tally.one("pauses");
    leases::until_held_by(scene, role, standby).await?;
    scene.recovers().await?;
    scene.pause(0..1_000).await;
    active.signal(Signal::CONT)?;
    // It finds out that it was replaced, and stands by; one whose log was taken over ends, and its supervisor starts another.
    leases::until_it_stands_by(role, active).await?;
    let ended = active.pid() != paused;
    ensure!(ended || role == Role::Sagas, "{} goes on with a log that is another's", active.name());
    scene.tally.one(if ended { "ended when it woke" } else { "stood by when it woke" });
    scene.recovers().await
}
