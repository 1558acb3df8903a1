"""A stream-day counts as read exactly if what is billable of it is in the snapshot; it is never half of each source.

The interval store is read live and may be newer than the snapshot, or older. All of it uses 100 Wh a half-hour, 4.8 kWh
a day, unless said otherwise; a dollar a day and 30 cents a kWh. October 2026 is unbilled.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.sql.accrue import accrue, invoice, load, recent
from tests.sql.builder import Book, dec

COLUMNS = "units_actual, units_estimated, net_amount, method, flags"
CLOCK = {"NSW": "Australia/Sydney", "SA": "Australia/Adelaide", "QLD": "Australia/Brisbane", "WA": "Australia/Perth"}
OCTOBER = (dec("148.8"), 0, dec("75.64"), "ACTUAL", "")  # 31 x 4.8 kWh; 31 x 1.00 + 148.8 x 0.30


def home(book: Book, state: str = "QLD", billed_to: str = "2026-09-30") -> int:
    """An account A with one interval register, in a segment of the same usage."""
    book.plan()
    key = f"{state}|RES|PRIMARY"
    book.segment(key=key)
    book.macro("2024-11-01", "2026-11-01", key=key)
    book.profile("2024-11-01", "2026-11-01", 0.1, key=key)
    register = book.register(book.account("A", state=state, opened="2025-11-01"))
    book.billed("A", "2025-11-01", billed_to, units={"PRIMARY": 1608})
    return register


def october(state: str) -> int:
    """Wh of the market half-hours whose local day is in October, when half-hour h has 99 + h."""
    market = timezone(timedelta(hours=8 if state == "WA" else 10))
    begin = datetime(2026, 9, 29, tzinfo=market)
    times = [begin + timedelta(minutes=30 * n) for n in range(48 * 35)]
    return sum(
        99 + 1 + (at.hour * 60 + at.minute) // 30 for at in times if at.astimezone(ZoneInfo(CLOCK[state])).month == 10
    )


def summary(book: Book, columns: str = COLUMNS) -> tuple[Any, ...]:
    (row,) = book.rows(f"select {columns} from bua.account_summary where run_date = %s", book.run_date)
    return row


def test_reads_that_came_after_the_snapshot_are_taken_from_the_runs_own_copy(book: Book) -> None:
    register = home(book)
    book.days(register, "2026-07-01", "2026-10-31")
    book.platform_units(register, "2026-07-01", "2026-10-29", "4.8")
    accrue(book, "A")
    assert summary(book) == OCTOBER
    generated = book.ask("generate_nem12_days", ["S-A"], columns="profile_date::text, qualities")
    assert generated == [("2026-10-30", "A" * 48), ("2026-10-31", "A" * 48)]


def test_the_copys_own_half_hours_and_no_estimate_of_them(book: Book) -> None:
    register = home(book)
    book.days(register, "2026-07-01", "2026-10-29")
    book.snapshot()
    book.days(register, "2026-10-30", "2026-10-30", 300)
    book.days(register, "2026-10-31", "2026-10-31", 200, quality="A" * 24 + "E" * 12 + "N" * 12)
    accrue(book, "A")
    # 29 x 4.8 + 14.4 + 24 x 0.2 actual; 12 x 0.2 delivered, and 12 x 0.1 x scalar estimated: the day before the 31st has
    # 14.4, the 90 before it 4.8.
    actual, estimated, method = summary(book, "units_actual, units_estimated, method")
    assert (actual, method) == (dec("158.4"), "RECENT_DAYS")
    assert float(estimated) == pytest.approx(2.4 + 1.2 * recent((1, 1, 3), (2, 91, 1)), abs=0.001)


def test_an_earlier_month_again_with_a_store_that_has_everything_by_now(book: Book) -> None:
    register = home(book, billed_to="2026-07-31")
    book.days(register, "2026-07-01", "2026-10-31")
    book.platform_units(register, "2026-07-01", "2026-09-29", "4.8")
    accrue(book, "A")
    assert summary(book, "units_total, net_amount, flags") == (dec("441.6"), dec("224.48"), "")  # 92 x 4.8


def test_what_the_store_lacks_is_billed_from_the_snapshot_and_once(book: Book) -> None:
    register = home(book)
    book.days(register, "2026-07-01", "2026-10-19")
    book.platform_units(register, "2026-07-01", "2026-10-31", "4.8")
    accrue(book, "A")
    assert summary(book) == OCTOBER
    assert book.ask("bua_list_profile_nmis") == []


@pytest.mark.parametrize("state", ["NSW", "SA", "QLD", "WA"])
@pytest.mark.parametrize(
    "late", [("2026-10-30", "2026-10-31"), ("2026-10-14", "2026-10-14"), ("2026-10-14", "2026-10-15")]
)
def test_a_local_day_of_which_the_snapshot_has_one_market_day(book: Book, state: str, late: tuple[str, str]) -> None:
    """A summer bill day in Sydney is 23:00 to 23:00: the market days that came late leave parts of two local days."""
    register = home(book, state)
    book.days(register, "2026-07-01", "2026-10-31", [100 + h for h in range(48)])
    book.rows(
        "create temporary table late as select * from bua.utility_profile where profile_date between %s and %s", *late
    )
    book.rows("delete from bua.utility_profile where profile_date between %s and %s", *late)
    book.snapshot()
    book.rows("insert into bua.utility_profile select * from late")
    accrue(book, "A")
    local = october(state)  # half-hour h has 99 + h Wh
    assert summary(book) == (
        dec(local) / 1000,
        0,
        dec(31) + (dec(local) * 3 / 10000).quantize(dec("0.01")),
        "ACTUAL",
        "",
    )


def test_a_later_read_does_not_change_what_the_snapshot_bills(book: Book) -> None:
    register = home(book)
    book.days(register, "2026-07-01", "2026-10-14")
    book.days(register, "2026-10-15", "2026-10-15", 250)
    book.days(register, "2026-10-16", "2026-10-31")
    book.platform_units(register, "2026-07-01", "2026-10-31", "4.8")
    accrue(book, "A")
    assert summary(book) == (*OCTOBER[:4], "READS_DIFFER")
    assert book.rows("select local_date::text, snapshot_units, copy_units from bua.read_difference") == [
        ("2026-10-15", dec("4.8"), 12)
    ]


def test_a_later_read_between_days_of_the_file_does_not_either(book: Book) -> None:
    """In Sydney the files of the late days 12 and 15 October have all of local 14 October: it stays the snapshot's."""
    register = home(book, "NSW")
    for first, last in (("2026-07-01", "2026-10-11"), ("2026-10-13", "2026-10-14"), ("2026-10-16", "2026-10-31")):
        book.days(register, first, last)
    book.snapshot()
    for late in ("2026-10-12", "2026-10-15"):
        book.days(register, late, late)
    book.rows("update bua.utility_profile set half_hours = array_fill(170, array[40]) || array_fill(100, array[8]),"
              " day_total = 7600000 where profile_date = '2026-10-14'")  # fmt: skip
    accrue(book, "A")
    # The clocks go forward on 4 October: 31 local days have 31 x 48 - 2 half-hours of 0.1 kWh.
    assert summary(book, "units_actual, units_estimated, flags") == (dec("148.6"), 0, "READS_DIFFER")


