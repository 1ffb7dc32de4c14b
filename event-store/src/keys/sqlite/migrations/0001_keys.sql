-- A person has a key, or was erased; never both.
CREATE TABLE keys (
    person    TEXT    PRIMARY KEY,
    wrapped   BLOB,
    erased_at INTEGER, -- microseconds since 1970
    CHECK ((wrapped IS NULL) <> (erased_at IS NULL))
) STRICT;

CREATE INDEX tombstones ON keys (person) WHERE erased_at IS NOT NULL;
