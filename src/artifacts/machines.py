"""The state machines, rendered for an environment; `python -m artifacts.machines --out FOLDER` writes all of them.

A machine is statemachines/blocks.yaml followed by its own file, read as one YAML document without the key `blocks`, whose
${placeholders} stand inside strings. modules/state-machine reads and fills the same text with Terraform. Strict both ways: a
placeholder without a value, a value without a placeholder, a key that stands twice, a block that is not used are all errors.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from shared.catalogue import Catalogue, StateMachine, load
from shared.errors import InvalidInput
from shared.paths import ROOT

FOLDER = ROOT / "statemachines"
BLOCKS = "blocks.yaml"
PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")


def file_name(catalogue: Catalogue, machine: StateMachine) -> str:
    """NN-<step>.asl.yaml, NN being the machine's position in the catalogue."""
    return f"{catalogue.state_machines.index(machine):02d}-{machine.step}.asl.yaml"


def placeholders(machine: StateMachine) -> tuple[str, ...]:
    """The names that a machine may and must use: function_..., queue_..., machine_... and plain values."""
    calls = machine.calls
    names = [
        *(f"function_{name}" for name in calls.functions),
        *(f"queue_{name}" for name in calls.queues),
        *(f"machine_{name}" for name in calls.machines),
        *calls.values,
    ]
    return tuple(name.replace("-", "_") for name in names)


class _Loader(yaml.SafeLoader):
    """YAML as both readers understand it: PyYAML keeps the last of two equal keys, Terraform lets a late `<<` win."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            if key.value == "<<" and seen:
                raise yaml.MarkedYAMLError(problem="<< does not stand first", problem_mark=key.start_mark)
            seen.add(key.value)
        return node


def read(blocks: str, text: str, name: str) -> dict[str, Any]:
    """A machine's template, its blocks resolved; raises InvalidInput that names file and line."""
    try:
        template: dict[str, Any] = yaml.load(f"{blocks}\n{text}", _Loader)  # noqa: S506 - it derives from SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        before = blocks.count("\n") + 1
        place = f"{name}, line {line - before + 1}" if line >= before else f"{BLOCKS}, line {line + 1}"
        raise InvalidInput(f"{place}: {error.problem}") from None
    template.pop("blocks")
    return template


def fill(template: Mapping[str, Any], step: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Fill a template's placeholders; raises InvalidInput for unknown and for unused ones. Every template may use ${step}."""
    text = json.dumps(template)
    used = set(PLACEHOLDER.findall(text))
    if unknown := used - values.keys() - {"step"}:
        raise InvalidInput(f"machine {step}: placeholders without a value: {', '.join(sorted(unknown))}")
    if unused := values.keys() - used:
        raise InvalidInput(f"machine {step}: values without a placeholder: {', '.join(sorted(unused))}")
    # Values go in as JSON strings do, without their quotes: a quote in one cannot break out of its string.
    filling = {"step": step, **values}
    filled = PLACEHOLDER.sub(lambda match: json.dumps(filling[match[1]])[1:-1], text)
    definition: dict[str, Any] = json.loads(filled)
    return definition


def check_blocks(blocks: str, texts: Iterable[str]) -> None:
    """Raise InvalidInput for blocks that none of the machines uses."""
    named = {anchor for event in yaml.parse(blocks) if (anchor := getattr(event, "anchor", None))}
    used = {
        event.anchor for text in (blocks, *texts) for event in yaml.parse(text) if isinstance(event, yaml.AliasEvent)
    }
    if unused := named - used:
        raise InvalidInput(f"{BLOCKS}: no machine uses {', '.join(sorted(unused))}")


def render_machine(catalogue: Catalogue, machine: StateMachine, values: Mapping[str, str]) -> dict[str, Any]:
    """Render a machine from the environment's values, of which it takes those that the catalogue says it calls."""
    names = placeholders(machine)
    if missing := [name for name in names if name not in values]:
        raise InvalidInput(f"machine {machine.step}: no value for {', '.join(missing)}")
    name = file_name(catalogue, machine)
    template = read(_text(BLOCKS), _text(name), name)
    return fill(template, machine.step, {name: values[name] for name in names})


def environment_values(
    catalogue: Catalogue, region: str, account_id: str, prefix: str, queue_url_prefix: str
) -> dict[str, str]:
    """The values of every function, queue and machine of one account's environment."""
    values = {
        f"function_{name}": f"arn:aws:lambda:{region}:{account_id}:function:{prefix}-lambda-bua-{name}"
        for name in catalogue.functions
    }
    values |= {f"queue_{name}": f"{queue_url_prefix}{name}" for name, f in catalogue.functions.items() if f.queue}
    values |= {
        f"machine_{machine.step}": f"arn:aws:states:{region}:{account_id}:stateMachine:{prefix}-{machine.step}"
        for machine in catalogue.state_machines
    }
    return {name.replace("-", "_"): value for name, value in values.items()}


def example_values(catalogue: Catalogue) -> dict[str, str]:
    """Values of no environment, for rendering machines that nobody runs."""
    return environment_values(
        catalogue,
        "ap-southeast-2",
        "222222222222",
        "tst-anstead",
        "https://sqs.example/222222222222/tst-anstead-sqs-bua-",
    ) | {
        "production_instance": "tst-earl-core",
        "shared_key_arn": "arn:aws:kms:ap-southeast-2:111111111111:key/shared",
        "accrual_account_id": "222222222222",
        "snapshot_topic_arn": "arn:aws:sns:ap-southeast-2:111111111111:tst-earl-sns-bua-snapshot",
        "snapshots_kept": "3",
        "interval_table_arn": "arn:aws:dynamodb:ap-southeast-2:111111111111:table/tst-earl-ddb-interval",
        "interval_export_bucket": "tst-earl-s3-bua-interval-export",
    }


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def main() -> int:
    """Write every machine with example values, for validators and for whoever wants to look."""
    parser = argparse.ArgumentParser(prog="python -m artifacts.machines", description=main.__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the files NN-<step>.asl.json")
    out: Path = parser.parse_args().out
    catalogue = load()
    values = example_values(catalogue)
    try:
        rendered = {file_name(catalogue, m): render_machine(catalogue, m, values) for m in catalogue.state_machines}
        check_blocks(_text(BLOCKS), [_text(name) for name in rendered])
    except InvalidInput as error:
        print(error, file=sys.stderr)
        return 1
    out.mkdir(parents=True, exist_ok=True)
    for name, definition in rendered.items():
        (out / name).with_suffix(".json").write_text(json.dumps(definition, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