def test_half_hours_that_both_lack_are_estimated_beside_those_of_the_snapshot(book: Book) -> None:
    register = home(book)
    book.days(register, "2026-07-01", "2026-10-30")
    book.days(register, "2026-10-31", "2026-10-31", quality="A" * 20 + "E" * 8 + "N" * 20)
    book.snapshot()
    accrue(book, "A")
    # 30 x 4.8 + 2.0 actual; 0.8 delivered and 2.0 of ours.
    assert summary(book, "units_actual, units_estimated, method, flags") == (146, dec("2.8"), "RECENT_DAYS", "")


def test_a_half_day_that_grew_after_the_snapshot_and_still_lacks_half_hours(book: Book) -> None:
    register = home(book)
    book.days(register, "2026-07-01", "2026-10-30")
    book.days(register, "2026-10-31", "2026-10-31", quality="A" * 40 + "N" * 8)
    book.platform_units(register, "2026-07-01", "2026-10-30", "4.8")
    book.platform_units(register, "2026-10-31", "2026-10-31", "1.5")
    accrue(book, "A")
    assert summary(book, "units_actual, units_estimated, flags") == (148, dec("0.8"), "")


def test_a_home_that_is_empty_is_read_too(book: Book) -> None:
    register = home(book)
    book.days(register, "2026-07-01", "2026-10-10")
    book.platform_units(register, "2026-10-01", "2026-10-31", 0)
    accrue(book, "A")
    assert summary(book, "units_total, units_estimated, flags") == (0, 0, "READS_DIFFER")


def test_accruing_again_gives_the_same_rows_and_leaves_the_platforms(book: Book) -> None:
    register = home(book, "NSW")
    book.days(register, "2026-07-01", "2026-10-29")
    book.snapshot()
    book.days(register, "2026-10-30", "2026-10-30")
    kept = "select * from core.aggregated_read where origin = 'PLATFORM' order by 1, 2"
    made = "select * from core.aggregated_read where origin = 'BUA' order by 1, 2, 5, 6"
    platform = book.rows(kept)
    accrue(book, "A")
    first = book.rows(made), summary(book, "*")
    assert first[0]
    for again in (accrue, lambda *_: load(book), lambda *_: invoice(book)):
        again(book, "A")
        invoice(book)
        book.call("bua_prepare_export_data", ["A"])
        assert (book.rows(made), summary(book, "*")) == first
    assert book.rows(kept) == platform


def test_a_stream_that_nothing_can_be_estimated_for_still_has_its_copy(book: Book) -> None:
    book.plan()
    register = book.register(book.account("A", opened="2026-10-30"))
    book.days(register, "2026-10-30", "2026-10-31", 200)
    accrue(book, "A")
    assert summary(book, "units_actual, units_estimated, method") == (Decimal("19.2"), 0, "ACTUAL")
