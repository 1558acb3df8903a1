"""The registers that are profiled, and on which market days."""

from typing import Any

from tests.sql.builder import Book


def profiled(book: Book) -> list[tuple[Any, ...]]:
    return book.ask(
        "bua_list_profile_registers", columns="site_id, segment, from_date::text, to_date::text", order="1, 3"
    )


def test_registers_are_profiled_on_the_last_541_days(book: Book) -> None:
    site = book.account("A")
    book.register(site)
    book.basic(book.account("BASIC"))
    book.basic(book.account("GAS", fuel="GAS"), uom="MJ")
    assert profiled(book) == [("S-A", "QLD|RES|PRIMARY", "2025-05-09", "2026-10-31")]


def test_only_the_sites_that_are_asked_for(book: Book) -> None:
    for account_id in ("A", "B"):
        book.register(book.account(account_id))
    assert book.ask("bua_list_profile_registers", ["S-B"], columns="site_id") == [("S-B",)]


def test_a_sydney_summers_first_bill_day_begins_on_the_market_day_before(book: Book) -> None:
    site = book.account("A", state="NSW", opened="2026-01-10", closed="2026-01-20")
    book.register(site)
    # Nobody else had the 9th, so its reads from 23:00 on are the account's. The 20th ends at 23:00 market time.
    assert profiled(book) == [("S-A", "NSW|RES|PRIMARY", "2026-01-09", "2026-01-20")]


def test_an_edge_day_is_its_occupants(book: Book) -> None:
    site = book.account("A", state="NSW", opened="2026-01-10", closed="2026-01-20")
    book.account("B", site=site, state="NSW", opened="2026-01-21", customer_class="BUS")
    book.register(site)
    assert profiled(book) == [
        ("S-A", "NSW|RES|PRIMARY", "2026-01-09", "2026-01-20"),
        ("S-A", "NSW|BUS|PRIMARY", "2026-01-21", "2026-10-31"),
    ]


def test_a_vacant_site_is_nobodys(book: Book) -> None:
    site = book.account("A", opened="2026-01-10", closed="2026-01-20")
    book.account("B", site=site, opened="2026-03-01")
    book.register(site)
    assert profiled(book) == [
        ("S-A", "QLD|RES|PRIMARY", "2026-01-10", "2026-01-20"),
        ("S-A", "QLD|RES|PRIMARY", "2026-03-01", "2026-10-31"),
    ]


def test_a_south_australian_winters_last_bill_day_ends_on_the_market_day_after(winter_book: Book) -> None:
    # 30 June 24:00 in Adelaide is 1 July 00:30 market time: the read of that half-hour is needed.
    winter_book.register(winter_book.account("OPEN", state="SA"))
    winter_book.register(winter_book.account("SHUT", state="SA", closed="2026-06-30"))
    winter_book.register(winter_book.account("WEST", state="WA"))
    assert profiled(winter_book) == [
        ("S-OPEN", "SA|RES|PRIMARY", "2025-01-06", "2026-07-01"),
        ("S-SHUT", "SA|RES|PRIMARY", "2025-01-06", "2026-07-01"),
        ("S-WEST", "WA|RES|PRIMARY", "2025-01-06", "2026-06-30"),
    ]


def test_a_register_and_a_day_are_never_listed_twice(winter_book: Book) -> None:
    for state in ("SA", "NSW", "WA"):
        site = winter_book.account(f"{state}-1", state=state, closed="2026-06-30")
        winter_book.account(f"{state}-2", site=site, state=state, opened="2026-07-01")
        winter_book.register(site, end="2026-01-15", serial="OLD")
        winter_book.register(site, start="2026-01-16", serial="NEW")
    listed = winter_book.rows(
        "select r.site_id, r.suffix, d from bua.bua_list_profile_registers(%s) r,"
        " generate_series(from_date::timestamp, to_date, '1 day') d group by 1, 2, 3 having count(*) > 1",
        winter_book.run_date,
    )
    assert listed == []
