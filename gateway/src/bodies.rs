//! Bodies of requests on their way in: each is read whole before it goes on, and all of them together have so much room.
//!
//! **Invariant:** the body of a read is not read at all; whoever sends little is never refused for what others send; and nobody
//! who is known, and no address of those who are not, has more than a part of the room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::Method;
use http_body_util::BodyExt as _;
use service_kit::http::MAX_BODY_BYTES;
use service_kit::problem::{Code, Problem};

use crate::whose::{Who, Whose};

/// A body that has an end soon: one that comes byte by byte would hold what it is to be put into.
const READ_WITHIN: Duration = Duration::from_secs(15);
/// Room for the beginning of a body, bytes.
const FIRST: usize = 4 * 1024;

/// How many bytes of bodies may be here at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Of everybody together.
    pub(crate) all: usize,
    /// Of each who is known, and of each address of those who are not.
    pub(crate) each: usize,
    /// Of each body so many are not counted: they are bounded by the connections that there may be.
    pub(crate) small: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { all: 64 * 1024 * 1024, each: 8 * 1024 * 1024, small: 4 * 1024 }
    }
}

/// All bodies that are here. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bodies(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    room: Room,
    here: Mutex<Here>,
}

/// Bytes that are counted.
#[derive(Debug, Default)]
struct Here {
    all: usize,
    of: HashMap<Whose, usize>,
}

/// The room of one body, until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    bodies: Bodies,
    whose: Whose,
    /// All bytes of it.
    read: usize,
    /// Those of them that are counted.
    counted: usize,
}

impl Bodies {
    #[cfg(test)]
    pub(crate) fn with(room: Room) -> Self {
        Self(Arc::new(Inner { room, here: Mutex::default() }))
    }

    /// Reads what a request has to say, in time: nothing, of a read. Its room is held as long as what is given beside it.
    pub(crate) async fn read(
        &self,
        method: &Method,
        body: &mut Body,
        who: Who<'_>,
    ) -> Result<(Bytes, Option<Held>), Problem> {
        if matches!(*method, Method::GET | Method::HEAD) || body.is_end_stream() {
            return Ok((Bytes::new(), None));
        }
        let mut held = Held { bodies: self.clone(), whose: who.whose(), read: 0, counted: 0 };
        let read = tokio::time::timeout(READ_WITHIN, whole(body, &mut held)).await;
        let body = read.map_err(|_| Code::RequestTimeout)??;
        Ok((body, Some(held)))
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.0.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn whole(body: &mut Body, held: &mut Held) -> Result<Bytes, Problem> {
    let said = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if said > MAX_BODY_BYTES {
        return Err(Code::BodyTooLarge.into());
    }
    // Room for what was only announced is not kept.
    let mut read = Vec::with_capacity(said.min(FIRST));
    while let Some(frame) = body.frame().await {
        let broke_off = |_| Problem::from(Code::InvalidBody).detail("the body broke off");
        let Ok(data) = frame.map_err(broke_off)?.into_data() else { continue };
        if read.len() + data.len() > MAX_BODY_BYTES {
            return Err(Code::BodyTooLarge.into());
        }
        held.takes(data.len())?;
        read.extend_from_slice(&data);
    }
    Ok(read.into())
}

impl Held {
    /// So many bytes more are here.
    fn takes(&mut self, bytes: usize) -> Result<(), Problem> {
        let Room { all, each, small } = self.bodies.0.room;
        self.read += bytes;
        let more = self.read.saturating_sub(small) - self.counted;
        if more == 0 {
            return Ok(());
        }
        let mut here = self.bodies.here();
        let of_them = here.of.get(&self.whose).copied().unwrap_or_default();
        let theirs_are_many = self.whose != Whose::Anybodys && of_them + more > each;
        if theirs_are_many || here.all + more > all {
            drop(here);
            return Err(no_room(theirs_are_many));
        }
        here.all += more;
        here.of.insert(self.whose.clone(), of_them + more);
        self.counted += more;
        told(here.all);
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.counted == 0 {
            return;
        }
        let mut here = self.bodies.here();
        here.all -= self.counted;
        if let Some(of_them) = here.of.get_mut(&self.whose) {
            *of_them -= self.counted;
            if *of_them == 0 {
                here.of.remove(&self.whose);
            }
        }
        told(here.all);
    }
}

fn no_room(theirs_are_many: bool) -> Problem {
    let reason = if theirs_are_many { "own_bodies" } else { "bodies" };
    metrics::counter!("docket_gateway_bodies_refused_total", "reason" => reason).increment(1);
    let detail = if theirs_are_many {
        "as many bytes of your requests are under way as there may be of one client"
    } else {
        "as many bytes of requests are under way as there may be"
    };
    Problem::from(Code::Overloaded).detail(detail).retry_after(1)
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; there is room for less")]
fn told(bytes: usize) {
    metrics::gauge!("docket_gateway_body_bytes").set(bytes as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { all: 250, each: 100, small: 10 };

    fn spaces(bytes: usize) -> Body {
        Body::from(vec![b' '; bytes])
    }

    /// The room that is held; or the words of the refusal.
    async fn read(bodies: &Bodies, bytes: usize, from: Option<u8>) -> Result<Held, String> {
        let mut body = spaces(bytes);
        let read = bodies.read(&Method::POST, &mut body, from.map_or(Who::ANYBODY, Who::at)).await;
        let (body, held) = read.map_err(|problem| problem.to_json().to_string())?;
        assert_eq!(body.len(), bytes);
        Ok(held.unwrap())
    }

    #[tokio::test]
    async fn nobody_has_more_than_their_part_and_all_have_no_more_than_there_is() {
        let bodies = Bodies::with(ROOM);
        let first = read(&bodies, 100, Some(1)).await.unwrap();
        let refused = read(&bodies, 21, Some(1)).await.unwrap_err();
        assert!(refused.contains("overloaded") && refused.contains("of one client"), "{refused}");
        let second = read(&bodies, 100, Some(2)).await.unwrap();
        let refused = read(&bodies, 81, Some(3)).await.unwrap_err();
        assert!(refused.contains("overloaded") && !refused.contains("one client"), "{refused}");
        drop((first, second));
        // Where nobody is asked who they are, the room is everybody's.
        let third = read(&bodies, 250, None).await.unwrap();
        drop(third);
        assert!(bodies.here().all == 0 && bodies.here().of.is_empty());
    }

    #[tokio::test]
    async fn who_sends_little_is_not_refused_for_what_others_send() {
        let bodies = Bodies::with(ROOM);
        let _full = read(&bodies, 260, None).await.unwrap();
        assert!(read(&bodies, 11, None).await.is_err());
        assert!(read(&bodies, 10, None).await.is_ok());
    }

    #[tokio::test]
    async fn what_a_read_has_to_say_is_not_read() {
        let never = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        let mut never = Body::from_stream(never);
        let read = Bodies::default().read(&Method::GET, &mut never, Who::ANYBODY).await;
        let (body, held) = read.unwrap();
        assert!(body.is_empty() && held.is_none());
    }

    #[tokio::test]
    async fn what_is_said_to_be_too_large_is_refused_before_it_is_read() {
        let bodies = Bodies::default();
        let post = async |bytes| {
            let mut body = spaces(bytes);
            bodies.read(&Method::POST, &mut body, Who::ANYBODY).await.map(drop)
        };
        assert_eq!(post(MAX_BODY_BYTES + 1).await.unwrap_err().code(), "body_too_large");
        assert!(post(MAX_BODY_BYTES).await.is_ok());
    }
}
