"""Reads that cannot be, from the accrual's inputs to what is exported. A dollar a day and 30 cents a kWh or MJ.

The macro profile is 4.8 kWh a day unless said otherwise; sites are in Queensland, where local time is market time.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from psycopg2.extras import execute_values
from tests.sql.accrue import accrue as accrue_accounts
from tests.sql.builder import Book

ERROR_CODE = 2_147_483_647  # watt-hours


@pytest.fixture
def home(book: Book) -> Book:
    """A segment whose macro profile covers all days, and a plan of one price."""
    book.plan()
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    book.profile("2024-11-01", "2026-10-31", 0.1)
    return book


def basic(
    book: Book, *reads: tuple[Any, ...], billed_to: str = "2026-07-31", digits: int | None = 5, **more: Any
) -> int:
    """A basic register of account A; the bill is an estimate, so that no scalar comes from it."""
    site = book.account("A", opened="2025-11-01", **more)
    book.billed("A", "2025-11-01", billed_to, estimated=True)
    register = book.basic(site, digits=digits, uom="MJ" if more.get("fuel") == "GAS" else "KWH")
    book.read(register, *reads)
    return register


def accrue(book: Book, account_id: str = "A") -> tuple[Any, ...]:
    """Everything from the scalars on; the account's units, net, method and flags."""
    accrue_accounts(book, account_id)
    (row,) = book.rows(
        "select units_actual, units_estimated, net_amount, method, flags from bua.account_summary"
        " where run_date = %s and account_id = %s",
        *(book.run_date, account_id),
    )
    return row


def aggregate(book: Book, origin: str, days: Sequence[tuple[Any, ...]]) -> None:
    """The platform's import of interval reads: site, suffix, day, scale, half-hours, qualities."""
    with book.acting_as("workflow"), book.connection.cursor() as cursor:
        cursor.execute("call core.stage_interval_days()")
        execute_values(
            cursor,
            "insert into pg_temp.interval_day (site_id, suffix, profile_date, scale, half_hours, qualities) values %s",
            days,
        )
        cursor.execute(
            "call core.aggregate_interval_reads(%s, %s)", (origin, book.run_date if origin == "BUA" else None)
        )


def listed(book: Book) -> list[tuple[Any, ...]]:
    return book.rows(
        "select read_date::text, half_hours, value, limit_value, reason from bua.export_implausible_reads"
        " where run_date = %s order by 1",
        book.run_date,
    )


# --- index reads ------------------------------------------------------------------------------------------------

YEAR = (("2026-02-01", 5000), ("2026-05-01", 5900))


@pytest.mark.parametrize("quality", ["E", "S", "F"])
def test_an_estimate_below_the_last_actual_read_is_passed_over(book: Book, quality: str) -> None:
    """5000 to 6800 in 181 days; without a profile, the 92 unbilled ones are estimated from their mean."""
    book.plan()
    basic(book, *YEAR, ("2026-08-01", 6800), ("2026-10-01", 6790, quality))
    actual, estimated, net, method, flags = accrue(book)
    assert actual == 0
    assert estimated == pytest.approx(Decimal("914.917"), abs=Decimal("0.001"))  # 92 x 1800 / 181
    assert (net, method, flags) == (Decimal("366.48"), "OWN_DAILY_MEAN", "ESTIMATED_BILL;IMPLAUSIBLE_READ")
    # Nine hundred kWh in 89 days, or in 92, is about ten a day: ten times that is below half of a home's 276.
    assert listed(book) == [("2026-10-01", None, 6790, 138, "ESTIMATED_INDEX")]
    # The index goes on from the actual read.
    ((index,),) = book.rows("select index_value from core.meter_read where origin = 'BUA' and read_date = '2026-11-01'")
    assert index == pytest.approx(Decimal("7714.917"), abs=Decimal("0.001"))


def test_an_estimate_that_falls_after_an_estimate(home: Book) -> None:
    """The first is used, 61 days of ten; 31 days are estimated from 900 kWh in 92."""
    basic(home, *YEAR, ("2026-08-01", 6800), ("2026-10-01", 7410, "E"), ("2026-10-16", 7400, "E"))
    actual, estimated, *_, flags = accrue(home)
    assert actual == 0
    assert estimated == pytest.approx(610 + 31 * Decimal(900) / 92, abs=Decimal("0.001"))
    assert "IMPLAUSIBLE_READ" in flags


