-- What is rare is found without reading past what is not: nearly every saga is an order's.
CREATE INDEX sagas_by_kind ON sagas (kind) WHERE kind <> 'order';
CREATE INDEX sagas_by_kind_and_state ON sagas (kind, state) WHERE kind <> 'order';

-- A command's id begins with its saga's.
DROP INDEX outbox_by_saga;
