-- Looks keys up one at a time, in their index. Joined, the planner may read the whole table along its index and compare every
-- key with every row: plans are made once, on a log that may hardly be begun then, where each way costs the same.
DO $$
DECLARE
    looked_up text[][] := ARRAY[
        ['append_to_log',
         'FROM unnest(command_ids) AS asked (id) JOIN commands ON command_id = asked.id;',
         'FROM unnest(command_ids) AS asked (id),
            LATERAL (SELECT * FROM commands WHERE command_id = asked.id OFFSET 0) AS found;'],
        ['append_at_head',
         'JOIN events ON events.stream = claimed.name AND events.version = claimed.version',
         'WHERE (SELECT true FROM events WHERE events.stream = claimed.name AND events.version = claimed.version)'],
        ['append_at_head',
         'JOIN commands ON command_id = asked.id',
         'WHERE (SELECT true FROM commands WHERE command_id = asked.id)']
    ];
    change text[];
    before text;
    after  text;
BEGIN
    FOREACH change SLICE 1 IN ARRAY looked_up LOOP
        before := pg_get_functiondef(change[1]::regproc);
        after := replace(before, change[2], change[3]);
        IF after = before THEN
            RAISE EXCEPTION '% has no such join', change[1];
        END IF;
        EXECUTE after;
    END LOOP;
END
$$;
