//! Too much at once: one product that everybody wants, ten times the customers, no file handles, a rebuild meanwhile.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::awake::Awake;
use crate::client::Client;
use crate::fault::{Fault, LoadShape, Need};
use crate::load::{CONFLICTS, Load};
use crate::patience::patience;
use crate::scene::Scene;
use crate::stack::{Layout, Role};

/// Customers of a storm, where there are usually six.
const STORM: usize = 60;
/// Over so long is counted what customers get done.
const GOODPUT_OVER: Duration = Duration::from_secs(3);
/// So much of what they got done before a storm they have to get done after it.
const RESTORED_PERCENT: u64 = 90;
/// What is counted of that.
const BEFORE: &str = "acknowledged in 3 s before";
const AFTER: &str = "acknowledged in 3 s after";
const RESTORED: &str = "goodput restored";

/// As many connections as nobody uses at most, and how long one waits to be made.
const MOST_IDLE: usize = 400;
const CONNECTS_WITHIN: Duration = Duration::from_millis(500);
/// What the operating system says who has no handle left, in the entrance's log.
const EMFILE: &str = "(os error 24)";
/// What is counted of that.
const NO_HANDLE: &str = "connections that found no handle";

/// The read models that are rebuilt.
const MODELS: [&str; 4] = ["orders", "stock", "payments", "shipments"];

/// Files that a process may have open where they are to run out: what it needs itself, and some clients' connections. One
/// process for everything has more than a hundred of its own.
const FEW_HANDLES: [(Role, &str); 2] =
    [(Role::Dev, "--nofile=260"), (Role::Gateway, "--nofile=120")];

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[
    Fault {
        id: "F25",
        name: "two hundred customers want one product",
        load: || LoadShape { clients: 200, hot: true, pause: Duration::from_millis(300) },
        act: |scene| Box::pin(hot(scene)),
        must: &["compensated"],
        never: &[CONFLICTS, "conflicts decided again"],
        ..Fault::USUAL
    },
    Fault {
        id: "F28",
        name: "no file handles left for connections",
        layout: |random| {
            let few =
                |(role, most): (Role, &str)| (role, vec!["prlimit".to_owned(), most.to_owned()]);
            let before = FEW_HANDLES.map(few).to_vec();
            Layout { before, ..Layout::either(random) }
        },
        act: |scene| Box::pin(no_handles(scene)),
        must: &["idle connections", NO_HANDLE],
        needs: &[Need::Program("prlimit")],
        ..Fault::USUAL
    },
    Fault {
        id: "F30",
        name: "read models are rebuilt under writes",
        act: |scene| Box::pin(rebuilt(scene)),
        must: &["rebuilds"],
        ..Fault::USUAL
    },
    Fault {
        id: "F35",
        name: "ten times the customers for ten seconds, and a kill under them",
        act: |scene| Box::pin(storm(scene)),
        must: &["kills", "acknowledged in the storm", RESTORED],
        sometimes: &[BEFORE, AFTER],
        ..Fault::USUAL
    },
];

/// F25: everybody wants the same; nothing is done to anybody. Nobody is told that somebody else was first: all are decided in
/// turn.
async fn hot(scene: &mut Scene) -> Result<()> {
    scene.moment(200..400).await;
    scene.recovers().await
}

/// F28: no file handles are left: connections that nobody uses have them all, and whoever comes then has to wait.
async fn no_handles(scene: &mut Scene) -> Result<()> {
    let address = scene.stack().await.entrance().url().replace("http://", "");
    for _ in 0..scene.random.u32(1..3) {
        scene.moment(5..25).await;
        let before = without_a_handle(scene).await;
        let idle = idle_connections(&address).await;
        scene.tally.add("idle connections", idle.len() as u64);
        scene.pause(500..3_000).await;
        scene.tally.add(NO_HANDLE, without_a_handle(scene).await - before);
        drop(idle);
        scene.recovers().await?;
    }
    Ok(())
}

/// Connections that nobody uses, until the entrance takes no further one and so many wait to be taken that no more may.
async fn idle_connections(address: &str) -> Vec<TcpStream> {
    let mut idle = Vec::new();
    while idle.len() < MOST_IDLE {
        match tokio::time::timeout(CONNECTS_WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(connection)) => idle.push(connection),
            Ok(Err(_)) | Err(_) => break,
        }
    }
    idle
}

/// How often the entrance could not take a connection because it had no handle for it, by its own log.
async fn without_a_handle(scene: &Scene) -> u64 {
    let log = scene.stack().await.entrance().log().to_owned();
    let log = std::fs::read_to_string(log).unwrap_or_default();
    log.lines().filter(|line| line.contains(EMFILE)).count() as u64
}

/// F30: read models are built anew while orders come in, more than once.
async fn rebuilt(scene: &mut Scene) -> Result<()> {
    let client = Client::new(scene.stack().await.entrance().url())?;
    for round in 0..scene.random.u32(2..4) {
        scene.moment(5..25).await;
        let mut models = MODELS;
        scene.random.shuffle(&mut models);
        for name in &models[..2] {
            let path = format!("/v1/projections/{name}");
            let generation = client.until(&path, |_| true).await?["generation"].as_u64();
            let (again, why) =
                (format!("{path}/rebuild"), json!({ "reason": "built anew under load" }));
            client.until_done(&again, &format!("rebuild/{name}/{round}"), &why).await?;
            let newer = |model: &Value| model["generation"].as_u64() > generation;
            let model = client.until(&path, newer).await?;
            let cause = &model["last_rebuild"]["cause"];
            ensure!(cause.is_null(), "the rebuild of {name} failed: {cause}");
            scene.tally.one("rebuilds");
        }
    }
    scene.recovers().await
}

/// F35: ten times the customers for a while, who insist. Afterwards the usual ones get as much done as before.
async fn storm(scene: &mut Scene) -> Result<()> {
    let url = scene.stack().await.entrance().url().to_owned();
    let seed = scene.random.u64(..);
    let shape = LoadShape { clients: STORM, hot: false, pause: Duration::ZERO };
    let usual = goodput(scene).await;
    scene.tally.add(BEFORE, usual);
    let mut storm = Load::start(&url, shape, seed, &scene.journal, &scene.tally)?;
    // While it lasts, the process that takes commands is killed once: everybody comes again at the same moment.
    scene.moment(20..60).await;
    scene.stack().await.writer().kill()?;
    scene.tally.one("kills");
    scene.pause(8_000..12_000).await;
    scene.tally.add("acknowledged in the storm", storm.acknowledged());
    storm.end().await?;
    scene.recovers().await?;
    until_restored(scene, usual).await?;
    // By now streams are long: whoever starts reads their snapshots.
    scene.stack().await.writer().kill()?;
    scene.tally.one("kills");
    scene.recovers().await
}

/// What the usual customers get done in a few seconds.
async fn goodput(scene: &Scene) -> u64 {
    let before = scene.load.acknowledged();
    tokio::time::sleep(GOODPUT_OVER).await;
    scene.load.acknowledged() - before
}

/// Waits until they get nearly as much done as they did.
async fn until_restored(scene: &Scene, usual: u64) -> Result<()> {
    let begun = Awake::now();
    let mut best = 0;
    while best * 100 < usual * RESTORED_PERCENT {
        ensure!(
            begun.elapsed() < patience(),
            "goodput: {usual} commands in {GOODPUT_OVER:?} before the storm, at most {best} after"
        );
        best = best.max(goodput(scene).await);
    }
    scene.tally.add(AFTER, best);
    scene.tally.one(RESTORED);
    Ok(())
}
