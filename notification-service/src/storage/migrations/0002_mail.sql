-- Since when customers get mail; no row while they get none. What is to be mailed stands in `deliveries`, for the endpoint `mail`,
-- without an address; there state 3 is: nobody to write to.
CREATE TABLE mail (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    since INTEGER NOT NULL
);
CREATE INDEX mails_by_order ON deliveries (subject, number) WHERE endpoint_id = 'mail';
