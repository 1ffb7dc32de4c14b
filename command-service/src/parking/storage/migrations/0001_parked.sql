CREATE TABLE parked_commands (
    sequence BIGINT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    cause TEXT NOT NULL,
    parked_at TEXT NOT NULL
);
