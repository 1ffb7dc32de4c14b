//! One command, decided on the cached states: what will be appended, and what will be said once it is.

use std::collections::HashSet;
use std::sync::Arc;

use domain::command::Command;
use domain::decide::{Context, Decide, Halt, States, View};
use domain::event::Event;
use domain::refusal::Refusal;
use domain::sagas::{CommandEnd, RecordCommandEnd};
use domain::stream::Stream;
use domain::text::Reason;
use event_store::{AnswerToKeep, AppendTransaction, MAX_EVENT_BYTES, NewEvent};

use super::cache::StateCache;
use super::exploration::missing_streams;
use super::request::{Answer, ExecuteError, Request, WithoutEffect};
use crate::codec;
use crate::side_effects;

/// A decision, ready to be appended.
#[derive(Debug)]
pub(super) struct Decision {
    /// What goes to the log; sent again as it is when the outcome is unknown.
    pub(super) transaction: AppendTransaction,
    /// Its events, as the domain made them.
    pub(super) events: Vec<Event>,
    /// Every stream that was looked at or is written.
    pub(super) streams: Vec<Stream>,
    /// What is said when the transaction is committed.
    pub(super) verdict: Say,
}

impl Decision {
    /// Whether there is nothing to do, and yet an answer to keep.
    pub(super) fn finds_all_so(&self) -> bool {
        self.events.is_empty() && matches!(self.verdict, Say::Done(_))
    }
}

/// What the caller hears once the log has confirmed what the decision rests on.
#[derive(Debug)]
pub(super) enum Say {
    /// The answer of a command that had its effect, or found that it was so already.
    Done(Answer),
    /// Why nothing happened.
    Not(ExecuteError),
}

/// Why there is no decision yet, or never.
#[derive(Debug)]
pub(super) enum Undecided {
    /// These streams have to be loaded first.
    Missing(Vec<Stream>),
    /// The command can't be carried out, whatever the log says.
    Failed(ExecuteError),
}

/// Decides `request` on the states in `cache`.
pub(super) fn decide(
    request: &Request,
    cache: &StateCache,
    context: &Context,
) -> Result<Decision, Undecided> {
    decide_on_loaded(request, cache, context).map_err(|undecided| match undecided {
        Undecided::Missing(mut streams) => {
            streams.extend(missing_streams(&request.command, cache, context));
            Undecided::Missing(streams)
        }
        failed @ Undecided::Failed(_) => failed,
    })
}

fn decide_on_loaded(
    request: &Request,
    cache: &StateCache,
    context: &Context,
) -> Result<Decision, Undecided> {
    let target = request.command.target();
    let view = View::new(cache);
    let decided = match version_mismatch(request, cache, &target)? {
        Some(mismatch) => Err(Say::Not(mismatch)),
        None => outcome(request, &view, context)?,
    };
    let mut reads = view.into_reads();
    if request.expected.is_some() && !reads.contains(&target) {
        reads.push(target.clone());
    }
    let (events, verdict) = match decided {
        Ok(events) => {
            let answer = (request.answer)(&request.command, &events);
            (events, Say::Done(answer))
        }
        Err(verdict) => (Vec::new(), verdict),
    };
    assemble(request, cache, reads, events, verdict)
}

/// The events that follow, or what is to be said instead.
fn outcome(
    request: &Request,
    view: &View<'_>,
    context: &Context,
) -> Result<Result<Vec<Event>, Say>, Undecided> {
    let decided = request.command.decide(view, context);
    let end = match (decided, &request.without_effect) {
        (Err(Halt::Missing(stream)), _) => return Err(Undecided::Missing(vec![stream])),
        (Err(Halt::Busy), _) => return Ok(Err(Say::Not(ExecuteError::Busy))),
        (Err(Halt::Refused(refusal)), WithoutEffect::Answer) => {
            return Ok(Err(Say::Not(ExecuteError::Refused(refusal))));
        }
        (Ok(events), WithoutEffect::Answer) => return Ok(Ok(events)),
        (Ok(events), WithoutEffect::Record { .. }) if !events.is_empty() => return Ok(Ok(events)),
        (Ok(_), WithoutEffect::Record { order_id }) => (order_id, CommandEnd::Unneeded),
        (Err(Halt::Refused(refusal)), WithoutEffect::Record { order_id }) => {
            (order_id, CommandEnd::Refused { code: code_of(&refusal)? })
        }
    };
    let (order_id, end) = end;
    let record = RecordCommandEnd {
        order_id: order_id.clone(),
        command_id: request.command_id.to_string(),
        command: request.command.name().to_owned(),
        end,
    };
    match record.decide(view, context) {
        Ok(events) => Ok(Ok(events)),
        Err(Halt::Missing(stream)) => Err(Undecided::Missing(vec![stream])),
        Err(Halt::Busy) => Ok(Err(Say::Not(ExecuteError::Busy))),
        Err(Halt::Refused(refusal)) => Ok(Err(Say::Not(ExecuteError::Refused(refusal)))),
    }
}