@pytest.mark.parametrize("quality", ["A", "E"])
def test_a_true_roll_over(home: Book, quality: str) -> None:
    basic(
        home, ("2026-02-01", 99_400), ("2026-05-01", 99_650), ("2026-08-01", 99_900), ("2026-11-01", 50, quality)
    )  # fmt: skip
    actual, estimated, *_, flags = accrue(home)
    assert actual + estimated == 150
    assert (actual == 150) == (quality == "A")
    assert flags == "ESTIMATED_BILL"
    assert listed(home) == []


def test_a_correction_downwards_believes_the_later_read(home: Book) -> None:
    """5900 to 6790 in 184 days, half of them unbilled."""
    basic(home, *YEAR, ("2026-08-01", 6810), ("2026-11-01", 6790))
    assert accrue(home) == (445, 0, Decimal("225.50"), "ACTUAL", "ESTIMATED_BILL;IMPLAUSIBLE_READ")
    assert listed(home) == [("2026-08-01", None, 6810, 138, "INDEX")]


def test_without_digits_a_correction_downwards_is_the_same(home: Book) -> None:
    basic(home, *YEAR, ("2026-08-01", 6810), ("2026-11-01", 6790), digits=None)
    assert accrue(home)[:3] == (445, 0, Decimal("225.50"))


def test_a_misread_before_the_unbilled_days(home: Book) -> None:
    """4000 to 5050 in 183 days; 5100 between them is passed over. 31 days of 1050 / 183."""
    basic(home, ("2026-04-01", 4000), ("2026-07-01", 5100), ("2026-10-01", 5050), billed_to="2026-09-30")
    actual, estimated, _, method, flags = accrue(home)
    assert (actual, method, flags) == (0, "READS", "ESTIMATED_BILL;IMPLAUSIBLE_READ")
    assert estimated == pytest.approx(31 * Decimal(1050) / 183, abs=Decimal("0.001"))


def test_a_misread_among_the_unbilled_days(home: Book) -> None:
    """4000 to 5050 in 213 days, of which 91 are unbilled and one more is not read."""
    basic(home, ("2026-04-01", 4000), ("2026-08-01", 5100), ("2026-10-31", 5050))
    actual, estimated, *_ = accrue(home)
    assert actual == pytest.approx(91 * Decimal(1050) / 213, abs=Decimal("0.001"))
    assert estimated == pytest.approx(Decimal(1050) / 213, abs=Decimal("0.001"))


def test_a_digit_too_many_is_passed_over_when_the_next_read_falls_back(home: Book) -> None:
    """4100 to 6000 in 184 days, 92 of them unbilled."""
    basic(home, ("2026-02-01", 3200), ("2026-05-01", 4100), ("2026-08-01", 50_500), ("2026-11-01", 6000))
    assert accrue(home)[:2] == (950, 0)
    assert [row[0] for row in listed(home)] == ["2026-08-01"]


def test_a_digit_too_many_in_the_last_read(home: Book) -> None:
    """5900 to 68000 in 92 days are 675 kWh a day; the register's usual ten allow 138. 900 in 89 days are its own use."""
    basic(home, *YEAR, ("2026-08-01", 68_000))
    actual, estimated, *_, flags = accrue(home)
    assert actual == 0
    assert estimated == pytest.approx(92 * Decimal(900) / 89, abs=Decimal("0.001"))
    assert "IMPLAUSIBLE_READ" in flags


def test_a_digit_too_few_is_passed_over(home: Book) -> None:
    """5900 to 7740 in 184 days."""
    basic(home, *YEAR, ("2026-08-01", 680), ("2026-11-01", 7740))
    assert accrue(home)[:2] == (920, 0)


def test_with_one_span_alone_the_class_is_the_limit(home: Book) -> None:
    """A home of 200 kWh a day could be; one of 516 could not."""
    basic(home, ("2026-05-01", 0), ("2026-08-01", 18_400))
    assert accrue(home)[1] == 18_400  # 92 days more
    home.rows("update core.meter_read set index_value = 47000 where origin = 'PLATFORM' and index_value = 18400")
    assert "IMPLAUSIBLE_READ" in accrue(home)[4]


