"""What the summary says of an account's reads, and of the days that its scalar rests on.

The period is 1 November 2025 to 31 October 2026; account A is billed to 30 September. The profile is 4.8 kWh every day.
"""

from typing import Any

import pytest
from tests.sql.accrue import accrue, read_days
from tests.sql.builder import Book, day


def home(book: Book, *, state: str = "QLD", node: str = "ZONE") -> str:
    site: str = book.account("A", opened="2025-11-01", state=state, node=node)
    book.billed("A", "2025-11-01", "2026-09-30")
    return site


def summary(book: Book, columns: str) -> tuple[Any, ...]:
    accrue(book, "A")
    (row,) = book.rows(f"select {columns} from bua.account_summary where run_date = %s", book.run_date)
    return row


def last_read(book: Book) -> list[tuple[Any, ...]]:
    return book.ask("last_reads", ["A"], columns="last_read_date::text, read_type")


# --- estimated days ---------------------------------------------------------------------------------------------


def test_a_day_with_any_estimate_counts_once(town: Book) -> None:
    """Usage lacks the 11th to the 20th, the controlled load the 19th to the 25th: 15 days."""
    key = "QLD|RES|CONTROL"
    town.macro("2024-11-01", "2026-10-31", key=key)
    town.profile("2024-11-01", "2026-10-31", 0.1, key=key)
    site = home(town)
    for suffix, stream, last, first in (("E1", "PRIMARY", 10, 21), ("E2", "CONTROL", 18, 26)):
        register = town.register(site, suffix, stream=stream)
        read_days(town, register, "2026-06-01", f"2026-10-{last}")
        read_days(town, register, f"2026-10-{first}", "2026-10-31")
    assert summary(town, "estimated_days, unbilled_days") == (15, 31)


def test_a_day_with_a_missing_half_hour_and_a_delivered_estimate_count(town: Book) -> None:
    register = town.register(home(town))
    read_days(town, register, "2026-06-01", "2026-10-29")
    town.days(register, "2026-10-30", "2026-10-30", quality="A" * 40 + "N" * 8)
    town.platform_units(register, "2026-10-30", "2026-10-30", 4)
    town.days(register, "2026-10-31", "2026-10-31", quality="E")
    town.platform_units(register, "2026-10-31", "2026-10-31", "4.8", "ESTIMATED")
    assert summary(town, "estimated_days, read_type, last_read_date") == (2, "ESTIMATED", day("2026-10-29"))


def test_index_days_after_the_last_read_are_estimated(town: Book) -> None:
    town.read(town.basic(home(town)), ("2026-07-01", 0), ("2026-10-11", 510))
    assert summary(town, "estimated_days, read_type, last_read_date") == (21, "ACTUAL", day("2026-10-11"))


def test_when_everything_is_read_no_day_is_estimated(town: Book) -> None:
    read_days(town, town.register(home(town)), "2026-06-01", "2026-10-31")
    assert summary(town, "estimated_days, reference_from, reference_to") == (0, None, None)


def test_where_only_supply_is_accrued_it_is_blank(book: Book) -> None:
    book.plan()
    book.basic(home(book))
    assert summary(book, "estimated_days, read_type, last_read_date, reference_from, flags") == (
        None, None, None, None, "INCOMPLETE;SUPPLY_ONLY",
    )  # fmt: skip


# --- the last read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (("2026-10-21", 560), ("2026-10-21", "ACTUAL")),
        (("2026-10-21", 560, "E"), ("2026-10-01", "ESTIMATED")),
        (("2026-10-21", 560, "S"), ("2026-10-01", "SUBSTITUTED")),
        (("2026-11-01", 615), ("2026-11-01", "ACTUAL")),  # at the end of 31 October
        (("2026-11-02", 620), ("2026-10-01", "ACTUAL")),  # after TO
    ],
)
def test_of_an_index(town: Book, last: tuple[Any, ...], expected: tuple[str, str]) -> None:
    town.read(town.basic(home(town)), ("2026-07-01", 0), ("2026-10-01", 460), last)
    assert last_read(town) == [expected]


def test_a_read_that_is_not_believed_is_passed_over(town: Book) -> None:
    town.read(
        town.basic(home(town)), ("2026-04-01", 0), ("2026-07-01", 450), ("2026-10-01", 910), ("2026-10-21", 900_000)
    )
    town.call("bua_create_basic_read", ["A"])
    assert last_read(town) == [("2026-10-01", "ACTUAL")]


