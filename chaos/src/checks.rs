//! What must hold after every run.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use invariants::{JournalLine, Seen};
use serde_json::Value;

use crate::awake::Awake;
use crate::client::Client;
use crate::load::{JournalFile, Tally, Wish};
use crate::patience::patience;
use crate::stack::Stack;

/// Acknowledged commands that are asked for once more at the end.
const ASKED_AGAIN: usize = 400;
/// As many at the same time.
const ASKED_AT_ONCE: usize = 8;
/// How a finding begins which says that the provider knows more than the log.
const NEVER_ASKED: &str = "The provider did what the log never asked for";
/// Why an order is rejected that waited longer than any run lasts.
const TOO_LATE: &str = "deadline_passed";
/// After so long without a message there is none to come.
const SILENCE: Duration = Duration::from_secs(5);
/// What makes a message of the broker unreadable; whoever reads has the event from the log then.
pub(crate) const FLIPPED: &str = "bits flipped";
/// The stream of events.
const STREAM: &str = "EVENTS";

/// I14: what was acknowledged is answered the same once more. The journal has it; `docket verify` compares.
pub(crate) async fn ask_again(
    stack: &Stack,
    acknowledged: &[Wish],
    journal: &JournalFile,
    tally: &Tally,
) -> Result<()> {
    let client = Client::new(stack.entrance().url())?;
    let step = acknowledged.len().div_ceil(ASKED_AGAIN).max(1);
    let asked = acknowledged.iter().step_by(step).map(|wish| wish.again(&client, journal));
    let asked = futures::stream::iter(asked).buffer_unordered(ASKED_AT_ONCE);
    let asked: Vec<_> = asked.try_collect().await?;
    tally.add("asked again at the end", asked.len() as u64);
    Ok(())
}

