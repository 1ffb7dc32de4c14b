//! Events as one text. The driver copies every value of every row by itself and hands every row from the connection's thread
//! to the task, which takes several times as long as SQLite needs to read it. One text is one value.
//!
//! Each event is its numbers, with the lengths of its texts among them, and then the texts: nothing in a text can end it.

use std::str::FromStr;

use uuid::Uuid;

use crate::sql::rows::{EventDecoder, EventRow, undecodable};
use crate::types::RecordedEvent;

/// The one text of the rows of which `$rows` is true; of none it is empty. They come in the order of the index that finds them.
macro_rules! packed_events {
    ($rows:literal) => {
        concat!(
            "SELECT coalesce(group_concat(concat(position, ' ', version, ' ', schema_version, ' ', recorded_at, ' ', \
             hex(id), ' ', octet_length(stream), ' ', octet_length(type), ' ', octet_length(payload), ' ', \
             octet_length(metadata), ' ', stream, type, payload, metadata), ''), '') FROM events ",
            $rows
        )
    };
}
pub(super) use packed_events;

/// Appends the events of a text.
pub(super) fn read(
    text: &str,
    decoder: &mut EventDecoder,
    events: &mut Vec<RecordedEvent>,
) -> Result<(), sqlx::Error> {
    let mut rest = Rest(text);
    while !rest.0.is_empty() {
        let position = rest.number()?;
        let version = rest.number()?;
        let schema_version = rest.number()?;
        let recorded_at = rest.number()?;
        let id = Uuid::try_parse(rest.word()?).map_err(undecodable)?;
        let (stream, event_type) = (rest.number()?, rest.number()?);
        let (payload, metadata) = (rest.number()?, rest.number()?);
        let row = EventRow {
            position,
            stream: rest.text(stream)?,
            version,
            id,
            event_type: rest.text(event_type)?,
            schema_version,
            payload: rest.text(payload)?,
            metadata: rest.text(metadata)?,
            recorded_at,
        };
        events.push(decoder.take(&row)?);
    }
    Ok(())
}

/// What is not read yet.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    fn word(&mut self) -> Result<&'t str, sqlx::Error> {
        let (word, rest) = self.0.split_once(' ').ok_or_else(|| undecodable(CUT_SHORT))?;
        self.0 = rest;
        Ok(word)
    }

    fn number<N>(&mut self) -> Result<N, sqlx::Error>
    where
        N: FromStr<Err: std::error::Error + Send + Sync + 'static>,
    {
        self.word()?.parse().map_err(undecodable)
    }

    fn text(&mut self, bytes: usize) -> Result<&'t str, sqlx::Error> {
        let (text, rest) = self.0.split_at_checked(bytes).ok_or_else(|| undecodable(CUT_SHORT))?;
        self.0 = rest;
        Ok(text)
    }
}

const CUT_SHORT: &str = "a text of events that ends too early";
