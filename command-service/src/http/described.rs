//! What ids and texts of bodies look like, for `/openapi.json`: so exactly that whatever a schema allows can be read.
//!
//! They only describe. What is taken is decided by the domain's types.
#![expect(dead_code, reason = "only the schemas are used")]

/// An id that a client chooses for something new: 1 to 64 characters, of any script
///
/// It has no `/` and no control or invisible character, begins and ends with no blank, and is not `.` or `..`: so it can stand
/// in a path, percent-encoded, and who reads it sees all of it.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = r"^(?!\.\.?$)[^ /\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb](?:[^/\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb]*[^ /\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb])?$")]
pub(super) struct ChosenId(String);

/// The id of something that is there, perhaps chosen under older rules: 1 to 64 characters, none of them a control character
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
pub(super) struct KnownId(String);

/// A country, kept as given: up to 60 characters, not only blanks and none of them a control character
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 60,
    pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
pub(super) struct CountryText(String);

/// How an order is paid: up to 64 characters, not only blanks and none of them a control character
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64,
    pattern = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$")]
pub(super) struct MethodText(String);

/// One mail address: something on both sides of its `@`, no blanks, no comma, semicolon or angle bracket, and at most 200 characters
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, min_length = 3, max_length = 200,
    pattern = r"^[^\s,;<>\x00-\x1f\x7f-\x9f]+@[^\s,;<>@\x00-\x1f\x7f-\x9f]+$")]
pub(super) struct MailText(String);

/// A telephone number: at least 3 digits, however it is written, and at most 200 characters
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, min_length = 3, max_length = 200,
    pattern = r"^[^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*[0-9][^\x00-\x1f\x7f-\x9f]*$")]
pub(super) struct PhoneText(String);
