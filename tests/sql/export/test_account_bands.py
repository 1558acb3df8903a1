"""Between which limits what was estimated of one account lies, worked out by hand on a few meters."""

from typing import Any

import pytest
from tests.sql.accrue import accrue, read_days, recent
from tests.sql.builder import Book
from tests.sql.export.test_estimate_bands import GAP, GAS, REFERENCE, basic, least, meters, segment

NO_PANEL = "Fewer than 10 interval registers of the segment were read on days like the missing ones"


def limits(book: Book) -> dict[str, tuple[Any, ...]]:
    """By account: low and high of 80 %, low and high of 95 %, why there are none."""
    book.call("create_estimate_bands")
    rows = book.rows(
        "select account_id, units_low_80, units_high_80, units_low_95, units_high_95, no_band"
        " from bua.export_account_summary where run_date = %s order by 1",
        book.run_date,
    )
    return {account: tuple(found) for account, *found in rows}


def panel(book: Book, registers: int, reference: int, *, control: bool = False) -> None:
    """Interval homes that went from `reference` kWh a day to 6, 12, 18 ... in October."""
    book.plan("FLAT", ("DAILY", "ANYTIME", "1.00"), ("USAGE", "ANYTIME", "0.30"), ("CONTROL", "ANYTIME", "0.10"))
    meters(book, *((reference, 6 * n) for n in range(1, registers + 1)))
    for n in range(1, registers + 1) if control else ():
        register = book.register(f"S-P{n - 1}RES", "E2", stream="CONTROL")
        book.days(register, *REFERENCE, reference * 1000 // 48)
        book.days(register, *GAP, 125 * n)
    book.close_profiles()
    segment(book)
    basic(book, "A", 10)
    basic(book, "B", 20)


def test_the_second_of_nineteen_from_either_end(book: Book) -> None:
    """Used / estimated is 0.1, 0.2 ... 1.9. One more home would lie below the second with 2 chances in 20."""
    panel(book, 19, 60)
    accrue(book, "A", "B")
    assert limits(book) == {"A": (62, 558, None, None, None), "B": (124, 1116, None, None, None)}


def test_of_thirty_nine_the_fourth_and_the_first(book: Book) -> None:
    """0.05, 0.10 ... 1.95: 40 x 10 % are 4, 40 x 2.5 % are 1."""
    panel(book, 39, 120)
    accrue(book, "A", "B")
    assert limits(book)["A"] == (62, 558, 15.5, 604.5, None)


def test_nine_registers_have_no_band_and_ten_have(book: Book) -> None:
    panel(book, 9, 60)
    accrue(book, "A", "B")
    assert limits(book)["A"] == (None, None, None, None, NO_PANEL)
    least(book, 9)
    assert limits(book)["A"] == (31, 279, None, None, None)  # the first and the ninth


def test_gaps_of_another_length_are_another_matter(book: Book) -> None:
    """C lacks three days, on which everybody goes on as before; A and B a month."""
    book.plan()
    days = (("2026-07-01", "2026-09-30"), ("2026-10-01", "2026-10-28"), ("2026-10-29", "2026-10-31"))
    meters(book, *((60, 6 * n, 6 * n) for n in range(1, 20)), days=days)
    register = book.register(book.account("C"))
    read_days(book, register, "2026-07-01", "2026-10-28", 250)
    book.billed("C", "2020-01-01", "2026-09-30")
    book.close_profiles()
    segment(book)
    basic(book, "A", 10)
    accrue(book, "A", "C")
    found = limits(book)
    assert found["A"] == (62, 558, None, None, None)
    # 3 x 12 kWh, times used / estimated of the homes that use 12 and 108 kWh a day since 1 October
    low, high = (36 * kwh / recent((1, 28, kwh), (29, 91, 60)) for kwh in (12, 108))
    assert [float(limit) for limit in found["C"][:2]] == [pytest.approx(low, abs=0.001), pytest.approx(high, abs=0.001)]


def test_two_registers_of_an_account_are_wrong_alike(book: Book) -> None:
    """Usage 62 to 558, and 62 to 558 of a controlled load with a panel of its own."""
    panel(book, 19, 60, control=True)
    segment(book, "QLD|RES|CONTROL")
    index = book.basic("S-A", stream="CONTROL", suffix="41")
    book.read(index, ("2026-07-01", 0), ("2026-10-01", 920))
    accrue(book, "A", "B")
    assert limits(book)["A"] == (124, 1116, None, None, None)


def test_accounts_without_a_band_say_why(book: Book) -> None:
    panel(book, 19, 60)
    book.basic(book.account("NEW", opened="2026-10-01"))  # nothing is known of it
    basic(book, "GIANT", 800, 1000, 960)
    register = book.register(book.account("E"))
    book.billed("E", "2020-01-01", "2026-09-30")
    book.days(register, *GAP, 125, quality="E")
    book.platform_units(register, *GAP, 6, state="ESTIMATED")
    accrue(book, "A", "B", "NEW", "GIANT", "E")
    found = limits(book)
    assert found["NEW"][-1] == "Nothing is known of the account itself (SEGMENT_AVERAGE)"
    assert found["GIANT"][-1] == "A giant is like no other register"
    assert found["E"][-1] == "Delivered as an estimate by the meter data provider"
    assert {limit for name in ("NEW", "GIANT", "E") for limit in found[name][:-1]} == {None}
    assert found["A"] == (62, 558, None, None, None)


def test_an_account_of_which_nothing_was_estimated_needs_none(book: Book) -> None:
    panel(book, 19, 60)
    register = book.register(book.account("C"))
    book.billed("C", "2020-01-01", "2026-09-30")
    read_days(book, register, "2026-07-01", "2026-10-31", 250)
    accrue(book, "C")
    assert limits(book)["C"] == (None, None, None, None, None)


@pytest.mark.parametrize(("least_meters", "expected"), [(10, (155, 620)), (30, None)])
def test_gas_by_the_spans_of_the_zone(book: Book, least_meters: int, expected: tuple[int, int] | None) -> None:
    """Ten meters: nine have a last quarter as the one before, one of 20 after 10 MJ a day. Up or down by 2 is as likely."""
    least(book, 10, gas_meters=least_meters)
    book.plan()
    book.macro("2025-07-01", "2026-10-31", "1000", GAS)
    names = [f"G{n}" for n in range(10)]
    for n, name in enumerate(names):
        basic(book, name, 10, 20 if n == 0 else 10, uom="MJ", fuel="GAS", state="VIC")
    accrue(book, *names)
    found = limits(book)["G1"]
    if expected is None:
        assert found == (None, None, None, None, "Fewer than 30 gas meters of the zone have two spans between reads")
    else:  # 20 factors, each meter's and its inverse; 99 % of them are the twentieth: 310 MJ by and through 2
        assert found == (*expected, None, None, None)


def test_what_is_kept_is_the_same_again(book: Book) -> None:
    panel(book, 19, 60)
    accrue(book, "A", "B")
    first = limits(book)
    assert first["A"][0] is not None
    assert limits(book) == first
    assert book.value("select count(*) from bua.panel_error where run_date = %s", book.run_date) == 19
