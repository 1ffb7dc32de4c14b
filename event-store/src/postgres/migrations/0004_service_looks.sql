-- The service finds out by itself whether the tables are up to date, though it can't change them.
CREATE OR REPLACE FUNCTION grant_log_to(service name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON events, commands TO %I', service);
    EXECUTE format('GRANT SELECT, UPDATE (token) ON log_writer TO %I', service);
    EXECUTE format('GRANT SELECT, UPDATE (epoch) ON log_identity TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON intents TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON snapshots TO %I', service);
    EXECUTE format('GRANT SELECT ON log_migrations TO %I', service);
END
$$;
