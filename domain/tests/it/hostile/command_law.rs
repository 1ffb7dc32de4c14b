//! What holds of any text that is handed over as a command. `fuzz/` holds the same.

use std::collections::HashMap;

use chrono::DateTime;
use domain::command::Command;
use domain::decide::{Context, Decide, Entry, Halt, State, View};
use domain::stream::Stream;

/// Streams that a decision may ask for, one after the other, before it is called endless.
const MOST_LOADS: usize = 10_000;

/// Panics where it does not hold; gives the command, if it is one.
pub(crate) fn check(text: &str) -> Option<Command> {
    let command: Command = serde_json::from_str(text).ok()?;
    assert_eq!(serde_json::from_str::<Command>(text).ok(), Some(command.clone()), "read twice");
    let written = serde_json::to_string(&command).expect("a command can be written");
    let again: Command = serde_json::from_str(&written).expect("what is written is read");
    assert_eq!(again, command, "{written}");
    assert_eq!(serde_json::to_string(&again).ok(), Some(written));
    decide(&command);
    Some(command)
}

/// Decides it where nothing is yet: twice the same, whatever that is.
fn decide(command: &Command) {
    let context = Context { now: DateTime::UNIX_EPOCH };
    let mut states: HashMap<Stream, Entry> = HashMap::new();
    for _ in 0..MOST_LOADS {
        let view = View::new(&states);
        let decided = command.decide(&view, &context);
        let Err(Halt::Missing(stream)) = decided else {
            assert_eq!(command.decide(&View::new(&states), &context), decided);
            return;
        };
        let state = State::absent(&stream);
        assert!(states.insert(stream, Entry { version: 0, state }).is_none(), "asked for twice");
    }
    panic!("the decision asks for streams without end");
}
