"""What Terraform's files and the rest of the project say of each other; needs no Terraform."""

import json
import re
import subprocess
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from shared import catalogue
from shared.paths import ROOT
from shared.settings import Settings

MODULES = sorted(path.parent for path in (ROOT / "modules").glob("*/versions.tf"))
ANSTEAD = ROOT / "terraform" / "anstead"
# Lambda sets these by itself; the module of the restored database gives the others that functions.tf does not spell out.
SET_BY_LAMBDA = {"AWS_REGION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"}


def blocks(path: Path, kind: str) -> list[str]:
    return re.findall(rf'^{kind} "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_documents_and_tests_itself(module: Path) -> None:
    readme = (module / "README.md").read_text(encoding="utf-8")
    names = blocks(module / "variables.tf", "variable") + blocks(module / "outputs.tf", "output")
    assert [name for name in names if f"| {name} |" not in readme] == []
    assert list((module / "tests").glob("*.tftest.hcl"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_has_no_provider_of_its_own(module: Path) -> None:
    assert not any(
        re.search(r"^provider ", path.read_text(encoding="utf-8"), re.MULTILINE) for path in module.glob("*.tf")
    )


@pytest.mark.parametrize(
    "path",
    sorted(ROOT.glob("modules/*/*.tf")) + sorted(ROOT.glob("terraform/*/*.tf")),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_variables_and_outputs_are_described(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = re.findall(r'^(?:variable|output) "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    assert [name for name, body in found if "  description = " not in body and "  description =" not in body] == []


def test_functions_get_exactly_the_settings_that_they_read() -> None:
    given = re.findall(r"^    ([A-Z_]+) +=", (ANSTEAD / "functions.tf").read_text(encoding="utf-8"), re.MULTILINE)
    restore = (ROOT / "modules" / "database-restore" / "outputs.tf").read_text(encoding="utf-8")
    given += re.findall(r"^    ([A-Z_]+) +=", restore, re.MULTILINE)
    wanted = {field.alias for field in Settings.model_fields.values()}
    assert set(given) == wanted - SET_BY_LAMBDA


def test_a_rerun_starts_at_the_first_step_unless_told_otherwise() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "rerun.yml").read_text(encoding="utf-8"))
    inputs = workflow[True]["workflow_dispatch"]["inputs"]  # YAML 1.1 reads the key `on` as true
    assert inputs["start_at"]["type"] == "string"  # bua itself knows the steps
    assert inputs["start_at"]["default"] == next(iter(catalogue.load().pipeline()))


def test_actions_are_pinned_by_commit() -> None:
    uses = [
        line.split("uses:")[1].strip()
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert [use for use in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []


def test_plan_roles_have_a_list_of_what_they_may_do_and_none_of_it_reads_data() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    policies = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    (policy,) = [policy for policy in policies if "Statement" in policy]
    data = (
        "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:PartiQLSelect", "es:ESHttpGet",
        "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery", "secretsmanager:GetSecretValue", "sqs:ReceiveMessage",
        "ssm:GetParameter", "states:DescribeExecution", "states:GetExecutionHistory", "rds:DownloadDBLogFilePortion",
        "appconfig:GetConfiguration", "lambda:InvokeFunction", "kms:Decrypt",
    )  # fmt: skip
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert [wanted for wanted in data for action in actions if fnmatch(wanted, action)] == []
        assert all(re.fullmatch(r"[a-z0-9]+:(Describe|Get|List|Validate)\w+\*?", action) for action in actions)
        if any(
            action.startswith(("s3:GetObject", "lambda:GetFunction")) and "Config" not in action for action in actions
        ):
            assert statement["Resource"] != "*"


def test_nothing_is_applied_in_anstead_before_the_ledger_s_lock_was_looked_at() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text(encoding="utf-8"))
    applies = 0
    for job in workflow["jobs"].values():
        runs = [step.get("run", "") for step in job["steps"]]
        for before, run in pairwise(runs):
            if "terraform-apply ACCOUNT=anstead" in run:
                applies += 1
                environment = re.search(r"ENVIRONMENT=(\w+)", run)[1]
                assert before == f"terraform/check-no-run.sh {environment}"
    assert applies == 2


@pytest.mark.parametrize(
    ("answer", "code", "refused"),
    [("None", 0, False), ("arn:aws:states:x:execution:tst-anstead-bua:1", 0, True), ("ResourceNotFoundException", 254, False),
     ("AccessDeniedException", 254, True)],
)  # fmt: skip
def test_a_deployment_waits_for_the_run(tmp_path: Path, answer: str, code: int, refused: bool) -> None:
    aws = tmp_path / "aws"
    aws.write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n")
    aws.chmod(0o755)
    done = subprocess.run(
        [ROOT / "terraform" / "check-no-run.sh", "tst"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode != 0) == refused
    assert (answer in done.stderr) == refused
