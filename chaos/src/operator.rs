//! The operator of a run: settles by hand what the payment provider would not do, as a person would, so that every saga comes to
//! its end.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::awake::Awake;
use crate::client::Client;
use crate::load::Tally;
use crate::patience::patience;
use crate::stack::Stack;

/// Sagas that can't go on by themselves.
const CALLED: &str = "/v1/sagas?state=needs_attention&limit=1000";
/// What is said of it.
const REASON: &str = "settled by bank transfer";

/// Settles or retries until no saga needs a person any more. A round may leave some that come to their next refusal.
pub(crate) async fn act(stack: &Stack, tally: &Tally) -> Result<()> {
    let client = Client::new(stack.entrance().url())?;
    let begun = Awake::now();
    for round in 0.. {
        let list = client.until(CALLED, |list| list["items"].is_array()).await?;
        let called: Vec<&Value> = list["items"].as_array().into_iter().flatten().collect();
        if called.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > patience() {
            bail!("liveness: sagas need a person again and again, such as {}", called[0]);
        }
        for id in called.into_iter().filter_map(|saga| saga["id"].as_str()) {
            one(&client, id, round, tally).await?;
        }
        stack.settle().await?;
    }
    Ok(())
}

/// What failed for good is settled; what can't be settled is tried again.
async fn one(client: &Client, id: &str, round: u64, tally: &Tally) -> Result<()> {
    let body = json!({ "reason": REASON });
    let path = format!("/v1/sagas/{id}/resolve");
    let settled = client.post(&path, &format!("resolve/{id}/{round}"), &body).await?;
    let code = settled.body["code"].as_str().unwrap_or_default();
    match (settled.status, code) {
        (200, _) => tally.one("settled by hand"),
        (_, "saga_not_resolvable") => {
            let path = format!("/v1/sagas/{id}/retry");
            client.post(&path, &format!("retry/{id}/{round}"), &body).await?;
            tally.one("retried by hand");
        }
        // It went on meanwhile, or is busy: the next round sees.
        _ => {}
    }
    Ok(())
}
