"""Gas profiles: the market's volumes, with their holes filled. 15 October 2026 is a Thursday."""

from typing import Any

from tests.sql.builder import Book


def gas_profile(book: Book, where: str) -> list[tuple[Any, ...]]:
    return book.rows(
        "select profile_date::text, volume_mj, source_date::text from bua.gas_profile"
        f" where run_date = %s and {where} order by profile_date",
        book.run_date,
    )


def test_gas_volumes_of_the_profiled_days_are_imported(book: Book) -> None:
    book.gas_volume("2024-10-30", "2026-11-05", 1000)
    book.call("import_gas_volumes_profile_creation")
    book.call("import_gas_volumes_profile_creation")
    found = gas_profile(book, "true")
    assert (found[0][0], found[-1][0], len(found)) == ("2024-11-01", "2026-10-31", 730)
    assert {(volume, source) for _, volume, source in found} == {(1000, None)}


def test_holes_in_gas_volumes_are_filled_from_the_nearest_day_of_the_type(book: Book) -> None:
    for n in range(1, 31):
        if n not in (15, 17):
            book.gas_volume(f"2026-10-{n:02}", f"2026-10-{n:02}", 1000 + n)
    book.call("import_gas_volumes_profile_creation")
    assert gas_profile(book, "source_date is not null") == [
        ("2026-10-15", 1014, "2026-10-14"),
        ("2026-10-17", 1018, "2026-10-18"),
        ("2026-10-31", 1025, "2026-10-25"),  # a Saturday, the market's volume not out yet
    ]


def test_a_hole_longer_than_the_season_is_filled_from_last_year(book: Book) -> None:
    book.gas_volume("2025-10-01", "2025-11-15", 500)
    book.gas_volume("2026-07-01", "2026-07-31", 900)
    book.call("import_gas_volumes_profile_creation")
    # Weekday 14 October is 75 days from July's end; 15 October 2025 is 364 days before it.
    assert gas_profile(book, "profile_date = '2026-10-14'") == [("2026-10-14", 500, "2025-10-15")]


def test_a_holiday_without_a_volume_is_filled_from_a_weekend_when_there_is_no_other_holiday(book: Book) -> None:
    book.holiday("2026-10-19", "VIC")
    book.gas_volume("2026-10-01", "2026-10-17", 1000)
    book.gas_volume("2026-10-18", "2026-10-18", 1800)
    book.gas_volume("2026-10-20", "2026-10-31", 1000)
    book.call("import_gas_volumes_profile_creation")
    assert gas_profile(book, "source_date is not null") == [("2026-10-19", 1800, "2026-10-18")]
    assert book.rows(
        "select fuel, jurisdiction, node, profile_date::text, source_date::text from bua.export_profile_marks"
    ) == [("GAS", "VIC", "ZONE", "2026-10-19", "2026-10-18")]
