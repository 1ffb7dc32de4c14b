//! The loop that takes what is due, has it tried, and keeps what came of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use service_kit::clock::Clock;
use storage::{Fence, Store, Transaction};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::attempt::{Ended, attempt};
use super::channel::Channel;
use super::schedule::Schedule;
use super::set_back::SetBack;
use crate::book::Book;
use crate::egress::Sender;
use crate::mail::Mailer;
use crate::run_error::RunError;
use crate::storage as tables;

/// How long the loop sleeps at most: a time may have come meanwhile that nobody told of.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// What is taken and not settled so long after the deadline is due again.
const GRACE: Duration = Duration::from_secs(30);
/// Attempts settled with one commit, at most.
const BATCH: usize = 256;
/// How long it waits before it tries again after the database failed.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// What is old is looked for this often, and so much of it is forgotten at once.
const FORGET_EVERY: Duration = Duration::from_mins(1);
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// What a dispatcher is made of.
pub(crate) struct DispatcherParts {
    pub(crate) store: Store,
    pub(crate) fence: Fence,
    pub(crate) sender: Sender,
    pub(crate) book: Arc<Book>,
    /// Sends mail, where customers get any.
    pub(crate) mailer: Option<Mailer>,
    pub(crate) clock: Clock,
    /// Somebody says that something may be due.
    pub(crate) told: Arc<Notify>,
    pub(crate) schedule: Schedule,
    /// How long an attempt may take.
    pub(crate) deadline: Duration,
    /// Attempts under way to one endpoint, at most.
    pub(crate) per_endpoint: usize,
    /// How long deliveries are kept.
    pub(crate) retention: Duration,
}

/// The one who tells webhooks and customers.
pub(crate) struct Dispatcher {
    pub(super) parts: DispatcherParts,
    lanes: HashMap<String, Lane>,
    attempts: JoinSet<()>,
    ended: mpsc::UnboundedSender<Ended>,
    set_back: SetBack,
}

/// What goes on at one channel.
#[derive(Debug, Default)]
struct Lane {
    under_way: usize,
    /// So much may be under way.
    room: usize,
    due: Due,
}

/// When there may be something for it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Due {
    #[default]
    Now,
    At(DateTime<Utc>),
    Never,
}

impl Dispatcher {
    /// Tells until it is stopped, or the lease is lost. Attempts that are under way then are made again by whoever comes next.
    pub(crate) async fn run(parts: DispatcherParts, stop: CancellationToken) -> RunError {
        // Bounded by the attempts under way.
        let (ended, mut endings) = mpsc::unbounded_channel();
        let (lanes, attempts) = (HashMap::new(), JoinSet::new());
        let set_back = SetBack::of(Arc::clone(&parts.clock));
        let mut dispatcher = Self { parts, lanes, attempts, ended, set_back };
        let mut kept = Vec::new();
        loop {
            match dispatcher.work(&mut endings, &mut kept, &stop).await {
                Ok(()) => return RunError::Stopped,
                Err(RunError::LeaseLost) => return RunError::LeaseLost,
                Err(error) => tracing::warn!(%error, "webhooks and customers can't be told now"),
            }
            let pause = tokio::time::sleep(RETRY_AFTER);
            if stop.run_until_cancelled(pause).await.is_none() {
                return RunError::Stopped;
            }
            dispatcher.ask_all();
        }
    }

