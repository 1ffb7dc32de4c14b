//! What a parser says, in words for whoever sent the input: no types of ours, no line and column.

use serde_path_to_error::{Path, Segment};

use crate::problem::{Code, Mistake};

/// The mistake of input that did not parse: `place` is the JSON pointer or the parameter's name that was reached.
pub(crate) fn mistake(code: Code, place: &str, message: &str) -> Mistake {
    let message = message.split(" at line ").next().unwrap_or(message);
    let at_field = |name: &str, detail: String| Mistake { pointer: at(code, place, name), detail };
    if let Some(name) = quoted(message, "missing field ") {
        return Mistake { pointer: below(code, place, name), detail: "is missing".to_owned() };
    }
    if let Some(name) = quoted(message, "unknown field ") {
        return at_field(name, format!("`{name}` is not known here{}", choices(message)));
    }
    if let Some(name) = quoted(message, "duplicate field ") {
        return given_twice(at(code, place, name));
    }
    let detail = match quoted(message, "unknown variant ") {
        Some(word) => format!("`{word}` is not known here{}", choices(message)),
        None => plain(message),
    };
    Mistake { pointer: place.to_owned(), detail }
}

/// The mistake of what stands there twice.
pub(crate) fn given_twice(pointer: String) -> Mistake {
    Mistake { pointer, detail: "is given twice".to_owned() }
}

/// A path of the parser as a JSON pointer.
pub(crate) fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |mut pointer, segment| {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escaped(key),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => return pointer,
        };
        pointer.push('/');
        pointer.push_str(&part);
        pointer
    })
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

/// A member's name as a part of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A part of a JSON pointer as a member's name.
pub(crate) fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The words of a client for those of the parser.
fn plain(message: &str) -> String {
    if message == "provided string was not `true` or `false`" {
        return "`true` or `false` is taken here".to_owned();
    }
    let Some((given, wanted)) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return message.to_owned();
    };
    let given = given.replace("sequence", "an array").replace("map", "an object");
    format!("{} is taken here, not {given}", named(wanted))
}

/// What a client calls a type of the parser.
pub(crate) fn named(wanted: &str) -> &str {
    match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, at least 0",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a sequence" => "an array",
        "a map" => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(code: Code, place: &str, message: &str) -> (String, String) {
        let Mistake { pointer, detail } = super::mistake(code, place, message);
        (pointer, detail)
    }

    #[test]
    fn the_parsers_words_become_plain_ones_and_point_at_the_place() {
        let body = Code::InvalidBody;
        for (place, message, pointer, detail) in [
            ("", "missing field `sku` at line 1 column 2", "/sku", "is missing"),
            ("/lines/0", "missing field `sku` at line 1 column 2", "/lines/0/sku", "is missing"),
            ("/a", "unknown field `a`, expected `b`", "/a", "`a` is not known here; known is `b`"),
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
        assert_eq!(detail, "`statee` is not known here; known is `state`, `kind`");
    }
}
