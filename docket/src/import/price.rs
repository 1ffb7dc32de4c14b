//! A price as the file writes it, read exactly: decimal digits, never a float.

/// A unit price in pence, rounded half to even, and whether it was above 0 before it was rounded.
///
/// **Invariant:** 0.001 is rounded to 0 pence and still is a price above 0, so its row stays a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Price {
    /// The amount in pence.
    pub(crate) pence: i64,
    /// What the exact price is, compared with 0.
    pub(crate) sign: Sign,
}

/// The highest price that the platform takes, in pence.
const MOST_PENCE: i64 = 10_000_000_000_000;

/// How an exact price compares with 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Below 0.
    Negative,
    /// 0, however many decimals it is written with.
    Zero,
    /// Above 0.
    Positive,
}

impl Price {
    /// Reads `12`, `12.5` or `-0.001`; anything else is no price.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        if !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let (kept, cut) = fraction.split_at(fraction.len().min(2));
        let cents = format!("{kept:0<2}").parse::<i64>().ok()?;
        let down = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents)?;
        let pence = down.checked_add(i64::from(rounds_up(down, cut)))?;
        if pence > MOST_PENCE {
            return None;
        }
        let sign = match (negative, down == 0 && cut.bytes().all(|digit| digit == b'0')) {
            (_, true) => Sign::Zero,
            (true, false) => Sign::Negative,
            (false, false) => Sign::Positive,
        };
        Some(Self { pence: if negative { -pence } else { pence }, sign })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the digits that are cut off lift the rest by one: above a half always, at a half when the rest is odd.
fn rounds_up(down: i64, cut: &str) -> bool {
    let Some(first) = cut.bytes().next() else { return false };
    let exactly_half = first == b'5' && cut.bytes().skip(1).all(|digit| digit == b'0');
    if exactly_half { down % 2 == 1 } else { first >= b'5' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pence(text: &str) -> i64 {
        Price::parse(text).unwrap().pence
    }

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(
            [pence("2.55"), pence("2.1"), pence("3"), pence("-11062.06")],
            [255, 210, 300, -1_106_206]
        );
    }

    #[test]
    fn more_than_two_decimals_are_rounded_half_to_even() {
        let rounded =
            ["0.001", "0.005", "0.015", "0.0051", "0.025", "0.0250001", "9.995"].map(pence);
        assert_eq!(rounded, [0, 0, 2, 1, 2, 3, 1000]);
    }

    #[test]
    fn the_sign_is_that_of_the_exact_price() {
        let signs =
            ["0.001", "0.000", "0", "-0.0", "-0.001"].map(|text| Price::parse(text).unwrap().sign);
        assert_eq!(signs, [Sign::Positive, Sign::Zero, Sign::Zero, Sign::Zero, Sign::Negative]);
    }

    #[test]
    fn what_is_no_decimal_number_is_no_price() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "1,5",
            "1e3",
            "NaN",
            "--1",
            "+1",
            "1.2.3",
            "99999999999999999999",
            "100000000000.01",
        ] {
            assert_eq!(Price::parse(text), None, "{text}");
        }
        assert_eq!(pence("100000000000"), MOST_PENCE);
    }
}
