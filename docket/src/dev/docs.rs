//! `/openapi.json` and `/docs` that works offline, with the pages of the error codes below it.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use service_kit::access::{Access, SCHEME, scheme};
use service_kit::operations;
use service_kit::problem::{Code, Problem};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::error_pages;

/// Where the description is.
pub(crate) const DESCRIPTION: &str = "/openapi.json";

/// The frame that the services' descriptions are put into.
#[derive(OpenApi)]
#[openapi(info(
    title = "Docket",
    description = "An event-sourced order platform. `POST` is a command and needs an `Idempotency-Key`; \
        `GET` reads a model and says its position in `Docket-Position`. A read may be older than a command \
        that was just answered: `?min_position=` with the `position` of its answer waits until the model has come so far; \
        one that is known to stand still, or that hears nothing of the log, says `Docket-Stale: true` and why in `stale`; \
        an overview says it when a part of it does, with `stale: true`, and which and why in `stale_parts`. \
        Errors are `application/problem+json` with a stable `code`, explained under `/docs/errors/{code}`. Amounts are integers in minor units. \
        Personal data are a person's `name`, `email` and `phone` and all of a `shipping_address` but its `country`: these \
        are sealed, and erasing makes them unreadable. All else is kept in clear for ever, so ids, `reference`, every \
        `reason`, `carrier`, `tracking` and `Idempotency-Key` must not hold any."
))]
struct Frame;

/// Services under `/v1`, with everything that explains them.
pub(crate) fn documented(services: OpenApiRouter, access: &Access) -> Router {
    let (services, explained) = described(services, access);
    services.merge(explained)
}

/// Services under `/v1`, and everything that explains them.
pub(crate) fn described(services: OpenApiRouter, access: &Access) -> (Router, Router) {
    let mut frame = Frame::openapi();
    if !access.is_open() {
        let parts = frame.components.get_or_insert_default();
        parts.add_security_scheme(SCHEME, scheme());
    }
    let framed = OpenApiRouter::with_openapi(frame).nest("/v1", services);
    let (router, api) = framed.split_for_parts();
    // Last, so that its tag comes after those of the services.
    (router, self::router(api.merge_from(operations::description(access))))
}

/// Everything that explains the API.
fn router(api: utoipa::openapi::OpenApi) -> Router {
    around(SwaggerUi::new("/docs").url(DESCRIPTION, api))
}

/// The same, for a description that somebody else answers under its path.
pub(crate) fn explained() -> Router {
    around(SwaggerUi::new("/docs").config(Config::from(DESCRIPTION)))
}

fn around(browser: SwaggerUi) -> Router {
    let browser = Router::from(browser);
    // It says nothing about a file that it does not have.
    let browser = browser.layer(map_response(async |response: Response| {
        if response.status() == StatusCode::NOT_FOUND {
            Problem::from(Code::NotFound).into_response()
        } else {
            response
        }
    }));
    error_pages::router().merge(browser)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::refusal::Refusal;

    use super::*;
    use crate::dev::error_pages::ErrorPages;

    /// Every public code with its title and status.
    fn codes() -> BTreeMap<&'static str, (&'static str, u16)> {
        let ours =
            Code::ALL.iter().map(|code| (code.as_str(), code.title(), code.status().as_u16()));
        let refusals = Refusal::PAGES.iter().map(|&(code, title, not_found)| {
            (code, title.trim().trim_end_matches('.'), if not_found { 404 } else { 422 })
        });
        ours.chain(refusals).map(|(code, title, status)| (code, (title, status))).collect()
    }

    #[test]
    fn every_public_code_has_a_page_with_its_title_and_status() {
        for (code, (title, status)) in codes() {
            let page = ErrorPages::get(&format!("{code}.md"))
                .unwrap_or_else(|| panic!("docs/errors/{code}.md is missing"));
            let text = std::str::from_utf8(&page.data).unwrap();
            let head = format!("# {code}\n\n**{title}** · status {status}\n");
            assert!(text.starts_with(&head), "docs/errors/{code}.md begins with\n{head}");
        }
    }

    #[test]
    fn no_page_is_about_a_code_that_does_not_exist() {
        let codes = codes();
        for file in ErrorPages::iter() {
            let name = file.trim_end_matches(".md");
            assert!(name == "README" || codes.contains_key(name), "{file} is about no code");
        }
    }
}
