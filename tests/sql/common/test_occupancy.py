"""Who is at a site on which day, and what measures there: every day counts once, for one account, and none is dropped.

The whole of what SQL does, from scalars to the exported summary. A home uses 4.8 kWh a day unless said otherwise, pays
1.00 a day and 0.30 a kWh; the period is 1 November 2025 to 31 October 2026.
"""

from decimal import Decimal

import pytest
from tests.sql.accrue import accrued, read_days, units
from tests.sql.builder import Book, day

# --- no register ------------------------------------------------------------------------------------------------


def test_after_a_basic_register_ended_its_usage_goes_on(town: Book) -> None:
    """46 days, 16 September to 31 October: 15 read, 31 at the usage of June to September."""
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-15")
    town.read(town.basic(site, end="2026-09-30"), ("2026-06-01", 0), ("2026-10-01", "585.6"))  # 122 days x 4.8
    row = accrued(town, "A")["A"]
    assert units(row) == (46, 72, Decimal("148.8"), 46 + Decimal("66.24"), "NO_REGISTER")  # 220.8 x 0.30


def test_after_an_interval_register_ended_its_usage_goes_on(town: Book) -> None:
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-15")
    register = town.register(site, end="2026-09-30")
    read_days(town, register, "2026-06-01", "2026-09-30", 200)
    row = accrued(town, "A")["A"]
    # 15 days read, 31 estimated, 9.6 kWh each: 441.6 x 0.30 = 132.48
    assert units(row) == (46, 144, Decimal("297.6"), 46 + Decimal("132.48"), "NO_REGISTER")


def test_between_two_basic_registers_the_first_one_goes_on(town: Book) -> None:
    """Nothing is known of 11 to 15 October: 5 days of the old register's 4.8. Before them 10 days read, after them 16."""
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30")
    town.read(town.basic(site, end="2026-10-10", serial="OLD"), ("2026-07-01", 0), ("2026-10-11", "489.6"))
    town.read(town.basic(site, start="2026-10-16", serial="NEW"), ("2026-10-16", 0), ("2026-11-01", 160))
    row = accrued(town, "A")["A"]
    assert units(row) == (31, 48 + 160, 24, 31 + Decimal("69.6"), "NO_REGISTER")  # 232 x 0.30


def test_all_streams_that_ended_together_go_on_and_none_that_ended_before(town: Book) -> None:
    for stream in ("CONTROL", "SOLAR"):
        key = f"QLD|RES|{stream}"
        town.macro("2024-11-01", "2026-10-31", key=key)
        town.profile("2024-11-01", "2026-10-31", 0.1, key=key)
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30")
    read_days(town, town.register(site, end="2026-09-30"), "2026-06-01", "2026-09-30")
    read_days(town, town.register(site, "E2", stream="CONTROL", end="2026-08-31"), "2026-06-01", "2026-08-31")
    read_days(town, town.register(site, "B1", stream="SOLAR", end="2026-09-30"), "2026-06-01", "2026-09-30")
    accrued(town, "A")
    found = town.rows(
        "select stream_type, sum(quantity) from core.billable_quantity where stream_type is not null group by 1 order by 1"
    )
    assert found == [("PRIMARY", Decimal("148.8")), ("SOLAR", Decimal("148.8"))]


def test_days_before_the_first_register_are_flagged(town: Book) -> None:
    """Opened on 1 October, the meter came on the 11th: 21 days read, 31 of supply."""
    site = town.account("A", opened="2026-10-01")
    read_days(town, town.register(site, start="2026-10-11"), "2026-10-11", "2026-10-31")
    row = accrued(town, "A")["A"]
    assert units(row) == (31, Decimal("100.8"), 0, 31 + Decimal("30.24"), "INCOMPLETE;NEVER_BILLED;NO_REGISTER")


def test_an_ended_register_without_any_history_is_incomplete(book: Book) -> None:
    """No profile, no reads, no invoice: ten days are read, three weeks have nothing to estimate from."""
    book.plan()
    site = book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-09-30", estimated=True)
    read_days(book, book.register(site, end="2026-10-10"), "2026-10-01", "2026-10-10")
    row = accrued(book, "A")["A"]
    assert row["units_total"] == 48
    assert row["flags"] == "ESTIMATED_BILL;INCOMPLETE;NO_REGISTER"


