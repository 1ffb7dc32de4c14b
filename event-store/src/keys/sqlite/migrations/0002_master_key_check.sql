-- A known text sealed by the master key: another key does not open it. One row, written once.
CREATE TABLE master_key_check (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    sealed BLOB NOT NULL
) STRICT;
