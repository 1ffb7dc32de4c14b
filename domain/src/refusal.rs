//! Why a command is refused: the whole list, each with its stable public code.

/// Why a command is refused. Nothing of it happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such order.
    #[error("there is no order `{order_id}`")]
    OrderNotFound {
        /// The id that was asked for.
        order_id: String,
    },
}

impl Refusal {
    /// The stable public code, such as `order_not_found`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OrderNotFound { .. } => "order_not_found",
        }
    }

    /// True when what the command is addressed to does not exist.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::OrderNotFound { .. } => true,
        }
    }
}
