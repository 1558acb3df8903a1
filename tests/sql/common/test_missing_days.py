"""Which market half-hours of an account's unbilled days have not been read."""

import pytest
from tests.sql.builder import ALL_DAY, Book, mask


def missing(book: Book, account_id: str = "A") -> list[tuple[str, int]]:
    return book.ask(
        "missing_days", [account_id], columns="profile_date::text, missing_mask", order="suffix, profile_date"
    )


def unbilled_on(book: Book, site: str, state: str, first: str, last: str) -> int:
    """An account A with one interval register, billed but for [first, last]."""
    book.account("A", site=site, state=state, opened=first, closed=last)
    return book.register(site)


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
