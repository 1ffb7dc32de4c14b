//! The start, and what follows a silence of the log: prove that the log is the one that was folded, read to its head,
//! shift the deadlines by the pause, and only then send and wake.
//!
//! **Invariant:** while it is not known how far the log is, no time passes for a saga: what meets its deadline may be in
//! the log already.

use chrono::{DateTime, TimeDelta, Utc};
use event_store::LogIdentity;
use messaging::feed::Freshness;

use super::order_sagas::OrderSagas;
use super::run::{RunError, Runner};
use crate::status::Phase;
use crate::tables::{Committing as _, Rows as _, Tables};

/// Sagas shifted at once.
const SHIFT_PAGE: u32 = 500;

impl<T: Tables> Runner<T> {
    /// Reads where the database stands, and compares it with the log.
    pub(super) async fn open_session(&mut self) -> Result<(), RunError> {
        self.cache.clear();
        let identity = self.feed.identity();
        self.read_where_it_stands(&identity).await?;
        self.is_of_this_log(&self.checkpoint.log, &identity)?;
        if self.checkpoint.log.epoch < identity.epoch {
            self.enter_epoch(&identity).await?;
        }
        let (was, is) = (self.checkpoint.log.epoch, identity.epoch);
        if was != is {
            return Err(self.fault_here(format!(
                "the sagas were folded from epoch {was} of the log, and this is its epoch {is}"
            )));
        }
        if !self.stands_in_the_log().await? {
            return Err(self.fault_here("the log has another event here: it is another history"));
        }
        self.catch_up_to = None;
        self.phase = Phase::CatchingUp;
        self.tell();
        Ok(())
    }

    /// A database is one log's from the first start on.
    pub(super) fn is_of_this_log(
        &self,
        was: &LogIdentity,
        is: &LogIdentity,
    ) -> Result<(), RunError> {
        if was.log == is.log {
            return Ok(());
        }
        Err(self.fault_here(format!(
            "this database has the sagas of log {}, and the log here is {}: the saga-orchestrators of each log need a \
             database of their own",
            was.log, is.log
        )))
    }

