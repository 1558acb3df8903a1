"""docs/aws.md names, for each demand of AWS, tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HELD_BY = "\n".join(
    line.rsplit("|", 2)[1] for line in (ROOT / "docs" / "aws.md").read_text().splitlines() if line.startswith("| ")
)
FILES = [
    path for folder, suffix in (("tests", "py"), ("modules", "hcl"), ("terraform", "hcl")) for path in (ROOT / folder).rglob(f"*.{suffix}")
]  # fmt: skip
SOURCES = "\n".join(path.read_text() for path in FILES)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_]{8,})`", HELD_BY))))
def test_a_named_test_exists(name: str) -> None:
    assert re.search(rf'def {name}\(|^run "{name}"', SOURCES, re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\btests/[\w/]+\.py", HELD_BY))))
def test_a_named_file_exists(path: str) -> None:
    assert (ROOT / path).is_file()
