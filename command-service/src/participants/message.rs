//! Reading a message of the queue.

use domain::command::Command;
use domain::ids::OrderId;
use domain::sagas::{CommandEnd, RecordCommandEnd};
use domain::text::Reason;
use messaging::commands::CommandMessage;
use serde::Deserialize;
use service_kit::business_time::BusinessTime;

/// The longest cause that is kept of a parked command, in characters.
const MAX_CAUSE_CHARS: usize = 400;
/// The longest name of a command that is kept of one that nobody knows, in characters.
const MAX_NAME_CHARS: usize = 100;
/// The longest id around a command, in characters. Every one that is made here is much shorter.
const MAX_ID_CHARS: usize = 512;

/// What a message asks, as far as it can be understood.
#[derive(Debug)]
pub(super) enum Understood {
    /// This, about this order.
    Command(OrderId, Box<Command>),
    /// Nothing that this build knows: what is known of it, and why.
    Parked(Box<RecordCommandEnd>, String),
    /// Not even which order it is about, or under which id its end could be recorded: why.
    Hopeless(String),
}

/// The parts of any command that tell whom to answer to.
#[derive(Deserialize)]
struct Outline {
    #[serde(default)]
    command: Option<String>,
    body: OutlineBody,
}

#[derive(Deserialize)]
struct OutlineBody {
    order_id: OrderId,
}

/// Reads a message.
pub(super) fn understand(message: &CommandMessage) -> Understood {
    if let Err(wrong) = check_around(message) {
        return Understood::Hopeless(wrong);
    }
    let outline: Outline = match serde_json::from_str(&message.body) {
        Ok(outline) => outline,
        Err(error) => return Understood::Hopeless(error.to_string()),
    };
    let order_id = outline.body.order_id;
    let error = match serde_json::from_str(&message.body) {
        Ok(command) => return Understood::Command(order_id, Box::new(command)),
        Err(error) => error,
    };
    let command = plain(outline.command.as_deref().unwrap_or("unknown"), MAX_NAME_CHARS);
    match parked(message, order_id, command, &error.to_string()) {
        Some((record, cause)) => Understood::Parked(Box::new(record), cause),
        None => Understood::Hopeless(error.to_string()),
    }
}

/// The end of a command that is kept for an operator, and its cause in few words.
pub(super) fn parked(
    message: &CommandMessage,
    order_id: OrderId,
    command: String,
    cause: &str,
) -> Option<(RecordCommandEnd, String)> {
    let cause = plain(cause, MAX_CAUSE_CHARS);
    let end = CommandEnd::Parked { cause: Reason::parse(&cause).ok()? };
    let command_id = message.command_id.to_string();
    Some((RecordCommandEnd { order_id, command_id, command, end }, cause))
}

/// What stands around a command goes into the log with its events, and one text that a database refuses would fail the batch
/// of everyone who is in it.
pub(super) fn check_around(message: &CommandMessage) -> Result<(), String> {
    let optional = [&message.causation_id, &message.traceparent].map(Option::as_ref);
    let ids = [
        ("command_id", Some(&message.command_id)),
        ("correlation_id", Some(&message.correlation_id)),
        ("causation_id", optional[0]),
        ("traceparent", optional[1]),
    ];
    for (name, id) in ids {
        let fits = |id: &str| {
            (1..=MAX_ID_CHARS).contains(&id.chars().count()) && !id.chars().any(char::is_control)
        };
        if !id.is_none_or(|id| fits(id)) {
            return Err(format!(
                "its `{name}` has 1 to {MAX_ID_CHARS} characters, none of them a control character"
            ));
        }
    }
    let time = BusinessTime::at(message.occurred_at);
    time.map(drop).map_err(|_| "its `occurred_at` is in a year that no store keeps".to_owned())
}

/// The beginning of a text, on one line.
fn plain(text: &str, most_chars: usize) -> String {
    text.chars().filter(|character| !character.is_control()).take(most_chars).collect()
}
