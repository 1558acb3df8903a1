#!/usr/bin/env bash
# Format, validation and tests of every module and root, without an AWS account: terraform/check.sh [folder ...]
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v terraform >/dev/null; then
    echo "SKIPPED: no terraform on this machine: modules/ and terraform/ were neither formatted, validated nor tested" >&2
    exit 0
fi
# A configuration that is named but not there only makes Terraform complain.
if [[ -n ${TF_CLI_CONFIG_FILE:-} && ! -e $TF_CLI_CONFIG_FILE ]]; then unset TF_CLI_CONFIG_FILE; fi
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_INPUT=0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mirror=$(terraform/find-mirror.sh)
init=(-backend=false -no-color)
if [[ -n $mirror ]]; then init+=("-plugin-dir=$mirror"); fi

folders=("$@")
if [[ ${#folders[@]} -eq 0 ]]; then
    terraform fmt -check -diff -recursive modules terraform
    folders=(modules/*/ terraform/earl/ terraform/anstead/)
fi

failed=()
for folder in "${folders[@]}"; do
    folder=${folder%/}
    # One at a time, each with a data directory that is not left in the tree: the provider alone takes 700 MB.
    export TF_DATA_DIR=$work/data
    rm -rf "$TF_DATA_DIR"
    echo "== $folder"
    # A root's lock is checked as it lies there. Modules have none, and the one that init writes is not left behind.
    lock=$folder/.terraform.lock.hcl
    locked=()
    if [[ $folder == terraform/* ]]; then locked=(-lockfile=readonly); fi
    if ! { terraform -chdir="$folder" init "${init[@]}" "${locked[@]}" >"$work/log" 2>&1 &&
        terraform -chdir="$folder" validate -no-color >>"$work/log" 2>&1 &&
        terraform -chdir="$folder" test -no-color >>"$work/log" 2>&1; }; then
        failed+=("$folder")
        cat "$work/log" >&2
    else
        # A mirror knows the checksums of one platform only, which is no news.
        grep -E "^(Success!|Failure!)|warning" -i "$work/log" | grep -v "Incomplete lock file" || true
    fi
    if [[ ${#locked[@]} -eq 0 ]]; then rm -f "$lock"; fi
done

if [[ ${#failed[@]} -gt 0 ]]; then
    echo "FAILED: ${failed[*]}" >&2
    exit 1
fi
