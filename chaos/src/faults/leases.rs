//! Which of two processes is the active one, by their database's account: what each says of itself is older by a moment.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

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
        let said = client.health().await.unwrap_or_default();
        if stands_by(role, &said) {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < patience(),
            "liveness: {} does not stand by, but says {said}",
            process.name()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A second orchestrator is ready, because it answers reads; who is the active one it says beside that, but in earlier
/// versions.
fn stands_by(role: Role, said: &Value) -> bool {
    match said["status"].as_str() {
        Some("standby") => true,
        Some("ready") => role == Role::Sagas && said["active"] != true,
        _ => false,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_orchestrator_that_still_takes_itself_for_the_active_one_does_not_stand_by() {
        for (role, said, expected) in [
            (Role::Sagas, json!({ "status": "ready", "active": true }), false),
            (Role::Sagas, json!({ "status": "ready", "active": false }), true),
            (Role::Sagas, json!({ "status": "ready" }), true),
            (Role::Sagas, json!({ "status": "not_ready", "active": false }), false),
            (Role::Commands, json!({ "status": "standby", "active": false }), true),
            (Role::Commands, json!({ "status": "ready", "active": false }), false),
            (Role::Commands, Value::Null, false),
        ] {
            assert_eq!(stands_by(role, &said), expected, "{role:?} {said}");
        }
    }
}