# --- a change of meters on one day ------------------------------------------------------------------------------


def test_a_roll_out_whose_registers_share_the_day(town: Book) -> None:
    """1 to 9 October by the basic register, 10 to 31 by the interval register: 43.2 + 105.6."""
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30")
    old = town.basic(site, end="2026-10-10", serial="OLD")
    town.read(old, ("2026-07-01", 0), ("2026-10-01", "441.6"), ("2026-10-11", "489.6"))
    read_days(town, town.register(site, start="2026-10-10", serial="NEW"), "2026-10-10", "2026-10-31")
    row = accrued(town, "A")["A"]
    assert units(row) == (31, Decimal("148.8"), 0, 31 + Decimal("44.64"), "")


def test_a_swap_of_interval_meters_that_share_the_day(town: Book) -> None:
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30")
    read_days(town, town.register(site, end="2026-10-10", serial="OLD"), "2026-07-01", "2026-10-10")
    read_days(town, town.register(site, start="2026-10-10", serial="NEW"), "2026-10-10", "2026-10-31")
    assert units(accrued(town, "A")["A"]) == (31, Decimal("148.8"), 0, 31 + Decimal("44.64"), "")


def test_a_swap_of_basic_meters_that_share_the_day(town: Book) -> None:
    """The old one 48 over 1 to 10 October, its last day the new one's: 43.2. The new one 22 days of 10."""
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30")
    town.read(town.basic(site, end="2026-10-10", serial="OLD"), ("2026-10-01", 0), ("2026-10-11", 48))
    town.read(town.basic(site, start="2026-10-10", serial="NEW"), ("2026-10-10", 0), ("2026-11-01", 220))
    assert units(accrued(town, "A")["A"]) == (31, Decimal("263.2"), 0, 31 + Decimal("78.96"), "")


def test_registers_that_share_the_day_do_not_share_an_invoice(town: Book) -> None:
    """1,752 kWh were billed for 365 days: 4.8 a day, all of it the register's that was there."""
    site = town.account("A", opened="2025-10-01")
    town.billed("A", "2025-10-01", "2026-09-30", units={"PRIMARY": 1752})
    town.macro("2024-11-01", "2026-10-31")
    town.basic(site, end="2026-10-10", serial="OLD")
    town.register(site, start="2026-10-10", serial="NEW")
    row = accrued(town, "A")["A"]
    assert units(row) == (31, 0, Decimal("148.8"), 31 + Decimal("44.64"), "")
    assert row["method"] == "INVOICES"


def test_a_basic_register_between_two_interval_registers_of_one_suffix(town: Book) -> None:
    """Interval to 10 October and from the 21st, basic on the ten days between, 20 kWh a day."""
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30")
    first = town.register(site, end="2026-10-10", serial="OLD")
    read_days(town, first, "2026-07-01", "2026-10-09")  # the 10th is missing
    town.read(
        town.basic(site, start="2026-10-11", end="2026-10-20", serial="MID"), ("2026-10-11", 0), ("2026-10-21", 200)
    )
    read_days(town, town.register(site, start="2026-10-21", serial="NEW"), "2026-10-21", "2026-10-31")
    row = accrued(town, "A")["A"]
    # 9 x 4.8 + 200 + 11 x 4.8 read, 4.8 estimated
    assert units(row) == (31, Decimal(296), Decimal("4.8"), 31 + Decimal("90.24"), "")


