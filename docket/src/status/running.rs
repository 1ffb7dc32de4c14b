//! A running platform, by what it answers.

use anyhow::Result;
use serde_json::Value;

use super::{Count, Model, Needing, Status, Unknown};
use crate::api::Api;

/// The states of a saga, as the API names them.
const STATES: [&str; 5] = ["running", "waiting", "needs_attention", "completed", "compensated"];
/// What tells the outside world: behind a gateway, and in one process.
const PARTS_THAT_TELL: [&str; 2] = ["notification-service", "notifications"];
/// Sagas that are listed as in need of a person.
const LISTED: usize = 10;

pub(super) async fn status(api: &Api) -> Result<Status> {
    let (ready, parts) = api.ready().await?;
    let told = PARTS_THAT_TELL.iter().map(|part| &parts["parts"][part]);
    let notifications = told.filter(|state| !state.is_null()).map(text).next();
    let down = parts["parts"].as_object().into_iter().flatten();
    let down = down.filter(|(_, state)| **state != "up");
    let down = down.map(|(part, state)| format!("{part}: {}", text(state))).collect();
    let mut unknown = Unknown::default();
    let projections = unknown.or_note("read models", api.every("/v1/projections").await);
    let projections = projections.as_deref();
    let heads = projections.map(|all| all.iter().filter_map(|item| item["head"].as_u64()).max());
    let models = projections.map(|all| all.iter().map(model).collect());
    let (sagas, needs_attention) = unknown.or_note("sagas", sagas(api).await).unzip();
    Ok(Status {
        of: api.url().to_owned(),
        running: true,
        ready: Some(ready),
        process: None,
        down,
        unknown: unknown.0,
        head: heads.map(Option::unwrap_or_default),
        models,
        sagas,
        needs_attention,
        notifications,
    })
}

/// How many sagas are in each state, and the first that need a person.
async fn sagas(api: &Api) -> Result<(Vec<Count>, Vec<Needing>)> {
    let (mut sagas, mut needs_attention) = (Vec::new(), Vec::new());
    for state in STATES {
        let there = api.every(&format!("/v1/sagas?state={state}&limit=1000")).await?;
        sagas.push(Count { state, sagas: there.len() as u64 });
        if state == "needs_attention" {
            needs_attention = there.iter().take(LISTED).map(needing).collect();
        }
    }
    Ok((sagas, needs_attention))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn model(item: &Value) -> Model {
    let (position, head) = (item["position"].as_u64(), item["head"].as_u64());
    let (position, head) = (position.unwrap_or_default(), head.unwrap_or_default());
    let parked = match item["parked"].as_u64() {
        None | Some(0) => String::new(),
        Some(keys) => format!(", {keys} parked"),
    };
    Model {
        name: text(&item["name"]),
        position,
        lag: Some(head.saturating_sub(position)),
        state: format!("{}{parked}", text(&item["state"])),
    }
}

fn needing(item: &Value) -> Needing {
    let since = item["since"].as_str().map(str::to_owned);
    Needing { id: text(&item["id"]), step: text(&item["step"]), since }
}
