//! The HTTP side: parse, call, answer. One file per group of endpoints.
//!
//! It makes no decision. **Invariant:** clear personal data lives in a handler's body only until it is sealed; no
//! error, log line or span carries a body.

mod accepted;
mod address;
mod answers;
mod app;
mod asked;
mod body;
mod cause;
mod customers;
mod dead_letters;
mod decided;
mod described;
mod events;
mod ledger;
mod orders;
mod prefer;
mod problems;
mod products;
mod reused;
mod routes;
mod sealing;
mod shipments;
mod stock;
mod stripe_notices;
mod told;
mod waiting;
mod whose;

pub(crate) use app::App;
pub(crate) use dead_letters::LetterDesk;
pub(crate) use ledger::router as ledger_router;
pub(crate) use routes::router;
pub(crate) use stripe_notices::{NoticeDesk, router as notices};
pub(crate) use waiting::OrderWaiters;
