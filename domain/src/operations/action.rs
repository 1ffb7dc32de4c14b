//! What an operator may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperatorAction {
    /// Lets a projector go on past an event that it can't apply: the event and all later ones of its key wait.
    ParkKey,
    /// Applies what waits for a parked key.
    ReplayKey,
    /// Builds a read model anew.
    Rebuild,
    /// Makes the generation of a read model live again that was live before.
    RollBack,
    /// Makes the generation of a read model live that was kept because it differs.
    Switch,
    /// Drops the generation of a read model that is kept.
    Drop,
    /// Makes the next attempt of a saga's step.
    RetrySaga,
    /// Says how a saga's step was settled by hand.
    ResolveSaga,
    /// Carries out a message that was put aside.
    ReplayDeadLetter,
    /// Has an endpoint told of public events from now on.
    RegisterWebhook,
    /// Forgets an endpoint, and what waits for it.
    DeleteWebhook,
    /// Has an endpoint told again, and of what waited meanwhile.
    EnableWebhook,
    /// Has an endpoint not told for now.
    DisableWebhook,
    /// Draws another secret for an endpoint.
    RotateWebhookSecret,
    /// Tells an endpoint again of what it was told: the delivery that the key names, or all that was given up.
    RedeliverWebhook,
    /// Sends a mail again to whom it was for, or what was given up.
    ResendMail,
    /// Says in a customer's stead that they have read what they were told: all of it, or the notice that the key names and, where
    /// several are marked, all before it.
    MarkNotices,
}
