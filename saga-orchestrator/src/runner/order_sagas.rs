//! All sagas of one order in memory. An order's cancellations and returns learn from its first saga, so they are loaded,
//! folded and kept together.

use chrono::{DateTime, Utc};
use domain::event::Event;
use domain::ids::SagaId;
use domain::sagas::{EventContext, Outgoing, Saga, SagaState, Timeouts};
use event_store::{Position, RecordedEvent};

use crate::storage::SagaRow;

/// What may have changed a saga.
#[derive(Debug, Clone, Copy)]
enum Touch {
    /// The event at this position.
    Event(Position),
    /// Its time had come, or an operator acted.
    Other,
}

#[derive(Debug, Default)]
pub(super) struct OrderSagas {
    /// Apart from the rows, because a starting saga is shown all of them.
    sagas: Vec<Saga>,
    rows: Vec<SagaRow>,
    /// What may have changed each since the last commit.
    touched: Vec<Option<Touch>>,
}

impl OrderSagas {
    /// Adds a saga as it was read.
    pub(super) fn push(&mut self, (saga, row): (Saga, SagaRow)) {
        self.sagas.push(saga);
        self.rows.push(row);
        self.touched.push(None);
    }

    /// Folds an event of the order: every saga that there is, then the one that it starts. Returns what each wants sent,
    /// with the saga's place.
    pub(super) fn fold(
        &mut self,
        event: &Event,
        recorded: &RecordedEvent,
        timeouts: &Timeouts,
    ) -> Vec<(usize, Outgoing)> {
        let context = EventContext {
            position: recorded.position,
            recorded_at: recorded.recorded_at,
            occurred_at: recorded.metadata.occurred_at,
            command_id: &recorded.metadata.command_id,
        };
        let mut wanted = Vec::new();
        for (place, saga) in self.sagas.iter_mut().enumerate() {
            let outgoing = saga.on_event(event, &context, timeouts);
            self.touched[place] = Some(Touch::Event(recorded.position));
            wanted.extend(outgoing.into_iter().map(|outgoing| (place, outgoing)));
        }
        if let Some((saga, outgoing)) = Saga::start(event, &context, timeouts, &self.sagas) {
            wanted.extend(self.start(saga, outgoing, recorded));
        }
        wanted
    }

    fn start(
        &mut self,
        saga: Saga,
        outgoing: Vec<Outgoing>,
        recorded: &RecordedEvent,
    ) -> Vec<(usize, Outgoing)> {
        if self.place_of(&saga.status.id).is_some() {
            // The domain promises that this can't be; a second row of the same id could never be written.
            tracing::error!(saga.id = %saga.status.id, recorded.position, "a saga was started twice");
            return Vec::new();
        }
        let row = SagaRow {
            version: 0,
            cause_position: recorded.position,
            correlation_id: recorded.metadata.correlation_id.clone(),
            data: String::new(),
            written_state: None,
        };
        self.push((saga, row));
        let place = self.sagas.len() - 1;
        self.touched[place] = Some(Touch::Event(recorded.position));
        outgoing.into_iter().map(|outgoing| (place, outgoing)).collect()
    }

    /// Wakes the sagas whose time has come.
    pub(super) fn wake(
        &mut self,
        now: DateTime<Utc>,
        timeouts: &Timeouts,
    ) -> Vec<(usize, Outgoing)> {
        let mut wanted = Vec::new();
        for (place, saga) in self.sagas.iter_mut().enumerate() {
            if saga.status.wake_at.is_some_and(|at| at <= now) {
                let outgoing = saga.on_time(now, timeouts);
                self.touched[place] = Some(Touch::Other);
                wanted.extend(outgoing.into_iter().map(|outgoing| (place, outgoing)));
            }
        }
        wanted
    }

    /// Where a saga stands among the order's.
    pub(super) fn place_of(&self, id: &SagaId) -> Option<usize> {
        self.sagas.iter().position(|saga| saga.status.id == *id)
    }

    /// A saga, to be changed.
    pub(super) fn touch(&mut self, place: usize) -> &mut Saga {
        self.touched[place] = Some(Touch::Other);
        &mut self.sagas[place]
    }

    pub(super) fn saga(&self, place: usize) -> &Saga {
        &self.sagas[place]
    }

    pub(super) fn row(&self, place: usize) -> &SagaRow {
        &self.rows[place]
    }

    /// Readies what really changed for being written: new text, next version, and the event that did it. Returns the
    /// places.
    pub(super) fn settle(&mut self) -> serde_json::Result<Vec<usize>> {
        let mut changed = Vec::new();
        for (place, row) in self.rows.iter_mut().enumerate() {
            let Some(touch) = self.touched[place].take() else { continue };
            let data = serde_json::to_string(&self.sagas[place])?;
            if data != row.data {
                row.data = data;
                row.version += 1;
                if let Touch::Event(position) = touch {
                    row.cause_position = position;
                }
                changed.push(place);
            }
        }
        Ok(changed)
    }

    /// A saga was written: from which state to which it went.
    pub(super) fn written(&mut self, place: usize) -> (Option<SagaState>, SagaState) {
        let now = self.sagas[place].status.state;
        (self.rows[place].written_state.replace(now), now)
    }
}
