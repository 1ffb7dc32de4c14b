//! All endpoints of orders.

use utoipa_axum::router::OpenApiRouter;

use super::{cancel, lines, place, place_draft, returns, states};
use crate::http::app::App;

pub(in crate::http) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(place::router())
        .merge(place_draft::router())
        .merge(lines::router())
        .merge(states::router())
        .merge(cancel::router())
        .merge(returns::router())
}
