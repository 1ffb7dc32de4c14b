-- Whose positions these are.
CREATE TABLE log_identity (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    log       text    NOT NULL,
    epoch     bigint  NOT NULL
);

-- The row that every append locks, so that they come one after another. Appends never update it: a row that is updated
-- all the time grows slower with every snapshot that is held open. Who takes the log over raises the token.
CREATE TABLE log_writer (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    token     bigint  NOT NULL
);

INSERT INTO log_writer (token) VALUES (0);

-- The log. Two indexes: all of it by position, a stream by version. Names compare by their bytes: an index by a
-- language's rules breaks when the rules change.
CREATE TABLE events (
    position       bigint PRIMARY KEY,
    stream         text COLLATE "C" NOT NULL,
    version        bigint  NOT NULL,
    id             uuid    NOT NULL,
    type           text    NOT NULL,
    schema_version integer NOT NULL,
    payload        text    NOT NULL,
    metadata       text    NOT NULL,
    recorded_at    bigint  NOT NULL, -- microseconds since 1970
    UNIQUE (stream, version)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only' USING ERRCODE = 'DK002';
END
$$;

CREATE TRIGGER events_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The answer to every command that had its effect, kept for ever.
CREATE TABLE commands (
    command_id   text COLLATE "C" PRIMARY KEY,
    request_hash bytea   NOT NULL,
    status       integer NOT NULL,
    body         text    NOT NULL,
    version      bigint  NOT NULL,
    position     bigint  NOT NULL
);

CREATE TRIGGER commands_are_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON commands
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Side effects that were begun and not ended, in the order of `seq`.
CREATE TABLE intents (
    seq       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        text COLLATE "C" NOT NULL UNIQUE,
    payload   text   NOT NULL,
    opened_at bigint NOT NULL -- microseconds since 1970
);

-- A cache: emptying this table changes nothing but time.
CREATE TABLE snapshots (
    stream      text COLLATE "C" PRIMARY KEY,
    schema_hash bigint NOT NULL, -- the 64 bits, signed
    version     bigint NOT NULL,
    state       text   NOT NULL
);

-- Gives the role that runs the service what it needs, and no more: it can't change or delete an event or an answer.
CREATE FUNCTION grant_log_to(service name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON events, commands TO %I', service);
    EXECUTE format('GRANT SELECT, UPDATE (token) ON log_writer TO %I', service);
    EXECUTE format('GRANT SELECT, UPDATE (epoch) ON log_identity TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON intents TO %I', service);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON snapshots TO %I', service);
END
$$;
