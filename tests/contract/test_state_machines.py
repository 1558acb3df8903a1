"""Every state machine: rendered strictly, every branch walked, every name that it calls resolved."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import jsonata
import pytest

from artifacts import machines
from shared import catalogue, errors
from shared.errors import InvalidInput
from shared.paths import ROOT
from shared.steps.actions import ACTIONS
from shared.steps.requests import RunRequest
from shared.work.messages import FanOut

CATALOGUE = catalogue.load()
MACHINES = CATALOGUE.state_machines
STEPS = [machine.step for machine in MACHINES]
FOLDER = ROOT / "statemachines"

VALUES = machines.example_values(CATALOGUE)
RENDERED = {machine.step: machines.render_machine(CATALOGUE, machine, VALUES) for machine in MACHINES}

# The numbered steps of the user's document, by machine, as the states that do them. Waiting for the platform and what
# AWS needs in between stand between these.
DOCUMENT = {
    "restore": [
        "Execute Cloudformation template to create an RDS instance",
        "Reset the core_admin password of the new RDS instance",
        "Disable all workflow schedules",
        "Truncate WorkflowInstance and EventLog tables",
        "Set user passwords",
        "Calculate statistics for AggregatedRead",
        "Scale down any workflow or meterdata pods",
        "Set the Route53 entry to point to the new RDS instance",
    ],
    "scaleup-workflow": ["Scale EKS node group to 1 nodes", "Scale workflow to 1 replicas"],
    "warming": [
        "Execute core_warm_database_statistics",
        "Wait for the statistics workflows to complete",
        "Execute core_warm_database_indexes",
        "Wait for the index workflows to complete",
    ],
    "segments": [
        "Initiate UtilityProfile and wait for SQS queues to empty",
        "Initiate SegmentJurisdictionAvgExclEst and wait for SQS queues to empty",
        "Initiate SegmentJurisdictionCheck and wait for SQS queues to empty",
        "Initiate SegmentJurisdictionFix and wait for SQS queues to empty",
        "Initiate Validate and wait for SQS queues to empty",
        "Execute bua_create_macro_profile",
    ],
    "microscalar": ["Initiate MicroScalar and wait for SQS queues to empty"],
    "reset-basicreads": [
        "Initiate ResetBasicRead and wait for SQS queues to empty",
        "Check BUAControl table for any failures",
    ],
    "basicreads": ["Initiate BasicRead and wait for SQS queues to empty", "Check BUAControl table for any failures"],
    "scaleup-meterdata": ["Scale EKS node group to 10 nodes", "Scale meterdata to 8 replicas"],
    "nem12": [
        "Initiate NEM12 and wait for SQS queues to empty",
        "Wait for workflow instances to complete",
        "Reschedule any failed workflow instances",
        "Wait for rescheduled workflow instances to complete",
        "Check for any remaining failed workflow instances",
    ],
    "invoiceruns": [
        "Set priorities of workflows appropriately",
        "Initiate invoice run batches",
        "Wait for all workflow schedules to execute",
        "Wait for GENERATE_ILI to complete",
        "Wait for RUN_INVOICE_BATCH to complete",
        "Resubmit failed RUN_INVOICE_BATCH",
        "Wait for resubmitted RUN_INVOICE_BATCH to complete",
        "Check for any remaining failed RUN_INVOICE_BATCH",
        "Wait for INVOICEGEN to complete",
        "Resubmit failed INVOICEGEN",
        "Wait for resubmitted INVOICEGEN to complete",
        "Check for any remaining failed INVOICEGEN",
    ],
    "scaledown": ["Scale EKS node group to 0 nodes", "Scale workflow and meterdata to 0 replicas"],
    "export": [
        "Truncate BUAAccountSummary and InvoiceLineItemMonthly",
        "Remove any old S3 files from the export folder",
        "Remove any old S3 files from the integration folder",
        "Initiate preparation of data to export and wait for SQS queues to empty",
        "Export BUAAccountSummary and InvoiceLineItemMonthly as CSV",
        "Copy S3 objects to the integration folder",
    ],
    "terminate": ["Delete the cloudformation stack"],
    "snapshot": [
        "Take an encrypted snapshot",
        "Re-encrypt the snapshot with the shared key",
        "Share the snapshot",
        "Publish to the topic",
        "Forget old snapshots",
    ],
}


def scopes(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The machine itself and every state machine inside it: Parallel's branches and Map's processor."""
    yield definition
    for state in definition["States"].values():
        for branch in [*state.get("Branches", []), *filter(None, [state.get("ItemProcessor"), state.get("Iterator")])]:
            yield from scopes(branch)


