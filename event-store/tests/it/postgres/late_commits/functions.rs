//! Calls of the functions that append, each with an event on each of two streams and the answer of one command; and the same
//! functions as somebody would write them who had not thought of late commits.

use sqlx::{AssertSqlSafe, PgConnection};

/// By the function that judges.
const JUDGED: &str = "SELECT head FROM append_to_log(
    own_token => (SELECT token FROM log_writer), now_micros => 0, stream_names => ARRAY[$1, $2], ids_repeat => false,
    command_ids => ARRAY[$3], tx_command => ARRAY[1], tx_hash => ARRAY['\\x01'::bytea], tx_status => ARRAY[200],
    tx_body => ARRAY['{}'], tx_target => ARRAY[1], tx_target_offset => ARRAY[1], tx_last => ARRAY[2],
    read_tx => '{}', read_stream => '{}', read_version => '{}', read_base => '{}',
    event_tx => ARRAY[1, 1], event_place => ARRAY[1, 2], event_stream => ARRAY[1, 2], event_name => ARRAY[$1, $2],
    event_offset => ARRAY[1, 1], event_id => ARRAY[gen_random_uuid(), gen_random_uuid()],
    event_type => ARRAY['Written', 'Written'], event_schema => ARRAY[1, 1], event_payload => ARRAY['{}', '{}'],
    event_metadata => ARRAY[$4, $4],
    intent_tx => '{}', intent_opens => '{}', intent_id => '{}', intent_payload => '{}')";

/// By the function that only checks, as older processes call it: the streams are new.
const UNDISPUTED: &str = "SELECT append_undisputed(
    own_token => (SELECT token FROM log_writer), now_micros => 0, grown_stream => '{}', grown_version => '{}',
    read_stream => '{}', read_version => '{}',
    unanswered_id => '{}', event_stream => ARRAY[$1 || $3, $2 || $3], event_version => ARRAY[1, 1],
    event_id => ARRAY[gen_random_uuid(), gen_random_uuid()], event_type => ARRAY['Written', 'Written'],
    event_schema => ARRAY[1, 1], event_payload => ARRAY['{}', '{}'], event_metadata => ARRAY[$4, $4],
    answer_id => ARRAY[$3], answer_hash => ARRAY['\\x01'::bytea], answer_status => ARRAY[200],
    answer_body => ARRAY['{}'], answer_version => ARRAY[1], answer_place => ARRAY[2],
    closed_id => '{}', opened_id => '{}', opened_payload => '{}')";

/// By the function that the service calls: the streams are new, and whatever the head is.
const AT_HEAD: &str = "SELECT append_at_head(
    own_token => (SELECT token FROM log_writer), expected_head => NULL, now_micros => 0,
    grown_stream => '{}', grown_version => '{}', read_stream => '{}', read_version => '{}',
    unanswered_id => '{}', event_stream => ARRAY[$1 || $3, $2 || $3], event_version => ARRAY[1, 1],
    event_id => ARRAY[gen_random_uuid(), gen_random_uuid()], event_type => ARRAY['Written', 'Written'],
    event_schema => ARRAY[1, 1], event_payload => ARRAY['{}', '{}'], event_metadata => ARRAY[$4, $4],
    answer_id => ARRAY[$3], answer_hash => ARRAY['\\x01'::bytea], answer_status => ARRAY[200],
    answer_body => ARRAY['{}'], answer_version => ARRAY[1], answer_place => ARRAY[2],
    closed_id => '{}', opened_id => '{}', opened_payload => '{}')";

/// A call of each function that writes events. It takes two streams, a command's id, and metadata.
pub(super) const APPENDS: [&str; 3] = [JUDGED, UNDISPUTED, AT_HEAD];

const DEFINITIONS: &str = "SELECT proname::text, pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace AND prosrc LIKE '%INSERT INTO events%' ORDER BY proname";

/// Two events a call, whoever commits first.
const COUNTER: &str = "CREATE SEQUENCE naive_positions INCREMENT 2 MINVALUE 0 START 0 CACHE 1";

const LOCK: &str = "FOR UPDATE";
const NEXT_POSITION: &str = "coalesce(max(position), 0) INTO head FROM events";
const NAIVE_POSITION: &str = "nextval('naive_positions') INTO head";

/// Whether appends come one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    Taken,
    LeftOut,
}

/// Makes the functions of this database take their positions from a sequence, as one does who does not think of late commits;
/// and leaves the lock out or not. Positions that the log's primary key would refuse a second time can't show what the
/// lock is for: without it appends would fail, and the follower see nothing amiss.
pub(super) async fn make_naive(connection: &mut PgConnection, lock: Lock) {
    sqlx::query(COUNTER).execute(&mut *connection).await.unwrap();
    let found: Vec<(String, String)> =
        sqlx::query_as(DEFINITIONS).fetch_all(&mut *connection).await.unwrap();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["append_at_head", "append_to_log", "append_undisputed"],
        "one is not called"
    );
    for (name, definition) in &found {
        for part in [LOCK, NEXT_POSITION] {
            assert_eq!(definition.matches(part).count(), 1, "{name}: {part}");
        }
        let mut naive = definition.replace(NEXT_POSITION, NAIVE_POSITION);
        if lock == Lock::LeftOut {
            naive = naive.replace(LOCK, "");
        }
        sqlx::raw_sql(AssertSqlSafe(naive)).execute(&mut *connection).await.unwrap();
    }
}