@pytest.mark.parametrize(
    ("qualities", "expected"),
    [
        ("A", ("2026-10-20", "ACTUAL")),
        ("S", ("2026-10-20", "SUBSTITUTED")),
        ("F", ("2026-10-20", "SUBSTITUTED")),
        ("A" * 47 + "S", ("2026-10-20", "SUBSTITUTED")),
        ("E", ("2026-10-10", "ESTIMATED")),
        ("S" * 47 + "E", ("2026-10-10", "ESTIMATED")),
        ("A" * 47 + "N", ("2026-10-10", "ACTUAL")),  # not complete
        ("N", ("2026-10-10", "ACTUAL")),  # no read at all
    ],
)
def test_of_an_interval_day(town: Book, qualities: str, expected: tuple[str, str]) -> None:
    register = town.register(home(town))
    town.days(register, "2026-10-01", "2026-10-10")
    town.days(register, "2026-10-20", "2026-10-20", quality=qualities)
    assert last_read(town) == [expected]


def test_of_a_register_that_the_copy_lacks_the_snapshot_decides(town: Book) -> None:
    register = town.register(home(town))
    town.platform_units(register, "2026-09-01", "2026-10-08", 5)
    assert last_read(town) == [("2026-10-08", "ACTUAL")]
    town.days(register, "2026-09-01", "2026-09-30")
    assert last_read(town) == [("2026-09-30", "ACTUAL")]


def test_usage_before_the_other_streams(town: Book) -> None:
    site = home(town)
    town.days(town.register(site, "B1", stream="SOLAR"), "2026-10-01", "2026-10-31")
    assert last_read(town) == [("2026-10-31", "ACTUAL")]
    town.days(town.register(site), "2026-10-01", "2026-10-15")
    assert last_read(town) == [("2026-10-15", "ACTUAL")]


def test_after_a_change_of_meters_the_new_one(town: Book) -> None:
    site = home(town)
    town.read(town.basic(site, end="2026-09-30", serial="OLD"), ("2026-07-01", 0), ("2026-10-01", 460))
    new = town.register(site, start="2026-10-01", serial="NEW")
    assert last_read(town) == [("2026-10-01", "ACTUAL")]
    town.days(new, "2026-10-01", "2026-10-12", quality="S")
    assert last_read(town) == [("2026-10-12", "SUBSTITUTED")]


def test_reads_of_another_occupant_do_not_count(town: Book) -> None:
    site = town.account("OLD", opened="2025-11-01", closed="2026-09-30")
    town.account("A", site=site, opened="2026-10-01")
    town.days(town.register(site), "2026-06-01", "2026-09-30")
    assert last_read(town) == []


# --- reference window and node ----------------------------------------------------------------------------------


def test_the_days_of_the_scalar(town: Book) -> None:
    """91 days before the gap that begins on 21 October: 22 July to 20 October."""
    read_days(town, town.register(home(town)), "2026-06-01", "2026-10-20")
    assert summary(town, "method, reference_from, reference_to") == (
        "RECENT_DAYS",
        day("2026-07-22"),
        day("2026-10-20"),
    )


def test_the_spans_of_the_scalar(town: Book) -> None:
    """From the latest read at least 60 days before the last one; a span ends the day before its read."""
    town.read(town.basic(home(town)), ("2026-05-01", 0), ("2026-07-01", 300), ("2026-09-01", 610), ("2026-10-01", 760))
    assert summary(town, "method, reference_from, reference_to") == ("READS", day("2026-07-01"), day("2026-09-30"))


def test_the_average_of_a_segment_has_no_days(town: Book) -> None:
    town.register(home(town))
    assert summary(town, "method, reference_from, reference_to") == ("SEGMENT_AVERAGE", None, None)


def test_the_node_is_the_sites(town: Book) -> None:
    read_days(town, town.register(home(town, node="QBNE")), "2026-10-01", "2026-10-31")
    assert summary(town, "node") == ("QBNE",)
    with town.acting_as("lambda"):
        columns = "node, estimated_days, read_type, last_read_date::text, reference_from, catch_up_amount"
        assert town.rows(f"select {columns} from bua.export_account_summary") == [
            ("QBNE", 0, "ACTUAL", "2026-10-31", None, None)
        ]
