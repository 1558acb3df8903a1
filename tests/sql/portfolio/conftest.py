"""The small portfolio of tests/data/portfolio, on a database of its own."""

import shutil
from pathlib import Path

import pytest

SOUND = Path(__file__).parents[2] / "data" / "portfolio"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SOUND, tmp_path, dirs_exist_ok=True)
    return tmp_path
