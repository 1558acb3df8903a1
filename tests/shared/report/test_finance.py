"""What finance keeps in its file is checked: the message names the field and what to do."""

from pathlib import Path

import pytest
import yaml

from shared.errors import InvalidInput
from shared.report import finance


def _changed(tmp_path: Path, section: str, name: str, value: object) -> Path:
    content = yaml.safe_load(finance.DEFAULT.read_text())
    content[section][name] = value
    path = tmp_path / "finance.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_defaults_are_in_order() -> None:
    assert str(finance.read().materiality.performance) == "0.75"


@pytest.mark.parametrize(
    ("section", "name", "value", "message"),
    [
        (
            "materiality",
            "performance",
            1.5,
            r"materiality\.performance: input should be less than or equal to 1, correct it",
        ),
        ("materiality", "overal", 5, r"materiality\.overal: is not known, remove it or correct its spelling"),
        ("materiality", "band", 90, r"materiality\.band: input should be 80 or 95"),
        (
            "accounts",
            "usage",
            {"code": 40100, "name": "Usage"},
            r"accounts\.usage\.code: has to be text, write it in quotes",
        ),
        ("accounts", "usage", {"code": "40100"}, r"accounts\.usage\.name: is missing, add it"),
    ],
)
def test_a_wrong_entry_is_named(section: str, name: str, value: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=message):
        finance.read(_changed(tmp_path, section, name, value))


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "finance.yaml"
    path.write_text("materiality: [")
    with pytest.raises(InvalidInput, match="cannot be read as YAML"):
        finance.read(path)
