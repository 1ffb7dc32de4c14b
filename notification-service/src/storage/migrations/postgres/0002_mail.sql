-- As for SQLite, with the types of PostgreSQL.
CREATE TABLE mail (
    singleton BIGINT PRIMARY KEY CHECK (singleton = 1),
    since BIGINT NOT NULL
);
CREATE INDEX mails_by_order ON deliveries (subject, number) WHERE endpoint_id = 'mail';
