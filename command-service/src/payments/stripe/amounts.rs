//! Amounts as Stripe writes them: minor units too, but for some currencies not those of ISO 4217.

use domain::money::{Currency, Money};

/// Two digits less than ISO 4217 has, or two more.
const ARIARY: &str = "MGA";
/// Without minor units in ISO 4217; Stripe counts hundredths of them, and takes whole ones only.
const IN_HUNDREDTHS: [&str; 2] = ["ISK", "UGX"];
/// Thousandths, of which Stripe takes whole tens only.
const IN_TENS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// The amount and the currency as Stripe takes them; `None` when it can't take so fine an amount.
pub(super) fn to_stripe(amount: Money) -> Option<(i64, String)> {
    let (minor, currency) = (amount.minor(), amount.currency());
    let code = currency.code();
    let minor = if code == ARIARY {
        (minor % 100 == 0).then_some(minor / 100)?
    } else if IN_HUNDREDTHS.contains(&code) {
        minor.checked_mul(100)?
    } else if IN_TENS.contains(&code) {
        (minor % 10 == 0).then_some(minor)?
    } else {
        minor
    };
    Some((minor, code.to_ascii_lowercase()))
}

/// What Stripe says, as our own amount; `None` when it is not one.
pub(super) fn from_stripe(minor: i64, currency: &str) -> Option<Money> {
    let currency = Currency::parse(&currency.to_ascii_uppercase()).ok()?;
    let minor = if currency.code() == ARIARY {
        minor.checked_mul(100)?
    } else if IN_HUNDREDTHS.contains(&currency.code()) {
        (minor % 100 == 0).then_some(minor / 100)?
    } else {
        minor
    };
    Some(Money::new(minor, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap())
    }

    #[test]
    fn each_currency_is_counted_as_stripe_counts_it_and_back() {
        for (ours, theirs) in [
            (money(1275, "GBP"), (1275, "gbp")),
            (money(500, "JPY"), (500, "jpy")),
            (money(500, "ISK"), (50_000, "isk")),
            (money(500, "UGX"), (50_000, "ugx")),
            (money(12_300, "MGA"), (123, "mga")),
            (money(1_230, "KWD"), (1_230, "kwd")),
            (money(12_345, "HUF"), (12_345, "huf")),
        ] {
            let (minor, code) = to_stripe(ours).unwrap();
            assert_eq!((minor, code.as_str()), theirs);
            assert_eq!(from_stripe(minor, &code), Some(ours));
        }
    }

    #[test]
    fn what_is_too_fine_for_stripe_is_not_rounded() {
        for fine in [money(1_234, "KWD"), money(12_345, "MGA"), money(i64::MAX, "ISK")] {
            assert_eq!(to_stripe(fine), None, "{fine:?}");
        }
        assert_eq!(from_stripe(12_345, "isk"), None);
        assert_eq!(from_stripe(1, "???"), None);
    }
}
