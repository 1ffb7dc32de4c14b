-- A letter is found by its id, counted once however often it comes, and says what an operator made of it.
CREATE TABLE dead_letters (
    number BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    command_id TEXT,
    body TEXT NOT NULL,
    cause TEXT NOT NULL,
    parked_at TEXT NOT NULL,
    replayed_at TEXT,
    reason TEXT
);

INSERT INTO dead_letters (number, id, body, cause, parked_at)
    SELECT MIN(sequence), 'message-' || MIN(sequence), body, MIN(cause), MIN(parked_at)
    FROM parked_commands GROUP BY body;

DROP TABLE parked_commands;
