#!/bin/sh
# Draws what docker-compose.yml needs to know and nobody else may: passwords, addresses with them, the master key, and what tokens are
# signed with.
#
# Usage: deploy/make-secrets.sh [FOLDER]        (default: secrets)
# What is there already stays: the passwords stand in the databases too, and without its master key personal data is lost.
set -eu

folder=${1:-secrets}
umask 077
mkdir -p "$folder"
# Also one that was there already.
chmod 0700 "$folder"

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# keep NAME: what comes in, unless there is something. Containers read it as users of their own, hence the mode; others on
# this machine are kept out by the folder.
keep() {
    if [ ! -e "$folder/$1" ]; then
        cat > "$folder/$1.new"
        chmod 0444 "$folder/$1.new"
        mv "$folder/$1.new" "$folder/$1"
    fi
}

# address NAME ROLE DATABASE
address() {
    echo "postgres://$2:$(random)@postgres:5432/$3" | keep "$1"
}

random | keep postgres_password
address log_owner_url docket_log_owner docket_log
address log_url docket_log_service docket_log
address keys_owner_url docket_keys_owner docket_keys
address keys_url docket_keys_service docket_keys
address reads_url docket_reads docket_reads
address sagas_url docket_sagas docket_sagas
address notifications_url docket_notifications docket_notifications

if [ ! -e "$folder/nats_url" ]; then
    password=$(random)
    # NATS reads this file into its configuration.
    rm -f "$folder/nats_authorization"
    echo "authorization { user: docket, password: \"$password\" }" | keep nats_authorization
    echo "nats://docket:$password@nats:4222" | keep nats_url
fi
if [ ! -e "$folder/nats_routes" ]; then
    password=$(random)
    {
        echo "authorization { user: route, password: \"$password\" }"
        echo "routes: ["
        for node in nats-1 nats-2 nats-3; do
            echo "  \"nats://route:$password@$node:6222\""
        done
        echo "]"
    } | keep nats_routes
fi
head -c 32 /dev/urandom | keep master.key
# Whose tokens are taken, and the secret that those for development are signed with. In place of it an identity provider may be named.
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' | keep auth_secret
keep auth.toml < "$(dirname "$0")/auth.toml"
echo "the secrets are in $folder; back up master.key apart from the databases"
