//! The command service, through its public doors: the processor, HTTP, the queue, the provider.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod admission;
mod causes;
mod customers;
mod dead_letters;
mod given;
mod guard;
mod hostile_http;
mod hostile_messages;
mod http;
mod orders;
mod participants;
mod payments;
mod processor;
mod provider_over_http;
mod reasons;
mod repeats;
mod simulator;
mod sqlite;
mod stripe;
mod stripe_notices;
mod stripe_shapes;
mod support;
mod unreadable;
mod waits;
