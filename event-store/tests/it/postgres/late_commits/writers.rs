//! The writers: they append, stall, and then commit, roll back or are killed.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use sqlx::{Connection as _, PgConnection};

use super::super::Migrated;
use super::follower::Watched;
use super::functions::APPENDS;

/// Writers at once.
pub(super) const WRITERS: u64 = 64;
/// Appends of each.
const TIMES: u64 = 5;
/// A stall is a follower's read many times over: up to so long, and one in so many is far longer.
const STALL_MS: u64 = 25;
const LONG_STALL: Duration = Duration::from_millis(150);
const LONG_ONE_IN: u64 = 16;

const STALL: &str = "SELECT pg_sleep($1)";
const KILL: &str = "SELECT pg_terminate_backend($1)";
const PID: &str = "SELECT pg_backend_pid()";

/// How the writers' transactions end, and what they write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// Commits, rollbacks and kills, on streams that all share.
    AsItComes,
    /// Commits only, each writer on streams of its own: nobody has anything to do with another but for the positions.
    CommitsOnly,
}

/// What a writer does after its insert.
#[derive(Debug, Clone, Copy)]
enum End {
    Commit,
    RollBack,
    Die,
}

/// One append.
struct Append {
    call: &'static str,
    id: String,
    streams: [String; 2],
    stall: Duration,
    end: End,
}

/// All of them; the commands that they committed.
pub(super) async fn write_all(
    place: &Migrated,
    story: Story,
    watched: &Watched,
) -> BTreeSet<String> {
    let writers = (0..WRITERS).map(|writer| write(place, story, writer, watched));
    let committed = join_all(writers).await;
    watched.done.store(true, Ordering::SeqCst);
    committed.into_iter().flatten().collect()
}

/// Appends one after another, each with its own end; answers the commands that it committed.
async fn write(place: &Migrated, story: Story, writer: u64, watched: &Watched) -> Vec<String> {
    let mut connection = place.connection().await;
    let mut committed = Vec::new();
    for append in script(story, writer) {
        if append.carry_out(place, &mut connection, watched).await {
            committed.push(append.id);
        }
    }
    committed
}

/// The same in every run, another one for each writer.
fn script(story: Story, writer: u64) -> Vec<Append> {
    let mut dice = writer.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut roll = move |sides: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % sides
    };
    let append = |(append, call): (u64, &&'static str)| {
        let (one, other) = (roll(8), roll(7));
        let streams = [one, (one + 1 + other) % 8].map(|stream| match story {
            Story::AsItComes => format!("s{stream}"),
            Story::CommitsOnly => format!("s{writer}-{stream}"),
        });
        let end = match roll(5) {
            0 if story == Story::AsItComes => End::Die,
            1 if story == Story::AsItComes => End::RollBack,
            _ => End::Commit,
        };
        let stall = match roll(LONG_ONE_IN) {
            0 => LONG_STALL,
            _ => Duration::from_millis(1 + roll(STALL_MS)),
        };
        Append { call, id: format!("{writer}-{append}"), streams, stall, end }
    };
    // Each writer calls each of them, and not all of them the same one at first.
    let calls = APPENDS.iter().cycle().skip(usize::from(writer.is_multiple_of(2)));
    (0..TIMES).zip(calls).map(append).collect()
}

impl Append {
    /// Whether it is committed.
    async fn carry_out(
        &self,
        place: &Migrated,
        connection: &mut PgConnection,
        watched: &Watched,
    ) -> bool {
        let Self { call, id, streams: [one, other], stall, end } = self;
        let metadata = serde_json::json!({
            "command_id": id, "actor": "a tester", "correlation_id": id, "occurred_at": "2010-12-01T08:26:00Z",
        });
        let mut transaction = connection.begin().await.unwrap();
        let append = sqlx::query(*call).bind(one).bind(other).bind(id).bind(metadata.to_string());
        append.execute(&mut *transaction).await.expect("an append waits for its turn");
        watched.inserted.fetch_add(1, Ordering::SeqCst);
        watched.open.fetch_add(1, Ordering::SeqCst);
        sqlx::query(STALL).bind(stall.as_secs_f64()).execute(&mut *transaction).await.unwrap();
        watched.open.fetch_sub(1, Ordering::SeqCst);
        match end {
            End::Commit => {
                transaction.commit().await.unwrap();
                true
            }
            End::RollBack => {
                transaction.rollback().await.unwrap();
                false
            }
            End::Die => {
                let pid: i32 = sqlx::query_scalar(PID).fetch_one(&mut *transaction).await.unwrap();
                let mut killer = place.connection().await;
                sqlx::query(KILL).bind(pid).execute(&mut killer).await.unwrap();
                assert!(transaction.commit().await.is_err());
                *connection = place.connection().await;
                false
            }
        }
    }
}
