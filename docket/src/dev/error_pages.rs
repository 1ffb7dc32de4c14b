//! `/docs/errors`: the pages of the error codes, as they stand in the repository, shown as Markdown means them.
//!
//! **Invariant:** HTML in a page is shown as text, never as markup; nothing is loaded from elsewhere.

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use pulldown_cmark::{Event, Options, Parser, Tag, html};
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
    let title = if code == INDEX { "Error codes" } else { code };
    let text = rendered(&String::from_utf8_lossy(&page.data));
    Html(FRAME.replace("{title}", title).replace("{text}", &text)).into_response()
}

/// A page as HTML.
fn rendered(markdown: &str) -> String {
    let shown = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = address(&dest_url).into();
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        other => other,
    });
    let mut page = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut page, shown);
    page
}

/// Where a link of a page leads: pages name each other by their files.
fn address(link: &str) -> String {
    match link.strip_suffix(".md") {
        Some(INDEX) => "/docs/errors".to_owned(),
        Some(code) if !code.contains('/') => format!("/docs/errors/{code}"),
        _ => link.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[test]
    fn a_page_is_shown_as_its_markdown_means_it_and_html_in_it_stays_text() {
        let text = rendered(
            "# busy\n\n**Busy** · `a < b`\n\n- [busy](busy.md): see [all](README.md)\n\n<b>x</b>\n",
        );
        for part in [
            "<h1>busy</h1>",
            "<strong>Busy</strong>",
            "<code>a &lt; b</code>",
            "<a href=\"/docs/errors/busy\">busy</a>",
            "<a href=\"/docs/errors\">all</a>",
            "&lt;b&gt;x&lt;/b&gt;",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }

    #[tokio::test]
    async fn every_page_is_served_and_leads_only_to_pages_that_are() {
        for file in ErrorPages::iter() {
            let served = page(file.trim_end_matches(".md"));
            assert_eq!(served.status(), 200, "{file}");
            let body = to_bytes(served.into_body(), usize::MAX).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            for link in body.split("href=\"/docs/errors/").skip(1) {
                let code = link.split('"').next().unwrap();
                assert_eq!(page(code).status(), 200, "{file} leads to {code}");
            }
        }
        assert_eq!(page("no_such_code").status(), 404);
    }
}
