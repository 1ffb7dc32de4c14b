//! What every transaction of a holder compares first.

use std::sync::Arc;

use crate::store::{Connection, Query, Sql};

/// Locks the row's key, of which the token is a part, so that nobody can take the lease before this transaction has ended.
/// Transactions of one holder share that lock: they commit beside each other. On SQLite there is one writer.
const PASS: Sql = Sql::per_dialect(
    "SELECT token FROM leases WHERE name = $1 AND token = $2",
    "SELECT token FROM leases WHERE name = $1 AND token = $2 FOR KEY SHARE",
);

/// A statement that changes a row, such as a checkpoint, only where it is as it is believed to be; and the same with the lease
/// compared in it. Made with [`guarded!`](crate::guarded).
#[derive(Debug, Clone, Copy)]
pub struct Guarded {
    alone: &'static str,
    guarded: Sql,
}

/// What became of a [`Guarded`] statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// The row is changed, and the lease is held until the transaction ends.
    Through,
    /// Somebody else has the lease: nothing of the transaction may stay.
    LeaseLost,
    /// The row is not as it is believed to be.
    Moved,
}

impl Guarded {
    /// The same statement without and with the lease.
    pub const fn new(alone: &'static str, guarded: Sql) -> Self {
        Self { alone, guarded }
    }
}

/// `guarded!("UPDATE t SET a = $1 WHERE b = $2", "$3", "$4")`: a statement that ends with its condition, and the numbers of its
/// next two parameters, for a [`Guarded`]. On PostgreSQL it locks the lease as [`Fence::pass`] does.
#[macro_export]
macro_rules! guarded {
    ($statement:literal, $name:literal, $token:literal) => {
        $crate::Guarded::new(
            $statement,
            $crate::Sql::per_dialect(
                concat!(
                    $statement,
                    " AND EXISTS (SELECT 1 FROM leases WHERE name = ",
                    $name,
                    " AND token = ",
                    $token,
                    ")"
                ),
                concat!(
                    "WITH holder AS (SELECT token FROM leases WHERE name = ",
                    $name,
                    " AND token = ",
                    $token,
                    " FOR KEY SHARE) ",
                    $statement,
                    " AND EXISTS (SELECT 1 FROM holder)"
                ),
            ),
        )
    };
}

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

    /// The first statement of a transaction that writes, with the lease compared in the same round trip. `bind` binds the
    /// statement's own parameters.
    pub async fn pass_with(
        &self,
        transaction: &mut Connection,
        statement: &Guarded,
        bind: impl FnOnce(Query<'_>) -> Query<'_>,
    ) -> Result<Passed, sqlx::Error> {
        let changed = match self {
            Self::Open => bind(transaction.query(statement.alone)).execute().await?,
            Self::Token { name, token } => {
                let query = bind(transaction.query(statement.guarded));
                query.bind(&**name).bind(*token).execute().await?
            }
        };
        if changed == 1 {
            return Ok(Passed::Through);
        }
        // Which of the two it was matters to whoever is refused only.
        let passed = self.pass(transaction).await?;
        Ok(if passed { Passed::Moved } else { Passed::LeaseLost })
    }
}
