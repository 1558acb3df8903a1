#!/usr/bin/env bash
# Formats, validates and tests every module and root module, without an AWS account: terraform/check.sh [folder ...]
# PROVIDER=newest takes the newest permitted AWS provider instead of the locked one.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v terraform >/dev/null; then
    echo "SKIPPED: no terraform on this machine: modules/ and terraform/ were neither formatted, validated nor tested" >&2
    exit 0
fi
# Terraform complains about a configuration file that is named but does not exist.
if [[ -n ${TF_CLI_CONFIG_FILE:-} && ! -e $TF_CLI_CONFIG_FILE ]]; then unset TF_CLI_CONFIG_FILE; fi
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_INPUT=0

folders=("$@")
if [[ ${#folders[@]} -eq 0 ]]; then
    terraform fmt -check -diff -recursive modules terraform || exit 1
    folders=(terraform/*/versions.tf modules/*/versions.tf)
    folders=("${folders[@]%/versions.tf}")
fi

# In a copy of the tree: the lock files that init writes and 700 MB of providers must not end up in the original.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mirror=$(terraform/find-mirror.sh)
tar -cf - --exclude .terraform modules terraform statemachines catalogue.yaml | tar -xf - -C "$work"
cd "$work"
init="-backend=false -no-color"
if [[ -n $mirror ]]; then
    init+=" -plugin-dir=$mirror"
else
    export TF_PLUGIN_CACHE_DIR=${TF_PLUGIN_CACHE_DIR:-$work/plugins} # downloaded once, by the first init
    mkdir -p "$TF_PLUGIN_CACHE_DIR"
fi
if [[ ${PROVIDER:-locked} == newest ]]; then rm terraform/earl/.terraform.lock.hcl; fi
# shellcheck disable=SC2086 # several options
if ! terraform -chdir=terraform/earl init $init >first.log 2>&1; then
    cat first.log >&2
    if ! grep -qE "Failed to query available provider packages|Could not retrieve the list of available versions" first.log; then exit 1; fi
    echo "The AWS provider cannot be downloaded: name a mirror in TF_PROVIDER_MIRROR, or connect to the registry" >&2
    exit 75
fi
# Everything is tested with the provider that the first root module locks; modules have no lock of their own.
for folder in terraform/anstead "${folders[@]%/}"; do
    if [[ $folder != terraform/earl ]]; then cp terraform/earl/.terraform.lock.hcl "$folder"; fi
done
init+=" -lockfile=readonly"

check() {
    local folder=$1 log
    log=${folder//\//-}.log
    # shellcheck disable=SC2086 # several options
    if terraform -chdir="$folder" init $init >"$log" 2>&1 &&
        terraform -chdir="$folder" validate -no-color >"$log" 2>&1 &&
        terraform -chdir="$folder" test -no-color >>"$log" 2>&1; then
        printf '%-26s %s\n' "$folder" "$(grep -E '^Success! [0-9]' "$log")"
        grep -A4 Warning "$log" || true
    else
        printf '%-26s FAILED\n' "$folder"
        cat "$log" >&2
        return 1
    fi
}
export init
export -f check
printf '%s\0' "${folders[@]%/}" | xargs -0 -n 1 -P "$(getconf _NPROCESSORS_ONLN)" bash -c 'check "$1"' check
