//! How many requests a service may have under way at the same time: of those that work, and of those that wait.
//!
//! **Invariant:** whoever only waits takes no place from those who work, and no client all places of those who wait. Commands of clients
//! take none from what else the service is asked, as by an operator who looks into why there are so many.

use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, Method};
use service_kit::shares::{Share, Shares};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::routes::is_command;
use crate::whose::{Who, Whose};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The places of one service.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    commands: Semaphore,
    others: Semaphore,
    waits: Semaphore,
    /// How many of each client wait.
    waiting: Shares<Whose>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'r> {
    _place: SemaphorePermit<'r>,
    _waits: Option<Share<'r, Whose>>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// There are as many requests as there may be.
    Full,
    /// It would wait, and as many of the same client wait as may.
    TheirsAreMany,
}

impl Places {
    /// So many places of each kind.
    pub(crate) fn of(most: usize) -> Self {
        let places = || Semaphore::new(most);
        let (commands, others, waits) = (places(), places(), places());
        Self { most, commands, others, waits, waiting: Shares::of(most) }
    }

    /// Whether a request would find no place now.
    pub(crate) fn is_full(&self, method: &Method, path: &str) -> bool {
        self.working(method, path).available_permits() == 0
    }

    /// A place for a request. One that would wait for what becomes of it, and finds that as many wait as may, is answered as soon as
    /// it is taken: it only prefers to wait (RFC 7240). A read that would wait for a position can't do without.
    pub(crate) fn take(
        &self,
        method: &Method,
        path: &PathAndQuery,
        headers: &mut HeaderMap,
        who: Who<'_>,
    ) -> Result<Place<'_>, NoPlace> {
        let for_position = path.query().is_some_and(|query| query.contains("min_position="));
        if for_position || prefers_to_wait(headers) {
            let place = self.wait(who.whose());
            if place.is_ok() || for_position {
                return place;
            }
            headers.remove(PREFER);
        }
        let place = self.working(method, path.path()).try_acquire();
        place.map(|place| Place { _place: place, _waits: None }).map_err(|_| NoPlace::Full)
    }

    /// How many requests are under way.
    pub(crate) fn in_flight(&self) -> usize {
        let taken = |places: &Semaphore| self.most - places.available_permits();
        taken(&self.commands) + taken(&self.others) + taken(&self.waits)
    }

    fn working(&self, method: &Method, path: &str) -> &Semaphore {
        if is_command(method, path) { &self.commands } else { &self.others }
    }

    fn wait(&self, whose: Whose) -> Result<Place<'_>, NoPlace> {
        let place = self.waits.try_acquire().map_err(|_| NoPlace::Full)?;
        let waits = match whose {
            Whose::Anybodys => None,
            whose => Some(self.waiting.take(whose).ok_or(NoPlace::TheirsAreMany)?),
        };
        Ok(Place { _place: place, _waits: waits })
    }
}

/// Whether a request may be kept waiting for what becomes of it though there is nothing to do for it.
fn prefers_to_wait(headers: &HeaderMap) -> bool {
    let mut preferences = headers.get_all(PREFER).iter().flat_map(|said| said.to_str());
    preferences.any(|preference| preference.contains("wait"))
}

#[cfg(test)]
mod tests {
    use service_kit::shares::SHARE;

    use super::*;

    fn take<'r>(places: &'r Places, path: &str, prefer: Option<&str>) -> (Option<Place<'r>>, bool) {
        take_of(Who::ANYBODY, places, path, prefer)
    }

    fn take_of<'r>(
        who: Who<'_>,
        places: &'r Places,
        path: &str,
        prefer: Option<&str>,
    ) -> (Option<Place<'r>>, bool) {
        let mut headers = HeaderMap::new();
        headers.extend(prefer.map(|prefer| (PREFER, prefer.parse().unwrap())));
        let place = places.take(&Method::POST, &path.parse().unwrap(), &mut headers, who);
        (place.ok(), headers.contains_key(PREFER))
    }

    fn read<'r>(
        places: &'r Places,
        path: &'static str,
        who: Who<'_>,
    ) -> Result<Place<'r>, NoPlace> {
        let path = PathAndQuery::from_static(path);
        places.take(&Method::GET, &path, &mut HeaderMap::new(), who)
    }

    #[test]
    fn those_who_wait_take_no_place_from_those_who_work() {
        let places = Places::of(2);
        let wait = || take(&places, "/v1/orders", Some("wait=30"));
        let waiting = [wait(), wait()];
        assert!(waiting.iter().all(|(place, waits)| place.is_some() && *waits));
        assert!(!places.is_full(&Method::POST, "/v1/orders"));
        let (place, still_waits) = wait();
        assert!(place.is_some() && !still_waits, "it is answered when it is taken");
        let other = take(&places, "/v1/stock/mug/receive", None).0;
        assert!(other.is_some() && places.is_full(&Method::POST, "/v1/orders"));
        assert!(take(&places, "/v1/stock/mug/receive", None).0.is_none());
        assert_eq!(places.in_flight(), 4);
        drop((waiting, place));
        assert!(wait().1 && !places.is_full(&Method::POST, "/v1/orders"));
    }

    #[test]
    fn an_operator_gets_a_place_whatever_clients_ask() {
        let places = Places::of(1);
        let _taken = take(&places, "/v1/orders", None);
        assert!(places.is_full(&Method::POST, "/v1/orders/o-1/cancel"));
        for (method, path) in [
            (Method::GET, "/v1/events"),
            (Method::GET, "/v1/dead-letters"),
            (Method::POST, "/v1/dead-letters/4f/replay"),
            (Method::POST, "/v1/payments/webhooks/stripe"),
        ] {
            assert!(!places.is_full(&method, path), "{path}");
        }
    }

    #[test]
    fn a_read_that_waits_for_a_position_waits_too_or_is_refused() {
        let places = Places::of(1);
        let waits = "/v1/orders/o-1?min_position=7";
        let waiting = read(&places, waits, Who::ANYBODY).unwrap();
        assert_eq!(read(&places, waits, Who::ANYBODY).unwrap_err(), NoPlace::Full);
        let reads = read(&places, "/v1/orders", Who::ANYBODY).unwrap();
        drop(waiting);
        let _waits = read(&places, waits, Who::ANYBODY).unwrap();
        assert!(read(&places, "/v1/orders", Who::ANYBODY).is_err());
        drop(reads);
    }

    #[test]
    fn one_client_has_a_part_of_the_places_of_those_who_wait() {
        let places = Places::of(SHARE * 2);
        let waits = "/v1/orders/o-1?min_position=7";
        let theirs = [(); 2].map(|()| read(&places, waits, Who::at(1)).unwrap());
        assert_eq!(read(&places, waits, Who::at(1)).unwrap_err(), NoPlace::TheirsAreMany);
        let (place, still_waits) = take_of(Who::at(1), &places, "/v1/orders", Some("wait=30"));
        assert!(place.is_some() && !still_waits, "it is answered when it is taken");
        read(&places, waits, Who::at(2)).unwrap();
        drop(theirs);
        read(&places, waits, Who::at(1)).unwrap();
        drop(place);
        assert_eq!(places.in_flight(), 0);
    }
}
