//! The load: clients that ask until they are answered, with the same key, and write everything down.
//!
//! **Invariant:** a client asks for nothing new before it knows what became of what it asked for.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use invariants::{Answered, Asked, JournalLine};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::journal::JournalFile;
use super::parcels;
use super::tally::Tally;
use super::wishes::{Next, Wish, Wishes};
use crate::awake::Awake;
use crate::client::{Answer, Client};
use crate::fault::LoadShape;
use crate::patience::patience;
use crate::tokens;

/// Acknowledged commands that are remembered, to be asked again.
const REMEMBERED: usize = 4_000;

/// Answers that somebody else was first.
pub(crate) const CONFLICTS: &str = "409";

/// Acknowledged commands with their answers.
pub(crate) type Recent = Arc<Mutex<Vec<Wish>>>;

/// What all clients share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    journal: JournalFile,
    pub(super) tally: Tally,
    acknowledged: Arc<AtomicU64>,
    recent: Recent,
    stopped: watch::Receiver<Option<Awake>>,
    /// Between two wishes of a client.
    pause: Duration,
}

/// Clients under way.
#[derive(Debug)]
pub(crate) struct Load {
    stop: watch::Sender<Option<Awake>>,
    running: Vec<JoinHandle<Result<()>>>,
    names: Vec<String>,
    acknowledged: Arc<AtomicU64>,
    recent: Recent,
}

impl Load {
    /// Starts so many clients; hot ones want one product only.
    pub(crate) fn start(
        url: &str,
        shape: LoadShape,
        seed: u64,
        journal: &JournalFile,
        tally: &Tally,
    ) -> Result<Self> {
        let (stop, stopped) = watch::channel(None);
        let acknowledged = Arc::default();
        let recent = Recent::default();
        let shared = Shared {
            journal: journal.clone(),
            tally: tally.clone(),
            acknowledged: Arc::clone(&acknowledged),
            recent: Arc::clone(&recent),
            stopped,
            pause: shape.pause,
        };
        let (mut running, mut names) = (Vec::new(), Vec::new());
        let client = Client::new(url)?;
        for n in 0..shape.clients as u64 {
            let seed = seed.wrapping_mul(1_000).wrapping_add(n);
            let name = format!("c{n}x{}", seed % 100_000);
            names.push(name.clone());
            let wishes = Wishes::new(name, seed, shape.hot);
            let (client, shared) = (client.clone(), shared.clone());
            running.push(tokio::spawn(async move { shop(client, wishes, shared).await }));
        }
        Ok(Self { stop, running, names, acknowledged, recent })
    }

    /// What the clients call themselves, and their orders after them.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// Commands acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Lets every client hear of its last command, then ends them; returns what was acknowledged.
    pub(crate) async fn end(&mut self) -> Result<Vec<Wish>> {
        self.stop.send_replace(Some(Awake::now()));
        for client in self.running.drain(..) {
            client.await.context("a client panicked")??;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut recent))
    }
}

async fn shop(client: Client, mut wishes: Wishes, shared: Shared) -> Result<()> {
    while shared.stopped.borrow().is_none() {
        match wishes.next() {
            Next::Command(wish) => drop(shared.carry_out(&client, &wish).await?),
            Next::Again => {
                if let Some(wish) = shared.remembered(wishes.random()) {
                    shared.carry_out(&client, &wish).await?;
                }
            }
            Next::Reuse => {
                if let Some(wish) = shared.remembered(wishes.random()) {
                    let body = json!({ "quantity": 977, "reason": "another delivery" });
                    let path = "/v1/stock/sku-0/receive".to_owned();
                    shared.carry_out(&client, &Wish { path, body, ..wish }).await?;
                }
            }
            Next::Deliver(order) => {
                if parcels::deliver(&client, &order, &shared).await? {
                    wishes.has_arrived(order);
                }
            }
            Next::SendBack(order) => parcels::send_back(&client, &order, &shared).await?,
            Next::Look(order) => {
                // What a read says is checked when everything is at rest.
                let _ = client.get(&format!("/v1/orders/{order}")).await;
            }
        }
        if !shared.pause.is_zero() {
            tokio::time::sleep(shared.pause).await;
        }
    }
    Ok(())
}