def test_a_quiet_home_that_is_moved_into_is_believed(home: Book) -> None:
    """From a third of a kWh a day to fifty."""
    basic(home, ("2025-11-01", 0), ("2026-02-01", 30), ("2026-05-01", 60), ("2026-08-01", 90), ("2026-11-01", 4690))
    assert accrue(home)[:2] == (4600, 0)
    assert listed(home) == []


def test_an_index_that_begins_anew_keeps_both_sides(home: Book) -> None:
    """The meter was reset on 10 June; what was used between the reads around it is not known."""
    basic(
        home, ("2026-02-01", 61_000), ("2026-05-01", 61_890), ("2026-08-01", 10), ("2026-10-01", 620), ("2026-11-01", 930)
    )  # fmt: skip
    assert accrue(home)[:2] == (920, 0)
    assert listed(home) == [("2026-08-01", None, 10, 138, "NEW_INDEX")]


def test_a_large_business_is_believed(home: Book) -> None:
    """Five thousand kWh a day, always; its usual day allows ten times that."""
    basic(
        home, ("2026-02-01", 0), ("2026-05-01", 445_000), ("2026-08-01", 905_000), ("2026-11-01", 365_000),
        customer_class="BUS", digits=6,
    )  # fmt: skip
    assert accrue(home)[:2] == (460_000, 0)
    assert listed(home) == []


def gas(book: Book, *reads: tuple[Any, ...]) -> int:
    """A home with a meter of cubic feet: 100 of them are 2.83 cubic metres, some 109 MJ."""
    book.macro("2025-11-01", "2026-10-31", 100_000, key="VIC|ZONE")
    return basic(book, *((on, index, "A", 109) for on, index in reads), fuel="GAS", state="VIC", digits=4)


def test_gas_that_is_off_in_summer_is_believed(home: Book) -> None:
    """From nothing to 1.5 units a day: 164 MJ, below half of a home's 5500."""
    gas(home, ("2026-02-01", 9000), ("2026-05-01", 9000), ("2026-08-01", 9000), ("2026-11-01", 9138))
    assert accrue(home)[:2] == (138 * 109, 0)
    assert listed(home) == []


def test_a_gas_index_rolls_over(home: Book) -> None:
    gas(home, ("2026-05-01", 9800), ("2026-08-01", 9950), ("2026-11-01", 88))
    assert accrue(home)[:2] == (138 * 109, 0)


def test_a_gas_index_that_fell_is_passed_over(home: Book) -> None:
    """9900 to 9500 is no roll-over: 9600 of 10000 units. From May, 184 days of 400 units, half of them unbilled."""
    gas(home, ("2026-02-01", 9000), ("2026-05-01", 9100), ("2026-08-01", 9900), ("2026-11-01", 9500))
    assert accrue(home)[:2] == (200 * 109, 0)
    assert listed(home) == [("2026-08-01", None, 9900, 2750, "INDEX")]


def test_estimates_alone_are_judged_like_actual_reads(home: Book) -> None:
    basic(home, ("2026-05-01", 5900, "E"), ("2026-08-01", 6810, "E"), ("2026-11-01", 6790, "E"))
    assert accrue(home)[:2] == (0, 445)


def test_again_the_same_list(home: Book) -> None:
    basic(home, *YEAR, ("2026-08-01", 6810), ("2026-11-01", 6790))
    first = accrue(home), listed(home)
    assert (accrue(home), listed(home)) == first


# --- interval reads ---------------------------------------------------------------------------------------------


def interval(book: Book, *, plan: str = "FLAT", state: str = "QLD") -> int:
    """Account A, unbilled from 1 October."""
    site = book.account("A", plan=plan, opened="2025-11-01", state=state)
    book.billed("A", "2025-11-01", "2026-09-30", units={"PRIMARY": 1608})
    return book.register(site)


