//! Reading a message of the queue.

use domain::command::Command;
use domain::ids::OrderId;
use domain::sagas::{CommandEnd, RecordCommandEnd};
use domain::text::Reason;
use serde::Deserialize;

/// The longest cause that is kept of a parked command, in characters.
const MAX_CAUSE_CHARS: usize = 400;

/// What a message asks, as far as it can be understood.
#[derive(Debug)]
pub(super) enum Understood {
    /// This, about this order.
    Command(OrderId, Box<Command>),
    /// Nothing that this build knows: what is known of it, and why.
    Parked(Box<RecordCommandEnd>, String),
    /// Not even which order it is about.
    Hopeless(serde_json::Error),
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

/// Reads the body of a message.
pub(super) fn understand(command_id: &str, body: &str) -> Understood {
    let outline: Outline = match serde_json::from_str(body) {
        Ok(outline) => outline,
        Err(error) => return Understood::Hopeless(error),
    };
    let order_id = outline.body.order_id;
    match serde_json::from_str(body) {
        Ok(command) => Understood::Command(order_id, Box::new(command)),
        Err(error) => {
            let cause: String = error
                .to_string()
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_CAUSE_CHARS)
                .collect();
            let command = outline.command.unwrap_or_else(|| "unknown".to_owned());
            match Reason::parse(&cause) {
                Ok(reason) => {
                    let (command_id, end) =
                        (command_id.to_owned(), CommandEnd::Parked { cause: reason });
                    let record = RecordCommandEnd { order_id, command_id, command, end };
                    Understood::Parked(Box::new(record), cause)
                }
                Err(_) => Understood::Hopeless(error),
            }
        }
    }
}