impl Shared {
    fn remembered(&self, random: &mut fastrand::Rng) -> Option<Wish> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        (!recent.is_empty()).then(|| recent[random.usize(..recent.len())].clone())
    }

    /// Asks under the same key until there is an answer that is final.
    pub(super) async fn carry_out(&self, client: &Client, wish: &Wish) -> Result<Answer> {
        let mut tries = 0_u32;
        loop {
            tries += 1;
            if let Some(answer) = self.ask(client, wish).await? {
                self.count(wish, &answer, tries);
                return Ok(answer);
            }
            // The stop comes after everything was healed: then an answer has to come in time.
            let late = |stop: &Awake| stop.elapsed() > patience();
            if self.stopped.borrow().as_ref().is_some_and(late) {
                bail!("liveness: `{}` has no answer {tries} tries after the healing", wish.key);
            }
            let pause = (20_u64 << tries.min(4)).min(250);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// One attempt; the answer, if it is final.
    async fn ask(&self, client: &Client, wish: &Wish) -> Result<Option<Answer>> {
        let attempt = self.journal.attempt();
        self.journal.write(&wish.asked(attempt)).await?;
        let asked = client.post(&wish.path, &wish.key, &wish.body).await;
        self.journal.write(&line(attempt, &asked)).await?;
        let answer = match asked {
            Ok(answer) => answer,
            Err(error) => {
                let timed_out = error.downcast_ref().is_some_and(reqwest::Error::is_timeout);
                self.tally.one(if timed_out { "timeouts" } else { "connections lost" });
                return Ok(None);
            }
        };
        let code = answer.body["code"].as_str().unwrap_or_default();
        match answer.status {
            503 if code == "outcome_unknown" => self.tally.one("unknown outcomes"),
            503 if code == "overloaded" => self.tally.one("shed"),
            502..=504 => self.tally.one("503"),
            507 => self.tally.one("507"),
            408 | 429 => self.tally.one("429"),
            500.. => {
                self.tally.one("500");
                bail!("`{}` was answered {}: {}", wish.key, answer.status, answer.body);
            }
            _ => return Ok(Some(answer)),
        }
        Ok(None)
    }

    fn count(&self, wish: &Wish, answer: &Answer, tries: u32) {
        let code = answer.body["code"].as_str().unwrap_or_default();
        if tries > 1 {
            self.tally.one("retried until answered");
            if answer.replayed {
                self.tally.one("retries that had happened");
            }
        }
        if answer.replayed {
            self.tally.one("dedupe hits");
        }
        if code == "idempotency_key_reused" {
            self.tally.one("reused keys refused");
        } else if !answer.is_ok() {
            self.tally.one("refusals");
        }
        if answer.status == 409 {
            self.tally.one(CONFLICTS);
        }
        if answer.is_ok() && !answer.replayed {
            self.acknowledged.fetch_add(1, Ordering::Relaxed);
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            if recent.len() < REMEMBERED {
                recent.push(wish.clone());
            }
        }
    }
}

impl Wish {
    pub(crate) fn asked(&self, attempt: u64) -> JournalLine {
        let Self { key, path, body, may_change_nothing } = self.clone();
        let caller = tokens::caller();
        JournalLine::Asked(Asked { attempt, caller, key, path, body, may_change_nothing })
    }

    /// Asks once more, and writes it down.
    pub(crate) async fn again(&self, client: &Client, journal: &JournalFile) -> Result<Answer> {
        let begun = Awake::now();
        loop {
            let attempt = journal.attempt();
            journal.write(&self.asked(attempt)).await?;
            let asked = client.post(&self.path, &self.key, &self.body).await;
            journal.write(&line(attempt, &asked)).await?;
            match asked {
                Ok(answer) if answer.status < 500 => return Ok(answer),
                _ if begun.elapsed() > patience() => {
                    bail!("liveness: `{}` is not answered", self.key)
                }
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }
}

/// What an attempt came to.
fn line(attempt: u64, asked: &Result<Answer>) -> JournalLine {
    match asked {
        Ok(Answer { status, replayed, body }) => {
            let (status, replayed, body) = (*status, *replayed, Value::clone(body));
            JournalLine::Answered(Answered { attempt, status, replayed, body })
        }
        Err(error) => JournalLine::Lost { attempt, cause: format!("{error:#}") },
    }
}
