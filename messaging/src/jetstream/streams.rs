//! The streams as they have to be: created when they are missing, put right when someone changed them, and what is weak
//! about them said in plain words.
//!
//! **Invariant:** nothing is kept here that could not be made anew from SQL, so no setting is worth refusing to start.

use async_nats::jetstream::context::{
    CreateStreamError, CreateStreamErrorKind, GetStreamErrorKind,
};
use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType};
use async_nats::jetstream::{Context, ErrorCode};
use event_store::Position;

use super::carrier::{CarrierError, failed};
use super::names::Names;

/// How much of the log the stream of events holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventsSettings {
    /// The newest events, at most this many. Older ones are read from the log.
    pub retained: u64,
    /// Their bytes, at most.
    pub max_bytes: i64,
    /// Servers that hold a copy: 3 in a cluster, 1 on a single server.
    pub replicas: usize,
}

impl Default for EventsSettings {
    fn default() -> Self {
        Self { retained: 1_000_000, max_bytes: 2 * 1024 * 1024 * 1024, replicas: 1 }
    }
}

/// How much the work queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandsSettings {
    /// Messages that wait or are being handled; one more is refused, and its sender keeps it.
    pub capacity: i64,
    /// Servers that hold a copy.
    pub replicas: usize,
}

impl Default for CommandsSettings {
    fn default() -> Self {
        Self { capacity: 100_000, replicas: 1 }
    }
}

/// The stream of events as it has to be, `first` being its first sequence.
pub(super) fn events(names: &Names, settings: EventsSettings, first: Option<Position>) -> Config {
    Config {
        name: names.events(),
        description: Some("copies of the event log: stream sequence = position".to_owned()),
        subjects: vec![names.all_events()],
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        storage: StorageType::File,
        max_messages: i64::try_from(settings.retained).unwrap_or(i64::MAX),
        max_bytes: settings.max_bytes,
        num_replicas: settings.replicas,
        allow_direct: true,
        first_sequence: first,
        ..Config::default()
    }
}

/// The work queue as it has to be. A subject holds one message at most: so a repeat of one that is on its way is
/// refused, and one that was lost can be sent again at once.
pub(super) fn commands(names: &Names, settings: CommandsSettings) -> Config {
    Config {
        name: names.commands(),
        description: Some(
            "commands on their way: the outbox has them until the log does".to_owned(),
        ),
        subjects: vec![names.all_commands()],
        retention: RetentionPolicy::WorkQueue,
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        storage: StorageType::File,
        max_messages: settings.capacity,
        max_messages_per_subject: 1,
        num_replicas: settings.replicas,
        ..Config::default()
    }
}

/// What is there under a name; `None` when there is no such stream.
pub(super) async fn find(context: &Context, name: &str) -> Result<Option<Info>, CarrierError> {
    match context.get_stream(name).await {
        Ok(stream) => Ok(Some(stream.cached_info().clone())),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(cause)
                if cause.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                Ok(None)
            }
            _ => Err(failed("the stream can't be looked at")(error)),
        },
    }
}

/// A stream is not made smaller than this, in bytes.
const LEAST_BYTES: i64 = 16 * 1024 * 1024;

/// Creates a stream. One that is there already with the same settings is fine. Where the servers have not the room that
/// is wanted, it is made smaller: readers get from the log what it can't hold.
pub(super) async fn create(context: &Context, mut config: Config) -> Result<Info, CarrierError> {
    let wanted = config.max_bytes;
    let mut created = context.create_stream(config.clone()).await;
    if config.num_replicas > 1 && created.as_ref().is_err_and(is_single_server) {
        config.num_replicas = 1;
        created = context.create_stream(config.clone()).await;
    }
    while created.as_ref().is_err_and(is_too_large) && config.max_bytes / 2 >= LEAST_BYTES {
        config.max_bytes /= 2;
        created = context.create_stream(config.clone()).await;
    }
    let stream = created.map_err(failed("the stream can't be created"))?;
    let info = stream.cached_info().clone();
    // No bound at all is written 0 or -1.
    if wanted > 0 && info.config.max_bytes < wanted {
        tracing::warn!(
            stream = config.name,
            wanted,
            given = info.config.max_bytes,
            "the servers have less room than is wanted: the stream holds fewer events, and older ones are read from the log"
        );
    }
    Ok(info)
}

