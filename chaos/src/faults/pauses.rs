//! A process stands still, as in a long pause of a virtual machine, and goes on as if nothing had been.

use anyhow::Result;
use rustix::process::Signal;

use super::leases;
use crate::scene::Scene;
use crate::stack::{Kind, Role};

/// F18: an orchestrator stands still until the second one has its lease; then it wakes, and is refused.
pub(crate) async fn orchestrator_replaced(scene: &mut Scene) -> Result<()> {
    scene.moment(5..25).await;
    replaced(scene, Role::Sagas).await
}

/// F19: what takes commands stands still. Of several processes the second takes its place.
pub(crate) async fn writer(scene: &mut Scene) -> Result<()> {
    scene.moment(5..25).await;
    if scene.stack().await.kind == Kind::Distributed {
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
    active.signal(Signal::STOP)?;
    scene.tally.one("pauses");
    leases::until_held_by(scene, role, standby).await?;
    scene.recovers().await?;
    scene.pause(0..1_000).await;
    active.signal(Signal::CONT)?;
    // It finds out that it was replaced, and stands by: itself, or the one that its supervisor starts.
    leases::until_it_stands_by(role, active).await?;
    scene.recovers().await
}
