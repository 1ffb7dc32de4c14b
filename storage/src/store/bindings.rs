//! What a row's columns are bound to, when many rows are written at once.

use super::columns::Columns;
use super::query::Query;
use super::value::Parameter;

/// Takes the columns of a row in order, one row after another.
#[must_use = "what is bound goes nowhere unless it is returned"]
pub struct Bindings<'c>(pub(crate) Target<'c>);

pub(crate) enum Target<'c> {
    /// A statement with a parameter for every column of every row.
    Statement(Query<'c>),
    /// A statement with a parameter a column.
    Columns(Columns),
}

impl Bindings<'_> {
    /// Binds the next column.
    pub fn bind<'t, T: Parameter<'t>>(self, value: T) -> Self {
        Self(match self.0 {
            Target::Statement(query) => Target::Statement(query.bind(value)),
            Target::Columns(mut columns) => {
                columns.bind(&value);
                Target::Columns(columns)
            }
        })
    }
}