fn code_of(refusal: &Refusal) -> Result<Reason, Undecided> {
    Reason::parse(refusal.code()).map_err(|error| {
        tracing::error!(%error, code = refusal.code(), "a refusal's code is no reason");
        Undecided::Failed(ExecuteError::Broken)
    })
}

fn version_mismatch(
    request: &Request,
    cache: &StateCache,
    target: &Stream,
) -> Result<Option<ExecuteError>, Undecided> {
    let Some(expected) = request.expected else { return Ok(None) };
    let Some(entry) = cache.entry(target) else {
        return Err(Undecided::Missing(vec![target.clone()]));
    };
    let current = entry.version;
    Ok((current != expected).then_some(ExecuteError::VersionMismatch { expected, current }))
}

/// The transaction of a decision; every stream in it has to be loaded, or its version is not known.
fn assemble(
    request: &Request,
    cache: &StateCache,
    mut streams: Vec<Stream>,
    events: Vec<Event>,
    verdict: Say,
) -> Result<Decision, Undecided> {
    let mut seen: HashSet<Stream> = streams.iter().cloned().collect();
    streams.extend(events.iter().map(Event::stream).filter(|stream| seen.insert(stream.clone())));
    let mut reads = Vec::with_capacity(streams.len());
    let mut missing = Vec::new();
    for stream in &streams {
        match cache.entry(stream) {
            Some(entry) => reads.push((codec::stream_id(stream), entry.version)),
            None => missing.push(stream.clone()),
        }
    }
    if !missing.is_empty() {
        return Err(Undecided::Missing(missing));
    }
    let encoded = events.iter().map(encode).collect::<Result<Vec<_>, _>>()?;
    let answer = match &verdict {
        Say::Done(answer) => Some(AnswerToKeep {
            status: answer.status,
            body: answer.body.clone(),
            target: codec::stream_id(&answered_stream(&request.command, &events)),
        }),
        Say::Not(_) => None,
    };
    let intents = match &verdict {
        Say::Done(_) => side_effects::changes(&request.command, &events, &request.metadata)
            .map_err(|error| {
                tracing::error!(%error, id = %request.command_id, "an intent can't be encoded");
                Undecided::Failed(ExecuteError::Broken)
            })?,
        Say::Not(_) => Vec::new(),
    };
    let transaction = AppendTransaction {
        command_id: Arc::clone(&request.command_id),
        request_hash: request.request_hash,
        reads,
        events: encoded,
        metadata: Arc::clone(&request.metadata),
        answer,
        intents,
    };
    Ok(Decision { transaction, events, streams, verdict })
}

/// The stream whose version the answer names: the command's target, unless only the end of the command is recorded.
fn answered_stream(command: &Command, events: &[Event]) -> Stream {
    match events {
        [event @ Event::Command(_)] => event.stream(),
        _ => command.target(),
    }
}

/// An event that is too large fails its own command here, before it could fail the whole batch.
fn encode(event: &Event) -> Result<NewEvent, Undecided> {
    let encoded = codec::encode(event).map_err(|error| {
        tracing::error!(%error, event = event.event_type(), "an event can't be encoded");
        Undecided::Failed(ExecuteError::Broken)
    })?;
    let size_bytes = encoded.payload.len();
    if size_bytes > MAX_EVENT_BYTES {
        let event_type = event.event_type();
        return Err(Undecided::Failed(ExecuteError::EventTooLarge { event_type, size_bytes }));
    }
    Ok(encoded)
}
