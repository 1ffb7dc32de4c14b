-- A person has a key, or was erased; never both.
CREATE TABLE keys (
    person    text COLLATE "C" PRIMARY KEY,
    wrapped   bytea,
    erased_at bigint, -- microseconds since 1970
    CHECK ((wrapped IS NULL) <> (erased_at IS NULL))
)
-- An erased key leaves a dead row behind: it is cleared away at the next occasion, however few there are.
WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);

-- A short key stands in its row; nothing of it lies in another table.
ALTER TABLE keys ALTER COLUMN wrapped SET STORAGE PLAIN;

CREATE INDEX tombstones ON keys (person) WHERE erased_at IS NOT NULL;

CREATE FUNCTION refuse_key_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a tombstone stays, and a key is only ever erased' USING ERRCODE = 'DK002';
END
$$;

CREATE TRIGGER keys_are_never_deleted BEFORE DELETE OR TRUNCATE ON keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_key_change();

CREATE TRIGGER keys_are_only_erased BEFORE UPDATE ON keys
    FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL OR OLD.person <> NEW.person)
    EXECUTE FUNCTION refuse_key_change();

-- Gives the role that runs the service what it needs, and no more: it can't delete a key or a tombstone.
CREATE FUNCTION grant_keys_to(service name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON keys TO %I', service);
END
$$;
