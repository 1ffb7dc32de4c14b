//! What holds of any text that is handed over as a cursor. `fuzz/` holds the same.

use service_kit::page::{PageParams, Paging};

/// The key of an entry, as lists have them.
pub(crate) type Key = (i64, String);
/// What narrows a list.
pub(crate) type Filters = (Option<String>, Option<u32>);

/// The cursor that a list gives whose page ends in this key.
pub(crate) fn given(list: &str, filters: &Filters, key: &Key) -> Option<String> {
    let page = PageParams { limit: Some("1".to_owned()), cursor: None };
    let paging = Paging::<Key>::parse(&page, list, filters).expect("a first page");
    paging.cut(vec![key.clone(), key.clone()], Clone::clone).next
}

/// Where this list begins by this cursor, or the code of the problem. Panics where what has to hold does not.
pub(crate) fn taken(list: &str, filters: &Filters, cursor: &str) -> Result<Key, &'static str> {
    let page = PageParams { limit: None, cursor: Some(cursor.to_owned()) };
    match Paging::<Key>::parse(&page, list, filters) {
        Ok(paging) => {
            let key = paging.after.expect("a cursor says where it begins");
            let same = given(list, filters, &key);
            assert_eq!(same.as_deref(), Some(cursor), "it is as this list gave it");
            Ok(key)
        }
        Err(problem) => {
            assert_eq!(problem.status().as_u16(), 400);
            assert_eq!(problem.code(), "invalid_cursor");
            Err(problem.code())
        }
    }
}
