"""Three months in a row of 240 synthetic accounts: two roll-forwards and two true-ups, worked out again with dictionaries."""

import itertools
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.independent.readded import differences
from tests.independent.rolled import Folder, rolled, trued_up

from local.performance import report_folder
from shared.report import exports, finance, history, rollforward, trueup
from shared.report.book import Book, open_book
from shared.report.make import make
from shared.report.ties import broken

MONTHS = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))
CENT = Decimal("0.02")  # of a line; each is rounded on its own


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    place = tmp_path_factory.mktemp("three")
    for number, run_date in enumerate(MONTHS):
        report_folder.write(place / str(run_date), 240, run_date, 31 * number)
    return [place / str(run_date) for run_date in MONTHS]


@pytest.fixture(scope="module")
def plain(folders: list[Path]) -> list[Folder]:
    """The same folders, read once more by the independent code."""
    found = [exports.read(folder) for folder in folders]
    return [Folder(one.folder, one.day("from"), one.day("to")) for one in found]


@pytest.fixture(params=[1, 2], ids=["october", "november"])
def pair(
    request: pytest.FixtureRequest, folders: list[Path], plain: list[Folder], tmp_path: Path
) -> Iterator[tuple[Book, Folder, Folder]]:
    """A month's book with the month before it, its movements and true-up worked out, and both folders as they are."""
    n = request.param
    book = open_book(exports.read(folders[n]), exports.read(folders[n - 1]), finance.read(), tmp_path)
    with book.database:
        rollforward.compute(book)
        trueup.compute(book)
        yield book, plain[n - 1], plain[n]


_BY_LINE = (
    "select sum(net_1 - net_0), sum(day_1 - day_0), sum(units_1 - units_0), sum(exported_1 - exported_0) from movement"
)


def test_the_roll_forward_of_the_book(pair: tuple[Book, Folder, Folder]) -> None:
    book, before, now = pair
    ours = rolled(before, now)
    theirs = {line: values for line, *values in book.rows(_BY_LINE.replace("select", "select line,") + " group by 1")}
    assert {line: list(values) for line, values in ours.items() if line not in ("opening", "closing")} == {
        line: values for line, values in theirs.items() if any(values)
    }
    opening, closing = ours["opening"], ours["closing"]
    (stated,) = book.row("select sum(net_amount) from before.accounts")
    assert (opening[0], closing[0]) == (stated, book.total)
    changes = [values for line, values in ours.items() if line not in ("opening", "closing")]
    assert tuple(one + sum(values[n] for values in changes) for n, one in enumerate(opening)) == closing
    assert len(changes) >= 2


def test_the_roll_forward_of_ten_accounts(pair: tuple[Book, Folder, Folder]) -> None:
    book, before, now = pair
    for number in range(1, 240, 24):
        account = f"{number:09d}"
        theirs = book.rows(_BY_LINE.replace("select", "select line,") + " where account_id = ? group by 1", [account])
        ours = {
            line: values for line, values in rolled(before, now, account).items() if line not in ("opening", "closing")
        }
        assert {line: tuple(values) for line, *values in theirs if any(values)} == ours


def test_the_true_up_line_by_line(pair: tuple[Book, Folder, Folder]) -> None:
    book, before, now = pair
    ours = trued_up(before, now)
    theirs = book.rows(
        "select account_id, invoice_id, item_type, stream_type, net_acc, volume, net_bill, rate + mix + discount from trueup_line"
    )
    assert len(theirs) == len(ours) > 100
    for *key, net_acc, volume, net_bill, price in theirs:
        one = ours[tuple(key)]
        assert net_acc == one["net_acc"]
        assert abs(volume - one["volume"]) <= CENT, key
        assert abs(net_bill - one["net_bill"]) <= CENT, key
        assert net_acc + volume + price == net_bill
    assert broken(trueup.compute(book).ties) == []


def test_two_true_ups_come_to_the_third_month(folders: list[Path]) -> None:
    make(folders[0], folders[0])
    reports = [make(folder, folder, before) for before, folder in itertools.pairwise(folders)]
    assert all(report.verdict.may_post for report in reports)
    found = history.read(folders[2])
    assert sorted({(one.run_date, one.accrual_run) for one in found}) == [
        (MONTHS[1], MONTHS[0]),
        (MONTHS[2], MONTHS[1]),
    ]


def test_every_total_is_added_again_from_the_csv_files(folders: list[Path], tmp_path: Path) -> None:
    report = make(folders[2], tmp_path / "out", folders[1])
    assert list(differences(report, folders[2], tmp_path / "out")) == []


def test_adding_again_finds_a_cent(folders: list[Path], tmp_path: Path) -> None:
    shutil.copytree(folders[2], tmp_path / "changed")
    report = make(folders[2], tmp_path / "out")
    path = tmp_path / "changed" / "InvoiceLineItemMonthly.csv"
    head, first, *rest = path.read_text().splitlines()
    cells, place = first.split(","), head.split(",").index("net_amount")
    cells[place] = str(Decimal(cells[place]) + Decimal("0.01"))
    path.write_text("\n".join([head, ",".join(cells), *rest]) + "\n")
    found = list(differences(report, tmp_path / "changed", tmp_path / "out"))
    assert any(one.startswith("net of the lines") for one in found)
    assert any(one.startswith("journal.csv") for one in found)
    assert any(one.startswith("pivot_1") for one in found)
