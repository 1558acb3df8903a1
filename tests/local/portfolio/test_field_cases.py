"""The field cases whose right value is known at the door, where the folder with them lies beside the project.

They are not part of this repository; the kinds are tested with inputs of our own in the neighbouring files.
"""

from datetime import date
from pathlib import Path

import pytest

from local.platform.interval_loader import to_items
from local.platform.nem12_reader import read_path
from local.portfolio.format import read_portfolio
from local.portfolio.problems import InvalidPortfolio
from shared.errors import InvalidInput
from shared.metering.interval_store import decode_items

CASES = Path(__file__).parents[3].parent / "shared" / "data" / "field"
RUN_DATE = date(2026, 11, 1)
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason=f"NO FIELD CASES in {CASES}: not tried")


def kwh(items):
    days = decode_items(items)
    return {
        f"{suffix} {day}": total / 10**6
        for suffix, day, total in zip(days.suffixes, days.days, days.totals.tolist(), strict=True)
    }


@pytest.mark.parametrize(
    ("file", "right"),
    [
        ("01-zip-same-name/reads.zip", {"E1 2026-10-15": 12, "E1 2026-10-16": 12}),
        ("02-zip-macos/reads.zip", {"E1 2026-10-15": 12}),
    ],
)
def test_archives(file, right):
    assert kwh(to_items(read_path(CASES / file))) == right


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("03-zip-damaged/ftp-ascii.zip", "cannot be decompressed"),
        ("04-huge-number/value.csv", r"value\.csv:3: .* of interval 1 has more than"),
        ("05-nem13-numbers/tab.csv", r"tab\.csv:2: PreviousRegisterRead"),
    ],
)
def test_files_that_are_refused(file, reason):
    with pytest.raises(InvalidInput, match=reason):
        read_path(CASES / file)


def test_a_negative_quantity_is_read():
    (file,) = read_path(CASES / "05-nem13-numbers" / "negative-quantity.csv")
    assert list(file.totals().values()) == [-13]


@pytest.mark.parametrize("case", ["07-other-channels/S1-kvah", "07-other-channels/V1-v", "08-mwh"])
def test_twelve_kilowatt_hours_of_a_channel_that_is_energy(case):
    portfolio = read_portfolio(CASES / case / "portfolio", RUN_DATE)
    assert kwh(portfolio.meter_data.items) == {"E1 2026-10-15": 12}


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ("12-name-not-writable/serial-comma", "registers.csv:2: meter_serial: 'MTR,7' cannot be written"),
        ("15-limits-without-file-and-line/seven-decimals", "nem12/reads.csv:3: record: value '0.1234567' of interval 1 has 7"),
        ("16-nem12-entry-not-a-file/folder", "nem12/october.csv: file: is a folder"),
        ("17-meter-data-elsewhere/capitals", "NEM12: file: is not written as nem12, rename it"),
        ("18-decimals", "basic_reads.csv:3: index_value: '2234.5600000000004' has 13 decimals, 12 are allowed"),
    ],
)  # fmt: skip
def test_portfolios_that_are_refused(case, problem):
    with pytest.raises(InvalidPortfolio) as refused:
        read_portfolio(CASES / case / "portfolio", RUN_DATE)
    (only,) = refused.value.problems
    assert str(only).startswith(problem)


def test_two_files_that_disagree_about_two_days():
    with pytest.raises(InvalidPortfolio) as refused:
        read_portfolio(CASES / "15-limits-without-file-and-line" / "two-files" / "portfolio", RUN_DATE)
    assert [(problem.file, problem.line) for problem in refused.value.problems] == [
        ("nem12/b.csv", 3),
        ("nem12/b.csv", 4),
    ]


def test_a_suffix_is_a_suffix_in_any_case():
    lower, control = (
        read_portfolio(CASES / "13-suffix-case" / case / "portfolio", RUN_DATE).registers
        for case in ("lower", "control-E1")
    )
    assert lower == control


def test_a_text_that_copy_must_escape_is_taken():
    portfolio = read_portfolio(CASES / "14-text-that-copy-chokes-on" / "plan-code" / "portfolio", RUN_DATE)
    assert {item.plan_code for item in portfolio.plans} == {"\\."}
