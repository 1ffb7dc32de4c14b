//! A rate: so many units a second, and how many may be spent at once.

use std::str::FromStr;
use std::time::Duration;

/// The most units a second, and at once: more is no limit.
const MOST: u32 = 1_000_000;
/// How many seconds' worth may be spent at once, where nothing is said.
const SAVED_UP: u32 = 10;

/// Units a second, and at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    per_second: u32,
    burst: u32,
}

/// A limit, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Everybody may as much as they like.
    Off,
    /// Everybody may so much.
    At(Rate),
}

impl Rate {
    /// So many units a second, and so many at once.
    pub const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second, burst }
    }

    /// How many may be spent at once.
    pub fn burst(self) -> u32 {
        self.burst
    }

    /// How long it takes until that many are there again.
    pub fn window(self) -> Duration {
        self.interval() * self.burst
    }

    /// How long it takes until one more unit is there.
    pub(super) fn interval(self) -> Duration {
        Duration::from_secs(1) / self.per_second
    }
}

impl Limit {
    pub(super) fn rate(self) -> Option<Rate> {
        match self {
            Self::Off => None,
            Self::At(rate) => Some(rate),
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let (per_second, burst) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
        let number = |text: &str| text.parse().ok().filter(|number| (1..=MOST).contains(number));
        let per_second: Option<u32> = number(per_second);
        let burst = match burst {
            Some(burst) => number(burst),
            None => per_second.map(|rate| rate.saturating_mul(SAVED_UP).min(MOST)),
        };
        match (per_second, burst) {
            (Some(per_second), Some(burst)) => Ok(Self::At(Rate { per_second, burst })),
            _ => Err("is not `off`, a number of units a second like 50, or with those at once like 50:500".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_off_or_a_rate_with_what_may_be_spent_at_once() {
        for (text, limit) in [
            ("off", Limit::Off),
            ("50", Limit::At(Rate::new(50, 500))),
            ("50:70", Limit::At(Rate::new(50, 70))),
        ] {
            assert_eq!(text.parse(), Ok(limit), "{text}");
        }
        for wrong in ["", "0", "-1", "50:", "50:0", ":5", "1e3", "50/s", "1000001"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
        assert_eq!(Rate::new(50, 500).window(), Duration::from_secs(10));
    }
}
