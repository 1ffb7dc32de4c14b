-- A saga is rewritten at each of its steps. With room beside it, its new version stands in the same page, and no index learns of
-- it unless its state is another: two of three steps, where it was one of three.
ALTER TABLE sagas SET (fillfactor = 50);

-- Ids compare by their bytes, as in SQLite: by a language's rules it takes longer, and an index breaks when they change.
ALTER TABLE sagas
    ALTER COLUMN id TYPE TEXT COLLATE "C",
    ALTER COLUMN order_id TYPE TEXT COLLATE "C";
ALTER TABLE outbox
    ALTER COLUMN command_id TYPE TEXT COLLATE "C",
    ALTER COLUMN saga_id TYPE TEXT COLLATE "C";

-- Lists are in the order of the numbers: an index without them leads to all of a state, or the planner reads past all
-- other states.
DROP INDEX sagas_by_state;
CREATE INDEX sagas_by_state ON sagas (state, number);
DROP INDEX sagas_by_order;
CREATE INDEX sagas_by_order ON sagas (order_id, number);

-- What is rare is found without reading past what is not: nearly every saga is an order's.
CREATE INDEX sagas_by_kind ON sagas (kind, number) WHERE kind <> 'order';
CREATE INDEX sagas_by_kind_and_state ON sagas (kind, state, number) WHERE kind <> 'order';

-- A command's id begins with its saga's.
DROP INDEX outbox_by_saga;
