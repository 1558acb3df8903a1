#!/usr/bin/env bash
# Refuses to go on while a run holds the ledger's lock: terraform/check-no-run.sh tst
# A deployment replaces functions and machines at once, also those that a run is about to call.
set -euo pipefail
table="$1-anstead-ddb-bua"
key='{"control_key": {"S": "BUA"}, "run_date": {"S": "CURRENT"}}'

# Before the first deployment there is no ledger, and no run.
if ! found=$(aws dynamodb get-item --table-name "$table" --key "$key" --consistent-read --output text \
    --query 'Item.lock_owner.S' 2>&1); then
    if [[ $found == *ResourceNotFoundException* ]]; then exit 0; fi
    echo "$found" >&2
    exit 1
fi
if [[ -n $found && $found != None ]]; then
    echo "A run is in progress: $found holds the lock of $table. Deploy when it has ended, or stop it first." >&2
    exit 1
fi