/// I12, I13: the stream holds every event once, in order, as far as the log goes. What it holds goes into the journal
/// as a reader's, to be compared event by event.
pub(crate) async fn stream(
    stack: &Stack,
    journal: &JournalFile,
    tally: &Tally,
) -> Result<Vec<String>> {
    let Some(servers) = stack.servers_ref() else { return Ok(Vec::new()) };
    let models = Client::new(stack.entrance().url())?.get("/v1/projections").await?;
    let head =
        models.body["items"][0]["head"].as_u64().context("a model says how far the log is")?;
    let urls: Vec<String> = servers.nats.iter().map(test_servers::Nats::url).collect();
    let broker = async_nats::connect(urls).await.context("the broker does not answer")?;
    let streams = async_nats::jetstream::new(broker);
    let begun = Awake::now();
    let state = loop {
        let found = streams.get_stream(STREAM).await;
        if let Ok(stream) = &found
            && stream.cached_info().state.last_sequence == head
        {
            break stream.cached_info().state.clone();
        }
        if begun.elapsed() > patience() {
            let last = found.map(|stream| stream.cached_info().state.last_sequence);
            bail!("I12: the stream ends at {last:?}, and the log at {head}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let mut violations = Vec::new();
    let expected = state.last_sequence + 1 - state.first_sequence;
    if state.messages != expected {
        violations.push(format!(
            "I12: the stream has {} messages from {} to {}",
            state.messages, state.first_sequence, state.last_sequence
        ));
    }
    let stream = streams.get_stream(STREAM).await?;
    let settings = async_nats::jetstream::consumer::pull::OrderedConfig::default();
    let consumer = stream.create_consumer(settings).await?;
    let mut messages = consumer.messages().await?;
    let mut read = Vec::new();
    let (mut last, mut unreadable) = (state.first_sequence - 1, 0);
    while last < state.last_sequence {
        // What can't be read is passed over in silence, also at the end.
        let Ok(next) = tokio::time::timeout(SILENCE, messages.next()).await else { break };
        let message = next.context("the stream ends")??;
        let sequence = message.info().map_err(|error| anyhow::anyhow!("{error}"))?.stream_sequence;
        let body: Value = serde_json::from_slice(&message.payload)?;
        let event = body["id"].as_str().context("a message has an id")?.parse()?;
        if body["position"].as_str() != Some(sequence.to_string().as_str()) {
            violations.push(format!("I12: message {sequence} says position {}", body["position"]));
        }
        unreadable += sequence - last - 1;
        last = sequence;
        let seen = Seen { reader: format!("{STREAM}/{unreadable}"), position: sequence, event };
        read.push(JournalLine::Seen(seen));
    }
    journal.write_all(&read).await?;
    unreadable += state.last_sequence - last;
    tally.add("messages unreadable", unreadable);
    if unreadable > 0 && tally.get(FLIPPED) == 0 {
        violations.push(format!("I12: {unreadable} messages of the stream can't be read"));
    }
    Ok(violations)
}

/// `docket verify` over everything, with the journal.
pub(crate) async fn laws(
    stack: &Stack,
    journal: &JournalFile,
    forgotten: &[String],
    tally: &Tally,
) -> Result<Vec<String>> {
    let path = journal.path().to_string_lossy().into_owned();
    let (_, out, err) = stack.docket(&["verify", "--json", "--journal", &path]).await?;
    let report: Value =
        serde_json::from_str(&out).with_context(|| format!("docket verify says {out}{err}"))?;
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let text =
        |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    // The provider is a house of its own: what a log that was put back has forgotten, it has not.
    let is_forgotten = |finding: &Value| {
        let statement = text(finding, "statement");
        let of_whom = |name: &String| statement.contains(&format!("`{name}-"));
        statement.starts_with(NEVER_ASKED) && forgotten.iter().any(of_whom)
    };
    let (known, findings): (Vec<Value>, _) = findings.into_iter().partition(is_forgotten);
    tally.add("known to the provider alone", known.len() as u64);
    let violations = findings
        .iter()
        .map(|finding| format!("{}: {}", text(finding, "rule"), text(finding, "statement")));
    let mut violations: Vec<String> = violations.collect();
    if report["notes"].to_string().contains("not checked") {
        violations.push(format!("something was not checked: {}", report["notes"]));
    }
    let count = |name: &str| report["counts"][name].as_u64().unwrap_or_default();
    for (name, what) in [
        ("events", "events"),
        ("orders", "orders"),
        ("acknowledged", "acknowledged"),
        ("unanswered", "unanswered"),
    ] {
        tally.add(what, count(name));
    }
    if count("acknowledged") == 0 || count("orders") == 0 {
        violations.push("nothing was tested: nothing was acknowledged".to_owned());
    }
    let client = Client::new(stack.entrance().url())?;
    violations.extend(deadlines(&client).await?);
    let list = client.get("/v1/sagas?state=compensated&limit=1000").await?;
    tally.add("compensated", list.body["items"].as_array().map_or(0, Vec::len) as u64);
    Ok(violations)
}

/// I9: no order is given up for the time that it took: a run is far shorter, whatever clocks say.
async fn deadlines(client: &Client) -> Result<Vec<String>> {
    let list = client.get("/v1/orders?status=rejected&limit=1000").await?;
    let late = |order: &&Value| order["reason"] == TOO_LATE;
    let late = list.body["items"].as_array().into_iter().flatten().filter(late);
    Ok(late.map(|order| format!("I9: order {} was rejected: {TOO_LATE}", order["id"])).collect())
}

/// Nobody panicked.
pub(crate) fn panics(stack: &Stack) -> Vec<String> {
    let mut violations = Vec::new();
    for process in stack.processes() {
        let log = std::fs::read_to_string(process.log()).unwrap_or_default();
        if let Some(line) = log.lines().find(|line| line.contains("panicked")) {
            violations.push(format!("{} panicked: {line}", process.name()));
        }
    }
    violations
}
