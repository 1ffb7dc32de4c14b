-- The answers one after another, found by an index of nothing but the ids. Ids are drawn at random: as long as the answers stood in
-- the order of the ids themselves, each went into a page of its own, and every seventh split one.
CREATE TABLE commands_by_row (
    command_id   TEXT    NOT NULL PRIMARY KEY,
    request_hash BLOB    NOT NULL,
    status       INTEGER NOT NULL,
    body         TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    position     INTEGER NOT NULL
) STRICT;

INSERT INTO commands_by_row (command_id, request_hash, status, body, version, position)
    SELECT command_id, request_hash, status, body, version, position FROM commands ORDER BY position;

DROP TABLE commands;

ALTER TABLE commands_by_row RENAME TO commands;
