//! Paging: a limit, and an opaque cursor that says where the next page begins.
//!
//! **Invariant:** a cursor is taken only as it was given, and by the list that gave it, asked with the same filters. What was
//! altered on the way is refused. Nothing secret is in it: whoever makes one up with all its care can choose where a page of
//! that very list begins, and nothing else.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::problem::{Code, Problem, internal};

/// Entries of a page when the client names no limit.
pub const DEFAULT_LIMIT: usize = 50;
/// The most entries of a page.
pub const MAX_LIMIT: usize = 1_000;
/// Bytes of the seal of a cursor.
const SEAL_BYTES: usize = 9;

/// `?limit=&cursor=`, as they come.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pub limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

impl PageParams {
    /// The checked limit.
    fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = &self.limit else { return Ok(DEFAULT_LIMIT) };
        match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            _ => {
                let wrong = format!("`{text}` is not a whole number from 1 to 1,000");
                Err(Problem::from(Code::InvalidLimit).mistake("limit", wrong))
            }
        }
    }

    /// Where the page begins, by a cursor of this list; `None` for the first page.
    fn after<K: Serialize + DeserializeOwned>(&self, list: &List) -> Result<Option<K>, Problem> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let bound = bytes.and_then(|bytes| serde_json::from_slice::<Bound<K>>(&bytes).ok());
        // Written again it has to be the same: so one text says it, and no other.
        let key = bound.map(|Bound(_, key)| key).filter(|key| {
            list.cursor(key).is_ok_and(|given| given == *text) && can_be_looked_for(key)
        });
        let wrong = "is not the `next` of a page of this list with these filters";
        key.map(Some).ok_or_else(|| Problem::from(Code::InvalidCursor).mistake("cursor", wrong))
    }
}

/// Whether a store can look for it: no text of one has the character U+0000.
fn can_be_looked_for(key: &impl Serialize) -> bool {
    fn is_plain(value: &Value) -> bool {
        match value {
            Value::String(text) => !text.contains('\0'),
            Value::Array(parts) => parts.iter().all(is_plain),
            Value::Object(parts) => parts.values().all(is_plain),
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        }
    }
    serde_json::to_value(key).is_ok_and(|key| is_plain(&key))
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page; `null` on the last.
    pub next: Option<String>,
}

/// What a cursor says: where its page begins, after a seal over that, its list and the filters.
#[derive(Serialize, Deserialize)]
struct Bound<K>(String, K);

/// A list with its filters.
#[derive(Debug)]
struct List(Vec<u8>);

impl List {
    fn new(name: &str, filters: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self(serde_json::to_vec(&(name, filters))?))
    }

    /// The one cursor of this list that says this.
    fn cursor<K: Serialize>(&self, key: &K) -> serde_json::Result<String> {
        let mut sealed = self.0.clone();
        serde_json::to_writer(&mut sealed, key)?;
        let seal = digest(&SHA256, &sealed);
        let seal = URL_SAFE_NO_PAD.encode(&seal.as_ref()[..SEAL_BYTES]);
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&Bound(seal, key))?))
    }
}

/// A page that is asked for.
#[derive(Debug)]
pub struct Paging<K> {
    /// The key of the last entry of the page before.
    pub after: Option<K>,
    limit: usize,
    list: List,
}

impl<K: Serialize + DeserializeOwned> Paging<K> {
    /// Checks limit and cursor for this list with these filters.
    pub fn parse(page: &PageParams, list: &str, filters: &impl Serialize) -> Result<Self, Problem> {
        let list = List::new(list, filters).map_err(|error| internal(&error))?;
        Ok(Self { after: page.after(&list)?, limit: page.limit()?, list })
    }

    /// How many entries to read: one more than the page has, which tells whether there is another.
    pub fn to_read(&self) -> usize {
        self.limit + 1
    }

    /// The same, as SQL takes it.
    pub fn one_more(&self) -> i64 {
        i64::try_from(self.to_read()).unwrap_or(i64::MAX)
    }

    /// The page from up to [`Self::to_read`] entries that were read; `key` is that of an entry.
    pub fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().filter(|_| more);
        let next = last.and_then(|last| self.list.cursor(&key(last)).ok());
        Page { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(limit: Option<&str>, cursor: Option<String>) -> PageParams {
        PageParams { limit: limit.map(str::to_owned), cursor }
    }

    fn parse(params: &PageParams, list: &str, filter: &str) -> Result<Paging<i32>, &'static str> {
        Paging::parse(params, list, &filter).map_err(|problem| problem.code())
    }

    #[test]
    fn a_cursor_begins_after_the_last_entry_given() {
        let paging = parse(&params(Some("2"), None), "orders", "").unwrap();
        assert_eq!((paging.after, paging.to_read()), (None, 3));
        let page = paging.cut(vec![1, 2, 3], |last| *last);
        assert_eq!(page.items, [1, 2]);
        let next = parse(&params(None, page.next), "orders", "").unwrap();
        assert_eq!(next.after, Some(2));
        assert_eq!(paging.cut(vec![1, 2], |last| *last).next, None);
    }

    #[test]
    fn a_cursor_belongs_to_its_list_and_filters() {
        let paging = parse(&params(Some("1"), None), "orders", "placed").unwrap();
        let cursor = paging.cut(vec![1, 2], |last| *last).next;
        let asked = |list, filter| parse(&params(None, cursor.clone()), list, filter).map(drop);
        assert_eq!(asked("orders", "placed"), Ok(()));
        assert_eq!(asked("orders", "completed"), Err("invalid_cursor"));
        assert_eq!(asked("sagas", "placed"), Err("invalid_cursor"));
    }

    #[test]
    fn bad_limits_and_cursors_are_refused() {
        for wrong in ["0", "1001", "-1", "x", ""] {
            let refused = parse(&params(Some(wrong), None), "orders", "").map(drop);
            assert_eq!(refused, Err("invalid_limit"));
        }
        let refused = parse(&params(None, Some("%%%".into())), "orders", "").map(drop);
        assert_eq!(refused, Err("invalid_cursor"));
    }
}
