//! The page of a list without filters.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use service_kit::described::PositionText;
use service_kit::page::{PageParams, Paging};
use service_kit::problem::Problem;
use utoipa::IntoParams;

use super::reading::MinPosition;

/// What a list without filters is asked.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListParams {
    /// Entries of the page: 1 to 1,000, 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000)]
    pub limit: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 1, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
    /// Wait, at most 5 seconds, until the model has reached this position.
    #[param(inline, value_type = Option<PositionText>)]
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
