//! JSON as a value, and which members it names twice: a value alone has forgotten that.
//!
//! **Invariant:** time and memory are a small multiple of the text's length, whatever it says. So a place is written out
//! only where it has to be named.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::gather::MOST_MISTAKES;
use crate::mistakes;

/// The value, of members that are given twice the last, and where the first of those are.
pub(crate) fn read(text: &[u8]) -> Result<(Value, Vec<String>), serde_json::Error> {
    let mut twice = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = Place { path: &Path::Root, twice: &mut twice }.deserialize(&mut json)?;
    Ok((value, twice))
}

/// The way to a place, told from its end.
enum Path<'p> {
    Root,
    Item(&'p Path<'p>, usize),
    Member(&'p Path<'p>, &'p str),
}

impl Path<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Item(above, index) => format!("{}/{index}", above.pointer()),
            Self::Member(above, name) => {
                format!("{}/{}", above.pointer(), mistakes::escaped(name))
            }
        }
    }
}

/// What stands at the end of a path.
struct Place<'t, 'p> {
    path: &'p Path<'p>,
    twice: &'t mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Place<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let path = &Path::Item(self.path, values.len());
            match items.next_element_seed(Place { path, twice: &mut *self.twice })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let (mut values, mut told) = (Map::new(), HashSet::new());
        while let Some(name) = members.next_key::<String>()? {
            let path = &Path::Member(self.path, &name);
            let value = members.next_value_seed(Place { path, twice: &mut *self.twice })?;
            if values.contains_key(&name)
                && self.twice.len() < MOST_MISTAKES
                && told.insert(name.clone())
            {
                self.twice.push(path.pointer());
            }
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_is_and_members_named_twice_are_told() {
        let text = r#"{"a":[1,-1,1.5,"x",null,true,{"b":1,"b":2,"b":3}],"c/d":{},"c/d":[]}"#;
        let (value, twice) = read(text.as_bytes()).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(twice, ["/a/6/b", "/c~1d"]);
        assert!(read(b"{").is_err());
    }

    #[test]
    fn a_long_name_above_many_members_costs_no_more_than_they_do() {
        let long = "n".repeat(500_000);
        for members in ["\"a\":0".to_owned(), "\"a\":[0]".to_owned(), "\"a\":{\"b\":0}".to_owned()]
        {
            let members = vec![members; 40_000].join(",");
            let text = format!("{{\"{long}\":{{{members}}}}}");
            let (_, twice) = read(text.as_bytes()).unwrap();
            assert_eq!(twice, [format!("/{long}/a")], "written out for each they would be 20 GB");
        }
    }
}
