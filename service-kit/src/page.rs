//! Paging: a limit, and an opaque cursor that says where the next page begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::problem::{Code, Problem};

/// Entries of a page when the client names no limit.
pub const DEFAULT_LIMIT: usize = 50;
/// The most entries of a page.
pub const MAX_LIMIT: usize = 1_000;

/// `?limit=&cursor=`, as they come.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Entries of the page: 1 to 1000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pub limit: Option<String>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl PageParams {
    /// The checked limit.
    pub fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = &self.limit else { return Ok(DEFAULT_LIMIT) };
        match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
            _ => Err(Problem::from(Code::InvalidLimit).mistake("limit", format!("`{text}`"))),
        }
    }

    /// What the cursor says; `None` for the first page.
    pub fn cursor<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let key = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        key.map(Some).ok_or_else(|| Problem::from(Code::InvalidCursor))
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page; `null` on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of at most `limit` entries from up to `limit + 1` that were read; the one too many tells that there
    /// is a further page, which begins after the key of the last one given.
    pub fn cut<K: Serialize>(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> K) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| encode_cursor(&key(last)));
        Self { items, next }
    }
}

/// The cursor that begins after this key.
pub fn encode_cursor<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_begins_after_the_last_entry_given() {
        let page = Page::cut(vec![1, 2, 3], 2, |last| *last);
        assert_eq!(page.items, [1, 2]);
        let params = PageParams { cursor: page.next, limit: None };
        assert_eq!(params.cursor::<i32>(), Ok(Some(2)));
        assert_eq!(Page::cut(vec![1, 2], 2, |last| *last).next, None);
    }

    #[test]
    fn bad_limits_and_cursors_are_refused() {
        for wrong in ["0", "1001", "-1", "x", ""] {
            let params = PageParams { limit: Some(wrong.into()), cursor: None };
            assert_eq!(params.limit().unwrap_err().code(), "invalid_limit");
        }
        let params = PageParams { limit: None, cursor: Some("%%%".into()) };
        assert_eq!(params.cursor::<i32>().unwrap_err().code(), "invalid_cursor");
    }
}
