//! Payments from outside the services: who takes the money.

mod args;

pub(crate) use args::{PaymentArgs, Stripe};
