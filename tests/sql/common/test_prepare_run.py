"""A run's period, partitions and calendar."""

from typing import Any

import pytest
from tests.sql.builder import ALL_DAY, Book, mask


@pytest.mark.parametrize(
    ("run_date", "expected"),
    [
        ("2026-11-01", ("2025-11-01", "2026-11-01", "2026-10-31", "2024-11-01")),
        ("2026-01-01", ("2025-01-01", "2026-01-01", "2025-12-31", "2024-01-01")),
        ("2024-03-01", ("2023-03-01", "2024-03-01", "2024-02-29", "2022-03-01")),
        ("2026-11-17", ("2025-11-01", "2026-11-01", "2026-10-31", "2024-11-01")),
    ],
)
def test_the_period_of_a_run(book: Book, run_date: str, expected: tuple[str, ...]) -> None:
    for _ in range(2):
        book.rows("call bua.prepare_run(%s)", run_date)
    assert book.rows("select period_start::text, period_end::text, accrual_date::text, profile_start::text"
                     " from bua.run where run_date = %s", run_date) == [expected]  # fmt: skip


def test_every_partitioned_table_has_the_runs_partition(book: Book) -> None:
    without = book.rows(
        "select c.relname from pg_class c where c.relnamespace = 'bua'::regnamespace and c.relkind = 'p' and not c.relispartition"
        " and to_regclass('bua.' || bua.partition_name(c.relname, %s)) is null",
        book.run_date,
    )
    assert without == []


def calendar(book: Book, state: str, local_date: str) -> list[tuple[Any, ...]]:
    return book.rows(
        "select profile_date::text, half_hour_mask from bua.market_day where (jurisdiction, local_date) = (%s, %s) order by 1",
        *(state, local_date),
    )


def test_the_calendar_of_a_leap_day_and_a_years_end(book: Book) -> None:
    book.rows("call bua.prepare_run('2024-03-01')")
    for local_date, before in (("2024-02-29", "2024-02-28"), ("2024-01-01", "2023-12-31")):
        assert calendar(book, "NSW", local_date) == [(before, mask(47, 48)), (local_date, mask((1, 46)))]
        assert calendar(book, "QLD", local_date) == [(local_date, ALL_DAY)]


def test_every_half_hour_of_the_calendar_belongs_to_one_local_day(book: Book) -> None:
    assert (
        book.rows(
            "select jurisdiction, profile_date from bua.market_day group by 1, 2"
            " having bit_or(half_hour_mask) <> %s or sum(bit_count(half_hour_mask::bit(64))) <> 48",
            ALL_DAY,
        )
        == []
    )
    # Local days have 48 half-hours but where the clocks change; the calendar's outer days are cut off.
    assert book.rows(
        "select jurisdiction, local_date::text, sum(bit_count(half_hour_mask::bit(64))) from bua.market_day"
        " where local_date between '2026-01-01' and '2026-10-31' and jurisdiction in ('NSW', 'SA', 'QLD', 'WA')"
        " group by 1, 2 having sum(bit_count(half_hour_mask::bit(64))) <> 48 order by 1, 2"
    ) == [("NSW", "2026-04-05", 50), ("NSW", "2026-10-04", 46), ("SA", "2026-04-05", 50), ("SA", "2026-10-04", 46)]
