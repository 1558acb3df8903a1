"""Exports that are written without the database, for tests and for measuring, have the columns of real ones."""

import csv
from datetime import date
from pathlib import Path

import pytest
from tests.shared.report import by_hand, two_months
from tests.sql.builder import Book

from local.performance import report_folder
from shared.steps.export import EXPORTS


@pytest.fixture(scope="module", params=["synthetic", "by_hand"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "run"
    if request.param == "by_hand":
        return by_hand.write(two_months.FIRST, folder)
    report_folder.write(folder, 12, date(2026, 11, 1), 0)
    return folder


@pytest.mark.parametrize("name", EXPORTS)
def test_the_columns_of_a_csv_file_are_those_of_its_view(book: Book, written: Path, name: str) -> None:
    with (written / f"{name}.csv").open(newline="") as file:
        found = next(csv.reader(file))
    view = book.value(
        "select array_agg(column_name::text order by ordinal_position) from information_schema.columns "
        "where table_schema = 'bua' and table_name = %s",
        EXPORTS[name][0],
    )
    assert found == view
