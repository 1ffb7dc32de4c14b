//! Notices that came lately, so that a repeated one is no further reason to look.
//!
//! In memory, because no outcome hangs on it: what is looked at twice is the same. A notice is told from others by the
//! object and by what happened to it; Stripe says so where one happening is told under several ids.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// So long a notice of the same object and kind is taken for a repeat. A second refund of one charge is told with the same
/// words as the first; should it come within this time, the runner looks by itself a little later.
const FOR: TimeDelta = TimeDelta::seconds(60);
/// As many are remembered.
const MOST: usize = 10_000;

type Key = (&'static str, String, String);

/// Notices that came lately.
#[derive(Debug, Default)]
pub struct SeenNotices {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    keys: HashSet<Key>,
    order: VecDeque<(DateTime<Utc>, Key)>,
}

impl SeenNotices {
    /// Whether it is the first of its kind for some time.
    pub fn is_news(
        &self,
        provider: &'static str,
        object: &str,
        kind: &str,
        now: DateTime<Utc>,
    ) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while seen.order.front().is_some_and(|(at, _)| now - *at >= FOR) || seen.order.len() >= MOST
        {
            if let Some((_, key)) = seen.order.pop_front() {
                seen.keys.remove(&key);
            }
        }
        let key = (provider, object.to_owned(), kind.to_owned());
        let is_news = seen.keys.insert(key.clone());
        if is_news {
            seen.order.push_back((now, key));
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_told_from_others_by_provider_object_and_kind_for_a_while() {
        let (seen, now) = (SeenNotices::default(), DateTime::UNIX_EPOCH);
        assert!(seen.is_news("stripe", "pi_1", "payment_intent.succeeded", now));
        assert!(!seen.is_news("stripe", "pi_1", "payment_intent.succeeded", now));
        assert!(seen.is_news("stripe", "pi_1", "payment_intent.canceled", now));
        assert!(seen.is_news("stripe", "pi_2", "payment_intent.succeeded", now));
        assert!(seen.is_news("other", "pi_1", "payment_intent.succeeded", now));
        assert!(seen.is_news("stripe", "pi_1", "payment_intent.succeeded", now + FOR));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let (seen, now) = (SeenNotices::default(), DateTime::UNIX_EPOCH);
        for n in 0..=MOST {
            assert!(seen.is_news("stripe", &n.to_string(), "kind", now));
        }
        assert!(seen.is_news("stripe", "0", "kind", now), "the oldest is forgotten");
        assert_eq!(seen.seen.lock().unwrap().order.len(), MOST);
    }
}
