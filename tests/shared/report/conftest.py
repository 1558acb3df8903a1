"""Books of runs that were written by hand."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.shared.report import two_months

from shared.report import exports, finance
from shared.report.book import Book, open_book


@pytest.fixture
def months(tmp_path: Path) -> tuple[Path, Path]:
    """The folders of two runs."""
    return two_months.write_both(tmp_path)


@pytest.fixture
def book(months: tuple[Path, Path], tmp_path: Path) -> Iterator[Book]:
    """The second run's book, with the first as the run before."""
    found = open_book(exports.read(months[1]), exports.read(months[0]), finance.read(), tmp_path)
    with found.database:
        yield found


@pytest.fixture
def first_book(months: tuple[Path, Path], tmp_path: Path) -> Iterator[Book]:
    """The first run's book: there is no run before."""
    found = open_book(exports.read(months[0]), None, finance.read(), tmp_path)
    with found.database:
        yield found
