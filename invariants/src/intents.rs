//! I7: what the provider was asked and has not answered, against what somebody still has to carry there.
//!
//! An operation without its outcome is asked for again only as long as its intent is open: without it nobody ever would.

use std::collections::HashSet;

use crate::finding::{Report, Rule};
use crate::money::{Asked, Money, Outcome};

/// Every operation that the log up to `head` asked for, and has no outcome of to this day, has its intent. `open` are the keys of
/// the calls that were open when the log ended at `head` or later.
pub(crate) fn check(head: u64, open: &HashSet<String>, money: &Money, report: &mut Report) {
    for (payment_id, asked) in money.everything_asked() {
        let Asked { operation, attempt, outcome, at, .. } = asked;
        let key = format!("{payment_id}/{}/{attempt}", operation.name());
        if *outcome == Outcome::Open && *at <= head && !open.contains(&key) {
            let statement = format!(
                "The provider was asked under key `{key}`, no outcome is recorded, and no intent is open: nobody will ask \
                 what became of it.",
            );
            report.at(Rule::Charges, &[*at], statement);
        }
    }
}
