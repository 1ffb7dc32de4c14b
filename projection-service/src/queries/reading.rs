//! A read of one model: a snapshot, and the position that it shows.

use ::storage::Transaction;
use chrono::NaiveDate;
use event_store::Position;
use messaging::feed::Freshness;
use service_kit::access::Caller;
use service_kit::described::PositionText;
use service_kit::position::PositionToken;
use service_kit::problem::{Code, Problem};

use super::answer::{SeenAt, Stale, failed};
use super::app::App;
use crate::projectors::Projector;
use crate::runner::handle::Handle;
use crate::storage::checkpoint;
use crate::storage::generation::Reach;

/// A time, as clients are told how to write one.
pub(super) const A_TIME: &str = "2010-12-01T08:26:00Z";
/// A day, likewise.
pub(super) const A_DAY: &str = "2010-12-01";

/// The problem of a parameter that can't be read.
pub(super) fn unread(name: &'static str, wrong: impl Into<String>) -> Problem {
    Problem::from(Code::InvalidQuery).mistake(name, wrong)
}

/// A day, written as [`A_DAY`].
pub(super) fn parse_day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|_| text.len() == A_DAY.len())
}

/// `?min_position=`, as it comes.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct MinPosition {
    /// Wait, at most 5 seconds, until the model has reached this position: a number, or the value of a
    /// `Docket-Position` header.
    #[param(inline, value_type = Option<PositionText>)]
    pub min_position: Option<String>,
}

/// A query that takes no parameters.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// A snapshot of a model.
pub(super) struct Reading {
    pub(super) transaction: Transaction,
    pub(super) seen: SeenAt,
}

impl Handle {
    /// That what is asked for is parked, or some of it.
    fn stale_by_parking(&self, key: Option<&str>) -> Option<Stale> {
        let parked = std::sync::Arc::clone(&self.status().borrow().parked);
        match key {
            Some(key) => parked.get(key).map(Stale::parked_key),
            None => Stale::parked_keys(&parked),
        }
    }
}

impl App {
    /// A snapshot of the model, not before the position that is asked for, to read many rows of it.
    pub(super) async fn read(
        &self,
        projector: Projector,
        min: &MinPosition,
        caller: &Caller,
    ) -> Result<Reading, Problem> {
        self.read_of(projector, None, min, caller).await
    }

    /// The same, to read the row of one key.
    pub(super) async fn read_one(
        &self,
        projector: Projector,
        key: &str,
        min: &MinPosition,
        caller: &Caller,
    ) -> Result<Reading, Problem> {
        self.read_of(projector, Some(key), min, caller).await
    }

    async fn read_of(
        &self,
        projector: Projector,
        key: Option<&str>,
        min: &MinPosition,
        caller: &Caller,
    ) -> Result<Reading, Problem> {
        let handle = self.handle(projector);
        if let Some(text) = &min.min_position {
            self.wait(handle, text, caller).await?;
        }
        loop {
            let generation = handle.current();
            // Asked before the snapshot is taken: then the snapshot shows it, and what is parked no more has been applied.
            let (reach, parked) = (generation.reach(), handle.stale_by_parking(key));
            match generation.database.snapshot().await {
                Ok(transaction) => {
                    let mut reading = self.snapshot(handle, transaction, reach).await?;
                    let stale = &mut reading.seen.stale;
                    let found = stale.take().or(parked).or_else(|| handle.stale_by_parking(key));
                    *stale = found.map(|stale| stale.told_to(caller));
                    return Ok(reading);
                }
                // It was switched to another generation meanwhile.
                Err(sqlx::Error::PoolClosed) if handle.current().number != generation.number => {}
                Err(error) => return Err(failed(&error)),
            }
        }
    }

    async fn snapshot(
        &self,
        handle: &Handle,
        mut transaction: Transaction,
        reach: Reach,
    ) -> Result<Reading, Problem> {
        let kept = checkpoint::position(&mut transaction).await.map_err(|error| failed(&error))?;
        let Some(position) = reach.shown_with(kept) else {
            // The database crashed and has lost commits. Who writes finds that out in a second and makes them again from the log: nothing
            // older is shown meanwhile.
            return Err(Problem::from(Code::Unavailable).retry_after(1));
        };
        let fault = handle.status().borrow().fault.clone();
        let stale = fault.map(Stale::from).or_else(|| self.unheard(position));
        let seen = SeenAt { token: self.token(position), stale };
        Ok(Reading { transaction, seen })
    }

    /// That a position is not known to be the newest, while the log is not heard.
    pub(super) fn unheard(&self, position: Position) -> Option<Stale> {
        let freshness = *self.feed.freshness().borrow();
        (freshness == Freshness::Unknown).then(|| Stale::unheard(position))
    }

    /// The token of a position in the history that is served.
    pub(super) fn token(&self, position: Position) -> PositionToken {
        let identity = self.feed.identity();
        PositionToken { log: identity.log.to_string(), epoch: identity.epoch, position }
    }
}
