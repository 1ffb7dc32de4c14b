-- Appends a batch of transactions. One call, which commits by itself: no pause of a client can hold its lock.
--
-- The batch comes as arrays, numbered from 1: the distinct streams, the transactions, what each read, its events and its
-- changes to the intents, in order. `offset` counts what the batch itself has appended so far, as if everything
-- in it passed; `base` is the version that a stream must have had before the batch for that. So when nothing speaks
-- against any of them, there is nothing left to judge. Otherwise each is judged in turn, as `judge.rs` does; from what is
-- returned the caller derives the verdicts.
CREATE FUNCTION append_to_log(
    own_token        bigint,
    now_micros       bigint,
    stream_names     text[],
    ids_repeat       boolean,   -- then they are judged in turn
    command_ids      text[],
    tx_command       integer[], -- the first transaction with this id
    tx_hash          bytea[],
    tx_status        integer[], -- null: its answer is not remembered
    tx_body          text[],
    tx_target        integer[],
    tx_target_offset integer[],
    tx_last          integer[], -- its last event, or that of the one before it
    read_tx          integer[],
    read_stream      integer[],
    read_version     bigint[],
    read_base        bigint[],
    event_tx         integer[],
    event_place      integer[],
    event_stream     integer[],
    event_name       text[],
    event_offset     integer[],
    event_id         uuid[],
    event_type       text[],
    event_schema     integer[],
    event_payload    text[],
    event_metadata   text[],
    intent_tx        integer[],
    intent_opens     boolean[],
    intent_id        text[],
    intent_payload   text[],
    OUT head           bigint,
    OUT versions       bigint[],
    OUT accepted       boolean[], -- null: all
    OUT known_command  text[],
    OUT known_hash     bytea[],
    OUT known_status   integer[],
    OUT known_body     text[],
    OUT known_version  bigint[],
    OUT known_position bigint[]
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    token_now bigint;
    appended  integer := cardinality(event_tx);
    known     boolean[];
    tainted   boolean[];
    added     integer[];
    r         integer := 1;
    e         integer := 1;
    from_e    integer;
    place     integer := 0;
    passes    boolean;
    s         integer;
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
    SELECT coalesce(array_agg(coalesce((SELECT max(version) FROM events WHERE stream = asked.name), 0) ORDER BY asked.place), '{}')
        INTO versions
        FROM unnest(stream_names) WITH ORDINALITY AS asked (name, place);
    SELECT array_agg(command_id), array_agg(request_hash), array_agg(status), array_agg(body), array_agg(version),
            array_agg(position)
        INTO known_command, known_hash, known_status, known_body, known_version, known_position
        FROM unnest(command_ids) AS asked (id) JOIN commands ON command_id = asked.id;

    IF ids_repeat OR known_command IS NOT NULL OR EXISTS (
        SELECT FROM unnest(read_stream, read_base) AS seen (stream, base) WHERE versions[seen.stream] <> seen.base
    ) THEN
        SELECT array_agg(asked.id = ANY (coalesce(known_command, '{}')) ORDER BY asked.place) INTO known
            FROM unnest(command_ids) WITH ORDINALITY AS asked (id, place);
        tainted := array_fill(false, ARRAY[cardinality(stream_names)]);
        added := array_fill(0, ARRAY[cardinality(stream_names)]);
        accepted := array_fill(false, ARRAY[cardinality(tx_command)]);
        FOR t IN 1 .. cardinality(tx_command) LOOP
            passes := NOT known[tx_command[t]];
            WHILE read_tx[r] = t LOOP
                s := read_stream[r];
                passes := passes AND NOT tainted[s] AND versions[s] + added[s] = read_version[r];
                r := r + 1;
            END LOOP;
            from_e := e;
            WHILE event_tx[e] = t LOOP
                passes := passes AND NOT tainted[event_stream[e]];
                e := e + 1;
            END LOOP;
            FOR own IN from_e .. e - 1 LOOP
                s := event_stream[own];
                IF passes THEN
                    place := place + 1;
                    added[s] := added[s] + 1;
                    event_place[own] := place;
                    event_offset[own] := added[s];
                ELSE
                    tainted[s] := true;
                    event_place[own] := NULL;
                END IF;
            END LOOP;
            accepted[t] := passes;
            tx_last[t] := place;
            IF passes AND tx_status[t] IS NOT NULL THEN
                known[tx_command[t]] := true;
                tx_target_offset[t] := added[tx_target[t]];
            ELSIF NOT passes THEN
                tx_status[t] := NULL;
            END IF;
        END LOOP;
        appended := place;
    END IF;

    INSERT INTO events (position, stream, version, id, type, schema_version, payload, metadata, recorded_at)
        SELECT head + new.place, new.name, versions[new.stream] + new.version, new.id, new.type, new.schema,
            new.payload, new.metadata, now_micros
        FROM unnest(event_place, event_name, event_stream, event_offset, event_id, event_type, event_schema,
            event_payload, event_metadata)
            AS new (place, name, stream, version, id, type, schema, payload, metadata)
        WHERE new.place IS NOT NULL;

    INSERT INTO commands (command_id, request_hash, status, body, version, position)
        SELECT new.id, new.hash, new.status, new.body, versions[new.target] + new.version,
            head + new.last
        FROM unnest(command_ids, tx_hash, tx_status, tx_body, tx_target, tx_target_offset, tx_last)
            AS new (id, hash, status, body, target, version, last)
        WHERE new.status IS NOT NULL;

    IF cardinality(intent_tx) > 0 THEN
        DELETE FROM intents WHERE id IN (
            SELECT change.id FROM unnest(intent_tx, intent_opens, intent_id) AS change (tx, opens, id)
            WHERE NOT change.opens AND coalesce(accepted[change.tx], true)
        );
        -- Of those opened after they were last closed, the first.
        INSERT INTO intents (id, payload, opened_at)
            SELECT opened.id, opened.payload, now_micros
            FROM (
                SELECT DISTINCT ON (change.id) change.id, change.payload, change.place
                FROM unnest(intent_tx, intent_opens, intent_id, intent_payload) WITH ORDINALITY
                    AS change (tx, opens, id, payload, place)
                WHERE change.opens AND coalesce(accepted[change.tx], true) AND NOT EXISTS (
                    SELECT FROM unnest(intent_tx, intent_opens, intent_id) WITH ORDINALITY
                        AS later (tx, opens, id, place)
                    WHERE later.id = change.id AND NOT later.opens AND coalesce(accepted[later.tx], true)
                        AND later.place > change.place
                )
                ORDER BY change.id, change.place
            ) AS opened
            ORDER BY opened.place
            ON CONFLICT (id) DO NOTHING;
    END IF;

    IF appended > 0 THEN
        PERFORM pg_notify('docket_log', (head + appended)::text);
    END IF;
END
$$;
