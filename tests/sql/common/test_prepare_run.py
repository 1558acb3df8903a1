"""A run's period, partitions and calendar."""

from typing import Any

import psycopg2
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


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (
            ("2026-10-01", "2026-10-31", "2026-11-07"),
            ("2026-10-01", "2026-11-01", "2026-10-31", "2026-11-07", "2025-10-01"),
        ),
        ((None, "2026-02-28", None), ("2025-03-01", "2026-03-01", "2026-02-28", "2026-02-28", "2024-03-01")),
        (("2024-02-29", "2024-02-29", None), ("2024-02-29", "2024-03-01", "2024-02-29", "2024-02-29", "2023-02-28")),
    ],
)
def test_a_chosen_period(book: Book, chosen: tuple[Any, ...], expected: tuple[str, ...]) -> None:
    for _ in range(2):
        book.rows("call bua.prepare_run('2027-01-01', %s, %s, %s)", *chosen)
    assert book.rows("select period_start::text, period_end::text, accrual_date::text, as_at::text, profile_start::text"
                     " from bua.run where run_date = '2027-01-01'") == [expected]  # fmt: skip
    # South Australia's last bill day ends on the market day after it.
    assert book.value("select max(profile_date)::text from bua.market_day where (jurisdiction, local_date) = ('SA', %s)",
                      expected[2]) is not None  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "reads_from"),
    [
        ((None, None), "2025-05-09"),  # 541 days before 1 November 2026
        (("2025-05-01", None), "2025-01-30"),  # 91 days before FROM, which is earlier
        (("2026-10-01", None), "2025-10-01"),  # never more than a year before FROM
    ],
)
def test_interval_reads_are_used_from(book: Book, chosen: tuple[Any, ...], reads_from: str) -> None:
    book.rows("call bua.prepare_run('2026-11-02', %s, %s)", *chosen)
    assert book.value("select reads_start::text from bua.run where run_date = '2026-11-02'") == reads_from


def test_another_period_of_the_same_run_is_refused(book: Book) -> None:
    with pytest.raises(psycopg2.errors.RaiseException, match="has another period"):
        book.rows("call bua.prepare_run(%s, '2026-10-01', '2026-10-31', '2026-10-31')", book.run_date)


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
