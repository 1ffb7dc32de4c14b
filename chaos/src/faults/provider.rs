//! The payment provider is slow, fails, loses answers, hears everything twice, or is away for long.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::client::Client;
use crate::fault::Fault;
use crate::probes::{PROVIDER_BACK, PROVIDER_SHUT_OUT, PROVIDER_TRIED};
use crate::scene::Scene;
use crate::stack::{Layout, Role};
use crate::tools::provider_gate::Manner;

/// Every way to be rude, with what it is called in reports.
const MANNERS: [(Manner, &str); 6] = [
    (Manner::Fails, "asked a provider that fails"),
    (Manner::FailsAfterwards, "asked a provider that fails afterwards"),
    (Manner::LosesAnswers, "asked a provider that loses answers"),
    (Manner::Twice, "asked a provider that hears twice"),
    (Manner::Slow, "asked a slow provider"),
    (Manner::Silent, "asked a silent provider"),
];
/// Questions that one payment may ask of a provider that is away for some seconds: calls, then probes, each after twice
/// the pause of the one before.
const QUESTIONS: u64 = 12;

fn behind_a_gate(_: &mut fastrand::Rng) -> Layout {
    Layout { gated_provider: true, ..Layout::distributed() }
}

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F21",
        name: "the payment provider is slow, fails, loses answers, hears twice",
        layout: behind_a_gate,
        act: |scene| Box::pin(rude(scene)),
        must: &["asked a rude provider"],
        sometimes: &[
            "asked a provider that fails",
            "asked a provider that fails afterwards",
            "asked a provider that loses answers",
            "asked a provider that hears twice",
            "asked a slow provider",
            "asked a silent provider",
        ],
        ..Fault::USUAL
    },
    Fault {
        id: "F22",
        name: "the payment provider is away for long",
        layout: behind_a_gate,
        act: |scene| Box::pin(away(scene)),
        must: &[
            "payments waited",
            "acknowledged without the provider",
            PROVIDER_SHUT_OUT,
            PROVIDER_TRIED,
            PROVIDER_BACK,
        ],
        sometimes: &["provider gone", "provider silent", "asked in vain"],
        ..Fault::USUAL
    },
];

/// F21: for some seconds each, in the order that the seed says.
async fn rude(scene: &mut Scene) -> Result<()> {
    let mut manners = MANNERS;
    scene.random.shuffle(&mut manners);
    for (manner, what) in &manners[..4] {
        scene.moment(3..15).await;
        let before = set(scene, *manner).await?;
        scene.pause(800..2_500).await;
        let asked = set(scene, Manner::Honest).await? - before;
        scene.tally.add(what, asked);
        scene.tally.add("asked a rude provider", asked);
    }
    scene.recovers().await
}

/// F22: away for long, so that nobody is there or nobody answers. Orders wait for it, each asks less and less often, and
/// what needs no payment goes on.
async fn away(scene: &mut Scene) -> Result<()> {
    scene.moment(5..25).await;
    let is_gone = scene.random.bool();
    let before = if is_gone {
        scene.stack().await.of(Role::Simulator).terminate()?;
        set(scene, Manner::Honest).await?
    } else {
        set(scene, Manner::Silent).await?
    };
    scene.tally.one(if is_gone { "provider gone" } else { "provider silent" });
    let acknowledged = scene.load.acknowledged();
    scene.pause(4_000..8_000).await;
    scene.tally.add("acknowledged without the provider", scene.load.acknowledged() - acknowledged);
    let waiting = waiting(scene).await?;
    scene.tally.add("payments waited", waiting);
    let asked = set(scene, Manner::Honest).await? - before;
    scene.tally.add("asked in vain", asked);
    ensure!(
        asked <= waiting * QUESTIONS,
        "a storm of retries: {waiting} orders asked a provider that is away {asked} times"
    );
    if is_gone {
        scene.stack().await.of(Role::Simulator).start_again(None);
    }
    scene.recovers().await
}

/// Sets how the provider treats who comes; how many came so far.
async fn set(scene: &Scene, manner: Manner) -> Result<u64> {
    let stack = scene.stack().await;
    let gate = stack.gate.as_ref().context("there is a gate")?;
    gate.set(manner);
    Ok(gate.requests())
}

/// Orders whose sagas are under way.
async fn waiting(scene: &Scene) -> Result<u64> {
    let url = scene.stack().await.entrance().url().to_owned();
    let client = Client::with_deadline(&url, Duration::from_secs(5))?;
    let list = client.until("/v1/sagas?state=running&limit=1000", |_| true).await?;
    Ok(list["items"].as_array().map_or(0, Vec::len) as u64)
}
