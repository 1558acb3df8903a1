"""The synthetic exports are exports: the report can be made of them, and an account explained."""

from datetime import date
from pathlib import Path

import pytest

from local.performance import report_folder
from shared.report import explain
from shared.report.make import make


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("synthetic")
    report_folder.write(folder / "before", 300, date(2026, 10, 1), 0)
    report_folder.write(folder / "now", 300, date(2026, 11, 1), 31)
    return folder / "before", folder / "now"


def test_a_report_is_made_of_them_and_everything_ties(months: tuple[Path, Path], tmp_path: Path) -> None:
    report = make(months[1], tmp_path, months[0])
    assert report.figures.accounts == 300
    assert report.verdict.may_post, report.verdict.headline


def test_an_account_can_be_explained(months: tuple[Path, Path]) -> None:
    sums = next(table for table in explain.of_folder(months[1], "000000011").tables if table.key == "sums")
    assert {row[3] for row in sums.rows[:3]} == {0}
