//! Projectors, read models, the query API, replay.
//!
//! A projector is a pure fold from events to rows ([`folds`]); the [`runner`] applies a batch and its checkpoint in one
//! transaction; [`queries`] answers reads and says from which position. A model is built anew beside the live one.
//!
//! **Invariant:** the models can be thrown away at any time: they follow from the log alone. Nothing here decides
//! anything about an order.

pub mod as_of;
pub mod decoded;
pub mod folds;
pub mod inspect;
pub mod memory;
pub mod model;
pub mod offline;
mod opening;
pub mod projectors;
pub mod queries;
pub mod runner;
pub mod service;
pub mod storage;

pub use crate::storage::home::Home;
pub use projectors::Projector;
pub use queries::sagas::{NoSagaStates, SagaStates, SagaSummary};
pub use service::{ProjectionService, Settings, StartError};
