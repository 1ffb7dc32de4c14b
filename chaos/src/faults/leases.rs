//! Which of two processes is the active one, by their database's account: what each says of itself is older by a moment, and
//! orchestrators of earlier versions call themselves ready also while they stand by.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::awake::Awake;
use crate::client::Client;
use crate::patience::patience;
use crate::scene::Scene;
use crate::stack::{Process, Role, Stack};
use crate::storage;

/// The active one of two, and the other.
pub(crate) async fn pair(stack: &Stack, role: Role) -> Result<(&Process, &Process)> {
    let (one, other) = (stack.of(role), stack.second(role)?);
    let begun = Awake::now();
    loop {
        let holder = holder(stack, role).await;
        if holder.is_some() && holder == one.pid() {
            return Ok((one, other));
        }
        if holder.is_some() && holder == other.pid() {
            return Ok((other, one));
        }
        ensure!(begun.elapsed() < patience(), "liveness: nobody takes the lease of {role:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until a process holds the lease, and is ready for it.
pub(crate) async fn until_held_by(scene: &Scene, role: Role, process: &Process) -> Result<()> {
    let stack = scene.stack().await;
    let begun = Awake::now();
    while process.pid().is_none() || holder(&stack, role).await != process.pid() {
        let name = process.name();
        ensure!(begun.elapsed() < patience(), "liveness: {name} does not take the lease");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.tally.one("lease changes");
    Client::new(process.url())?.until_status("ready").await
}

/// Waits until a process is there and stands by.
pub(crate) async fn until_it_stands_by(role: Role, process: &Process) -> Result<()> {
    let client = Client::new(process.url())?;
    let begun = Awake::now();
    loop {
        match client.status().await.as_deref() {
            Some("standby") => return Ok(()),
            Some("ready") if role == Role::Sagas => return Ok(()),
            said => ensure!(
                begun.elapsed() < patience(),
                "liveness: {} does not stand by, but says {said:?}",
                process.name()
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn holder(stack: &Stack, role: Role) -> Option<u32> {
    let databases = stack.servers_ref().context("there is a database").ok()?.databases();
    let url = match role {
        Role::Commands => databases.log,
        Role::Models => databases.models,
        _ => databases.sagas,
    };
    storage::holder(&url, role.name()).await.ok().flatten()
}
