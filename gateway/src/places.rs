//! How many requests a service may have under way at the same time: of those that work, and of those that wait.
//!
//! **Invariant:** whoever only waits takes no place from those who work, and commands of clients take none from what else the service is
//! asked, as by an operator who looks into why there are so many.

use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, Method};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::routes::is_command;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The places of one service.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    commands: Semaphore,
    others: Semaphore,
    waits: Semaphore,
}

/// A place, until it is dropped.
pub(crate) type Place<'r> = SemaphorePermit<'r>;

impl Places {
    /// So many places of each kind.
    pub(crate) fn of(most: usize) -> Self {
        let places = || Semaphore::new(most);
        Self { most, commands: places(), others: places(), waits: places() }
    }

    /// Whether a request would find no place now.
    pub(crate) fn is_full(&self, method: &Method, path: &str) -> bool {
        self.working(method, path).available_permits() == 0
    }

    /// A place for a request; none when there is none left. One that would wait for what becomes of it, and finds that as many wait
    /// as may, is answered as soon as it is taken: it only prefers to wait (RFC 7240).
    pub(crate) fn take(
        &self,
        method: &Method,
        path: &PathAndQuery,
        headers: &mut HeaderMap,
    ) -> Option<Place<'_>> {
        if waits(path, headers) {
            if let Ok(place) = self.waits.try_acquire() {
                return Some(place);
            }
            headers.remove(PREFER);
        }
        self.working(method, path.path()).try_acquire().ok()
    }

    /// How many requests are under way.
    pub(crate) fn in_flight(&self) -> usize {
        let taken = |places: &Semaphore| self.most - places.available_permits();
        taken(&self.commands) + taken(&self.others) + taken(&self.waits)
    }

    fn working(&self, method: &Method, path: &str) -> &Semaphore {
        if is_command(method, path) { &self.commands } else { &self.others }
    }
}

/// Whether a request may be kept waiting though there is nothing to do for it.
fn waits(path: &PathAndQuery, headers: &HeaderMap) -> bool {
    let mut preferences = headers.get_all(PREFER).iter().flat_map(|said| said.to_str());
    preferences.any(|preference| preference.contains("wait"))
        || path.query().is_some_and(|query| query.contains("min_position="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take<'r>(places: &'r Places, path: &str, prefer: Option<&str>) -> (Option<Place<'r>>, bool) {
        let mut headers = HeaderMap::new();
        headers.extend(prefer.map(|prefer| (PREFER, prefer.parse().unwrap())));
        let place = places.take(&Method::POST, &path.parse().unwrap(), &mut headers);
        (place, headers.contains_key(PREFER))
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
    fn a_read_that_waits_for_a_position_waits_too() {
        let places = Places::of(1);
        let read = |path: &'static str| {
            places.take(&Method::GET, &PathAndQuery::from_static(path), &mut HeaderMap::new())
        };
        let _waits = read("/v1/orders/o-1?min_position=7").unwrap();
        assert!(!places.is_full(&Method::GET, "/v1/orders/o-1"));
        let _reads = read("/v1/orders/o-1?min_position=7").unwrap();
        assert!(read("/v1/orders").is_none());
    }
}
