//! The endpoints of orders, a file per use case or per group of close ones.

mod cancel;
mod lines;
mod place;
mod place_draft;
mod returns;
mod states;

use utoipa_axum::router::OpenApiRouter;

use super::app::App;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(place::router())
        .merge(place_draft::router())
        .merge(lines::router())
        .merge(states::router())
        .merge(cancel::router())
        .merge(returns::router())
}