    async fn read_where_it_stands(&mut self, identity: &LogIdentity) -> Result<(), RunError> {
        // Where it begins stands nowhere else, and no later position would tell of its loss.
        let mut transaction = self.store.begin_durable().await?;
        if !transaction.pass(&self.fence).await? {
            return Err(RunError::LeaseLost);
        }
        transaction.start_checkpoint(identity).await?;
        self.checkpoint = transaction.read_checkpoint().await?;
        self.sagas = transaction.count_states().await?;
        self.commands = transaction.count_outbox().await?;
        self.alive_at = transaction.read_alive_at().await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Whether the log has the event that was folded last.
    async fn stands_in_the_log(&self) -> Result<bool, RunError> {
        let Some(event_id) = self.checkpoint.event_id else { return Ok(true) };
        let found = self.feed.read_all(self.checkpoint.position - 1, 1).await?;
        Ok(found.first().is_some_and(|event| event.id == event_id))
    }

    /// The log's owner said that its history is another one from some position on. What stands before that position goes on;
    /// what stands beyond it is put aside and made anew from the log.
    async fn enter_epoch(&mut self, identity: &LogIdentity) -> Result<(), RunError> {
        let goes_on = self.stands_in_the_log().await?;
        let mut transaction = self.begin_here_durable().await?;
        if !goes_on {
            tracing::warn!(
                epoch = identity.epoch,
                position = self.checkpoint.position,
                "the log does not have what the sagas were folded from, as after a restore: they are put aside and made \
                 anew from the log"
            );
            transaction.put_aside(identity.epoch).await?;
        }
        transaction.enter_epoch(identity.epoch).await?;
        transaction.commit().await?;
        self.read_where_it_stands(identity).await
    }

    /// Whether it is known how far the log is.
    pub(super) fn hears_the_log(&self) -> bool {
        *self.freshness.borrow() == Freshness::Known
    }

    /// The log is not heard: its transport or its owner is away. Nothing is woken or sent until it is heard again and read
    /// to its head; from the last note that the platform is alive until then is a pause.
    pub(super) fn stand_by_the_clock(&mut self) {
        tracing::info!("the log is not heard: the clock of the sagas stands still");
        self.catch_up_to = None;
        self.enter(Phase::CatchingUp);
    }

    /// The clock turned out to be wrong: it is set to that of a new event, and every deadline moves with it. Before the event
    /// is folded, whose deadlines are by the right time already.
    pub(super) async fn set_clock(&mut self, recorded_at: DateTime<Utc>) -> Result<(), RunError> {
        let before = self.clock.now();
        self.clock.set(recorded_at);
        let now = self.clock.now();
        let mut transaction = self.begin_here_durable().await?;
        self.shift_all(&mut transaction, now - before).await?;
        self.is_alive_at(transaction, now).await
    }

    /// From here the clock goes on; what was handed over is handed over again.
    async fn is_alive_at(
        &mut self,
        mut transaction: T::Transaction,
        now: DateTime<Utc>,
    ) -> Result<(), RunError> {
        transaction.write_alive_at(now).await?;
        transaction.make_all_due(now).await?;
        transaction.commit().await?;
        self.cache.clear();
        self.alive_at = Some(now);
        Ok(())
    }

    /// Goes live when everything was read that was in the log when it was heard first.
    pub(super) async fn go_live_when_caught_up(&mut self) -> Result<(), RunError> {
        if self.phase != Phase::CatchingUp {
            return Ok(());
        }
        if !self.hears_the_log() {
            // What is to be read is what is there when it is heard again.
            self.catch_up_to = None;
            return Ok(());
        }
        let target = *self.catch_up_to.get_or_insert(*self.head.borrow());
        if self.checkpoint.position < target {
            return Ok(());
        }
        let now = self.clock.now();
        let mut transaction = self.begin_here_durable().await?;
        // Where nobody noted it, the log tells when the platform was alive last.
        let alive_at = transaction.read_alive_at().await?.or(self.folded_at);
        let pause = alive_at.map(|alive_at| now - alive_at).unwrap_or_default();
        // Negative where this machine's clock is behind that of whoever noted it: deadlines go by this one from now on.
        if pause.abs() > tolerance(self.settings.pause_tolerance) {
            let sagas = self.shift_all(&mut transaction, pause).await?;
            tracing::info!(
                pause_s = pause.num_seconds(),
                sagas,
                "the platform was down or not heard: deadlines are shifted"
            );
        }
        self.is_alive_at(transaction, now).await?;
        self.catch_up_to = None;
        self.phase = Phase::Live;
        self.tell();
        Ok(())
    }

    async fn shift_all(
        &self,
        transaction: &mut T::Rows,
        pause: TimeDelta,
    ) -> Result<usize, RunError> {
        let (mut after, mut shifted) = (0, 0);
        loop {
            let (page, last) = transaction.read_unfinished(after, SHIFT_PAGE).await?;
            if page.is_empty() {
                return Ok(shifted);
            }
            after = last;
            let mut sagas = OrderSagas::default();
            for (place, saga) in page.into_iter().enumerate() {
                sagas.push(saga);
                sagas.touch(place).shift(pause, &self.settings.timeouts);
            }
            let changed = sagas.settle().map_err(RunError::bug)?;
            let rows: Vec<_> =
                changed.iter().map(|place| (sagas.saga(*place), sagas.row(*place))).collect();
            if !transaction.write_sagas(&rows).await? {
                return Err(self.fault_here("a saga changed while its deadlines were shifted"));
            }
            shifted += rows.len();
        }
    }

    /// Notes that the platform is alive, once a second.
    pub(super) async fn note_alive(&mut self) -> Result<(), RunError> {
        let now = self.clock.now();
        if self.alive_at.is_some_and(|noted| now - noted < TimeDelta::seconds(1)) {
            return Ok(());
        }
        self.write_alive(now).await
    }

    pub(super) async fn write_alive(&mut self, now: DateTime<Utc>) -> Result<(), RunError> {
        let mut transaction = self.begin(self.here()).await?;
        transaction.write_alive_at(now).await?;
        transaction.commit().await?;
        self.alive_at = Some(now);
        Ok(())
    }
}

fn tolerance(settings: std::time::Duration) -> TimeDelta {
    TimeDelta::from_std(settings).unwrap_or(TimeDelta::MAX)
}
