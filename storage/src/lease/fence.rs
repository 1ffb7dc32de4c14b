//! What every transaction of a holder compares first.

use std::sync::Arc;

use crate::store::{Connection, Sql};

/// Locks the row's key, of which the token is a part, so that nobody can take the lease before this transaction has ended.
/// Transactions of one holder share that lock: they commit beside each other. On SQLite there is one writer.
const PASS: Sql = Sql::per_dialect(
    "SELECT token FROM leases WHERE name = $1 AND token = $2",
    "SELECT token FROM leases WHERE name = $1 AND token = $2 FOR KEY SHARE",
);

/// The proof of a holder. To be shown at the beginning of each of its transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fence {
    /// There is nobody else: nothing is compared.
    #[default]
    Open,
    /// Compared with the lease's row.
    Token {
        /// The lease.
        name: Arc<str>,
        /// The number of the holder.
        token: i64,
    },
}

impl Fence {
    /// The first statement of a transaction that writes. False when somebody else has taken the lease: then nothing of
    /// the transaction may stay.
    pub async fn pass(&self, transaction: &mut Connection) -> Result<bool, sqlx::Error> {
        match self {
            Self::Open => Ok(true),
            Self::Token { name, token } => {
                let row = transaction.query(PASS).bind(&**name).bind(*token);
                Ok(row.fetch_optional().await?.is_some())
            }
        }
    }
}
