//! Who acts, as far as a request says so, and why.
//!
//! Who: only where nobody is asked who they are: then it is noted as what was said. Elsewhere the actor is whose token it is, see
//! [`Caller`](crate::access::Caller).

use axum::http::HeaderMap;

use crate::extract::header_text;
use crate::problem::{Code, Problem};

/// Says who acts.
pub const ACTOR: &str = "docket-actor";
/// Whoever does not say.
const UNNAMED: &str = "operator";
/// What whoever does not say why is told.
const NO_REASON: &str = "is missing: say why, it is recorded";
/// The longest name, in characters.
const MAX_CHARS: usize = 200;

/// Who acts.
pub fn actor(headers: &HeaderMap) -> Result<&str, Problem> {
    let named = header_text(headers, ACTOR)?.map(str::trim).filter(|name| !name.is_empty());
    let name = named.unwrap_or(UNNAMED);
    if name.len() > MAX_CHARS {
        let detail = format!("has at most {MAX_CHARS} characters");
        return Err(Problem::from(Code::InvalidHeader).mistake("Docket-Actor", detail));
    }
    Ok(name)
}

/// Why something is done to what is another's: it is recorded, so a body that does not say it in `reason` is refused.
pub fn why<R>(said: Option<R>) -> Result<R, Problem> {
    said.ok_or_else(|| Problem::from(Code::InvalidBody).mistake("/reason", NO_REASON))
}

/// The same where there is no body: `reason` is a parameter of the address.
pub fn why_in_query<R>(said: Option<R>) -> Result<R, Problem> {
    said.ok_or_else(|| Problem::from(Code::InvalidQuery).mistake("reason", NO_REASON))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn an_actor_is_who_the_header_names_else_an_operator() {
        let named = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACTOR, HeaderValue::from_str(text).unwrap());
            actor(&headers).map(str::to_owned).map_err(|problem| problem.code())
        };
        assert_eq!(named(" ada "), Ok("ada".to_owned()));
        assert_eq!(named(""), Ok(UNNAMED.to_owned()));
        assert_eq!(named(&"a".repeat(201)), Err("invalid_header"));
        assert_eq!(actor(&HeaderMap::new()).unwrap(), UNNAMED);
    }

    #[test]
    fn whoever_does_not_say_why_is_told_where_to() {
        assert_eq!(why(Some("asked for it")).unwrap(), "asked for it");
        assert_eq!(why(None::<&str>).unwrap_err().code(), "invalid_body");
        assert_eq!(why_in_query(None::<&str>).unwrap_err().code(), "invalid_query");
    }
}
