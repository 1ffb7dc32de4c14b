#!/bin/sh
# Draws what docker-compose.yml needs to know and nobody else may: passwords, addresses with them, the master key, and the keys that sign
# tokens.
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

# What follows it, with its checksum, in letters: how NATS writes keys. Each word is a byte.
nkey() {
    checksum=0
    for byte in "$@"; do
        checksum=$((checksum ^ byte << 8))
        for _ in 1 2 3 4 5 6 7 8; do
            checksum=$((checksum << 1))
            if [ $((checksum & 0x10000)) -ne 0 ]; then checksum=$((checksum ^ 0x11021)); fi
        done
    done
    bits=0
    held=0
    for byte in "$@" $((checksum & 255)) $((checksum >> 8)); do
        bits=$((bits << 8 | byte))
        held=$((held + 8))
        while [ "$held" -ge 5 ]; do
            held=$((held - 5))
            letter $((bits >> held & 31))
            bits=$((bits & ((1 << held) - 1)))
        done
    done
    if [ "$held" -gt 0 ]; then letter $((bits << (5 - held) & 31)); fi
    echo
}

# The letters A to Z, then 2 to 7.
letter() {
    if [ "$1" -lt 26 ]; then code=$(($1 + 65)); else code=$(($1 + 24)); fi
    printf "\\$(printf %03o "$code")"
}

bytes() {
    od -An -v -tu1
}

# identity NAME VARIABLE: the seed by which a service logs in to NATS is its own file; its public half is in one file for the server,
# under the name that deploy/nats/permissions.conf has for it.
identity() {
    if [ ! -e "$folder/$1.nk" ]; then
        openssl genpkey -algorithm ed25519 -outform DER -out "$folder/$1.der"
        public=$(openssl pkey -inform DER -in "$folder/$1.der" -pubout -outform DER | tail -c 32 | bytes)
        seed=$(tail -c 32 "$folder/$1.der" | bytes)
        rm -f "$folder/$1.der" "$folder/$1.nkey"
        # 160 is a user's key, 149 and 0 the seed of one.
        # shellcheck disable=SC2086
        nkey 160 $public | keep "$1.nkey"
        # shellcheck disable=SC2086
        nkey 149 0 $seed | keep "$1.nk"
    fi
    echo "$2 = \"$(cat "$folder/$1.nkey")\"" >> "$folder/nats_identities.new"
}

command -v openssl > /dev/null || { echo "openssl is needed to draw the services' keys for NATS" >&2; exit 1; }
echo "# Whom NATS knows: the public halves of the services' keys." > "$folder/nats_identities.new"
identity command-service NKEY_COMMAND_SERVICE
identity projection-service NKEY_PROJECTION_SERVICE
identity saga-orchestrator NKEY_SAGA_ORCHESTRATOR
identity notification-service NKEY_NOTIFICATION_SERVICE
identity gateway NKEY_GATEWAY
identity operator NKEY_OPERATOR
chmod 0444 "$folder/nats_identities.new"
mv -f "$folder/nats_identities.new" "$folder/nats_identities"
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
# issuer NAME: what its tokens are signed with, and the public half, by which they are known.
issuer() {
    if [ ! -e "$folder/$1.key" ]; then
        openssl genpkey -algorithm ed25519 -out "$folder/$1.drawn"
        x=$(openssl pkey -in "$folder/$1.drawn" -pubout -outform DER | tail -c 32 | base64 | tr -d '=\n' | tr '+/' '-_')
        printf '{"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"%.8s","x":"%s"}]}\n' "$x" "$x" > "$folder/$1.json.new"
        chmod 0444 "$folder/$1.json.new"
        mv -f "$folder/$1.json.new" "$folder/$1.json"
        keep "$1.key" < "$folder/$1.drawn"
        rm -f "$folder/$1.drawn"
    fi
}

# Whose tokens are taken, and what those for development and of services are signed with. For people an identity provider may be named.
issuer auth_dev
issuer auth_services
keep auth.toml < "$(dirname "$0")/auth.toml"
if grep -q auth_secret "$folder/auth.toml"; then
    echo "$folder/auth.toml is of an earlier version, and names a secret that no service is given any more. Remove auth.toml and auth_secret and run this again; tokens that were drawn before are not taken then" >&2
    exit 1
fi
echo "the secrets are in $folder; back up master.key apart from the databases"
