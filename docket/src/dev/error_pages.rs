//! `/docs/errors`: the pages of the error codes, as they stand in the repository, in a plain frame.
//!
//! **Invariant:** what a page says is text, never markup.

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;
use service_kit::problem::{Code, Problem};

/// The pages, compiled in.
#[derive(RustEmbed)]
#[folder = "../docs/errors"]
pub(super) struct ErrorPages;

/// The page that lists all others.
const INDEX: &str = "README";
const FRAME: &str = include_str!("error_page.html");

/// The index and a page per code.
pub(super) fn router() -> Router {
    Router::new()
        .route("/docs/errors", get(async || page(INDEX)))
        .route("/docs/errors/{code}", get(async |Path(code): Path<String>| page(&code)))
}

fn page(code: &str) -> Response {
    let Some(page) = ErrorPages::get(&format!("{code}.md")) else {
        return Problem::from(Code::NotFound).detail(format!("no code `{code}`")).into_response();
    };
    let text = escaped(&String::from_utf8_lossy(&page.data));
    let (title, text) = if code == INDEX { ("Error codes", linked(&text)) } else { (code, text) };
    Html(FRAME.replace("{title}", title).replace("{text}", &text)).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The index with its `- [code](code.md)` as links.
fn linked(index: &str) -> String {
    let lines = index.lines().map(|line| {
        let entry = line.strip_prefix("- [").and_then(|rest| rest.split_once("]("));
        match entry.and_then(|(code, rest)| Some((code, rest.split_once(')')?.1))) {
            Some((code, rest)) => format!("<a href=\"/docs/errors/{code}\">{code}</a>{rest}\n"),
            None => format!("{line}\n"),
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_links_every_page_and_markup_in_a_page_stays_text() {
        let index = linked("# Codes\n- [busy](busy.md): It is busy\n");
        assert_eq!(index, "# Codes\n<a href=\"/docs/errors/busy\">busy</a>: It is busy\n");
        assert_eq!(escaped("<b> & c"), "&lt;b&gt; &amp; c");
        assert_eq!(page(INDEX).status(), 200);
        assert_eq!(page("wrong_state").status(), 200);
        assert_eq!(page("no_such_code").status(), 404);
    }
}
