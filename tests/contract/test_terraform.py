"""What Terraform's files and the rest of the project say of each other; needs no Terraform."""

import re
from pathlib import Path

import pytest
import yaml

from shared import catalogue
from shared.paths import ROOT
from shared.settings import Settings

MODULES = sorted(path.parent for path in (ROOT / "modules").glob("*/versions.tf"))
ANSTEAD = ROOT / "terraform" / "anstead"
# Lambda sets these by itself; the module of the restored database gives the others that functions.tf does not spell out.
SET_BY_LAMBDA = {"AWS_REGION"}


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
