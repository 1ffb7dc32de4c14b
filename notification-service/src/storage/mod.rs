//! The service's own tables, in SQLite or PostgreSQL: checkpoint, endpoints, what each is told, every attempt, what was
//! done under which key.
//!
//! **Invariant:** every transaction that writes compares the lease first; what an endpoint is told is written with the checkpoint, in
//! one transaction; of what waits for one subject at one endpoint only the first has a time at which it is due.

mod checkpoint;
mod deliveries;
mod done_requests;
mod endpoints;
mod log;
mod mails;
mod notices;
mod open;
mod queue;
mod redelivery;
mod retention;
mod set_back;
mod values;

pub(crate) use checkpoint::{
    Checkpoint, advance, begin_anew, read_checkpoint, read_mark, start_checkpoint, take_turn,
};
pub(crate) use deliveries::{NewDelivery, insert_deliveries};
pub(crate) use done_requests::{
    DoneAbout, DoneRequest, find_done, forget_answers, forget_done_before, keep_done,
};
pub(crate) use endpoints::{
    begin_by_time, delete_endpoint, disable, enable, failing_since, find_endpoint, got_through,
    insert_endpoint, is_deleted, read_endpoints, rotate_secret, start_failing,
};
pub(crate) use log::{
    AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState, count_waiting, find_delivery,
    list_attempts, list_deliveries,
};
pub(crate) use mails::{MAIL, MailFilter, begin_mail, end_mail, list_mails};
pub(crate) use notices::{
    NewNotices, NoticeFilter, NoticeRow, find_notice, forget_notices_before, keep_notices,
    list_notices, mark_all_read, mark_read,
};
pub(crate) use open::open;
pub(crate) use queue::{Claimed, Then, Tried, claim, make_due, next_due, put_back, settle};
pub(crate) use redelivery::{redeliver, redeliver_failed};
pub(crate) use retention::forget_before;
pub(crate) use set_back::bring_back;

use values::{instant, integer, micros, not_as_written, unsigned};
