"""What an account is metered by."""

from typing import Any

from tests.sql.builder import Book


def streams(book: Book, account_id: str, columns: str) -> list[tuple[Any, ...]]:
    with book.acting_as("lambda"):
        return book.rows(
            f"select {columns} from bua.account_streams(%s) order by read_type, suffix, meter_register_id", [account_id]
        )


def test_a_swap_of_interval_meters_carries_the_stream_on(book: Book) -> None:
    site = book.account("A", opened="2026-02-01")
    old = book.register(site, end="2026-10-10", serial="OLD")
    new = book.register(site, start="2026-10-11", serial="NEW")
    assert streams(book, "A", "meter_register_id, register_ids, occupied::text") == [
        (new, [old, new], "{[2026-02-01,infinity]}")
    ]


def test_a_swap_of_basic_meters_starts_anew(book: Book) -> None:
    site = book.account("A", opened="2026-02-01", closed="2026-10-20")
    old = book.basic(site, end="2026-10-10", serial="OLD")
    new = book.basic(site, start="2026-10-11", serial="NEW")
    assert streams(book, "A", "meter_register_id, register_ids, occupied::text") == [
        (old, [old], "{[2026-02-01,2026-10-11)}"),
        (new, [new], "{[2026-10-11,2026-10-21)}"),
    ]


def test_an_upgrade_from_basic_to_interval_is_two_streams(book: Book) -> None:
    site = book.account("A", opened="2026-02-01")
    basic = book.basic(site, end="2026-10-10", serial="OLD")
    interval = book.register(site, start="2026-10-11", serial="NEW")
    assert streams(book, "A", "meter_register_id, read_type, occupied::text") == [
        (basic, "BASIC", "{[2026-02-01,2026-10-11)}"),
        (interval, "INTERVAL", "{[2026-10-11,infinity]}"),
    ]


def test_accounts_that_follow_each_other_on_a_site_have_the_stream_in_turn(book: Book) -> None:
    site = book.account("A", opened="2026-02-01", closed="2026-06-30")
    book.account("B", site=site, opened="2026-07-01", customer_class="BUS")
    book.register(site)
    assert streams(book, "A", "profile_key, occupied::text") == [("QLD|RES|PRIMARY", "{[2026-02-01,2026-07-01)}")]
    assert streams(book, "B", "profile_key, occupied::text") == [("QLD|BUS|PRIMARY", "{[2026-07-01,infinity]}")]


def test_a_meter_that_went_before_the_account_came_is_none_of_its(book: Book) -> None:
    site = book.account("A", opened="2026-02-01")
    book.basic(site, end="2026-01-31", serial="OLD")
    book.basic(site, start="2026-02-01", serial="NEW")
    assert streams(book, "A", "occupied::text") == [("{[2026-02-01,infinity]}",)]


def test_each_suffix_is_a_stream_with_its_own_profile(book: Book) -> None:
    site = book.account("A", state="NSW")
    book.register(site, "B1", stream="SOLAR")
    book.register(site, "E1")
    book.register(site, "E2", stream="CONTROL")
    assert streams(book, "A", "suffix, profile_key") == [
        ("B1", "NSW|RES|SOLAR"), ("E1", "NSW|RES|PRIMARY"), ("E2", "NSW|RES|CONTROL"),
    ]  # fmt: skip


def test_gas_follows_its_distribution_zone(book: Book) -> None:
    site = book.account("A", fuel="GAS", state="VIC", node="V01", customer_class="BUS")
    book.basic(site, uom="MJ")
    assert streams(book, "A", "profile_key") == [("VIC|V01",)]


def test_an_account_on_two_sites_has_the_streams_of_both(book: Book) -> None:
    site = book.account("A")
    book.account("OTHER", site="S-2", opened="2020-01-01", closed="2025-12-31")
    book.rows("insert into core.account_site values ('A', 'S-2', '2026-01-01', null)")
    book.register(site)
    book.register("S-2")
    assert streams(book, "A", "site_id, occupied::text") == [
        ("S-A", "{[2020-01-01,infinity]}"), ("S-2", "{[2026-01-01,infinity]}"),
    ]  # fmt: skip
