//! A running platform, by what it answers.

use anyhow::Result;
use serde_json::Value;

use super::{Count, Model, Needing, Status, Unknown};
use crate::api::{Api, Listed};

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
    let (projections, models_stale) =
        projections.map(|Listed { items, stale }| (items, stale)).unzip();
    let (projections, models_stale) = (projections.as_deref(), models_stale.flatten());
    let heads = projections.map(|all| all.iter().filter_map(|item| item["head"].as_u64()).max());
    let is_stale = models_stale.is_some();
    let models = projections.map(|all| all.iter().map(|item| model(item, is_stale)).collect());
    let sagas = unknown.or_note("sagas", sagas(api).await);
    let sagas_stale = sagas.as_ref().and_then(|(.., stale)| stale.clone());
    let (sagas, needs_attention) =
        sagas.map(|(sagas, needs_attention, _)| (sagas, needs_attention)).unzip();
    let stale = [("read models", models_stale), ("sagas", sagas_stale)];
    let stale = stale.into_iter().filter_map(|(what, why)| Some(format!("{what}: {}", why?)));
    Ok(Status {
        of: api.url().to_owned(),
        running: true,
        ready: Some(ready),
        process: None,
        down,
        unknown: unknown.0,
        stale: stale.collect(),
        head: heads.map(Option::unwrap_or_default),
        models,
        sagas,
        needs_attention,
        notifications,
    })
}

/// How many sagas are in each state, the first that need a person, and why all that may be old if it may.
async fn sagas(api: &Api) -> Result<(Vec<Count>, Vec<Needing>, Option<String>)> {
    let (mut sagas, mut needs_attention, mut may_be_old) = (Vec::new(), Vec::new(), None);
    for state in STATES {
        let listed = api.every(&format!("/v1/sagas?state={state}&limit=1000")).await?;
        let Listed { items: there, stale } = listed;
        may_be_old = may_be_old.or(stale);
        sagas.push(Count { state, sagas: there.len() as u64 });
        if state == "needs_attention" {
            needs_attention = there.iter().take(LISTED).map(needing).collect();
        }
    }
    Ok((sagas, needs_attention, may_be_old))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Of a list that may be old it is not known how far behind one is.
fn model(item: &Value, is_stale: bool) -> Model {
    let (position, head) = (item["position"].as_u64(), item["head"].as_u64());
    let (position, head) = (position.unwrap_or_default(), head.unwrap_or_default());
    let parked = match item["parked"].as_u64() {
        None | Some(0) => String::new(),
        Some(keys) => format!(", {keys} parked"),
    };
    Model {
        name: text(&item["name"]),
        position,
        lag: (!is_stale).then(|| head.saturating_sub(position)),
        state: format!("{}{parked}", text(&item["state"])),
    }
}

fn needing(item: &Value) -> Needing {
    let since = item["since"].as_str().map(str::to_owned);
    Needing { id: text(&item["id"]), step: text(&item["step"]), since }
}
