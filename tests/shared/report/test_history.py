"""What true-ups found goes from run to run, and into the picture of the bands."""

import dataclasses
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.shared.report.by_hand import write
from tests.shared.report.test_trueup import _first, _second

from shared.errors import InvalidInput
from shared.report import history, pictures
from shared.report.history import Found
from shared.report.make import make

SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))
# 4 of 80 and -6 of 20 are 5 % and -30 % of a segment; together -2 of 100.
EARLIER = [
    Found(OCTOBER, SEPTEMBER, "ELECTRICITY", "NSW|RES|PRIMARY", Decimal("80.00"), Decimal("4.00")),
    Found(OCTOBER, SEPTEMBER, "GAS", "VIC|ZONE", Decimal("20.00"), Decimal("-6.00")),
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    history.write(tmp_path, EARLIER[::-1])
    assert history.read(tmp_path) == EARLIER
    assert (tmp_path / "trueup.csv").read_text() == (
        "run_date,accrual_run,fuel,segment,net_estimated,volume\n"
        "2026-10-01,2026-09-01,ELECTRICITY,NSW|RES|PRIMARY,80.00,4.00\n"
        "2026-10-01,2026-09-01,GAS,VIC|ZONE,20.00,-6.00\n"
    )


def test_a_run_without_any_has_none(tmp_path: Path) -> None:
    assert history.read(tmp_path) == []


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "run_date,accrual_run,fuel,segment,net_estimated,volume\nsoon,,,,,\n"])
def test_another_file_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "trueup.csv").write_text(text)
    with pytest.raises(InvalidInput, match="make the report of that month again"):
        history.read(tmp_path)


@pytest.mark.parametrize(
    ("fuel", "segment", "percent"), [("", "", "-2.0"), ("GAS", "", "-30.0"), ("ELECTRICITY", "NSW|RES|PRIMARY", "5.0")]
)
def test_the_book_and_a_fuel_are_the_sums_of_their_segments(fuel: str, segment: str, percent: str) -> None:
    assert history.errors(EARLIER, fuel, segment) == [(SEPTEMBER, Decimal(percent))]


def test_a_run_hands_on_what_the_runs_before_found(tmp_path: Path) -> None:
    """October's run had found something of September; November's adds 13.38 of 23.80 of October's accrual, and a rerun adds it once."""
    october, november = write(_first(), tmp_path / "october"), write(_second(), tmp_path / "november")
    history.write(october, EARLIER)
    for _ in range(2):
        report = make(november, november, october)
    own = Found(NOVEMBER, OCTOBER, "ELECTRICITY", "NSW|RES|PRIMARY", Decimal("23.80"), Decimal("13.38"))
    assert history.read(november) == [*EARLIER, own]
    forest = next(one for one in report.pictures if one.key == "picture_forest")
    assert [column.name for column in forest.data.columns[4:]] == ["True-up of 2026-09-01 %", "True-up of 2026-10-01 %"]
    ((name, *_, before, last),) = forest.data.rows
    assert (name, before, last) == ("Book", Decimal("-2.0"), Decimal("56.2"))


def test_the_picture_says_when_nothing_was_trued_up_yet() -> None:
    stratum = pictures.Stratum("Book", Decimal(100), Decimal(-3), Decimal(3), [])
    assert "No run before has been trued up yet" in pictures.forest([stratum], 95).caption
    later = dataclasses.replace(stratum, past=[(SEPTEMBER, Decimal(1))])
    assert (
        "of the accruals of the runs of 1\N{NO-BREAK SPACE}September\N{NO-BREAK SPACE}2026"
        in pictures.forest([later], 95).caption
    )
