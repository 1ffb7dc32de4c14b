//! The page of a list that is asked for.
//!
//! **Invariant:** a cursor is taken only by the list that gave it, asked with the same filters.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use service_kit::page::{Page, PageParams};
use service_kit::problem::{Code, Problem, internal};
use utoipa::IntoParams;

use super::reading::MinPosition;

/// Bytes of the fingerprint of a list and its filters.
const FINGERPRINT_BYTES: usize = 9;

/// What a list without filters is asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Entries of the page: 1 to 1000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pub limit: Option<String>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// Wait, at most 5 seconds, until the model has reached this position.
    pub min_position: Option<String>,
}

impl ListParams {
    /// The page of this list, and from which position on.
    pub(super) fn parse<K>(self, list: &str) -> Result<(Paging<K>, MinPosition), Problem>
    where
        K: Serialize + DeserializeOwned,
    {
        let page = PageParams { limit: self.limit, cursor: self.cursor };
        let min = MinPosition { min_position: self.min_position };
        Ok((Paging::parse(&page, list, &())?, min))
    }
}

/// What a cursor says: where its page begins, in which list with which filters.
#[derive(Serialize, Deserialize)]
struct Bound<K>(String, K);

/// A page that is asked for.
pub(super) struct Paging<K> {
    limit: usize,
    /// The key of the last entry of the page before.
    pub(super) after: Option<K>,
    fingerprint: String,
}

impl<K: Serialize + DeserializeOwned> Paging<K> {
    /// Checks limit and cursor for this list with these filters.
    pub(super) fn parse(
        page: &PageParams,
        list: &str,
        filters: &impl Serialize,
    ) -> Result<Self, Problem> {
        let text = serde_json::to_vec(&(list, filters)).map_err(|error| internal(&error))?;
        let hash = digest(&SHA256, &text);
        let fingerprint = URL_SAFE_NO_PAD.encode(&hash.as_ref()[..FINGERPRINT_BYTES]);
        let after = match page.cursor::<Bound<K>>()? {
            None => None,
            Some(Bound(of, key)) if of == fingerprint => Some(key),
            Some(_) => {
                let detail = "it was given by another list, or with other filters";
                return Err(Problem::from(Code::InvalidCursor).detail(detail));
            }
        };
        Ok(Self { limit: page.limit()?, after, fingerprint })
    }

    /// One more than the page, which tells whether there is another.
    pub(super) fn one_more(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// The page from up to one more entry than it has; `key` is that of an entry.
    pub(super) fn cut<T>(&self, items: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        Page::cut(items, self.limit, |last| Bound(self.fingerprint.clone(), key(last)))
    }
}