def test_a_market_day_beyond_the_change_adds_nothing_to_the_new_register(book: Book) -> None:
    """In Sydney the bill day of 10 October ends at 23:00 market time, and the interval register with it.

    Its last market day is not read. 46 half-hours of it are estimated, 4.6 kWh; two more are in its meter data file
    and belong to the 11th, which the basic register measures with the 21 days from it on: 210 kWh.
    """
    key = "NSW|RES|PRIMARY"
    book.plan()
    book.segment(key=key)
    book.macro("2024-11-01", "2026-10-31", key=key)
    book.profile("2024-11-01", "2026-10-31", 0.1, key=key)
    site = book.account("A", opened="2025-11-01", state="NSW")
    book.billed("A", "2025-11-01", "2026-10-09")
    old = book.register(site, end="2026-10-10", serial="OLD")
    book.days(old, "2026-07-01", "2026-10-09")
    book.platform_units(old, "2026-10-10", "2026-10-10", "0.2")  # 23:00 to 24:00 market time of the 9th
    new = book.basic(site, start="2026-10-11", serial="NEW")
    book.read(new, ("2026-10-11", 0), ("2026-11-01", 210))
    row = accrued(book, "A")["A"]
    assert units(row) == (22, Decimal("210.2"), Decimal("4.6"), 22 + Decimal("64.44"), "")


# --- two accounts on one day ------------------------------------------------------------------------------------


def movers(book: Book) -> str:
    site: str = book.account("A", opened="2025-11-01", closed="2026-10-15")
    book.billed("A", "2025-11-01", "2026-09-30")
    book.account("B", site=site, opened="2026-10-15")
    return site


def test_the_day_of_a_move_is_that_of_the_account_that_moves_out(town: Book) -> None:
    """Read to the 10th. A has 15 days x 4.8, B the 16 days from the 16th; the 15th has 4.8 kWh and not 9.6."""
    site = movers(town)
    register = town.register(site)
    read_days(town, register, "2026-07-01", "2026-10-10")
    found = accrued(town, "A", "B")
    assert units(found["A"]) == (15, 48, 24, 15 + Decimal("21.6"), "FINAL")
    assert units(found["B"]) == (16, 0, Decimal("76.8"), 16 + Decimal("23.04"), "NEVER_BILLED")
    assert (found["A"]["unbilled_to"], found["B"]["unbilled_from"]) == (day("2026-10-15"), day("2026-10-16"))
    quantity = "select sum(quantity) from core.aggregated_read where from_date = '2026-10-15'"
    assert town.value(quantity) == Decimal("4.8")


def test_the_day_of_a_move_with_a_basic_register(town: Book) -> None:
    site = movers(town)
    town.read(town.basic(site), ("2026-07-01", 0), ("2026-10-01", "441.6"))
    found = accrued(town, "A", "B")
    assert units(found["A"]) == (15, 0, 72, 15 + Decimal("21.6"), "FINAL")
    assert units(found["B"]) == (16, 0, Decimal("76.8"), 16 + Decimal("23.04"), "NEVER_BILLED")


@pytest.mark.parametrize("read_on", ["2026-10-15", "2026-10-16"])
def test_the_read_of_the_move_serves_both_accounts(town: Book, read_on: str) -> None:
    """A uses 4.8 a day and B 10, whichever end of the day the meter is read at.

    Read at its start, the day is not in A's usage: it is estimated. B's first span has the day too, and B pays for the other 16
    days of it. Read at its end, A's usage ends with it.
    """
    site = movers(town)
    days = int(read_on[-2:]) - 1
    last = Decimal("441.6") + Decimal("4.8") * days
    town.read(
        town.basic(site),
        ("2026-07-01", 0),
        ("2026-10-01", "441.6"),
        (read_on, last),
        ("2026-11-01", last + 10 * (31 - days)),
    )
    found = accrued(town, "A", "B")
    read = Decimal("4.8") * days
    assert units(found["A"])[1:3] == (read, 72 - read)
    assert units(found["B"])[:3] == (16, 160, 0)


def test_an_account_that_was_never_closed_gives_way_to_the_next_one(town: Book) -> None:
    """A's end is not known; B came on 1 August and has the days since. B paid to 30 September."""
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-07-15")
    town.account("B", site=site, opened="2026-08-01")
    town.billed("B", "2026-08-01", "2026-09-30")
    read_days(town, town.register(site), "2026-07-01", "2026-10-31")
    found = accrued(town, "A", "B")
    assert units(found["A"])[:2] == (16, Decimal("76.8"))
    assert units(found["B"])[:2] == (31, Decimal("148.8"))


