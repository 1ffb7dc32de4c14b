//! The list of orders, newest first: which keys are wanted is found in indexes, then their documents are read.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use storage::Connection;

pub use super::order_keys::Key;
use super::order_keys::{Keys, Statuses};
use super::orders::{micros, of_ids};
use crate::folds::order_row::{OrderRow, OrderStatus};

/// Keys that are read of each of two lists at once, to find what stands in both.
const AT_ONCE: i64 = 256;

/// Which orders are asked for; `None` asks for all.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Wanted {
    /// Those that stand here.
    pub status: Option<OrderStatus>,
    /// Those of this customer.
    pub customer_id: Option<String>,
    /// Those with a line of this SKU.
    pub sku: Option<String>,
    /// Those placed at this time or later.
    pub placed_from: Option<DateTime<Utc>>,
    /// Those placed before this time.
    pub placed_before: Option<DateTime<Utc>>,
}

impl Wanted {
    /// The statuses that are wanted: no cart was placed at any time. `None` when there are none.
    fn statuses(&self) -> Option<Statuses> {
        let of_a_time = self.placed_from.is_some() || self.placed_before.is_some();
        match self.status {
            Some(OrderStatus::Draft) if of_a_time => None,
            Some(status) => Some(Statuses::One(status)),
            None if of_a_time => Some(Statuses::Placed),
            None => Some(Statuses::All),
        }
    }

    /// The list that a filter other than the SKU's asks for.
    fn others(&self, statuses: Statuses) -> Option<Keys<'_>> {
        match (statuses, &self.customer_id) {
            (Statuses::All | Statuses::Placed, None) => None,
            (statuses, customer_id) => Some(Keys::of(statuses, customer_id.as_deref())),
        }
    }
}

/// The key of an order in the list.
pub fn key(row: &OrderRow) -> Key {
    (micros(row.listed_at()), row.id.as_str().to_owned())
}

/// At most `limit` of those wanted, after the order of this key.
pub async fn page(
    connection: &mut Connection,
    wanted: Wanted,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<OrderRow>, sqlx::Error> {
    let Some(statuses) = wanted.statuses() else { return Ok(Vec::new()) };
    let from = wanted.placed_from.map_or(i64::MIN, micros);
    let before = (wanted.placed_before.map_or(i64::MAX, micros), String::new());
    let after = after.map_or(before.clone(), |after| after.min(before));
    let keys = match wanted.sku.as_deref().map(|sku| Keys::with_sku(statuses, sku)) {
        None => {
            let list = Keys::of(statuses, wanted.customer_id.as_deref());
            list.page(connection, &after, from, limit).await?
        }
        Some(with_sku) => match wanted.others(statuses) {
            None => with_sku.page(connection, &after, from, limit).await?,
            Some(others) => in_both(connection, [&others, &with_sku], after, from, limit).await?,
        },
    };
    let ids: Vec<&str> = keys.iter().map(|(_, id)| id.as_str()).collect();
    let mut rows = of_ids(connection, &ids).await?;
    rows.sort_by_cached_key(|row| std::cmp::Reverse(key(row)));
    Ok(rows)
}

/// What stands in both lists, after this key. Each is read on from where the other is, so that the shorter one says how
/// much is read.
async fn in_both(
    connection: &mut Connection,
    [one, other]: [&Keys<'_>; 2],
    mut after: Key,
    from: i64,
    limit: i64,
) -> Result<Vec<Key>, sqlx::Error> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut found = Vec::new();
    while found.len() < most {
        let ones = one.page(connection, &after, from, AT_ONCE).await?;
        let Some(first) = ones.first() else { break };
        let others = other.page(connection, &just_before(first), from, AT_ONCE).await?;
        let (both, next) = compare(&ones, &others);
        found.extend(both);
        let Some(next) = next else { break };
        after = next;
    }
    found.truncate(most);
    Ok(found)
}

/// The key before this one, so that this one is the next.
fn just_before((time, id): &Key) -> Key {
    (*time, format!("{id}\u{1}"))
}

/// What is in both pages, and after which key to go on: `None` when one of the lists has come to its end.
fn compare(ones: &[Key], others: &[Key]) -> (Vec<Key>, Option<Key>) {
    let (mut left, mut right) = (ones, others);
    let mut both = Vec::new();
    while let ([one, left_rest @ ..], [other, right_rest @ ..]) = (left, right) {
        match one.cmp(other) {
            Ordering::Greater => left = left_rest,
            Ordering::Less => right = right_rest,
            Ordering::Equal => {
                both.push(one.clone());
                (left, right) = (left_rest, right_rest);
            }
        }
    }
    // Whoever has keys left has reached further; the other, if it has more, goes on from there.
    let goes_on = |page: &[Key]| i64::try_from(page.len()).is_ok_and(|length| length == AT_ONCE);
    let next = match (left.first(), right.first()) {
        (Some(one), _) => goes_on(others).then(|| just_before(one)),
        (None, Some(other)) => goes_on(ones).then(|| just_before(other)),
        (None, None) => (goes_on(ones) && goes_on(others)).then(|| ones.last().cloned()).flatten(),
    };
    (both, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(times: impl Iterator<Item = i64>) -> Vec<Key> {
        times.map(|time| (time, "o".to_owned())).collect()
    }

    #[test]
    fn the_list_that_is_behind_goes_on_from_where_the_other_is() {
        let rare = keys([1_000_000, 400, 3].into_iter());
        let many = keys((0..AT_ONCE).map(|n| 1_000_000 - n));
        let (both, next) = compare(&rare, &many);
        assert_eq!(both, keys([1_000_000].into_iter()));
        assert_eq!(next, Some((400, "o\u{1}".to_owned())));
    }

    #[test]
    fn a_list_at_its_end_ends_both() {
        let many = keys((0..AT_ONCE).map(|n| 1_000_000 - n));
        assert_eq!(compare(&keys([7].into_iter()), &[]), (vec![], None));
        let (both, next) = compare(&many, &keys([999_999].into_iter()));
        assert_eq!((both, next), (keys([999_999].into_iter()), None));
    }

    #[test]
    fn two_that_end_at_the_same_key_go_on_after_it() {
        let many = keys((0..AT_ONCE).map(|n| 1_000_000 - n));
        let (both, next) = compare(&many, &many);
        assert_eq!(both, many);
        assert_eq!(next, many.last().cloned());
    }
}
