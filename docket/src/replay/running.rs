//! Models of a running platform: it rebuilds them, and this follows.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use projection_service::Projector;
use serde_json::Value;

use super::bars::Bars;
use crate::api::Api;
use crate::numbers::grouped;
use crate::output;

/// How often the platform is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn run(api: &Api, projectors: &[Projector]) -> Result<ExitCode> {
    let key = key();
    for projector in projectors {
        let name = projector.name();
        api.post(&format!("/v1/projections/{name}/rebuild"), &format!("{key}-{name}")).await?;
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

/// No two runs have the same: one asks for one rebuild.
fn key() -> String {
    let now = service_kit::clock::system()();
    format!("replay-{}-{}", now.timestamp_micros(), std::process::id())
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
    match rebuilt["equal"].as_bool() {
        Some(true) => (true, format!("{built}; the same as before, row for row")),
        Some(false) => (false, format!("{built}; it DIFFERS from the old one")),
        None => (true, format!("{built}; the old one could not be compared")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rebuild_that_failed_or_differs_ends_badly() {
        let switched =
            |equal| json!({"result": "switched", "events": 812, "seconds": 0.25, "equal": equal});
        let (well, text) = ended(&switched(json!(true)));
        assert!(well && text == "812 events in 0.2 s; the same as before, row for row", "{text}");
        assert!(!ended(&switched(json!(false))).0);
        let failed = json!({"result": "failed", "cause": "disk full"});
        assert_eq!(ended(&failed), (false, "given up, the old one stays: disk full".to_owned()));
    }
}
