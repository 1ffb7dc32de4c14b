//! The wall clock of a process is an hour off, or is set while it runs.

use anyhow::Result;

use crate::fault::{Fault, Need};
use crate::scene::Scene;
use crate::stack::{Kind, Layout, Role};
use crate::tokens::tokens;

/// An hour ahead, an hour behind, somewhat off, right.
const OFFSETS_S: [i64; 5] = [3_600, -3_600, 90, -7, 0];

/// The offsets that a clock may get: by one that is well behind, the token of whoever comes was not issued yet, so that nothing is answered.
fn offsets() -> Vec<i64> {
    let has_begun = |offset: &i64| tokens().is_none() || *offset > -60;
    OFFSETS_S.into_iter().filter(has_begun).collect()
}

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[Fault {
    id: "F20",
    name: "clocks an hour off, and set while they run",
    layout: |random| {
        if random.bool() {
            Layout { clocks: have_a_clock(Kind::Embedded).to_vec(), ..Layout::embedded() }
        } else {
            Layout { clocks: have_a_clock(Kind::Distributed).to_vec(), ..Layout::distributed() }
        }
    },
    act: |scene| Box::pin(set(scene)),
    must: &["clocks set"],
    sometimes: &["started with a wrong clock", "messages lost meanwhile"],
    needs: &[Need::Program("cc")],
    ..Fault::USUAL
}];

/// Whose clock may be wrong.
fn have_a_clock(kind: Kind) -> &'static [Role] {
    match kind {
        Kind::Embedded => &[Role::Dev],
        Kind::Distributed => &[Role::Commands, Role::Sagas, Role::Models, Role::Simulator],
    }
}

/// F20: clocks are set, ahead and back; some processes start anew with a clock that is wrong, and some lose messages
/// meanwhile, which have to be sent again in time all the same.
async fn set(scene: &mut Scene) -> Result<()> {
    let kind = scene.stack().await.kind;
    for _ in 0..scene.random.u32(3..6) {
        scene.moment(5..20).await;
        let role = scene.random.choice(have_a_clock(kind)).copied().unwrap_or(Role::Dev);
        let offsets = offsets();
        let offset = offsets[scene.random.usize(..offsets.len())];
        scene.stack().await.set_clock(role, offset)?;
        scene.tally.one("clocks set");
        scene.moment(5..20).await;
        match scene.random.u32(..4) {
            0 => {
                scene.stack().await.of(role).kill()?;
                scene.tally.one("started with a wrong clock");
            }
            1 if kind == Kind::Distributed => {
                let mut stack = scene.stack_mut().await;
                let nats = &mut stack.servers()?.nats[0];
                nats.kill()?;
                nats.wipe()?;
                nats.start_again()?;
                scene.tally.one("messages lost meanwhile");
            }
            _ => {}
        }
        scene.recovers().await?;
    }
    // A token lasts minutes: between clocks that are an hour apart none is good, and whoever is asked says so.
    if tokens().is_some() {
        for role in have_a_clock(kind) {
            scene.stack().await.set_clock(*role, 0)?;
        }
    }
    scene.stack().await.until_all_ready().await
}
