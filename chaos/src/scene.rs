//! One run, as a fault sees it: a platform under load, moments drawn from a seed, and the clock of recovery.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use invariants::JournalLine;
use serde_json::json;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::awake::Awake;
use crate::client::Client;
use crate::fault::LoadShape;
use crate::load::{JournalFile, Load, Tally};
use crate::patience::told_within;
use crate::readiness::Outage;
use crate::stack::{Role, Stack};
use crate::tokens::CUSTOMERS;

/// What an outage is called that lasts longer than a process may keep it to itself.
pub(crate) const LONG: &str = "long outages";

/// What a fault plays with.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) random: fastrand::Rng,
    stack: Arc<RwLock<Stack>>,
    pub(crate) load: Load,
    pub(crate) tally: Tally,
    pub(crate) journal: JournalFile,
    pub(crate) recoveries: Vec<Duration>,
    pub(crate) outages: Vec<Outage>,
    /// Orders of names that begin so were known to the provider, and perhaps not to the log that was put back.
    pub(crate) forgotten: Vec<String>,
    shape: LoadShape,
    probes: u32,
}

impl Scene {
    pub(crate) fn new(
        seed: u64,
        stack: &Arc<RwLock<Stack>>,
        load: Load,
        shape: LoadShape,
        tally: &Tally,
        journal: &JournalFile,
    ) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            stack: Arc::clone(stack),
            load,
            tally: tally.clone(),
            journal: journal.clone(),
            recoveries: Vec::new(),
            outages: Vec::new(),
            forgotten: Vec::new(),
            shape,
            probes: 0,
        }
    }

    /// The platform, to look at and to send signals to.
    pub(crate) async fn stack(&self) -> OwnedRwLockReadGuard<Stack> {
        Arc::clone(&self.stack).read_owned().await
    }

    /// The platform, to take its servers away.
    pub(crate) async fn stack_mut(&self) -> tokio::sync::OwnedRwLockWriteGuard<Stack> {
        Arc::clone(&self.stack).write_owned().await
    }

    /// Waits for a moment: so many acknowledged commands from now, as the seed says, and a little more. Where nothing
    /// is acknowledged, the moment comes by itself.
    pub(crate) async fn moment(&mut self, commands: std::ops::Range<u64>) {
        let until = self.load.acknowledged() + self.random.u64(commands);
        let begun = Awake::now();
        while self.load.acknowledged() < until && begun.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.pause(0..30).await;
    }

    /// Waits so many milliseconds, as the seed says.
    pub(crate) async fn pause(&mut self, ms: std::ops::Range<u64>) {
        let pause = self.random.u64(ms);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    /// From now, everything that was taken is there again: measures how long it takes until a new command is
    /// acknowledged and seen by a reader.
    pub(crate) async fn recovers(&mut self) -> Result<()> {
        let begun = Awake::now();
        self.probes += 1;
        let client = {
            let stack = self.stack().await;
            Client::with_deadline(stack.entrance().url(), Duration::from_secs(3))?
        };
        let key = format!("recovery/{}", self.probes);
        let path = "/v1/stock/sku-0/receive";
        let received = json!({ "quantity": 1, "reason": "does it work again" });
        let done = client.until_done(path, &key, &received).await?;
        let position = done.body["position"].as_u64().unwrap_or_default();
        let seen = format!("/v1/stock/sku-0?min_position={position}");
        client.until(&seen, |_| true).await?;
        self.recoveries.push(begun.elapsed());
        Ok(())
    }

    /// Leaves something away that processes can't do without: so many milliseconds, or, one time in three and once in a run at
    /// most, for so long that each of them has to say so.
    pub(crate) async fn leave_away(&mut self, roles: &[Role], ms: std::ops::Range<u64>) {
        let from = Awake::now();
        let is_drawn = self.random.u32(..3) == 0;
        if is_drawn && self.tally.get(LONG) == 0 {
            tokio::time::sleep(told_within()).await;
            self.pause(1_500..4_000).await;
            self.tally.one(LONG);
        } else {
            self.pause(ms).await;
        }
        self.was_away(roles, from).await;
    }

    /// Notes that processes could not do without something that was away from a moment until now.
    async fn was_away(&mut self, roles: &[Role], from: Awake) {
        let to = Awake::now();
        let stack = self.stack().await;
        for role in roles {
            let process = stack.of(*role).name().to_owned();
            self.outages.push(Outage { process, from, to });
        }
    }

    /// Lets every client hear of its last command, and ends them; how many commands were acknowledged.
    pub(crate) async fn close_shop(&mut self) -> Result<u64> {
        self.load.end().await?;
        self.forgotten.extend(self.load.names());
        self.forgotten.extend(CUSTOMERS.map(str::to_owned));
        Ok(self.load.acknowledged())
    }

    /// Lets new clients come. Of what was written down before, only this holds still.
    pub(crate) async fn open_shop_again(&mut self, kept: Vec<JournalLine>) -> Result<()> {
        self.journal = self.journal.next()?;
        for line in &kept {
            self.journal.write(line).await?;
        }
        let entrance = self.stack().await.entrance().url().to_owned();
        let seed = self.random.u64(..);
        self.load = Load::start(&entrance, self.shape, seed, &self.journal, &self.tally)?;
        Ok(())
    }
}
