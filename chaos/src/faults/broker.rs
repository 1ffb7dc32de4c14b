//! NATS goes away, forgets, or its disk fails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::awake::Awake;
use crate::checks::FLIPPED;
use crate::fault::{Fault, Need};
use crate::patience::patience;
use crate::readiness::SAID;
use crate::scene::{LONG, Scene};
use crate::stack::{Layout, Role};
use crate::tools::strace::Strace;

/// Who can't do without it: they hear of the log by it.
const READ_FROM_IT: [Role; 2] = [Role::Models, Role::Sagas];

/// Makes system calls fail.
const STRACE: &[Need] = &[Need::Program("strace")];

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F10",
        name: "kill -9 of nats-server, again and again",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(killed(scene)),
        must: &["broker killed", "commands taken without the broker"],
        sometimes: &[LONG, SAID],
        ..Fault::USUAL
    },
    Fault {
        id: "F11",
        name: "EIO or ENOSPC under nats-server",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(disk_fails(scene)),
        must: &["disk errors of the broker"],
        sometimes: &["commands taken without the broker"],
        needs: STRACE,
        ..Fault::USUAL
    },
    Fault {
        id: "F12",
        name: "the broker's store is deleted",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(wiped(scene)),
        must: &["broker wiped", "published again"],
        sometimes: &["holes filled from the log"],
        ..Fault::USUAL
    },
    Fault {
        id: "F13",
        name: "a bit flips in the broker's store",
        layout: |_| Layout::distributed(),
        act: |scene| Box::pin(bit_flipped(scene)),
        must: &["bits flipped"],
        ..Fault::USUAL
    },
    Fault {
        id: "F14",
        name: "of three nats-servers the leader or two are killed",
        layout: |_| Layout { nats: 3, ..Layout::distributed() },
        act: |scene| Box::pin(of_three(scene)),
        must: &["leaders killed", "quorums lost", "commands taken meanwhile"],
        ..Fault::USUAL
    },
];

/// F10: killed and started again; commands are taken all the while.
async fn killed(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(4..8) {
        scene.moment(5..30).await;
        scene.stack_mut().await.servers()?.nats[0].kill()?;
        scene.tally.one("broker killed");
        let before = scene.load.acknowledged();
        scene.leave_away(&READ_FROM_IT, 100..1_200).await;
        let taken = scene.load.acknowledged() - before;
        scene.tally.add("commands taken without the broker", taken);
        scene.stack_mut().await.servers()?.nats[0].start_again()?;
    }
    scene.recovers().await
}

/// F11: its disk gives errors. After an error a stream answers no more until the server is started again.
async fn disk_fails(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..3) {
        scene.moment(5..25).await;
        let pid = scene.stack_mut().await.servers()?.nats[0].process_id()?;
        let error = ["EIO", "ENOSPC"][scene.random.usize(..2)];
        let calls = "write,pwrite64,fsync,fdatasync,ftruncate";
        // Sockets are written to by the same calls: those to files fail from the nth on.
        let nth = scene.random.u32(1..200);
        let failing = Strace::attach(&[pid], calls, &format!("error={error}:when={nth}+")).await?;
        scene.tally.one("disk errors of the broker");
        let before = scene.load.acknowledged();
        scene.pause(500..3_000).await;
        let taken = scene.load.acknowledged() - before;
        scene.tally.add("commands taken without the broker", taken);
        drop(failing);
        let mut stack = scene.stack_mut().await;
        let nats = &mut stack.servers()?.nats[0];
        nats.kill()?;
        nats.start_again()?;
        drop(stack);
        scene.recovers().await?;
    }
    Ok(())
}

/// F12: stopped or killed, its store deleted, started again.
async fn wiped(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..4) {
        scene.moment(10..40).await;
        {
            let in_order = scene.random.bool();
            let mut stack = scene.stack_mut().await;
            let nats = &mut stack.servers()?.nats[0];
            if in_order {
                nats.stop()?;
            } else {
                nats.kill()?;
            }
            nats.wipe()?;
        }
        scene.tally.one("broker wiped");
        scene.pause(0..1_000).await;
        scene.stack_mut().await.servers()?.nats[0].start_again()?;
        scene.recovers().await?;
    }
    Ok(())
}

/// F13: a bit of what it has stored is another one when it starts again.
async fn bit_flipped(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..3) {
        scene.moment(15..40).await;
        let mut stack = scene.stack_mut().await;
        let nats = &mut stack.servers()?.nats[0];
        nats.stop()?;
        let blocks = blocks(&nats.store());
        let block = blocks
            .get(scene.random.usize(..blocks.len().max(1)))
            .context("it has stored something")?;
        let mut bytes = std::fs::read(block)?;
        let at = scene.random.usize(..bytes.len().max(1));
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << scene.random.u32(..8);
        }
        std::fs::write(block, bytes)?;
        nats.start_again()?;
        drop(stack);
        scene.tally.one(FLIPPED);
        scene.recovers().await?;
    }
    Ok(())
}

/// F14: of three servers the leader of the events is killed, or two of them, so that there is no quorum.
async fn of_three(scene: &mut Scene) -> Result<()> {
    for round in 0..scene.random.u32(2..4) {
        scene.moment(5..25).await;
        let victims = if round % 2 == 0 {
            scene.tally.one("leaders killed");
            vec![leader(scene, "EVENTS").await?]
        } else {
            scene.tally.one("quorums lost");
            let spared = scene.random.usize(..3);
            (0..3).filter(|server| *server != spared).collect()
        };
        for victim in &victims {
            scene.stack_mut().await.servers()?.nats[*victim].kill()?;
        }
        let before = scene.load.acknowledged();
        scene.pause(500..3_000).await;
        let taken = scene.load.acknowledged() - before;
        scene.tally.add("commands taken meanwhile", taken);
        for victim in victims {
            scene.stack_mut().await.servers()?.nats[victim].start_again()?;
        }
        scene.recovers().await?;
    }
    Ok(())
}

/// The server that leads a stream.
async fn leader(scene: &Scene, stream: &str) -> Result<usize> {
    let servers: Vec<(String, String)> = {
        let stack = scene.stack().await;
        let servers = stack.servers_ref().context("there are servers")?;
        servers.nats.iter().map(|nats| (nats.name(), nats.url())).collect()
    };
    let urls: Vec<&str> = servers.iter().map(|(_, url)| url.as_str()).collect();
    let streams = async_nats::jetstream::new(async_nats::connect(urls).await?);
    let begun = Awake::now();
    loop {
        let found = streams.get_stream(stream).await.ok();
        let cluster = found.and_then(|stream| stream.cached_info().cluster.clone());
        let leader = cluster.and_then(|cluster| cluster.leader);
        let position = servers.iter().position(|(name, _)| Some(name) == leader.as_ref());
        if let Some(position) = position {
            return Ok(position);
        }
        anyhow::ensure!(begun.elapsed() < patience(), "liveness: {stream} has no leader");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Files with messages of the stream of events.
fn blocks(store: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![store.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "blk")
                && path.to_string_lossy().contains("EVENTS")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
