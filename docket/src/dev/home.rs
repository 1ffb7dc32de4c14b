//! `/`: a plain page that says what this is and where to go.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Html;
use axum::routing::get;
use event_store::Position;
use tokio::sync::watch;

use super::banner::TOKEN;

/// What the page shows.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// The log's position as it rises, where everybody may know it.
    pub(crate) head: Option<watch::Receiver<Position>>,
    /// By which the order to try is paid; nothing where it is not known who takes the money.
    pub(crate) payment_method: Option<&'static str>,
    /// Whether nobody is asked who they are.
    pub(crate) open: bool,
}

/// The page.
pub(crate) fn router(shown: Shown) -> Router {
    Router::new().route("/", get(page)).with_state(shown)
}

async fn page(State(shown): State<Shown>, headers: HeaderMap) -> Html<String> {
    let Shown { head, payment_method, open } = shown;
    let position = head.map_or_else(|| "–".to_owned(), |head| head.borrow().to_string());
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let host = host.filter(|host| host.bytes().all(is_plain)).unwrap_or("127.0.0.1:8080");
    let page = PAGE.replace("{position}", &position).replace("{host}", host);
    let (token, ask) = if open { ("", "") } else { (TOKEN, ASK) };
    let page = page.replace("{token}", token).replace("{ask}", ask);
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

/// What is said beside the links where a token is asked for: a browser that follows one shows none.
const ASK: &str = "<p>Most of these ask for a token, which a browser does not show by itself (401): the API page takes one, and \
    <code>docket token</code> makes one.</p>\n";

const PAGE: &str = include_str!("home.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_that_is_markup_is_not_shown() {
        let (_sender, head) = watch::channel(812);
        let mut headers = HeaderMap::new();
        headers.insert("host", "<script>".parse().unwrap());
        let shown = Shown { head: Some(head), payment_method: Some("pm_card_visa"), open: true };
        let Html(page) = page(State(shown), headers).await;
        assert!(page.contains("812") && !page.contains("<script>"), "{page}");
        assert!(page.contains(r#""payment_method":"pm_card_visa""#), "{page}");
        assert!(!page.contains("pm_ok") && !page.contains("{note}"), "{page}");
    }

    #[tokio::test]
    async fn where_a_token_is_asked_for_every_command_shows_one_and_the_links_say_so() {
        for open in [true, false] {
            let shown = Shown { head: None, payment_method: None, open };
            let Html(page) = page(State(shown), HeaderMap::new()).await;
            let tokens = page.matches("Authorization: Bearer $DOCKET_TOKEN").count();
            assert_eq!(tokens, if open { 0 } else { 3 }, "{page}");
            assert_eq!(page.contains("ask for a token"), !open, "{page}");
            assert!(!page.contains("{token}") && !page.contains("{ask}"), "{page}");
        }
    }

    #[tokio::test]
    async fn where_it_is_not_known_who_takes_the_money_both_methods_are_named() {
        let shown = Shown { head: None, payment_method: None, open: true };
        let Html(page) = page(State(shown), HeaderMap::new()).await;
        assert!(page.contains(r#""payment_method":"pm_ok""#), "{page}");
        assert!(page.contains("in test mode <code>pm_card_visa</code>"), "{page}");
    }
}