def test_accounts_with_the_same_days_at_a_site_are_flagged(town: Book) -> None:
    site = town.account("A", opened="2026-10-01")
    town.account("B", site=site, opened="2026-10-01")
    read_days(town, town.register(site), "2026-10-01", "2026-10-31")
    found = accrued(town, "A", "B")
    assert [units(row)[1::3] for row in found.values()] == [(Decimal("148.8"), "NEVER_BILLED;SHARED_SITE")] * 2


# --- an account that comes back ---------------------------------------------------------------------------------


def there_and_back(book: Book) -> str:
    """A leaves on 31 March and is back on 1 September; B is there between."""
    site: str = book.account("A", opened="2025-11-01")
    book.rows("update core.account_site set to_date = '2026-03-31' where account_id = 'A'")
    book.rows("insert into core.account_site values ('A', %s, '2026-09-01', null)", site)
    book.account("B", site=site, opened="2026-04-01", closed="2026-08-31")
    return site


def test_an_account_that_comes_back_pays_for_its_own_days(town: Book) -> None:
    """A 151 + 61 days, B the 153 between."""
    site = there_and_back(town)
    read_days(town, town.register(site), "2025-11-01", "2026-10-31")
    found = accrued(town, "A", "B")
    assert units(found["A"]) == (
        212,
        Decimal("1017.6"),
        0,
        212 + Decimal("305.28"),
        "NEVER_BILLED;NOT_RECOVERABLE;OVER_CYCLE",
    )
    assert units(found["B"]) == (153, Decimal("734.4"), 0, 153 + Decimal("220.32"), "FINAL;NEVER_BILLED;OVER_CYCLE")


def test_the_occupant_between_is_accrued_once(town: Book) -> None:
    """A 4.8 a day, B 20 a day: 1,017.6 and 3,060."""
    site = there_and_back(town)
    left, back = Decimal("724.8"), Decimal("3784.8")
    town.read(
        town.basic(site),
        ("2025-11-01", 0),
        ("2026-04-01", left),
        ("2026-09-01", back),
        ("2026-11-01", back + Decimal("292.8")),
    )
    found = accrued(town, "A", "B")
    assert units(found["A"]) == (
        212,
        Decimal("1017.6"),
        0,
        212 + Decimal("305.28"),
        "NEVER_BILLED;NOT_RECOVERABLE;OVER_CYCLE",
    )
    assert units(found["B"]) == (153, Decimal(3060), 0, 153 + Decimal(918), "FINAL;NEVER_BILLED;OVER_CYCLE")


def test_another_occupants_usage_is_no_history(town: Book) -> None:
    """Back in September and not read since: 61 days x 4.8 as before; B's 20 a day is read on 1 June and 1 September."""
    site = there_and_back(town)
    town.billed("A", "2025-11-01", "2026-03-31")
    town.read(
        town.basic(site), ("2025-11-01", 0), ("2026-04-01", "724.8"), ("2026-06-01", "1944.8"), ("2026-09-01", "3784.8")
    )
    assert units(accrued(town, "A", "B")["A"])[:3] == (61, 0, Decimal("292.8"))


def test_rows_of_an_account_that_overlap_count_once(town: Book) -> None:
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30")
    town.rows("update core.account_site set to_date = '2026-10-15'")
    town.rows("insert into core.account_site values ('A', %s, '2026-10-10', null)", site)
    read_days(town, town.register(site), "2026-10-01", "2026-10-31")
    assert units(accrued(town, "A")["A"]) == (31, Decimal("148.8"), 0, 31 + Decimal("44.64"), "")


def test_occupancy_in_rows(town: Book) -> None:
    site = there_and_back(town)
    town.register(site)
    found = town.rows("select account_id, days::text from bua.account_streams(array['A', 'B']) order by 1")
    assert found == [
        ("A", "{[2025-11-01,2026-04-01),[2026-09-01,infinity]}"),
        ("B", "{[2026-04-01,2026-09-01)}"),
    ]
