//! Numbers as people read them.

use std::fmt::Display;

/// A whole number with its digits in groups of three: `-1234567` as `-1,234,567`.
pub fn grouped<N: Display>(number: N) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", &*text), |digits| ("-", digits));
    let mut grouped = String::with_capacity(text.len() + digits.len() / 3);
    grouped.push_str(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let numbers = [0, 7, 999, 1_000, 1_234_567, -1, -999, -100_000].map(grouped::<i64>);
        assert_eq!(numbers, ["0", "7", "999", "1,000", "1,234,567", "-1", "-999", "-100,000"]);
        assert_eq!(grouped(10_000_000_000_000_u64), "10,000,000,000,000");
    }
}
