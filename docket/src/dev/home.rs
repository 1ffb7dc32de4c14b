//! `/`: a plain page that says what this is and where to go.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Html;
use axum::routing::get;
use event_store::Position;
use tokio::sync::watch;

/// What the page shows.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// The log's position as it rises, where everybody may know it.
    pub(crate) head: Option<watch::Receiver<Position>>,
    /// By which the order to try is paid; nothing where it is not known who takes the money.
    pub(crate) payment_method: Option<&'static str>,
}

/// The page.
pub(crate) fn router(shown: Shown) -> Router {
    Router::new().route("/", get(page)).with_state(shown)
}

async fn page(State(shown): State<Shown>, headers: HeaderMap) -> Html<String> {
    let Shown { head, payment_method } = shown;
    let position = head.map_or_else(|| "–".to_owned(), |head| head.borrow().to_string());
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let host = host.filter(|host| host.bytes().all(is_plain)).unwrap_or("127.0.0.1:8080");
    let page = PAGE.replace("{position}", &position).replace("{host}", host);
    let (method, note) = payment_method.map_or((SIMULATORS, EITHER), |method| (method, ""));
    Html(page.replace("{payment_method}", method).replace("{note}", note))
}

/// What may stand in a host and can't be markup.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".:-[]".contains(&byte)
}

/// A method that the simulator knows, and what is said of it where it may be somebody else who takes the money.
const SIMULATORS: &str = "pm_ok";
const EITHER: &str = "<p><code>pm_ok</code> is a payment method of the payment simulator. Where Stripe takes the money, name one of Stripe's: \
    in test mode <code>pm_card_visa</code>.</p>\n";

const PAGE: &str = include_str!("home.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_that_is_markup_is_not_shown() {
        let (_sender, head) = watch::channel(812);
        let mut headers = HeaderMap::new();
        headers.insert("host", "<script>".parse().unwrap());
        let shown = Shown { head: Some(head), payment_method: Some("pm_card_visa") };
        let Html(page) = page(State(shown), headers).await;
        assert!(page.contains("812") && !page.contains("<script>"), "{page}");
        assert!(page.contains(r#""payment_method":"pm_card_visa""#), "{page}");
        assert!(!page.contains("pm_ok") && !page.contains("{note}"), "{page}");
    }

    #[tokio::test]
    async fn where_it_is_not_known_who_takes_the_money_both_methods_are_named() {
        let shown = Shown { head: None, payment_method: None };
        let Html(page) = page(State(shown), HeaderMap::new()).await;
        assert!(page.contains(r#""payment_method":"pm_ok""#), "{page}");
        assert!(page.contains("in test mode <code>pm_card_visa</code>"), "{page}");
    }
}
