//! Statements for both dialects. What is the same in both is a plain text with `$1` parameters; the few differences
//! are made here.

/// A statement, as each dialect wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sql {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl Sql {
    /// A statement whose texts differ.
    pub const fn per_dialect(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }
}

/// `one_of!("SELECT a FROM t WHERE b", "$1", "ORDER BY a")`: a statement with a condition that a column is one of a
/// list of texts, which is bound with [`Query::bind_texts`](crate::store::Query::bind_texts).
#[macro_export]
macro_rules! one_of {
    ($head:literal, $parameter:literal) => {
        $crate::one_of!($head, $parameter, "")
    };
    ($head:literal, $parameter:literal, $tail:literal) => {
        $crate::store::Sql::per_dialect(
            concat!($head, " IN (SELECT value FROM json_each(", $parameter, ")) ", $tail),
            concat!($head, " = ANY(", $parameter, ") ", $tail),
        )
    };
}
