-- As for SQLite, with the types of PostgreSQL.
-- What was asked for under a key, and done: a repeat of it has its answer, in which no secret is. What stands in the log is kept;
-- the rest is forgotten, and so is the answer about an endpoint that was deleted.
CREATE TABLE done_requests (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    endpoint_id TEXT,
    in_log BIGINT NOT NULL,
    done_at BIGINT NOT NULL
);
CREATE INDEX done_requests_of_endpoint ON done_requests (endpoint_id) WHERE endpoint_id IS NOT NULL;
CREATE INDEX done_requests_by_age ON done_requests (done_at) WHERE in_log = 0;
-- The key of the request that drew the secret before the current one.
ALTER TABLE endpoints ADD COLUMN previous_drawn_by TEXT;