/// Whether the servers have not the room for a stream.
fn is_too_large(error: &CreateStreamError) -> bool {
    match error.kind() {
        CreateStreamErrorKind::JetStream(cause) => matches!(
            cause.error_code(),
            ErrorCode::STORAGE_RESOURCES_EXCEEDED
                | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
                | ErrorCode::INSUFFICIENT_RESOURCES
                | ErrorCode::CLUSTER_NO_PEERS
        ),
        _ => false,
    }
}

/// Whether a stream can't have replicas because there is one server only.
fn is_single_server(error: &CreateStreamError) -> bool {
    match error.kind() {
        CreateStreamErrorKind::JetStream(cause) => {
            cause.error_code() == ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED
        }
        _ => false,
    }
}

/// Deletes a stream; one that is gone already is fine.
pub(super) async fn delete(context: &Context, name: &str) -> Result<(), CarrierError> {
    let gone = context.delete_stream(name).await.map(drop);
    match gone {
        Err(error) if find(context, name).await?.is_some() => {
            Err(failed("the stream can't be deleted")(error))
        }
        _ => Ok(()),
    }
}

/// Puts a stream right that was changed by hand. Where that fails it is used as it is, and `told` keeps it from being
/// said again and again.
pub(super) async fn put_right(context: &Context, info: &Info, wanted: &Config, told: &mut bool) {
    let mut wanted = wanted.clone();
    if !is_clustered(info) {
        wanted.num_replicas = 1;
    }
    // A stream that was made smaller for want of room stays so until somebody makes it anew.
    let given = info.config.max_bytes;
    if (LEAST_BYTES..wanted.max_bytes).contains(&given) {
        wanted.max_bytes = given;
    }
    if same(&info.config, &wanted) {
        *told = false;
        return;
    }
    wanted.first_sequence = info.config.first_sequence;
    let stream = wanted.name.clone();
    match context.update_stream(wanted).await {
        Ok(_) => tracing::info!(stream, "the stream's settings are put right"),
        Err(error) if !std::mem::replace(told, true) => {
            tracing::warn!(stream, %error, "the stream's settings can't be put right");
        }
        Err(_) => {}
    }
}

fn is_clustered(info: &Info) -> bool {
    info.cluster.as_ref().is_some_and(|cluster| cluster.name.is_some())
}

fn same(is: &Config, wanted: &Config) -> bool {
    is.subjects == wanted.subjects
        && is.discard == wanted.discard
        && is.discard_new_per_subject == wanted.discard_new_per_subject
        && limit(is.max_messages) == limit(wanted.max_messages)
        && limit(is.max_messages_per_subject) == limit(wanted.max_messages_per_subject)
        && limit(is.max_bytes) == limit(wanted.max_bytes)
        && is.num_replicas == wanted.num_replicas
}

/// "No limit" is 0 or -1: the server writes the one where it was given the other.
fn limit(written: i64) -> i64 {
    if written <= 0 { -1 } else { written }
}

/// Says once, at the start, how a stream is kept and what is weak about that.
pub(super) fn tell(info: &Info) {
    let config = &info.config;
    let (stream, replicas) = (&config.name, config.num_replicas);
    tracing::info!(
        %stream, replicas, messages = info.state.messages, last = info.state.last_sequence,
        "the stream is there"
    );
    for weakness in weaknesses(info) {
        tracing::warn!(%stream, "{weakness}");
    }
}

fn weaknesses(info: &Info) -> Vec<&'static str> {
    let config = &info.config;
    let mut found = Vec::new();
    if config.num_replicas < 3 {
        found.push(if is_clustered(info) {
            "one server of the cluster holds this stream alone: while it is away, nothing is carried; set 3 replicas"
        } else {
            "a single server holds this stream: while it is away, nothing is carried"
        });
    }
    if config.storage == StorageType::Memory {
        found.push("this stream is kept in memory: a restart of its server empties it, and it is filled from the log");
    }
    found.push(
        "NATS says that it has a message before the message is on disk, unless its `sync_interval` is `always`, which \
         only its monitor tells; after a power cut the end of this stream may be missing, and is filled from SQL",
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_what_it_has_to_be_when_the_server_fills_in_its_defaults() {
        let wanted = commands(&Names::default(), CommandsSettings::default());
        let mut is = wanted.clone();
        is.max_bytes = -1;
        assert!(same(&is, &wanted));
        is.discard = DiscardPolicy::Old;
        assert!(!same(&is, &wanted));
    }
}
