//! The orchestrator's own tables, in SQLite or PostgreSQL: sagas, outbox, checkpoint, clock, operator actions.
//!
//! **Invariant:** only the runner writes, in transactions that compare the lease and then the checkpoint first; a saga's row changes only from the version that was read.

mod actions;
mod audit;
mod checkpoint;
mod clock;
mod open;
mod outbox;
mod put_aside;
mod sagas;
mod search;
mod tables;
mod values;

pub(crate) use actions::{PastAction, find_action, insert_action};
pub(crate) use audit::{read_audit, read_mark};
pub(crate) use checkpoint::{
    Checkpoint, advance, read_checkpoint, read_position, start_checkpoint,
};
pub(crate) use clock::{read_alive_at, write_alive_at};
pub(crate) use open::open;
pub(crate) use outbox::{
    OutboxRow, Sending, count_outbox, delete_done, insert_outbox, make_all_due, make_due, read_due,
    read_sendings, reschedule,
};
pub(crate) use put_aside::{enter_epoch, put_aside};
pub(crate) use sagas::{
    SagaRow, count_states, orders_to_wake, read_of_orders, read_unfinished, write_sagas,
};
pub(crate) use search::{ListFilter, ListedSaga, find_saga, list_sagas, summaries};

use values::{count, from_word, instant, integer, not_as_written, unsigned, word};
