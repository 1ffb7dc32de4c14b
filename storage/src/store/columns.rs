//! Many rows for PostgreSQL: an array a column, so that a statement has one text whatever the number of rows.
//!
//! **Invariant:** every row binds its columns in the same order, each with the same type.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type, TypeInfo as _};

use super::value::Parameter;

/// Rows in the making.
#[derive(Default)]
pub(crate) struct Columns {
    values: Vec<Values>,
    width: usize,
    bound: usize,
    failed: Option<BoxDynError>,
}

/// The values of a column, as an array is sent.
pub(crate) struct Values {
    array: PgTypeInfo,
    element: PgTypeInfo,
    count: u32,
    has_null: bool,
    bytes: Vec<u8>,
}

/// Says of a value that there is none.
const NULL: i32 = -1;

impl Columns {
    /// Of rows with so many columns.
    pub(crate) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Adds the next value of the row.
    pub(super) fn bind<'t, T: Parameter<'t>>(&mut self, value: &T) {
        let place = self.bound % self.width;
        self.bound += 1;
        if place == self.values.len() {
            self.values.push(Values::of::<T>());
        }
        let Some(column) = self.values.get_mut(place) else { return };
        if let Err(error) = column.add(value) {
            self.failed.get_or_insert(error);
        }
    }

    /// The columns of whole rows, if every value could be written.
    pub(super) fn finish(self) -> Result<Vec<Values>, sqlx::Error> {
        match self.failed {
            Some(error) => Err(sqlx::Error::Encode(error)),
            None if self.bound.is_multiple_of(self.width) => Ok(self.values),
            None => Err(sqlx::Error::Encode("a row binds fewer columns than it has".into())),
        }
    }
}

impl Values {
    /// The type of the array, as SQL names it.
    pub(crate) fn sql_type(&self) -> &str {
        self.array.name()
    }

    fn of<'t, T: Parameter<'t>>() -> Self {
        let (array, element) = (T::array_type_info(), <T as Type<Postgres>>::type_info());
        Self { array, element, count: 0, has_null: false, bytes: Vec::new() }
    }

    fn add<'t, T: Parameter<'t>>(&mut self, value: &T) -> Result<(), BoxDynError> {
        let mut buffer = PgArgumentBuffer::default();
        let is_null = Encode::<Postgres>::encode_by_ref(value, &mut buffer)?;
        self.count += 1;
        if matches!(is_null, IsNull::Yes) {
            self.has_null = true;
            self.bytes.extend_from_slice(&NULL.to_be_bytes());
        } else {
            self.bytes.extend_from_slice(&i32::try_from(buffer.len())?.to_be_bytes());
            self.bytes.extend_from_slice(&buffer);
        }
        Ok(())
    }
}

impl Type<Postgres> for Values {
    fn type_info() -> PgTypeInfo {
        // Each says its own by `produces`.
        <Vec<String> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Values {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let element = self.element.oid().ok_or("a type that the server has to be asked for")?;
        let dimensions = i32::from(self.count > 0);
        for number in [dimensions, i32::from(self.has_null)] {
            buffer.extend_from_slice(&number.to_be_bytes());
        }
        buffer.extend_from_slice(&element.0.to_be_bytes());
        if self.count > 0 {
            // How long it is, and that it is counted from 1.
            for number in [self.count, 1] {
                buffer.extend_from_slice(&number.to_be_bytes());
            }
        }
        buffer.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.array.clone())
    }
}
