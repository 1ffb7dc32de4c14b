-- How far the log was read for erasures: every person erased up to there has no key in this store. At most one row.
CREATE TABLE erasures_applied (
    one      smallint PRIMARY KEY CHECK (one = 1),
    log      text     NOT NULL,
    epoch    bigint   NOT NULL,
    position bigint   NOT NULL,
    event_id text
);

-- Gives the role that runs the service what it needs, and no more: it can't delete a key or a tombstone, nor change the check.
CREATE OR REPLACE FUNCTION grant_keys_to(service name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON keys TO %I', service);
    EXECUTE format('GRANT SELECT ON key_migrations TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT ON master_key_check TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON erasures_applied TO %I', service);
END
$$;
