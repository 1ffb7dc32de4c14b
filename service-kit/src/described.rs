//! What parameters and texts look like, for `/openapi.json`: so exactly that whatever a schema allows can be read.
//!
//! They only describe. What is taken is decided where it is parsed; `cargo xtask contract` holds the two together.
#![expect(dead_code, reason = "only the schemas are used")]

use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// An id in a path, percent-encoded: one that a client chose, perhaps under older rules
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = r"^(?!\.\.?$)[^/\x00-\x1f\x7f-\x9f]+$")]
pub struct PathId(String);

/// An id in a path, percent-encoded: one that was derived from an order's
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 96, pattern = r"^(?!\.\.?$)[^/\x00-\x1f\x7f-\x9f]+$")]
pub struct DerivedPathId(String);

/// A name in a path
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, pattern = r"^(?!\.\.?$)[^/\x00-\x1f\x7f-\x9f]+$")]
pub struct PathName(String);

/// A text of up to 200 characters, not only blanks and none of them a control character
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 200,
    pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
pub struct ShortText(String);

/// A text of up to 500 characters, not only blanks and none of them a control character
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 500,
    pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
pub struct LongText(String);

/// A key that names a request
#[derive(ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
pub struct KeyText(String);

/// A position: a number, or the value of a `Docket-Position` header
#[derive(ToSchema)]
#[schema(value_type = String, pattern = r"^([0-9]{1,19}|[0-9a-z]{1,64}-[0-9]{1,9}-[0-9]{1,19})$")]
pub struct PositionText(String);

/// A time, or a day
pub struct TimeOrDay;

impl PartialSchema for TimeOrDay {
    fn schema() -> RefOr<Schema> {
        let text = |format| {
            let format = Some(SchemaFormat::KnownFormat(format));
            ObjectBuilder::new().schema_type(Type::String).format(format)
        };
        let either = AnyOfBuilder::new().item(text(KnownFormat::DateTime));
        either.item(text(KnownFormat::Date)).into()
    }
}

impl ToSchema for TimeOrDay {}
