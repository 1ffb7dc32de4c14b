//! The routes.

use access::Action;
use service_kit::access::{Access, Needs};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api::Api;
use super::{
    change_webhook, delete_webhook, deliveries, look, mails, mark_notices, notices, redeliver,
    register_webhook, resend, rotate_secret,
};

#[derive(OpenApi)]
#[openapi(tags(
    (name = "Webhooks", description = "Who is told of public events over HTTP, what became of each delivery, and telling them again."),
    (name = "Mails", description = "What customers are told of their orders by mail, what became of each mail, and sending it again."),
    (name = "Notices", description = "What customers were told of their orders, and what of it they have read.")
))]
struct Described;

/// Every route of webhooks, mails and notices, without `/v1`.
pub(crate) fn router(api: Api, access: &Access) -> OpenApiRouter {
    let (read, manage) = (Action::ReadWebhooks, Action::ManageWebhooks);
    let router = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(look::list_webhooks).needs(read))
        .routes(routes!(look::get_webhook).needs(read))
        .routes(routes!(deliveries::list_deliveries).needs(read))
        .routes(routes!(deliveries::get_delivery).needs(read))
        .routes(routes!(register_webhook::register_webhook).needs(manage))
        .routes(routes!(delete_webhook::delete_webhook).needs(manage))
        .routes(routes!(change_webhook::enable_webhook).needs(manage))
        .routes(routes!(change_webhook::disable_webhook).needs(manage))
        .routes(routes!(rotate_secret::rotate_secret).needs(manage))
        .routes(routes!(redeliver::redeliver).needs(manage))
        .routes(routes!(redeliver::redeliver_failed).needs(manage))
        .routes(routes!(mails::list_mails).needs(Action::ReadMails))
        .routes(routes!(mails::get_mail).needs(Action::ReadMails))
        .routes(routes!(resend::resend_mail).needs(Action::ResendMails))
        .routes(routes!(resend::resend_failed_mails).needs(Action::ResendMails))
        .routes(routes!(notices::list_notices).needs(Action::ReadNotices))
        .routes(routes!(mark_notices::mark_notice).needs(Action::MarkNotices))
        .routes(routes!(mark_notices::mark_notices).needs(Action::MarkNotices))
        .with_state(api);
    access.guard(router)
}