    /// `kept` is what ended and is not settled yet: a database that is away loses none of it.
    async fn work(
        &mut self,
        endings: &mut mpsc::UnboundedReceiver<Ended>,
        kept: &mut Vec<Ended>,
        stop: &CancellationToken,
    ) -> Result<(), RunError> {
        let mut forgetting = tokio::time::interval(FORGET_EVERY);
        loop {
            self.settle(kept).await?;
            self.mind_the_clock().await?;
            self.take_what_is_due().await?;
            let told = Arc::clone(&self.parts.told);
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    while let Ok(ended) = endings.try_recv() {
                        kept.push(ended);
                    }
                    return self.settle(kept).await;
                }
                _ = endings.recv_many(kept, BATCH) => {}
                () = told.notified() => self.ask_all(),
                _ = forgetting.tick() => self.forget_what_is_old().await?,
                () = tokio::time::sleep(self.sleep()) => {}
            }
            while self.attempts.try_join_next().is_some() {}
        }
    }

    /// What waits for a time waits no longer because the clock was set back.
    async fn mind_the_clock(&mut self) -> Result<(), RunError> {
        let Some(now) = self.set_back.look() else { return Ok(()) };
        let mut transaction = self.begin().await?;
        let sooner = tables::bring_back(&mut transaction, now).await?;
        transaction.commit().await?;
        tracing::warn!(
            sooner,
            "the clock was set back; what waits for a time waits by the clock of now"
        );
        self.ask_all();
        Ok(())
    }

    fn ask_all(&mut self) {
        for lane in self.lanes.values_mut() {
            lane.due = Due::Now;
        }
    }

    /// Until the first lane may have something to do.
    fn sleep(&self) -> Duration {
        let now = (self.parts.clock)();
        let due = self.lanes.values().filter(|lane| lane.under_way < lane.room);
        let due = due.filter_map(|lane| match lane.due {
            Due::At(at) => Some((at - now).to_std().unwrap_or_default()),
            Due::Now | Due::Never => None,
        });
        due.min().unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    /// Everybody who is told now.
    fn channels(&self) -> Vec<Channel> {
        let endpoints = self.parts.book.endpoints();
        let enabled = endpoints.iter().filter(|endpoint| endpoint.is_enabled());
        let webhooks = enabled.map(|endpoint| Channel::Webhook(Arc::new(endpoint.clone())));
        webhooks.chain(self.parts.mailer.clone().map(Channel::Mail)).collect()
    }

    /// Takes what is due wherever there is room, and has it tried.
    async fn take_what_is_due(&mut self) -> Result<(), RunError> {
        let channels = self.channels();
        self.lanes.retain(|id, lane| {
            lane.under_way > 0 || channels.iter().any(|channel| channel.id() == id)
        });
        let now = (self.parts.clock)();
        for channel in channels {
            let lane = self.lanes.entry(channel.id().to_owned()).or_default();
            lane.room = channel.room(self.parts.per_endpoint);
            let is_due = match lane.due {
                Due::Now => true,
                Due::At(at) => at <= now,
                Due::Never => false,
            };
            let room = lane.room.saturating_sub(lane.under_way);
            if is_due && room > 0 {
                self.take_at(channel, room, now).await?;
            }
        }
        Ok(())
    }

    async fn take_at(
        &mut self,
        channel: Channel,
        room: usize,
        now: DateTime<Utc>,
    ) -> Result<(), RunError> {
        let again_at = now + channel.deadline(self.parts.deadline) + GRACE;
        let mut transaction = self.begin().await?;
        let claimed = tables::claim(&mut transaction, channel.id(), now, again_at, room).await?;
        let is_all = claimed.len() < room;
        let next =
            if is_all { tables::next_due(&mut transaction, channel.id()).await? } else { None };
        transaction.commit().await?;
        let Some(lane) = self.lanes.get_mut(channel.id()) else { return Ok(()) };
        lane.under_way += claimed.len();
        lane.due = match (is_all, next) {
            (false, _) => Due::Now,
            (true, Some(at)) => Due::At(at),
            (true, None) => Due::Never,
        };
        for claimed in claimed {
            let (sender, clock) = (self.parts.sender.clone(), Arc::clone(&self.parts.clock));
            let (channel, ended) = (channel.clone(), self.ended.clone());
            self.attempts.spawn(async move {
                // Whoever waits for it is gone when this is.
                let _ = ended.send(attempt(&sender, &clock, &channel, claimed).await);
            });
        }
        Ok(())
    }

    /// Keeps what came of attempts, and what follows of it for their endpoints.
    async fn settle(&mut self, kept: &mut Vec<Ended>) -> Result<(), RunError> {
        if kept.is_empty() {
            return Ok(());
        }
        let now = (self.parts.clock)();
        let mut transaction = self.begin().await?;
        let mut changed = false;
        for ended in &*kept {
            changed |= self.settle_one(&mut transaction, ended, now).await?;
        }
        transaction.commit().await?;
        for ended in kept.drain(..) {
            if let Some(lane) = self.lanes.get_mut(&ended.channel) {
                lane.under_way = lane.under_way.saturating_sub(1);
                lane.due = Due::Now;
            }
        }
        if changed {
            self.parts.book.reload(&self.parts.store).await?;
        }
        Ok(())
    }

    async fn forget_what_is_old(&self) -> Result<(), RunError> {
        let before = (self.parts.clock)() - self.parts.retention;
        let at_once = usize::try_from(FORGOTTEN_AT_ONCE).unwrap_or(usize::MAX);
        loop {
            let mut transaction = self.begin().await?;
            let told = tables::forget_before(&mut transaction, before, FORGOTTEN_AT_ONCE).await?;
            let notices =
                tables::forget_notices_before(&mut transaction, before, FORGOTTEN_AT_ONCE).await?;
            let done =
                tables::forget_done_before(&mut transaction, before, FORGOTTEN_AT_ONCE).await?;
            transaction.commit().await?;
            if told.max(notices).max(done) < at_once {
                return Ok(());
            }
        }
    }

    async fn begin(&self) -> Result<Transaction, RunError> {
        let mut transaction = self.parts.store.begin().await?;
        if !tables::take_turn(&mut transaction, &self.parts.fence).await? {
            return Err(RunError::LeaseLost);
        }
        Ok(transaction)
    }
}
