//! What a parser says, in words for whoever sent the input: no types of ours, no line and column.

use crate::problem::{Code, Problem};

/// The problem of input that did not parse: `place` is the JSON pointer or the parameter's name that was reached.
pub(crate) fn problem(code: Code, place: &str, message: &str) -> Problem {
    let message = message.split(" at line ").next().unwrap_or(message);
    if let Some(name) = quoted(message, "missing field ") {
        return Problem::from(code).mistake(below(code, place, name), "is missing");
    }
    if let Some(name) = quoted(message, "unknown field ") {
        let detail = format!("is not known here{}", choices(message));
        let problem = Problem::from(code).mistake(at(code, place, name), detail);
        return problem.detail(format!("`{name}` is not known here"));
    }
    if let Some(name) = quoted(message, "duplicate field ") {
        return Problem::from(code).mistake(at(code, place, name), "is given twice");
    }
    if let Some(word) = quoted(message, "unknown variant ") {
        let detail = format!("`{word}` is not known here{}", choices(message));
        return Problem::from(code).mistake(place, detail);
    }
    Problem::from(code).mistake(place, plain(message))
}

/// The word in backticks that follows the opening.
fn quoted<'m>(message: &'m str, opening: &str) -> Option<&'m str> {
    message.strip_prefix(opening)?.strip_prefix('`')?.split('`').next()
}

/// What would have been known, as the parser lists it.
fn choices(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((_, list)) => format!("; known is {}", list.trim_start_matches("one of ")),
        None => String::new(),
    }
}

/// The place of a member that is not there.
fn below(code: Code, place: &str, name: &str) -> String {
    if code == Code::InvalidBody { format!("{place}/{}", escaped(name)) } else { name.to_owned() }
}

/// The place of a member that is there; the path of the parser ends in it, or just above it.
fn at(code: Code, place: &str, name: &str) -> String {
    let end = format!("/{}", escaped(name));
    if code == Code::InvalidBody && place.ends_with(&end) {
        return place.to_owned();
    }
    below(code, place, name)
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The words of a client for those of the parser.
fn plain(message: &str) -> String {
    let Some((given, wanted)) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return message.to_owned();
    };
    let given = given.replace("sequence", "an array").replace("map", "an object");
    let wanted = match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a sequence" => "an array",
        "a map" => "an object",
        other => other,
    };
    format!("{wanted} is taken here, not {given}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(code: Code, place: &str, message: &str) -> (String, String) {
        let body = problem(code, place, message).to_json();
        let text = |name: &str| body["errors"][0][name].as_str().unwrap().to_owned();
        (text("pointer"), text("detail"))
    }

    #[test]
    fn the_parsers_words_become_plain_ones_and_point_at_the_place() {
        let body = Code::InvalidBody;
        for (place, message, pointer, detail) in [
            ("", "missing field `sku` at line 1 column 2", "/sku", "is missing"),
            ("/lines/0", "missing field `sku` at line 1 column 2", "/lines/0/sku", "is missing"),
            ("/a", "unknown field `a`, expected `b`", "/a", "is not known here; known is `b`"),
            (
                "",
                "invalid type: sequence, expected an object",
                "",
                "an object is taken here, not an array",
            ),
            (
                "/n",
                "invalid value: integer `-2`, expected u32 at line 1 column 9",
                "/n",
                "a whole number, at least 0 is taken here, not integer `-2`",
            ),
            ("/n", "a price is at least 0", "/n", "a price is at least 0"),
        ] {
            assert_eq!(mistake(body, place, message), (pointer.into(), detail.into()), "{message}");
        }
    }

    #[test]
    fn a_parameter_is_pointed_at_by_its_name() {
        let unknown = "unknown field `statee`, expected one of `state`, `kind`";
        let (pointer, detail) = mistake(Code::InvalidQuery, "statee", unknown);
        assert_eq!(pointer, "statee");
        assert_eq!(detail, "is not known here; known is `state`, `kind`");
    }
}