def read(book: Book, register: int, bad: dict[str, Sequence[int]], qualities: str = "A" * 48) -> None:
    """Half-hours of 0.25 kWh from 1 September, and what site-data makes of the days that have implausible ones."""
    last = book.value("select max(profile_date)::text from bua.market_day where local_date = '2026-10-31'")
    book.days(register, "2026-09-01", last, 250)
    platform = []
    for (on,) in book.rows("select profile_date::text from bua.utility_profile where meter_register_id = %s", register):
        values = [ERROR_CODE if h in bad.get(on, ()) else 250 for h in range(1, 49)]
        platform.append(("S-A", "E1", on, 3, values, qualities if on in bad else "A" * 48))
    aggregate(book, "PLATFORM", platform)
    for on, half_hours in bad.items():
        book.rows("delete from bua.utility_profile where profile_date = %s", on)
        book.days(
            register, on, on, [0 if h in half_hours else 250 for h in range(1, 49)],
            quality="".join("N" if h in half_hours else quality for h, quality in enumerate(qualities, 1)),
        )  # fmt: skip
        book.rows(
            "insert into bua.implausible_read values (%s, 'A', 'S-A', %s, %s, %s, %s, %s, 2147483.647, 34.5, 'HALF_HOURS')",
            *(book.run_date, register, on, list(half_hours), [Decimal("2147483.647")] * len(half_hours)),
            "".join(qualities[h - 1] for h in half_hours),
        )


def test_an_error_code_is_not_billed_and_is_estimated(home: Book) -> None:
    """The 371.75 kWh of the other half-hours, $111.53, and one of 0.1 kWh x 12 / 4.8, $0.08."""
    read(home, interval(home), {"2026-10-10": [21]})
    assert accrue(home) == (
        Decimal("371.75"), Decimal("0.25"), Decimal("142.61"), "RECENT_DAYS", "IMPLAUSIBLE_READ",
    )  # fmt: skip
    assert listed(home) == [("2026-10-10", "21", Decimal("2147483.647"), Decimal("34.5"), "HALF_HOURS")]


def test_again_nothing_is_taken_out_twice(home: Book) -> None:
    read(home, interval(home), {"2026-10-10": [21]})
    first = accrue(home)
    home.call("bua_initiate_invoice_runs")
    assert accrue(home) == first
    home.rows("select bua.plan_work_items(%s, 'UtilityProfile', 'again', 100)", home.run_date)
    assert listed(home) == []
    assert home.rows("select from core.aggregated_read where quantity < 0") == []


def test_a_whole_day_is_estimated(home: Book) -> None:
    read(home, interval(home), {"2026-10-10": range(1, 49)})
    assert accrue(home)[:3] == (360, 12, Decimal("142.60"))
    assert listed(home)[0][1] == "1-48"


def test_a_delivered_estimate_that_cannot_be(home: Book) -> None:
    read(home, interval(home), {"2026-10-10": [21, 22]}, qualities="A" * 20 + "E" * 28)
    # 46 half-hours are left: 20 read, 26 delivered as estimates.
    assert accrue(home)[:2] == (30 * 12 + 5, 7)


def test_a_platform_that_did_not_take_it_either_is_not_corrected(home: Book) -> None:
    register = interval(home)
    read(home, register, {"2026-10-10": [21]})
    home.rows("update core.aggregated_read set quantity = 11.75 where meter_register_id = %s and from_date = '2026-10-10'",
              register)  # fmt: skip
    assert accrue(home)[:2] == (Decimal("371.75"), Decimal("0.25"))


