//! The names of the steps that a saga may stand at.

use super::SagaKind;
use super::cancellation_saga::{CANCELLATION, DECLINE};
use super::definition::Row;
use super::expiry::EXPIRY;
use super::order_steps::{ORDER, REJECT, UNDOS};
use super::parcel_steps::parcel_rows;
use super::process::DONE;
use super::renewal::{HOLD, RENEWAL};
use super::return_saga::RETURN;

/// Whether a saga of this kind may stand at a step of this name.
pub fn is_step(kind: SagaKind, name: &str) -> bool {
    let in_tables = match kind {
        SagaKind::Order => {
            let tables = [ORDER.steps(), &REJECT, &UNDOS, RENEWAL.steps(), &HOLD, &EXPIRY];
            tables.into_iter().any(|rows| has(rows, name)) || has(&parcel_rows(), name)
        }
        SagaKind::Cancellation => has(CANCELLATION.steps(), name) || has(&DECLINE, name),
        SagaKind::Return => has(RETURN.steps(), name),
    };
    in_tables || name == DONE
}

fn has<D>(rows: &[Row<D>], name: &str) -> bool {
    rows.iter().any(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_of_its_own_saga() {
        for (kind, name) in [
            (SagaKind::Order, "void_authorization"),
            (SagaKind::Order, "finish"),
            (SagaKind::Order, "capture_payment"),
            (SagaKind::Order, "expire_authorization"),
            (SagaKind::Cancellation, "decline_cancellation"),
            (SagaKind::Return, "refund_payment"),
            (SagaKind::Return, "done"),
        ] {
            assert!(is_step(kind, name), "{kind:?} {name}");
        }
        for (kind, name) in [
            (SagaKind::Order, "refund_payment"),
            (SagaKind::Return, "reserve_stock"),
            (SagaKind::Cancellation, "nonsense"),
            (SagaKind::Order, ""),
        ] {
            assert!(!is_step(kind, name), "{kind:?} {name}");
        }
    }
}
