//! Models of a running platform: it rebuilds them, and this follows.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use projection_service::Projector;
use projection_service::offline::Decision;
use serde_json::{Value, json};

use super::bars::Bars;
use super::decision;
use crate::api::{Api, unique_key};
use crate::numbers::grouped;
use crate::output;

/// How often the platform is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn run(api: &Api, projectors: &[Projector], reason: &str) -> Result<ExitCode> {
    let (key, why) = (unique_key("replay"), json!({ "reason": reason }));
    for projector in projectors {
        let name = projector.name();
        let path = format!("/v1/projections/{name}/rebuild");
        api.post_json(&path, &format!("{key}-{name}"), &why).await?;
    }
    let bars = Bars::new(projectors, 0);
    let mut left = projectors.to_vec();
    let mut failed = false;
    while !left.is_empty() {
        let mut still = Vec::new();
        for projector in left {
            let name = projector.name();
            let model = api.get(&format!("/v1/projections/{name}")).await?;
            let (position, target) = (number(&model, "position"), number(&model, "target"));
            bars.of(name, position, target);
            if model["state"] == "rebuilding" {
                still.push(projector);
                continue;
            }
            let (ended, text) = ended(&model["last_rebuild"]);
            failed |= !ended;
            output::line(format_args!("{name}: {text}"))?;
        }
        left = still;
        if !left.is_empty() {
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
    bars.done();
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What an operator decides about the generations that are kept beside these models.
pub(super) async fn decide(
    api: &Api,
    projectors: &[Projector],
    decision: Decision,
    reason: &str,
) -> Result<ExitCode> {
    let (key, verb) = (unique_key("replay"), decision::verb(decision));
    let why = json!({ "reason": reason });
    let mut decided = 0;
    for projector in projectors {
        let name = projector.name();
        let path = format!("/v1/projections/{name}");
        let kept = &api.get(&path).await?["kept"]["role"];
        let there = match decision {
            Decision::RollBack => kept == "previous",
            Decision::Switch => kept == "candidate",
            Decision::Drop => kept.is_string(),
        };
        if there {
            api.post_json(&format!("{path}/{verb}"), &format!("{key}-{name}"), &why).await?;
            output::line(format_args!("{name}: {}", decision::done(decision)))?;
            decided += 1;
        }
    }
    if decided == 0 {
        bail!("{}", decision::nothing(decision));
    }
    Ok(ExitCode::SUCCESS)
}

fn number(value: &Value, member: &str) -> u64 {
    value[member].as_u64().unwrap_or_default()
}

/// Whether the rebuild ended well, and how, in words.
fn ended(rebuilt: &Value) -> (bool, String) {
    if rebuilt["result"] == "failed" {
        let cause = rebuilt["cause"].as_str().unwrap_or("no cause was told");
        return (false, format!("given up, the old one stays: {cause}"));
    }
    let events = grouped(number(rebuilt, "events"));
    let seconds = rebuilt["seconds"].as_f64().unwrap_or_default();
    let built = format!("{events} events in {seconds:.1} s");
    if rebuilt["result"] == "differs" {
        let mut text = format!("{built}; it {}", decision::DIFFERS);
        for found in rebuilt["differences"].as_array().into_iter().flatten() {
            let part = |member: &str| found[member].as_str();
            let (table, key) = (part("table").unwrap_or_default(), part("key").unwrap_or_default());
            text += &decision::difference(table, key, part("live"), part("rebuilt"));
        }
        return (false, text);
    }
    match rebuilt["equal"].as_bool() {
        Some(_) => (true, format!("{built}; the same as before, row for row")),
        None => (true, format!("{built}; the old one could not be compared")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebuild_that_failed_or_differs_ends_badly() {
        let switched =
            |equal| json!({"result": "switched", "events": 812, "seconds": 0.25, "equal": equal});
        let (well, text) = ended(&switched(json!(true)));
        assert!(well && text == "812 events in 0.2 s; the same as before, row for row", "{text}");
        let row = json!({"table": "stock", "key": "22423", "live": "[5]", "rebuilt": null});
        let differs =
            json!({"result": "differs", "events": 812, "seconds": 0.25, "differences": [row]});
        let (well, text) = ended(&differs);
        assert!(!well && text.contains("DIFFERS"), "{text}");
        assert!(text.ends_with("stock 22423\n    live:    [5]\n    rebuilt: no row"), "{text}");
        let failed = json!({"result": "failed", "cause": "disk full"});
        assert_eq!(ended(&failed), (false, "given up, the old one stays: disk full".to_owned()));
    }
}
