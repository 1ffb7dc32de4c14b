//! Payments from outside the services: who takes the money, and what is compared with them.

mod args;
mod command;
mod health;
mod reconcile;

pub(crate) use args::{PaymentArgs, ProviderArgs, Stripe};
pub(crate) use command::PaymentsArgs;
pub(crate) use health::follow_provider;
