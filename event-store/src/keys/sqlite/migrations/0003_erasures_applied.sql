-- How far the log was read for erasures: every person erased up to there has no key in this store. At most one row.
CREATE TABLE erasures_applied (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    log      TEXT    NOT NULL,
    epoch    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT
) STRICT;
