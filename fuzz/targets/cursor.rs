//! Cursors of lists.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../service-kit/tests/it/cursor_law.rs"]
mod law;

fuzz_target!(|text: &str| {
    let none = (None, None);
    drop(law::taken("orders", &none, text));
    // The same bytes as what a page ends in: that cursor is taken, and by no other list.
    let key = (text.len() as i64, text.replace('\0', ""));
    let given = law::given("orders", &none, &key).expect("a page that ends in a key");
    assert_eq!(law::taken("orders", &none, &given), Ok(key));
    assert!(law::taken("carts", &none, &given).is_err());
    assert!(law::taken("orders", &(Some(text.to_owned()), None), &given).is_err());
});
