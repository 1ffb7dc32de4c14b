-- A known text sealed by the master key: another key does not open it. One row, written once.
CREATE TABLE master_key_check (
    one    smallint PRIMARY KEY CHECK (one = 1),
    sealed bytea NOT NULL
);

-- Gives the role that runs the service what it needs, and no more: it can't delete a key or a tombstone, nor change the check.
CREATE OR REPLACE FUNCTION grant_keys_to(service name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON keys TO %I', service);
    EXECUTE format('GRANT SELECT ON key_migrations TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT ON master_key_check TO %I', service);
END
$$;
