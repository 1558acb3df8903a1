"""The report's files: complete, blocked when something does not tie, the same bytes for the same input, nothing escapes."""

import dataclasses
import json
import re
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.shared.report import two_months
from tests.shared.report.by_hand import write

from shared.errors import InvalidInput
from shared.report.make import make

FILES = ("journal.csv", "journal_gst_memo.csv", "report.html", "report.json", "report.xlsx", "trueup.csv")


def test_two_months_tie_and_are_written(months: tuple[Path, Path], tmp_path: Path) -> None:
    report = make(months[1], tmp_path / "out", months[0])
    assert report.verdict.broken == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == list(FILES)
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (told["figures"]["net"], told["figures"]["before"]) == ("334.80", "70.00")
    assert told["figures"]["stuck"] == "80.80"  # account 2 is overdue, 65.80, account 4 has a hole, 15.00
    assert told["figures"]["expired"] == "15.00"


def test_the_same_input_makes_the_same_bytes(months: tuple[Path, Path], tmp_path: Path) -> None:
    for name in ("once", "twice"):
        make(months[1], tmp_path / name, months[0])
    for name in FILES:
        assert (tmp_path / "once" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes(), name


def test_a_cent_in_one_line_and_nothing_is_signed_or_posted(tmp_path: Path) -> None:
    folder = write(dataclasses.replace(two_months.SECOND, cents_off=Decimal("0.01")), tmp_path / "second")
    out = tmp_path / "out"
    out.mkdir()
    (out / "journal.csv").write_text("of an earlier attempt")
    report = make(folder, out)
    assert not report.verdict.may_post
    assert report.verdict.headline.startswith("Not for signature: ")
    assert "a difference of 0.01." in report.verdict.broken[0]
    assert not (out / "journal.csv").exists()
    page = (out / "report.html").read_text()
    assert "There is no sign-off and no journal" in page
    assert "Approved by" not in page
    assert [section.key for section in report.sections if section.key == "journal"] == []


def test_a_file_that_was_changed_is_named(months: tuple[Path, Path], tmp_path: Path) -> None:
    path = months[1] / "exceptions.csv"
    path.write_text(path.read_text() + "\n")
    report = make(months[1], tmp_path / "out")
    assert any("exceptions.csv" in one for one in report.verdict.broken)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '=HYPERLINK("http://x")', "@SUM(A1)", "+1-1"])
def test_text_of_the_platform_is_only_ever_text(text: str, tmp_path: Path) -> None:
    accounts = tuple(dataclasses.replace(one, segment=text) for one in two_months.SECOND.accounts)
    folder = write(dataclasses.replace(two_months.SECOND, accounts=accounts), tmp_path / "second")
    make(folder, tmp_path / "out")
    assert "<script>alert" not in (tmp_path / "out" / "report.html").read_text()
    with zipfile.ZipFile(tmp_path / "out" / "report.xlsx") as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    cells = (tmp_path / "out" / "journal.csv").read_text().splitlines()[1].split(",")
    assert not any(cell.lstrip('"').startswith(("=", "@", "+")) for cell in cells)


def test_a_folder_without_control_totals_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"control\.json is missing"):
        make(tmp_path, tmp_path)


def test_the_run_before_has_to_be_before(months: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not before"):
        make(months[0], tmp_path / "out", months[1])


def test_the_back_billing_limits_are_in_the_picture_whatever_is_past_them(tmp_path: Path) -> None:
    """Nothing was used in August: the month is there all the same, because Victoria's limit lies in it."""
    limits = [
        ("NSW", "ELECTRICITY", date(2000, 1, 1), 1, date(2026, 10, 1)),
        ("VIC", "GAS", date(2021, 1, 1), 3, date(2026, 8, 1)),
    ]
    folder = write(
        dataclasses.replace(two_months.SECOND, evidence={"back_billing_limits": limits}), tmp_path / "second"
    )
    report = make(folder, tmp_path / "out")
    picture = next(one for one in report.pictures if one.key == "picture_ageing")
    assert [row[1] for row in picture.data.rows if row[0] == "Used in"] == ["2026-08", "2026-09", "2026-10"]
    assert "NSW: 1 month back" in picture.svg
    assert "VIC: 3 months back" in picture.svg
    (table,) = (one for section in report.sections for one in section.tables if one.key == "used_limits")
    assert [row[:3] for row in table.rows] == [("NSW", "ELECTRICITY", 1), ("VIC", "GAS", 3)]


def test_the_workbook_shows_zero_dollars_as_a_dash_and_a_tied_difference_as_a_number(
    months: tuple[Path, Path], tmp_path: Path
) -> None:
    make(months[1], tmp_path / "out", months[0])
    with zipfile.ZipFile(tmp_path / "out" / "report.xlsx") as book:
        formats = set(re.findall(r'formatCode="([^"]*)"', book.read("xl/styles.xml").decode()))
    assert {"#,##0.00;-#,##0.00;&quot;\N{EN DASH}&quot;", "#,##0.00;-#,##0.00"} <= formats
