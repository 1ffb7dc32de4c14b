//! The network between the services and their servers loses what it carries, in both directions or in one.

use anyhow::{Context as _, Result};
use test_servers::Forwards;

use super::database::NOT_READY_WITHOUT;
use crate::fault::Fault;
use crate::readiness::SAID;
use crate::scene::{LONG, Scene};
use crate::stack::Layout;

fn behind_a_proxy(_: &mut fastrand::Rng) -> Layout {
    Layout { proxied_database: true, ..Layout::distributed() }
}

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F15",
        name: "partition between services and database, or of its answers",
        layout: behind_a_proxy,
        act: |scene| Box::pin(database_partitioned(scene)),
        must: &["retried until answered"],
        sometimes: &["partitions", "partitions of answers", "unknown outcomes", LONG, SAID],
        ..Fault::USUAL
    },
    Fault {
        id: "F16",
        name: "half-open connections to the database",
        layout: behind_a_proxy,
        act: |scene| Box::pin(half_open(scene)),
        must: &["connections half open"],
        ..Fault::USUAL
    },
    Fault {
        id: "F17",
        name: "partition between services and broker",
        layout: |_| Layout { proxied_broker: true, ..Layout::distributed() },
        act: |scene| Box::pin(broker_partitioned(scene)),
        must: &["partitions", "commands taken without the broker"],
        ..Fault::USUAL
    },
];

/// F15: nothing gets through, or requests do and answers don't, for some seconds.
async fn database_partitioned(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..3) {
        scene.moment(5..25).await;
        let what = [Forwards::Nothing, Forwards::Requests][scene.random.usize(..2)];
        database(scene, what).await?;
        scene.tally.one(match what {
            Forwards::Requests => "partitions of answers",
            Forwards::Nothing | Forwards::Everything => "partitions",
        });
        scene.leave_away(&NOT_READY_WITHOUT, 2_000..7_000).await;
        database(scene, Forwards::Everything).await?;
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// F16: connections that lost something stay silent for ever; new ones work at once.
async fn half_open(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(2..4) {
        scene.moment(5..25).await;
        database(scene, Forwards::Nothing).await?;
        scene.pause(20..400).await;
        database(scene, Forwards::Everything).await?;
        scene.tally.one("connections half open");
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// F17: as F15, before the broker; commands are taken all the while. Once: it takes a quarter of a minute until a connection is known to
/// be dead, by questions that are not answered.
async fn broker_partitioned(scene: &mut Scene) -> Result<()> {
    scene.moment(5..25).await;
    let what = [Forwards::Nothing, Forwards::Requests][scene.random.usize(..2)];
    broker(scene, what).await?;
    scene.tally.one("partitions");
    let before = scene.load.acknowledged();
    scene.pause(500..6_000).await;
    let taken = scene.load.acknowledged() - before;
    scene.tally.add("commands taken without the broker", taken);
    broker(scene, Forwards::Everything).await?;
    scene.recovers().await
}

async fn database(scene: &Scene, forwards: Forwards) -> Result<()> {
    let mut stack = scene.stack_mut().await;
    stack.servers()?.database_proxy.as_ref().context("there is a proxy")?.set(forwards);
    Ok(())
}

async fn broker(scene: &Scene, forwards: Forwards) -> Result<()> {
    let mut stack = scene.stack_mut().await;
    stack.servers()?.broker_proxy.as_ref().context("there is a proxy")?.set(forwards);
    Ok(())
}
