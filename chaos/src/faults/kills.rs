//! `kill -9` of the platform's processes.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::fault::{Fault, Need};
use crate::patience::factor;
use crate::scene::Scene;
use crate::stack::{Kind, Layout, Role};
use crate::tools::strace::Strace;

/// How long a process may take to come to the system call that is its last.
const COMES_WITHIN: Duration = Duration::from_secs(4);

/// Makes system calls fail.
const STRACE: &[Need] = &[Need::Program("strace")];

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F1",
        name: "kill -9 of what takes commands",
        act: |scene| Box::pin(writer(scene)),
        must: &["kills", "retried until answered"],
        sometimes: &["retries that had happened", "dedupe hits", "compensated"],
        ..Fault::USUAL
    },
    Fault {
        id: "F2",
        name: "kill -9 at a drawn system call of commits and answers",
        act: |scene| Box::pin(between_append_and_answer(scene)),
        must: &["killed at a system call"],
        sometimes: &["retries that had happened"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F3",
        name: "kill -9 of the orchestrator at a drawn system call",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(sagas(scene)),
        must: &["killed at a system call"],
        sometimes: &["compensated"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F4",
        name: "kill -9 of the projection-service in mid-batch",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(models(scene)),
        must: &["kills"],
        ..Fault::USUAL
    },
    Fault {
        id: "F5",
        name: "kill -9 of the relay with publishes unanswered",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(relay(scene)),
        must: &["killed with publishes unanswered"],
        ..Fault::USUAL
    },
];

/// F1: the process that takes commands, at random moments; its supervisor starts it again.
async fn writer(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(3..6) {
        scene.moment(5..40).await;
        scene.stack().await.writer().kill()?;
        scene.tally.one("kills");
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// F2: the same as it enters the nth system call of a kind that commits and answers are made of: now and then what it was about to
/// acknowledge is on disk, and nobody was told. How often that was so is counted as "retries that had happened".
async fn between_append_and_answer(scene: &mut Scene) -> Result<()> {
    // A commit's last steps, SQLite's or those of the connection to PostgreSQL; then the answer's way out.
    let calls = match scene.stack().await.kind {
        Kind::Embedded => ["pwrite64", "fsync", "writev"],
        Kind::Distributed => ["sendto", "recvfrom", "writev"],
    };
    for _ in 0..scene.random.u32(2..4) {
        scene.moment(5..25).await;
        let pid = scene.stack().await.writer().pid();
        let call = calls[scene.random.usize(..calls.len())];
        at_a_call(scene, pid, call, 40, Aim::Writer).await?;
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// F3: the orchestrator, as it enters the nth system call of a kind that reading, sending and committing are made of; which step of
/// which saga that is, is left to chance.
async fn sagas(scene: &mut Scene) -> Result<()> {
    let calls = ["sendto", "recvfrom", "writev", "read"];
    for _ in 0..scene.random.u32(2..5) {
        scene.moment(3..20).await;
        let pid = scene.stack().await.of(Role::Sagas).pid();
        let call = calls[scene.random.usize(..calls.len())];
        at_a_call(scene, pid, call, 120, Aim::Sagas).await?;
        scene.stack().await.until_ready(Role::Sagas).await?;
    }
    scene.recovers().await
}

#[derive(Debug, Clone, Copy)]
enum Aim {
    Writer,
    Sagas,
}

/// Kills a process as it enters a system call for the nth time; by hand, where it never comes to it.
async fn at_a_call(
    scene: &mut Scene,
    pid: Option<u32>,
    call: &str,
    most: u32,
    aim: Aim,
) -> Result<()> {
    let pid = pid.context("it runs")?;
    let nth = scene.random.u32(1..most);
    let mut strace = Strace::attach(&[pid], call, &format!("signal=KILL:when={nth}")).await?;
    if strace.until_they_end(COMES_WITHIN * factor()).await? {
        scene.tally.one("killed at a system call");
    } else {
        drop(strace);
        let stack = scene.stack().await;
        match aim {
            Aim::Writer => stack.writer().kill()?,
            Aim::Sagas => stack.of(Role::Sagas).kill()?,
        }
        scene.tally.one("killed by hand");
    }
    Ok(())
}

/// F4: the projection-service, before it has read what came since the last time.
async fn models(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(8..14) {
        scene.moment(2..15).await;
        scene.stack().await.of(Role::Models).kill()?;
        scene.tally.one("kills");
        scene.pause(0..900).await;
    }
    scene.recovers().await
}

/// F5: the command-service with the relay in it, while the broker stands still and answers no publish.
async fn relay(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(2..5) {
        scene.moment(5..20).await;
        scene.stack_mut().await.servers()?.nats[0].pause()?;
        // What is appended now is published into the silence.
        scene.moment(5..25).await;
        scene.stack().await.of(Role::Commands).kill()?;
        scene.tally.one("killed with publishes unanswered");
        scene.pause(0..400).await;
        scene.stack_mut().await.servers()?.nats[0].wake()?;
        scene.recovers().await?;
    }
    Ok(())
}
