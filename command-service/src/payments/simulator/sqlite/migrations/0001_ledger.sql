-- The simulated provider's own book: one line per idempotency key.
CREATE TABLE entries (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    payment_id TEXT NOT NULL,
    operation TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT,
    retriable INTEGER NOT NULL,
    method TEXT,
    expires_at TEXT,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX entries_by_payment ON entries (payment_id);
