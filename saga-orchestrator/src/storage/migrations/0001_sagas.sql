-- One row per saga. `data` is the saga itself; the other columns are what is searched and listed.
CREATE TABLE sagas (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    order_id TEXT NOT NULL,
    state TEXT NOT NULL,
    step TEXT NOT NULL,
    since INTEGER NOT NULL,
    wake_at INTEGER,
    version INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    cause_position INTEGER NOT NULL,
    correlation_id TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX sagas_by_order ON sagas (order_id);
CREATE INDEX sagas_by_state ON sagas (state);
CREATE INDEX sagas_by_wake_at ON sagas (wake_at) WHERE wake_at IS NOT NULL;

-- Commands whose effect the log has not shown yet.
CREATE TABLE outbox (
    command_id TEXT PRIMARY KEY,
    saga_id TEXT NOT NULL,
    step TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    next_send_at INTEGER NOT NULL,
    sends INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX outbox_by_next_send_at ON outbox (next_send_at);
CREATE INDEX outbox_by_saga ON outbox (saga_id);

-- How far the log was folded, which log it is, and the id of the event there.
CREATE TABLE checkpoint (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    position INTEGER NOT NULL,
    event_id TEXT,
    log TEXT NOT NULL,
    epoch INTEGER NOT NULL
);

-- When the platform was last seen alive: the sagas' clock stands still while it is down.
CREATE TABLE clock (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    alive_at INTEGER NOT NULL
);

-- What operators did: the answers to repeats, and the audit.
CREATE TABLE operator_actions (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    saga_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    acted_at INTEGER NOT NULL
);