def test_each_time_class_loses_its_own(book: Book) -> None:
    """New South Wales in summer, where the wall is an hour ahead of the market.

    Half-hour 3 begins at 02:00, in SHOULDER, for which the plan has no price; 31 at 16:00, PEAK; 43 at 22:00, OFFPEAK;
    47 at 00:00 of the next day, SHOULDER.
    """
    book.plan(
        "TOU", ("DAILY", "ANYTIME", "1.00"), ("USAGE", "ANYTIME", "0.30"), ("USAGE", "PEAK", "0.50"), ("USAGE", "OFFPEAK", "0.10"),
    )  # fmt: skip
    for time_class, first, last in (("SHOULDER", 0, 180), ("PEAK", 900, 1200), ("OFFPEAK", 1200, 1440)):
        book.rows("insert into core.time_class_window values ('TOU', %s, 'ALL', %s, %s)", time_class, first, last)
    book.segment(key="NSW|RES|PRIMARY")
    book.macro("2024-11-01", "2026-10-31", key="NSW|RES|PRIMARY")
    book.profile("2024-11-01", "2026-10-31", 0.1, key="NSW|RES|PRIMARY")
    read(book, interval(book, plan="TOU", state="NSW"), {"2026-10-20": [3, 31, 43, 47]})
    accrue(book)
    found = book.rows(
        "select from_date::text, time_class, sum(quantity) from core.aggregated_read where read_state = 'ACTUAL'"
        " and from_date in ('2026-10-20', '2026-10-21') group by 1, 2 order by 1, 2"
    )
    # 48 half-hours a day; 10 are PEAK, 8 OFFPEAK, 30 others.
    assert found == [
        ("2026-10-20", "ANYTIME", Decimal("7.25")), ("2026-10-20", "OFFPEAK", Decimal("1.75")), ("2026-10-20", "PEAK", Decimal("2.25")),
        ("2026-10-21", "ANYTIME", Decimal("7.25")), ("2026-10-21", "OFFPEAK", 2), ("2026-10-21", "PEAK", Decimal("2.5")),
    ]  # fmt: skip


def test_an_error_code_is_not_billed_where_nothing_can_be_estimated(book: Book) -> None:
    """Two days of a new account, without a bill and a profile: one of 12 kWh, and one that is left out."""
    book.plan()
    register = book.register(book.account("A", opened="2026-10-09"))
    book.days(register, "2026-10-09", "2026-10-09", 250)
    book.days(register, "2026-10-10", "2026-10-10", [0] + [250] * 47, quality="N" + "A" * 47)
    aggregate(book, "PLATFORM", [
        ("S-A", "E1", "2026-10-09", 3, [250] * 48, "A" * 48),
        ("S-A", "E1", "2026-10-10", 3, [ERROR_CODE] + [250] * 47, "A" * 48),
    ])  # fmt: skip
    book.rows(
        "insert into bua.implausible_read values (%s, 'A', 'S-A', %s, '2026-10-10', '{1}', '{2147483.647}', 'A',"
        " 2147483.647, 34.5, 'HALF_HOURS')",
        *(book.run_date, register),
    )
    # 23 days of supply, 12 kWh.
    actual, estimated, net, _, flags = accrue(book)
    assert (actual, estimated, net) == (12, 0, Decimal("26.60"))
    assert flags == "IMPLAUSIBLE_READ;INCOMPLETE;NEVER_BILLED"
    assert book.ask("uncovered_days", ["A"])[0][:3] == ("A", 23, 22)


@pytest.mark.parametrize("is_in_store", [True, False])
def test_a_day_of_the_platforms_quantities_that_cannot_be(home: Book, is_in_store: bool) -> None:
    """The store was mended after the snapshot, or lacks the day: 12 kWh, read or estimated."""
    register = interval(home)
    read(home, register, {})
    home.rows("update core.aggregated_read set quantity = 2147495.397 where meter_register_id = %s and from_date = '2026-10-10'",
              register)  # fmt: skip
    if not is_in_store:
        home.rows("delete from bua.utility_profile where profile_date = '2026-10-10'")
    actual, estimated, *_, flags = accrue(home)
    assert (actual, estimated) == ((372, 0) if is_in_store else (360, 12))
    assert flags == "IMPLAUSIBLE_READ"
    assert listed(home) == [("2026-10-10", None, Decimal("2147495.397"), 276, "SNAPSHOT_DAY")]
    assert accrue(home)[:2] == (actual, estimated)


def test_a_large_sites_day_in_the_snapshot_alone_is_believed(home: Book) -> None:
    """A business of 2,500 kWh a half-hour whose copy lacks a day; its other days are as large."""
    site = home.account("A", customer_class="BUS", opened="2025-11-01")
    home.billed("A", "2025-11-01", "2026-09-30")
    register = home.register(site)
    home.days(register, "2026-10-01", "2026-10-31", 2_500_000)
    home.close_profiles()
    home.rows("delete from bua.utility_profile where profile_date = '2026-10-10'")
    home.platform_units(register, "2026-10-01", "2026-10-31", 120_000)
    assert accrue(home)[:2] == (31 * 120_000, 0)
    assert listed(home) == []
