//! The endpoints of orders, a file per use case or per group of close ones.

mod cancel;
mod lines;
mod place;
mod place_draft;
mod returns;
mod routes;
mod states;

pub(super) use routes::router;
