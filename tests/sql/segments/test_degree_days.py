"""Degree-days of gas zones: degrees below 15.5 C. The profiled days are 1 November 2024 to 31 October 2026."""

from typing import Any

from tests.sql.builder import Book


def degree_days(book: Book, since: str) -> list[tuple[Any, ...]]:
    return book.rows(
        "select profile_date::text, degree_days::float from bua.degree_days(%s) where profile_date >= %s order by 1",
        *(book.run_date, since),
    )


def test_a_cold_day_has_degree_days_and_a_warm_one_none(book: Book) -> None:
    book.temperature("2026-10-29", "2026-10-29", "9.25")
    book.temperature("2026-10-30", "2026-10-30", "15.5")
    book.temperature("2026-10-31", "2026-11-02", "21")
    assert degree_days(book, "2026-10-01") == [("2026-10-29", 6.25), ("2026-10-30", 0), ("2026-10-31", 0)]


def test_a_short_hole_lies_on_the_line_between_its_neighbours(book: Book) -> None:
    book.temperature("2026-10-01", "2026-10-01", "11.5")  # 4
    book.temperature("2026-10-04", "2026-10-31", "14.5")  # 1
    assert degree_days(book, "2026-10-01")[:4] == [
        ("2026-10-01", 4), ("2026-10-02", 3), ("2026-10-03", 2), ("2026-10-04", 1),
    ]  # fmt: skip


def test_a_hole_of_more_than_a_week_stays(book: Book) -> None:
    book.temperature("2026-10-01", "2026-10-01", "11.5")
    book.temperature("2026-10-10", "2026-10-10", "11.5")
    # Eight days are missing between them; after the last temperature seven days are as it.
    assert degree_days(book, "2026-10-01") == [("2026-10-01", 4), *((f"2026-10-{n}", 4) for n in range(10, 18))]


def test_the_macro_profile_of_a_gas_zone_has_them(book: Book) -> None:
    book.gas_volume("2026-10-30", "2026-10-31", 1000)
    book.gas_volume("2026-10-30", "2026-10-31", 2000, node="NORTH")
    book.temperature("2026-10-30", "2026-10-31", "5.5")
    book.call("import_gas_volumes_profile_creation")
    book.call("bua_create_macro_profile")
    assert book.rows("select distinct profile_key, daily_total, degree_days from bua.macro_profile order by 1") == [
        ("VIC|NORTH", 2000, None), ("VIC|ZONE", 1000, 10),
    ]  # fmt: skip


def test_a_platform_need_not_have_temperatures(book: Book) -> None:
    book.rows("alter table core.temperature rename to weather")
    book.gas_volume("2026-10-31", "2026-10-31", 1000)
    book.call("import_gas_volumes_profile_creation")
    book.call("bua_create_macro_profile")
    assert book.rows("select daily_total, degree_days from bua.macro_profile") == [(1000, None)]
