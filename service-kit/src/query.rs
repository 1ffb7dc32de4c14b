//! The parameters of a URL, read whole or refused with everything that is wrong with them.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use crate::extract::NUL;
use crate::problem::{Code, Mistake, Problem};
use crate::{gather, mistakes};

/// The parameters of a query.
#[derive(Debug, Clone, Copy)]
pub struct QueryParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        parameters_are_text(query)?;
        parameters_say_something(query)?;
        parse_query(query)
            .map(Self)
            .map_err(|wrong| Problem::from(Code::InvalidQuery).mistakes(wrong))
    }
}

/// The parameters, or every mistake in them: those that can't be read are left out, and the others read without them.
fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Vec<Mistake>> {
    let mut wrong: Vec<Mistake> = Vec::new();
    let mut rest = query.to_owned();
    loop {
        let pairs = form_urlencoded::parse(rest.as_bytes());
        let error =
            match serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)) {
                Ok(value) => return if wrong.is_empty() { Ok(value) } else { Err(wrong) },
                Err(error) => error,
            };
        let (place, error) = (error.path().to_string(), error.into_inner().to_string());
        let mistake = mistakes::mistake(Code::InvalidQuery, &place, &error);
        let others = without(&rest, &mistake.pointer);
        wrong.push(mistake);
        if others.len() == rest.len() || wrong.len() >= gather::MOST_MISTAKES {
            return Err(wrong);
        }
        rest = others;
    }
}

/// A query without the parameters of this name.
fn without(query: &str, name: &str) -> String {
    let named = |pair: &&str| form_urlencoded::parse(pair.as_bytes()).any(|(own, _)| own == name);
    let others: Vec<&str> = query.split('&').filter(|pair| !named(pair)).collect();
    others.join("&")
}

/// Refuses what [`form_urlencoded::parse`] would replace by U+FFFD and so turn into another question.
fn parameters_are_text(query: &str) -> Result<(), Problem> {
    for pair in query.split('&') {
        let (raw, value) = pair.split_once('=').unwrap_or((pair, ""));
        if pair.contains(NUL) {
            let wrong = "no parameter has the character U+0000 (`%00`)";
            return Err(Problem::from(Code::InvalidQuery).mistake(raw, wrong));
        }
        let Ok(name) = percent_decode_str(raw).decode_utf8() else {
            let wrong = "is no parameter's name: its percent-encoded bytes are not UTF-8";
            return Err(Problem::from(Code::InvalidQuery).mistake(raw, wrong));
        };
        if percent_decode_str(value).decode_utf8().is_err() {
            let wrong = "is not text: its percent-encoded bytes are not UTF-8";
            return Err(Problem::from(Code::InvalidQuery).mistake(name, wrong));
        }
    }
    Ok(())
}

/// Refuses a parameter without a value: nobody can say whether it was to narrow the question or not.
fn parameters_say_something(query: &str) -> Result<(), Problem> {
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.is_empty() {
            let code = match &*name {
                "limit" => Code::InvalidLimit,
                "cursor" => Code::InvalidCursor,
                _ => Code::InvalidQuery,
            };
            return Err(
                Problem::from(code).mistake(name, "is empty: give it a value or leave it out")
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        after: Option<u64>,
        all: Option<bool>,
    }

    #[test]
    fn every_parameter_that_cant_be_read_is_named() {
        let asked = |query| {
            let wrong = parse_query::<Asked>(query);
            wrong.map_err(|wrong| wrong.into_iter().map(|wrong| wrong.pointer).collect::<Vec<_>>())
        };
        assert_eq!(asked("after=1&all=true"), Ok(Asked { after: Some(1), all: Some(true) }));
        for (query, wrong) in [
            ("after=x&all=1&aftr=1", vec!["after", "all", "aftr"]),
            ("after=1&after=2&all=no", vec!["after", "all"]),
            ("a%6Cl=no&%20=1", vec!["all", " "]),
        ] {
            assert_eq!(asked(query).unwrap_err(), wrong, "{query}");
        }
    }

    #[test]
    fn a_parameter_without_a_value_is_refused() {
        for (query, code, pointer) in [
            ("sku=", "invalid_query", "sku"),
            ("limit=2&sku", "invalid_query", "sku"),
            ("limit=", "invalid_limit", "limit"),
            ("cursor=&limit=2", "invalid_cursor", "cursor"),
        ] {
            let problem = parameters_say_something(query).unwrap_err().to_json();
            assert_eq!(problem["code"], code, "{query}");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}");
        }
        for query in ["", "sku=a", "&", "sku=%20"] {
            assert!(parameters_say_something(query).is_ok(), "{query}");
        }
    }

    #[test]
    fn a_parameter_that_is_not_text_is_named_and_not_replaced() {
        for (query, pointer) in
            [("sku=%ff", "sku"), ("limit=2&s%6Bu=a%C3", "sku"), ("%fe=a", "%fe"), ("%ff", "%ff")]
        {
            let problem = parameters_are_text(query).unwrap_err().to_json();
            assert_eq!(problem["code"], "invalid_query", "{query}");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{query}");
            assert!(problem["detail"].as_str().unwrap().contains("not UTF-8"), "{problem}");
        }
        for query in ["a=%00", "a%00=1", "b=1&a=x%00"] {
            assert!(parameters_are_text(query).is_err(), "{query}");
        }
        for query in
            ["a=%2500", "", "a", "a=&b", "sku=%EF%BF%BD", "sku=caf%C3%A9+au=lait", "sku=100%"]
        {
            assert!(parameters_are_text(query).is_ok(), "{query}");
        }
    }
}
