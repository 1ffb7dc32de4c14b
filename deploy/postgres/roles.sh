#!/bin/sh
# Makes the roles and databases of Docket, once, when PostgreSQL starts over an empty folder.
#
# Each address in $SECRETS says who logs in where with which password: postgres://ROLE:PASSWORD@HOST:PORT/DATABASE.
# The log and the keys have an owner, who migrates, and a service role, which can append and not change. The other
# databases belong to their services: what is in them can be made anew from the log, but for who is told by webhooks.
# Each role reaches its one database, and no other of this server.
set -eu

SECRETS=${SECRETS:-/run/secrets}

run() {
    psql --no-psqlrc --quiet --username "${POSTGRES_USER:-postgres}" --set ON_ERROR_STOP=1 --dbname postgres "$@"
}

# read_address NAME: sets role, password and database.
read_address() {
    address=$(cat "$SECRETS/$1")
    rest=${address#*://}
    login=${rest%%@*}
    role=${login%%:*}
    password=${login#*:}
    database=${rest##*/}
}

make_role() {
    run --set role="$role" --set password="$password" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
SQL
}

# Nobody may connect who is not named, and nobody makes tables in the schema `public` but its owner.
make_database() {
    run --set role="$role" --set database="$database" <<'SQL'
CREATE DATABASE :"database" OWNER :"role";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
}

allow_to_connect() {
    run --set role="$role" --set database="$database" <<'SQL'
GRANT CONNECT ON DATABASE :"database" TO :"role";
SQL
}

for owner in log_owner_url keys_owner_url reads_url sagas_url notifications_url; do
    read_address "$owner"
    make_role
    make_database
done
for service in log_url keys_url; do
    read_address "$service"
    make_role
    allow_to_connect
done

# Those that the server came with are for its administrator.
run <<'SQL'
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
SQL
