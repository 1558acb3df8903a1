"""What an account is metered by, which registers are profiled, and which market half-hours have not been read."""

from typing import Any

import pytest
from tests.sql.accrual.builder import ALL_DAY, Book, day, mask


def streams(book: Book, account_id: str, columns: str) -> list[tuple[Any, ...]]:
    with book.acting_as("lambda"):
        return book.rows(
            f"select {columns} from bua.account_streams(%s) order by read_type, suffix, meter_register_id", [account_id]
        )


def missing(book: Book, account_id: str = "A") -> list[tuple[str, int]]:
    return book.ask(
        "missing_days", [account_id], columns="profile_date::text, missing_mask", order="suffix, profile_date"
    )


def unbilled_on(book: Book, site: str, state: str, first: str, last: str) -> int:
    """An account A with one interval register, billed but for [first, last]."""
    book.account("A", site=site, state=state, opened=first, closed=last)
    return book.register(site)


# --- streams ----------------------------------------------------------------------------------------------------


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


# --- registers that are profiled --------------------------------------------------------------------------------


def profiled(book: Book) -> list[tuple[Any, ...]]:
    return book.ask(
        "bua_list_profile_registers", columns="site_id, segment, from_date::text, to_date::text", order="1, 3"
    )


def test_registers_are_profiled_from_a_year_before_the_period(book: Book) -> None:
    site = book.account("A")
    book.register(site)
    book.basic(book.account("BASIC"))
    book.basic(book.account("GAS", fuel="GAS"), uom="MJ")
    assert profiled(book) == [("S-A", "QLD|RES|PRIMARY", "2024-11-01", "2026-10-31")]


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
        ("S-OPEN", "SA|RES|PRIMARY", "2024-07-01", "2026-07-01"),
        ("S-SHUT", "SA|RES|PRIMARY", "2024-07-01", "2026-07-01"),
        ("S-WEST", "WA|RES|PRIMARY", "2024-07-01", "2026-06-30"),
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


# --- missing half-hours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        # 20 October 00:00 in Sydney is 19 October 23:00 market time; 31 October ends at 23:00.
        ("NSW", [("2026-10-29", mask(47, 48)), ("2026-10-30", ALL_DAY), ("2026-10-31", mask((1, 46)))]),
        ("TAS", [("2026-10-29", mask(47, 48)), ("2026-10-30", ALL_DAY), ("2026-10-31", mask((1, 46)))]),
        ("QLD", [("2026-10-30", ALL_DAY), ("2026-10-31", ALL_DAY)]),
        ("WA", [("2026-10-30", ALL_DAY), ("2026-10-31", ALL_DAY)]),
        # UTC+10:30 in an Adelaide summer: half an hour ahead of the market.
        ("SA", [("2026-10-29", mask(48)), ("2026-10-30", ALL_DAY), ("2026-10-31", mask((1, 47)))]),
    ],
)
def test_summer_bill_days_on_the_market_clock(book: Book, state: str, expected: list[tuple[str, int]]) -> None:
    unbilled_on(book, "S", state, "2026-10-30", "2026-10-31")
    assert missing(book) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("NSW", [("2026-06-30", ALL_DAY)]),
        ("QLD", [("2026-06-30", ALL_DAY)]),
        ("WA", [("2026-06-30", ALL_DAY)]),
        ("SA", [("2026-06-30", mask((2, 48))), ("2026-07-01", mask(1))]),  # UTC+9:30: half an hour behind the market
    ],
)
def test_winter_bill_days_on_the_market_clock(winter_book: Book, state: str, expected: list[tuple[str, int]]) -> None:
    unbilled_on(winter_book, "S", state, "2026-06-30", "2026-06-30")
    assert missing(winter_book) == expected


@pytest.mark.parametrize(
    ("bill_day", "expected"),
    [
        # Clocks go back on 5 April: the day lasts from 4 April 23:00 to 5 April 24:00, 50 half-hours.
        ("2026-04-05", [("2026-04-04", mask(47, 48)), ("2026-04-05", ALL_DAY)]),
        ("2026-04-06", [("2026-04-06", ALL_DAY)]),
        # Clocks go forward on 4 October: from 00:00 to 23:00, 46 half-hours.
        ("2026-10-04", [("2026-10-04", mask((1, 46)))]),
        ("2026-10-05", [("2026-10-04", mask(47, 48)), ("2026-10-05", mask((1, 46)))]),
    ],
)
def test_sydneys_clock_changes(book: Book, bill_day: str, expected: list[tuple[str, int]]) -> None:
    unbilled_on(book, "S", "NSW", bill_day, bill_day)
    assert missing(book) == expected


