-- Whose positions these are.
CREATE TABLE log_identity (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    log       TEXT    NOT NULL,
    epoch     INTEGER NOT NULL
) STRICT;

-- The log. Two indexes: all of it by position, a stream by version.
CREATE TABLE events (
    position       INTEGER PRIMARY KEY,
    stream         TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    id             BLOB    NOT NULL,
    type           TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    payload        TEXT    NOT NULL,
    metadata       TEXT    NOT NULL,
    recorded_at    INTEGER NOT NULL, -- microseconds since 1970
    UNIQUE (stream, version)
) STRICT;

CREATE TRIGGER events_are_never_updated BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;

-- The answer to every command that had its effect, kept for ever.
CREATE TABLE commands (
    command_id   TEXT    PRIMARY KEY,
    request_hash BLOB    NOT NULL,
    status       INTEGER NOT NULL,
    body         TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    position     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Side effects that were begun and not ended, in the order of `seq`.
CREATE TABLE intents (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT    NOT NULL UNIQUE,
    payload   TEXT    NOT NULL,
    opened_at INTEGER NOT NULL -- microseconds since 1970
) STRICT;

-- A cache: emptying this table changes nothing but time.
CREATE TABLE snapshots (
    stream      TEXT    PRIMARY KEY,
    schema_hash INTEGER NOT NULL, -- the 64 bits, signed
    version     INTEGER NOT NULL,
    state       TEXT    NOT NULL
) STRICT;