def states_of(step: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for scope in scopes(RENDERED[step]):
        yield from scope["States"].items()


def targets(state: dict[str, Any]) -> list[str]:
    """Where a state can go."""
    found = [state[key] for key in ("Next", "Default") if key in state]
    found += [choice["Next"] for choice in state.get("Choices", [])]
    return found + [catcher["Next"] for catcher in state.get("Catch", [])]


def payloads(step: str, kind: str) -> list[dict[str, Any]]:
    return [s["Arguments"] for _, s in states_of(step) if kind in s.get("Resource", "")]


def actions_of(step: str) -> list[dict[str, Any]]:
    """What a machine asks the controllers for."""
    return [a for a in payloads(step, "lambda:invoke") if a["FunctionName"] != VALUES["function_report"]]


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from strings(child)


def test_the_files_are_those_of_the_catalogue():
    files = {machines.file_name(CATALOGUE, machine) for machine in MACHINES}
    assert {path.name for path in FOLDER.iterdir()} == files | {"blocks.yaml"}


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_a_file_has_nothing_that_is_special_to_a_terraform_template_but_placeholders(path):
    text = path.read_text(encoding="utf-8")
    assert "%{" not in text  # a directive
    assert "$${" not in text  # an escaped placeholder


@pytest.mark.parametrize("step", STEPS)
def test_every_branch_leads_somewhere_and_every_state_is_reached(step):
    for scope in scopes(RENDERED[step]):
        states = scope["States"]
        reached, waiting = set(), [scope["StartAt"]]
        while waiting:
            name = waiting.pop()
            assert name in states, f"{name!r} is not a state"
            if name not in reached:
                reached.add(name)
                waiting += targets(states[name])
        assert reached == states.keys()


@pytest.mark.parametrize("step", STEPS)
def test_every_state_ends_once(step):
    for name, state in states_of(step):
        terminal = state["Type"] in ("Succeed", "Fail")
        choice = state["Type"] == "Choice"
        assert ("Next" in state) + bool(state.get("End")) == (0 if terminal or choice else 1), name
        assert not choice or "Default" in state, name
        assert len(name) <= 80, name


@pytest.mark.parametrize("step", [step for step in STEPS if step != "snapshot"])
def test_every_failure_is_recorded_before_the_machine_fails(step):
    for name, state in states_of(step):
        if state["Type"] == "Task":
            assert any("States.ALL" in catcher["ErrorEquals"] for catcher in state["Catch"]), name
    failing = [name for name, state in states_of(step) if state["Type"] == "Fail"]
    assert failing == ["Run failed" if step == "bua" else "Step failed"]


@pytest.mark.parametrize("step", STEPS)
def test_errors_that_are_retried_exist(step):
    """A misspelt error name would never match, and nobody would notice."""
    ours = {name for name, value in vars(errors).items() if isinstance(value, type)} | {"ClusterUnavailable"}
    for name, state in states_of(step):
        for rule in [*state.get("Retry", []), *state.get("Catch", [])]:
            for error in rule["ErrorEquals"]:
                assert error in ours or error.split(".")[0] in ("States", "Lambda", "SQS", "Rds", "DynamoDb"), (
                    name,
                    error,
                )


@pytest.mark.parametrize("step", [step for step in STEPS if step != "snapshot"])
def test_actions_exist_and_are_asked_what_they_understand(step):
    for arguments in actions_of(step):
        payload = dict(arguments["Payload"])
        request = ACTIONS[payload.pop("action")].request
        required = {name for name, field in request.model_fields.items() if field.is_required()}
        assert required <= payload.keys() <= request.model_fields.keys(), payload


def test_every_action_is_used():
    used = {p["Payload"]["action"] for step in STEPS for p in actions_of(step)}
    assert used == ACTIONS.keys()


def test_the_report_is_asked_for_once_when_the_files_are_handed_over_and_stops_nothing():
    ((name, state),) = [
        (name, s) for step in STEPS for name, s in states_of(step)
        if s.get("Arguments", {}).get("FunctionName") == VALUES["function_report"]
    ]  # fmt: skip
    states = RENDERED["export"]["States"]
    assert states["Copy S3 objects to the integration folder"]["Next"] == name
    assert state["Arguments"]["Payload"].keys() == RunRequest.model_fields.keys()
    (caught,) = state["Catch"]
    assert caught["ErrorEquals"] == ["States.ALL"]
    after = states[caught["Next"]]
    assert {state["Next"], after["Next"], *(catcher["Next"] for catcher in after["Catch"])} == {"Finish"}


@pytest.mark.parametrize("step", [step for step in STEPS if step not in ("bua", "snapshot")])
def test_a_step_calls_itself_by_its_own_name(step):
    calls = [a["Payload"] for a in payloads(step, "lambda:invoke")] + [a["MessageBody"] for a in payloads(step, "sqs:")]
    assert {call["step"] for call in calls if "step" in call} == {step}


def test_every_run_type_is_fanned_out_exactly_once():
    fan_outs = [body["MessageBody"] for step in STEPS for body in payloads(step, "sqs:sendMessage")]
    assert sorted(body["run_type"] for body in fan_outs) == sorted(CATALOGUE.run_types)
    for body in fan_outs:
        assert body.keys() == {name for name, field in FanOut.model_fields.items() if field.is_required()}


def test_a_fan_out_waits_longer_for_a_heartbeat_than_a_queue_hides_a_message():
    """Else a site-initiate that died would be redelivered to a state that has given up. It may die twice."""
    hidden = CATALOGUE.functions["site-initiate"].timeout_seconds + 15
    for step in STEPS:
        for name, state in states_of(step):
            if "waitForTaskToken" in state.get("Resource", ""):
                assert 2 * hidden + 300 < state["HeartbeatSeconds"] < state["TimeoutSeconds"], name


@pytest.mark.parametrize("step", STEPS)
def test_variables_are_assigned_before_they_are_read(step):
    import re

    assigned = {name for _, s in states_of(step) for name in s.get("Assign", {})}
    assigned |= {n for _, s in states_of(step) for c in s.get("Catch", []) for n in c.get("Assign", {})}
    for name, state in states_of(step):
        for text in strings(state):
            if text.startswith("{%"):
                assert text.endswith("%}"), name
                read = set(re.findall(r"\$([a-z_]+)\b(?!\()", text)) - {"states"}
                assert read <= assigned, (name, read - assigned)


@pytest.mark.parametrize("step", DOCUMENT)
def test_the_documents_steps_come_in_the_documents_order(step):
    order, name = [], RENDERED[step]["StartAt"]
    while name is not None and name not in order:
        order.append(name)
        state = RENDERED[step]["States"][name]
        name = state["Choices"][0]["Next"] if state["Type"] == "Choice" else state.get("Next")
    assert [name for name in order if name in DOCUMENT[step]] == DOCUMENT[step]


def test_bua_runs_the_pipeline_in_the_catalogues_order_and_can_leave_out_each():
    states = RENDERED["bua"]["States"]
    name = states["Begin"]["Next"]
    for step in CATALOGUE.pipeline():
        choice = states[name]
        (rule,) = choice["Choices"]
        assert rule["Condition"] == f"{{% '{step}' in $steps %}}"
        run = states[rule["Next"]]
        assert run["Resource"] == "arn:aws:states:::states:startExecution.sync:2"
        assert run["Arguments"]["StateMachineArn"].endswith(f":stateMachine:tst-anstead-{step}")
        assert run["Next"] == choice["Default"]
        name = choice["Default"]
    assert name == "Finish"


BLOCKS = """\
blocks:
  - &task {Type: Task, Resource: "${function_x}"}
  - &ended {End: true}
"""


def read(text: str, blocks: str = BLOCKS) -> dict[str, Any]:
    return machines.read(blocks, text, "machine")


class TestReading:
    def test_a_block_is_taken_over_and_its_keys_replaced(self):
        text = "StartAt: A\nStates:\n  A: {<<: *task, Type: Pass, Next: B}\n"
        assert read(text) == {
            "StartAt": "A",
            "States": {"A": {"Type": "Pass", "Resource": "${function_x}", "Next": "B"}},
        }

    def test_a_key_that_stands_twice_is_refused(self):
        with pytest.raises(InvalidInput, match="machine, line 3: the key 'Next' stands twice"):
            read("A:\n  Next: B\n  Next: C\n")

    def test_a_key_that_stands_twice_in_a_block_is_refused(self):
        with pytest.raises(InvalidInput, match=r"blocks\.yaml, line 2: the key 'End' stands twice"):
            read("A: *ended\n", "blocks:\n  - &ended {End: true, End: false}\n")

    def test_a_block_that_would_replace_what_stands_before_it_is_refused(self):
        """Terraform would let it, PyYAML would not."""
        with pytest.raises(InvalidInput, match="machine, line 1: << does not stand first"):
            read("A: {Type: Pass, <<: *task}\n")

    def test_a_block_that_does_not_exist_is_refused(self):
        with pytest.raises(InvalidInput, match="machine, line 2: found undefined alias 'taks'"):
            read("A:\n  <<: *taks\n")

    def test_text_that_is_no_yaml_is_refused(self):
        with pytest.raises(InvalidInput, match="machine, line 2"):
            read("A: [B\nC: D\n")

    def test_a_block_that_no_machine_uses_is_refused(self):
        machines.check_blocks(BLOCKS, ["A: {<<: *task}", "B: *ended"])
        with pytest.raises(InvalidInput, match=r"blocks\.yaml: no machine uses ended"):
            machines.check_blocks(BLOCKS, ["A: {<<: *task}", "B: {<<: *task}"])


class TestFilling:
    def test_a_placeholder_without_a_value_is_refused(self):
        with pytest.raises(InvalidInput, match="machine x: placeholders without a value: queue_x"):
            machines.fill({"a": "${queue_x}"}, "x", {})

    def test_what_only_looks_like_a_placeholder_is_refused(self):
        with pytest.raises(InvalidInput, match="placeholders without a value: Queue-X"):
            machines.fill({"a": "${Queue-X}"}, "x", {})

    def test_a_value_without_a_placeholder_is_refused(self):
        with pytest.raises(InvalidInput, match="machine x: values without a placeholder: queue_x"):
            machines.fill({"a": "b"}, "x", {"queue_x": "url"})

    def test_a_machine_knows_its_own_step(self):
        assert machines.fill({"a": "${step}", "b": "${queue_x}"}, "nem12", {"queue_x": "url"}) == {
            "a": "nem12",
            "b": "url",
        }

    def test_a_value_cannot_break_out_of_its_string(self):
        assert machines.fill({"a": "${value}"}, "x", {"value": 'x", "b": "y'}) == {"a": 'x", "b": "y'}


def test_the_command_writes_every_machine_and_finds_every_block_used(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["machines", "--out", str(tmp_path)])
    assert machines.main() == 0
    assert {path.name: json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()} == {
        f"{number:02d}-{step}.asl.json": RENDERED[step] for number, step in enumerate(STEPS)
    }


def test_terraform_renders_every_machine_alike(tmp_path):
    """The rendering of modules/state-machine, which needs no provider, once for each machine."""
    if not shutil.which("terraform"):
        pytest.skip("no terraform on this machine: its rendering of the state machines was not compared with ours")
    module = tmp_path / "machine"
    module.mkdir()
    shutil.copy(ROOT / "modules" / "state-machine" / "rendering.tf", module)
    (module / "interface.tf.json").write_text(json.dumps({
        "variable": {name: {} for name in ("step", "template_files", "calls", "values")},
        "output": {"definition": {"value": "${templatestring(local.template, local.placeholders)}"}},
    }))  # fmt: skip

    def given(kind: str, names: tuple[str, ...]) -> dict[str, str]:
        return {name: VALUES[f"{kind}_{name.replace('-', '_')}"] for name in names}

    modules = {
        machine.step: {
            "source": "./machine",
            "step": machine.step,
            "template_files": [str(FOLDER / name) for name in ("blocks.yaml", machines.file_name(CATALOGUE, machine))],
            "calls": {
                "functions": given("function", machine.calls.functions),
                "queues": {name: {"url": url} for name, url in given("queue", machine.calls.queues).items()},
                "machines": given("machine", machine.calls.machines),
            },
            "values": {name: VALUES[name] for name in machine.calls.values},
        }
        for machine in MACHINES
    }
    definitions = {step: f"${{module.{step}.definition}}" for step in STEPS}
    root = {"module": modules, "output": {"definitions": {"value": definitions}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(root), encoding="utf-8")

    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    for command in (["init"], ["apply", "-auto-approve"], ["output", "-json", "definitions"]):
        done = subprocess.run(
            ["terraform", f"-chdir={tmp_path}", *command],
            env=environment | {"CHECKPOINT_DISABLE": "1"}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert {step: json.loads(definition) for step, definition in json.loads(done.stdout).items()} == RENDERED


def test_the_snapshot_machine_keeps_three_months_counted_by_the_local_date():
    """It is begun at Sydney's midnight, when UTC is still in the month before: 13:00 of 31 October is 1 November."""
    states = RENDERED["snapshot"]["States"]
    dated = ["2026-07-01-shared", "2026-08-01", "2026-08-01-shared", "2026-09-01", "2026-10-01-shared", "2026-11-01"]
    listed = [{"DbSnapshotIdentifier": f"tst-earl-core-bua-{suffix}"} for suffix in dated]

    def expired(run_date: str, now: str) -> list[str]:
        milliseconds = str(int(datetime.fromisoformat(now).timestamp() * 1000))
        today = evaluate(states["Find the run date"]["Assign"]["today"].replace("$millis()", milliseconds), {})
        given = {"run_date": run_date, "today": today}
        latest = evaluate(states["Name the snapshots"]["Assign"]["latest"], given)
        given = {"latest": latest, "states": {"result": {"DbSnapshots": listed}}}
        names = evaluate(states["List the snapshots"]["Assign"]["expired"], given)
        return [name.removeprefix("tst-earl-core-bua-") for name in names]

    assert expired("2026-11-01", "2026-10-31T13:00:00+00:00") == dated[:3]
    assert expired("2026-11-01", "2026-11-20T00:00:00+00:00") == dated[:3]
    assert expired("2026-10-01", "2026-11-20T00:00:00+00:00") == dated[:1]  # an earlier month, run again
    assert expired("2206-11-01", "2026-11-20T00:00:00+00:00") == dated[:3]  # a slip of the finger


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, "Late"),
        ({"state": {"S": "FAILED"}}, "Late"),
        ({"state": {"S": "FAILED"}, "interval_table": {"S": "t"}}, "Late"),
        ({"state": {"S": "SUCCEEDED"}}, "In time"),
        ({"state": {"S": "SUCCEEDED"}, "interval_table": {"S": "t"}}, "Left"),
    ],
)
def test_the_deadline_is_content_with_a_run_that_succeeded_and_left_no_table(item, expected):
    states = json.loads((ROOT / "modules" / "monitoring" / "deadline.asl.json").read_text(encoding="utf-8"))["States"]
    answer = {"states": {"result": {"Item": item}, "input": {"scheduled_time": "2026-11-02T01:00:00Z"}}}
    assign = states["Read the ledger"]["Assign"]
    known = {name: evaluate(text, answer) for name, text in assign.items()}
    choice = states["Has it succeeded?"]
    chosen = [rule["Next"] for rule in choice["Choices"] if evaluate(rule["Condition"], known)]
    assert [*chosen, choice["Default"]][0] == expected
    assert known["run_date"] == "2026-11-01"


def evaluate(text: str, variables: dict[str, Any]) -> Any:
    """A state's JSONata expression, with the machine's variables."""
    expression = jsonata.Jsonata(text.removeprefix("{%").removesuffix("%}"))
    for name, value in variables.items():
        expression.assign(name, value)
    return expression.evaluate(None)
