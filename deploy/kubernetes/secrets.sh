#!/bin/sh
# Prints the Secrets of an overlay, each with the files that one workload needs and no more, out of the folder that
# deploy/make-secrets.sh filled. Nothing is sent anywhere: pipe it into `kubectl apply --filename -`.
#
# Usage: deploy/kubernetes/secrets.sh single|distributed [FOLDER]        (default: secrets)
# The addresses name the host `postgres`: edit the files in the folder first if yours is called otherwise. That of NATS is in the
# overlay, and its server needs nats_identities out of the folder beside deploy/nats/permissions.conf.
set -eu

overlay=${1:-}
folder=${2:-secrets}

# secret NAME FILE...
secret() {
    name=$1
    shift
    printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: docket\n' "$name"
    printf '  labels:\n    app.kubernetes.io/part-of: docket\ntype: Opaque\ndata:\n'
    for file in "$@"; do
        printf '  %s: %s\n' "$file" "$(base64 < "$folder/$file" | tr -d '\n')"
    done
}

case $overlay in
single)
    secret docket-auth auth.toml auth_dev.json auth_services.json
    ;;
distributed)
    secret docket-auth auth.toml auth_dev.json auth_services.json
    secret docket-auth-command-service auth.toml auth_dev.json auth_services.json auth_services.key
    secret docket-migrate log_url log_owner_url keys_url keys_owner_url
    secret docket-command-service log_url keys_url command-service.nk master.key
    secret docket-projection-service reads_url projection-service.nk master.key
    secret docket-saga-orchestrator sagas_url saga-orchestrator.nk
    secret docket-notification-service notifications_url notification-service.nk master.key
    ;;
*)
    sed -n 's/^# Usage: /usage: /p' "$0" >&2
    exit 2
    ;;
esac
