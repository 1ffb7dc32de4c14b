-- What customers find of their orders: public events that they have read or not. No personal data is in it.
CREATE TABLE notices (
    number INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    customer_id TEXT NOT NULL,
    body TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    read_at INTEGER
);
CREATE INDEX notices_by_customer ON notices (customer_id, number);
CREATE INDEX notices_unread ON notices (customer_id, number) WHERE read_at IS NULL;
CREATE INDEX notices_by_age ON notices (recorded_at);
