//! Which class a row is of. Every row is of exactly one; a row of none makes its file a bad file.
//!
//! Whether a return finds its order is not known here: [`Class::Return`] is split by `matching`.

use super::price::Sign;

/// What a row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// A line of the order with that invoice number.
    Sale,
    /// A line at price 0.
    Free,
    /// An adjustment of stock.
    Correction,
    /// A return, matched with an order or not.
    Return,
    /// Bad debt: nothing of ours.
    NotAnOrder,
}

/// What decides about a row's class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The invoice as written.
    pub(crate) invoice: &'a str,
    /// The number of units, below 0 for what comes back.
    pub(crate) quantity: i32,
    /// How the exact price compares with 0.
    pub(crate) price: Sign,
    /// Whether the row names a customer.
    pub(crate) has_customer: bool,
}

/// Why a row is of no class: a column, and what is wrong with what stands there.
pub(crate) type Unclassified = (&'static str, &'static str);

/// The class of a row, or what is wrong with it.
pub(crate) fn classify(facts: Facts<'_>) -> Result<Class, Unclassified> {
    let digits = facts.invoice.strip_prefix(['C', 'A']).unwrap_or(facts.invoice);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(("InvoiceNo", "is neither a number nor `C` or `A` before a number"));
    }
    if facts.invoice.starts_with('A') {
        return Ok(Class::NotAnOrder);
    }
    if facts.price == Sign::Negative {
        return Err(("UnitPrice", "is below 0"));
    }
    if facts.invoice.starts_with('C') {
        return if facts.quantity < 0 {
            Ok(Class::Return)
        } else {
            Err(("Quantity", "of a return is not below 0"))
        };
    }
    match (facts.price, facts.has_customer, facts.quantity) {
        (_, _, 0) => Err(("Quantity", "is 0")),
        (Sign::Zero, false, _) => Ok(Class::Correction),
        (Sign::Positive, _, 1..) => Ok(Class::Sale),
        (Sign::Zero, true, 1..) => Ok(Class::Free),
        (_, _, ..0) => {
            Err(("Quantity", "is below 0, but the row is neither a return nor a stock correction"))
        }
        (Sign::Negative, _, _) => Err(("UnitPrice", "is below 0")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(
        invoice: &str,
        quantity: i32,
        price: Sign,
        has_customer: bool,
    ) -> Result<Class, Unclassified> {
        classify(Facts { invoice, quantity, price, has_customer })
    }

    #[test]
    fn a_priced_line_of_a_numbered_invoice_is_a_sale_with_or_without_a_customer() {
        assert_eq!(class("536365", 6, Sign::Positive, true), Ok(Class::Sale));
        assert_eq!(class("536365", 6, Sign::Positive, false), Ok(Class::Sale));
    }

    #[test]
    fn price_0_is_free_for_a_customer_and_a_correction_without_one() {
        assert_eq!(class("536365", 6, Sign::Zero, true), Ok(Class::Free));
        assert_eq!(class("536365", 6, Sign::Zero, false), Ok(Class::Correction));
        assert_eq!(class("536365", -6, Sign::Zero, false), Ok(Class::Correction));
    }

    #[test]
    fn the_letter_before_the_number_tells_returns_and_bad_debt() {
        assert_eq!(class("C536379", -1, Sign::Positive, true), Ok(Class::Return));
        assert_eq!(class("A563185", 1, Sign::Negative, false), Ok(Class::NotAnOrder));
    }

    #[test]
    fn a_row_of_no_class_is_an_error() {
        for (invoice, quantity, price) in [
            ("536365", 0, Sign::Positive),
            ("536365", -1, Sign::Positive),
            ("536365", 1, Sign::Negative),
            ("C536365", 1, Sign::Positive),
            ("X536365", 1, Sign::Positive),
            ("C", -1, Sign::Positive),
            ("", 1, Sign::Positive),
        ] {
            assert!(
                class(invoice, quantity, price, true).is_err(),
                "{invoice} {quantity} {price:?}"
            );
        }
    }
}
