-- The service finds out by itself whether the table is up to date, though it can't change it.
CREATE OR REPLACE FUNCTION grant_keys_to(service name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON keys TO %I', service);
    EXECUTE format('GRANT SELECT ON key_migrations TO %I', service);
END
$$;
