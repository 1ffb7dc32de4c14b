//! Every process is replaced in order, one after another, while the shop is open.

use std::path::Path;

use anyhow::Result;

use super::leases;
use crate::fault::Fault;
use crate::scene::Scene;
use crate::stack::{Layout, Role};

/// Of which there are two; who reads goes first.
pub(crate) const TWO_OF_EACH: [Role; 3] = [Role::Models, Role::Sagas, Role::Commands];
/// Of which there is one.
const ONE_OF_EACH: [Role; 2] = [Role::Simulator, Role::Gateway];

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[Fault {
    id: "F29",
    name: "every process is replaced in order, by that of `--other` or the same, sometimes back",
    layout: |_| {
        let other_version =
            vec![Role::Models, Role::Sagas, Role::Commands, Role::Simulator, Role::Gateway];
        let seconds = TWO_OF_EACH.to_vec();
        Layout { seconds, other_version, ..Layout::distributed() }
    },
    act: |scene| Box::pin(rolling(scene)),
    must: &["upgrades", "replaced in order", "lease changes"],
    sometimes: &["rollbacks"],
    ..Fault::USUAL
}];

/// F29: from the other version to this one, and sometimes back. Nobody's command is lost, and everybody ends in order.
async fn rolling(scene: &mut Scene) -> Result<()> {
    let programs = scene.stack().await.programs.clone();
    roll(scene, &programs.docket).await?;
    scene.tally.one("upgrades");
    if scene.random.bool() {
        roll(scene, &programs.other).await?;
        scene.tally.one("rollbacks");
    }
    scene.stack().await.until_all_ready().await
}

async fn roll(scene: &mut Scene, program: &Path) -> Result<()> {
    for role in TWO_OF_EACH {
        scene.moment(3..10).await;
        two(scene, role, program).await?;
    }
    for role in ONE_OF_EACH {
        scene.moment(3..10).await;
        let stack = scene.stack().await;
        stack.of(role).terminate()?;
        stack.of(role).start_again(Some(program));
        stack.until_ready(role).await?;
        scene.tally.one("replaced in order");
    }
    scene.recovers().await
}

/// The one that is active ends, the other takes its place, and so in turn; both run the new program then.
async fn two(scene: &Scene, role: Role, program: &Path) -> Result<()> {
    let stack = scene.stack().await;
    for _ in 0..2 {
        let (active, standby) = leases::pair(&stack, role).await?;
        leases::until_it_stands_by(role, standby).await?;
        active.terminate()?;
        leases::until_held_by(scene, role, standby).await?;
        active.start_again(Some(program));
        leases::until_it_stands_by(role, active).await?;
        scene.tally.one("replaced in order");
    }
    Ok(())
}
