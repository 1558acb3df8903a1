"""Rendering of the state machine templates, strict both ways.

A template is valid JSON as it lies there; its ${placeholders} stand inside strings, as Terraform's templatefile() wants
them. A placeholder without a value and a value without a placeholder are both errors, so neither can be forgotten.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.catalogue import Catalogue, StateMachine
from shared.errors import InvalidInput
from shared.paths import ROOT

PLACEHOLDER = re.compile(r"\$\{([a-z0-9_]+)\}")


def file_name(catalogue: Catalogue, machine: StateMachine) -> str:
    """NN-<step>.asl.json, NN being the machine's position in the catalogue."""
    return f"{catalogue.state_machines.index(machine):02d}-{machine.step}.asl.json"


def template(catalogue: Catalogue, machine: StateMachine) -> str:
    """The template of a machine, as it lies in statemachines/."""
    return (ROOT / "statemachines" / file_name(catalogue, machine)).read_text(encoding="utf-8")


def placeholders(machine: StateMachine) -> tuple[str, ...]:
    """The names that a machine's template may and must use: function_..., queue_..., machine_... and plain values."""
    calls = machine.calls
    names = [
        *(f"function_{name}" for name in calls.functions),
        *(f"queue_{name}" for name in calls.queues),
        *(f"machine_{name}" for name in calls.machines),
        *calls.values,
    ]
    return tuple(name.replace("-", "_") for name in names)


def render(text: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Fill a template's placeholders and parse it; raises InvalidInput for unknown and for unused ones."""
    used = set(PLACEHOLDER.findall(text))
    if unknown := used - values.keys():
        raise InvalidInput(f"placeholders without a value: {', '.join(sorted(unknown))}")
    if unused := values.keys() - used:
        raise InvalidInput(f"values without a placeholder: {', '.join(sorted(unused))}")
    json.loads(text)
    # Values go in as JSON strings do, without their quotes: a quote in one cannot break out of its string.
    filled = PLACEHOLDER.sub(lambda match: json.dumps(values[match[1]])[1:-1], text)
    definition: dict[str, Any] = json.loads(filled)
    return definition


def render_machine(catalogue: Catalogue, machine: StateMachine, values: Mapping[str, str]) -> dict[str, Any]:
    """Render a machine from the environment's values, of which it takes those that the catalogue says it calls."""
    names = placeholders(machine)
    if missing := [name for name in names if name not in values]:
        raise InvalidInput(f"machine {machine.step}: no value for {', '.join(missing)}")
    return render(template(catalogue, machine), {name: values[name] for name in names})


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
