"""The small portfolio of tests/data/portfolio, for tests to spoil."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from local.portfolio.format import read_portfolio
from local.portfolio.records import Portfolio

RUN_DATE = date(2026, 11, 1)
SOUND = Path(__file__).parents[2] / "data" / "portfolio"


@dataclass
class Folder:
    """A portfolio folder that a test changes before it is read."""

    path: Path

    def replace(self, file: str, old: str, new: str) -> None:
        """Change a file; what is to be changed must be there once."""
        text = (self.path / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (self.path / file).write_text(text.replace(old, new), encoding="utf-8")

    def add(self, file: str, line: str) -> None:
        """Append a line to a file."""
        with (self.path / file).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def read(self) -> Portfolio:
        return read_portfolio(self.path, RUN_DATE)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A sound portfolio."""
    shutil.copytree(SOUND, tmp_path, dirs_exist_ok=True)
    return Folder(tmp_path)
