-- How far the log was read for public events, which log it is, and the id of the event there.
CREATE TABLE checkpoint (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    position INTEGER NOT NULL,
    event_id TEXT,
    log TEXT NOT NULL,
    epoch INTEGER NOT NULL
);

-- Who wants to be told. One that was deleted stays without its address and secrets: its id is not given again.
CREATE TABLE endpoints (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    description TEXT,
    state TEXT NOT NULL,
    disabled_why TEXT,
    disabled_at INTEGER,
    secret TEXT NOT NULL,
    previous_secret TEXT,
    previous_until INTEGER,
    drawn_by TEXT NOT NULL,
    since INTEGER,
    failing_since INTEGER,
    request TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

-- What each is told. State 0 waits, 1 got through, 2 was given up.
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY,
    endpoint_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    subject TEXT NOT NULL,
    position INTEGER NOT NULL,
    body TEXT NOT NULL,
    state INTEGER NOT NULL,
    due_at INTEGER,
    under_way INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    redelivered_by TEXT,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    UNIQUE (endpoint_id, event_id)
);
-- Of what waits for one subject at one endpoint only the first has a time: the others wait for it.
CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at) WHERE state = 0 AND due_at IS NOT NULL;
CREATE INDEX deliveries_in_order ON deliveries (endpoint_id, subject, number) WHERE state = 0;
CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, position) WHERE state = 0;
CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint_id, number);
CREATE INDEX deliveries_by_state ON deliveries (endpoint_id, state, number);
CREATE INDEX deliveries_by_age ON deliveries (created_at);

-- Every attempt, and how it was taken.
CREATE TABLE attempts (
    delivery INTEGER NOT NULL,
    at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    status INTEGER,
    error TEXT
);
CREATE INDEX attempts_by_delivery ON attempts (delivery, at);
