-- Appends a batch against which nothing speaks, and answers the head before it; null when something does, and nothing is
-- appended. Then, and when a key is found to be taken, `append_to_log` judges the batch in turn.
--
-- Takes the place of `append_undisputed`, which older processes may still call. The caller knows the versions of streams as
-- of the head that its own last append reached: nobody else writes under its token, so if that is the head, they hold.
-- Of other streams it says which version they had before the batch. One that the batch begins needs no look: if it is
-- there, its first event can't be inserted again. Nor can the answer of a command that was answered.
--
-- It notifies nobody: the caller announces now and then how far the log goes.
CREATE FUNCTION append_at_head(
    own_token      bigint,
    expected_head  bigint, -- null: whatever it is
    now_micros     bigint,
    grown_stream   text[], -- begun before the batch, which appends to it
    grown_version  bigint[],
    read_stream    text[], -- only read by the batch
    read_version   bigint[],
    unanswered_id  text[],
    event_stream   text[],
    event_version  bigint[],
    event_id       uuid[],
    event_type     text[],
    event_schema   integer[],
    event_payload  text[],
    event_metadata text[],
    answer_id      text[],
    answer_hash    bytea[],
    answer_status  integer[],
    answer_body    text[],
    answer_version bigint[],
    answer_place   integer[], -- of its last event, counted from 1
    closed_id      text[],
    opened_id      text[],
    opened_payload text[]
) RETURNS bigint LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    token_now bigint;
    head      bigint;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an append needs the isolation level read committed';
    END IF;

    -- First the lock. Every later statement has a snapshot of its own, newer than the lock.
    SELECT w.token INTO token_now FROM log_writer AS w WHERE w.singleton FOR UPDATE;
    IF token_now IS DISTINCT FROM own_token THEN
        RAISE EXCEPTION 'the log was taken over by another writer' USING ERRCODE = 'DK001';
    END IF;

    SELECT coalesce(max(position), 0) INTO head FROM events;
    IF head <> expected_head THEN
        RETURN NULL;
    END IF;

    -- A grown stream that is longer than was said has the next version already, which can't be inserted again.
    IF cardinality(grown_stream) > 0 THEN
        IF cardinality(grown_stream) <> (
            SELECT count(*) FROM unnest(grown_stream, grown_version) AS claimed (name, version)
                JOIN events ON events.stream = claimed.name AND events.version = claimed.version
        ) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF cardinality(read_stream) > 0 THEN
        IF EXISTS (
            SELECT FROM unnest(read_stream, read_version) AS claimed (name, version)
            WHERE claimed.version <> coalesce((SELECT max(version) FROM events WHERE stream = claimed.name), 0)
        ) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF cardinality(unanswered_id) > 0 THEN
        IF EXISTS (SELECT FROM unnest(unanswered_id) AS asked (id) JOIN commands ON command_id = asked.id) THEN
            RETURN NULL;
        END IF;
    END IF;

    INSERT INTO events (position, stream, version, id, type, schema_version, payload, metadata, recorded_at)
        SELECT head + new.place, new.stream, new.version, new.id, new.type, new.schema, new.payload, new.metadata,
            now_micros
        FROM unnest(event_stream, event_version, event_id, event_type, event_schema, event_payload, event_metadata)
            WITH ORDINALITY AS new (stream, version, id, type, schema, payload, metadata, place);

    INSERT INTO commands (command_id, request_hash, status, body, version, position)
        SELECT new.id, new.hash, new.status, new.body, new.version, head + new.place
        FROM unnest(answer_id, answer_hash, answer_status, answer_body, answer_version, answer_place)
            AS new (id, hash, status, body, version, place);

    IF cardinality(closed_id) > 0 THEN
        DELETE FROM intents WHERE id = ANY (closed_id);
    END IF;
    IF cardinality(opened_id) > 0 THEN
        INSERT INTO intents (id, payload, opened_at)
            SELECT new.id, new.payload, now_micros
            FROM unnest(opened_id, opened_payload) WITH ORDINALITY AS new (id, payload, place)
            ORDER BY new.place
            ON CONFLICT (id) DO NOTHING;
    END IF;

    RETURN head;
END
$$;