def test_what_has_been_read_is_not_missing(book: Book) -> None:
    register = unbilled_on(book, "S", "QLD", "2026-10-28", "2026-10-31")
    book.days(register, "2026-10-28", "2026-10-28")
    book.days(register, "2026-10-29", "2026-10-29", quality="E")  # a delivered estimate counts as read
    book.days(register, "2026-10-30", "2026-10-30", quality="A" * 20 + "N" * 8 + "S" * 10 + "E" * 5 + "F" * 5)
    assert missing(book) == [("2026-10-30", mask((21, 28))), ("2026-10-31", ALL_DAY)]


def test_missing_half_hours_of_billed_days_do_not_matter(book: Book) -> None:
    register = unbilled_on(book, "S", "NSW", "2026-10-31", "2026-10-31")
    book.days(register, "2026-10-30", "2026-10-30", quality="N" * 46 + "AA")  # only 47 and 48 are the 31st's
    book.days(register, "2026-10-31", "2026-10-31", quality="A" * 46 + "NN")  # 47 and 48 are November's
    assert missing(book) == []


def test_after_a_swap_either_meters_read_will_do(book: Book) -> None:
    site = book.account("A", opened="2026-10-28", closed="2026-10-31")
    old = book.register(site, end="2026-10-29", serial="OLD")
    new = book.register(site, start="2026-10-30", serial="NEW")
    book.days(old, "2026-10-28", "2026-10-29")
    book.days(old, "2026-10-30", "2026-10-30", quality="A" * 20 + "N" * 28)
    book.days(new, "2026-10-30", "2026-10-30", quality="N" * 24 + "A" * 24)
    # Neither has half-hours 21 to 24 of the 30th; the new one has not been read on the 31st.
    assert missing(book) == [("2026-10-30", mask((21, 24))), ("2026-10-31", ALL_DAY)]
    found = book.ask("missing_days", ["A"], columns="meter_register_id, register_ids, suffix")
    assert set(map(str, found)) == {str((new, [old, new], "E1"))}


def test_two_accounts_share_a_market_day(book: Book) -> None:
    site = book.account("A", state="NSW", opened="2026-10-29", closed="2026-10-30")
    book.account("B", site=site, state="NSW", opened="2026-10-31")
    book.register(site)
    assert missing(book, "A") == [
        ("2026-10-28", mask(47, 48)), ("2026-10-29", ALL_DAY), ("2026-10-30", mask((1, 46))),
    ]  # fmt: skip
    assert missing(book, "B") == [("2026-10-30", mask(47, 48)), ("2026-10-31", mask((1, 46)))]


def test_billed_accounts_and_basic_registers_have_no_missing_half_hours(book: Book) -> None:
    book.register(book.account("A", opened="2026-10-01"))
    book.billed("A", "2026-10-01", "2026-10-31")
    book.basic(book.account("B"))
    assert missing(book, "A") == []
    assert missing(book, "B") == []


def test_days_before_the_interval_meter_came_are_not_its(book: Book) -> None:
    site = book.account("A", opened="2026-10-01")
    book.register(site, start="2026-10-30")
    assert missing(book) == [("2026-10-30", ALL_DAY), ("2026-10-31", ALL_DAY)]


def test_periods_of_consecutive_missing_days(book: Book) -> None:
    register = unbilled_on(book, "S", "QLD", "2026-10-01", "2026-10-31")
    other = book.register("S", "E2", stream="CONTROL")
    book.days(register, "2026-10-01", "2026-10-04")
    book.days(register, "2026-10-07", "2026-10-30")
    book.days(other, "2026-10-01", "2026-10-31")
    expected = [
        ("A", "S", "E1", register, day("2026-10-05"), day("2026-10-06")),
        ("A", "S", "E1", register, day("2026-10-31"), day("2026-10-31")),
    ]
    assert book.ask("bua_list_missing_periods", order="period_from") == expected
    assert book.ask("bua_list_missing_periods", ["S"], order="period_from") == expected
    assert book.ask("bua_list_missing_periods", ["ELSEWHERE"]) == []


def test_billed_days_between_make_two_periods(book: Book) -> None:
    book.register(book.account("A", opened="2026-10-01"))
    book.billed("A", "2026-10-11", "2026-10-20")
    found = book.ask("bua_list_missing_periods", columns="period_from::text, period_to::text")
    assert found == [("2026-10-01", "2026-10-10"), ("2026-10-21", "2026-10-31")]
