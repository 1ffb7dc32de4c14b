//! The network between the services and their servers loses what it carries, in both directions or in one.

use anyhow::{Context as _, Result};
use test_servers::Forwards;

use crate::awake::Awake;
use crate::scene::Scene;
use crate::stack::Role;

/// F15: nothing gets through, or requests do and answers don't, for some seconds.
pub(crate) async fn database_partitioned(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..3) {
        scene.moment(5..25).await;
        let what = [Forwards::Nothing, Forwards::Requests][scene.random.usize(..2)];
        let from = Awake::now();
        database(scene, what).await?;
        scene.tally.one(match what {
            Forwards::Requests => "partitions of answers",
            Forwards::Nothing | Forwards::Everything => "partitions",
        });
        scene.pause(2_000..10_000).await;
        scene.was_away(&[Role::Commands, Role::Models, Role::Sagas], from).await;
        database(scene, Forwards::Everything).await?;
        scene.recovers().await?;
    }
    scene.stack().await.until_all_ready().await
}

/// F16: connections that lost something stay silent for ever; new ones work at once.
pub(crate) async fn half_open(scene: &mut Scene) -> Result<()> {
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

/// F17: as F15, before the broker; commands are taken all the while.
pub(crate) async fn broker_partitioned(scene: &mut Scene) -> Result<()> {
    for _ in 0..scene.random.u32(1..4) {
        scene.moment(5..25).await;
        let what = [Forwards::Nothing, Forwards::Requests][scene.random.usize(..2)];
        broker(scene, what).await?;
        scene.tally.one("partitions");
        let before = scene.load.acknowledged();
        scene.pause(500..6_000).await;
        let taken = scene.load.acknowledged() - before;
        scene.tally.add("commands taken without the broker", taken);
        broker(scene, Forwards::Everything).await?;
        scene.recovers().await?;
    }
    Ok(())
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
