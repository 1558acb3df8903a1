"""The known corrections of estimated bills.

Account A is billed on reads to 30 June 2026 and on an estimate of 400 kWh for the 92 days from 1 July to 30 September. It pays
30 cents a kWh. AS_AT is 31 October, and October is unbilled. The profile is 4.8 kWh every day.
"""

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.sql.accrue import accrue, read_days
from tests.sql.builder import Book

BILLED_UNITS = 400
COLUMNS = "units_actual, catch_up_units, catch_up_amount, flags"
NOT_BELIEVED = (
    "insert into bua.implausible_read (run_date, account_id, site_id, meter_register_id, read_date, value, limit_value, reason)"
    " select run_date, 'A', site_id, meter_register_id, profile_date, 1, 1, 'DAY' from bua.utility_profile"
    " where profile_date = '2026-08-15'"
)


def home(book: Book, **units: Any) -> str:
    """Account A with its bills; the estimated one's units by stream."""
    site: str = book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-06-30", units={"PRIMARY": 1200})
    book.billed("A", "2026-07-01", "2026-09-30", estimated=True, units=units or {"PRIMARY": BILLED_UNITS})
    return site


def basic(book: Book, *reads: tuple[Any, ...]) -> None:
    book.read(book.basic(home(book)), *reads)


def catch_ups(book: Book) -> list[tuple[Any, ...]]:
    return book.ask("catch_ups", ["A"], columns="account_id, units, net_amount")


def summary(book: Book, columns: str = COLUMNS) -> tuple[Any, ...]:
    accrue(book, "A")
    (row,) = book.rows(f"select {columns} from bua.account_summary where run_date = %s", book.run_date)
    return row


# --- basic registers --------------------------------------------------------------------------------------------


def test_read_at_both_ends_of_the_bill(town: Book) -> None:
    """460 kWh were used, 400 billed: 60 x 0.30. October is estimated at 5 a day, and has nothing of it: 31 + 46.50."""
    basic(town, ("2026-07-01", 1000), ("2026-10-01", 1460))
    assert summary(town, f"{COLUMNS}, units_estimated, net_amount") == (
        0, 60, 18, "CATCH_UP;ESTIMATED_BILL", 155, Decimal("77.5"),
    )  # fmt: skip


def test_a_read_inside_the_unbilled_window_is_shared_by_the_profile(town: Book) -> None:
    """560 kWh to 10 October, when days weigh double: 92 days x 5 are billed ones, 10 days x 10 are October's.

    The bill, its correction and what is accrued as read are the index: 400 + 60 + 100 = 560.
    """
    town.macro("2026-10-01", "2026-10-31", "9.6")
    basic(town, ("2026-07-01", 1000), ("2026-10-11", 1560))
    assert summary(town) == (100, 60, 18, "CATCH_UP;ESTIMATED_BILL")


def test_the_days_before_the_bill_have_their_share_too(town: Book) -> None:
    """Read on 21 June and 1 October: 102 days, 510 kWh, of which 92 x 5 are the bill's."""
    basic(town, ("2026-06-21", 1000), ("2026-10-01", 1510))
    assert catch_ups(town) == [("A", 60, 18)]


def test_reads_between_are_added_up(town: Book) -> None:
    """100 + 240 + 120 kWh; an estimate between two actual reads does not count."""
    basic(
        town, ("2026-07-01", 0), ("2026-08-01", 100), ("2026-09-01", 340), ("2026-09-15", 345, "E"), ("2026-10-01", 460)
    )
    assert catch_ups(town) == [("A", 60, 18)]


def test_an_estimate_that_was_too_high_gives_money_back(town: Book) -> None:
    """340 kWh were used: 60 too many billed."""
    basic(town, ("2026-07-01", 1000), ("2026-10-01", 1340))
    assert summary(town) == (0, -60, -18, "CATCH_UP;ESTIMATED_BILL")


@pytest.mark.parametrize(
    "reads",
    [
        [("2026-07-01", 1000)],  # not read since
        [("2026-07-01", 1000), ("2026-10-01", 1460, "E")],  # a delivered estimate
        [("2026-07-01", 1000), ("2026-09-30", 1455)],  # the last day is not read
        [("2026-07-02", 1005), ("2026-10-01", 1460)],  # the first day is not read
        [("2026-07-01", 1000), ("2026-11-02", 1620)],  # read after the end of the period
        [("2026-10-01", 1460)],
    ],
)
def test_what_is_not_known_is_blank(town: Book, reads: list[tuple[Any, ...]]) -> None:
    basic(town, *reads)
    assert summary(town)[1:] == (None, None, "ESTIMATED_BILL")


def test_a_read_that_is_not_believed_makes_nothing_known(town: Book) -> None:
    """9,000 kWh a day; without this read the bill's days end nowhere."""
    basic(town, ("2026-04-01", 550), ("2026-07-01", 1000), ("2026-10-01", 829_000))
    assert summary(town)[1:] == (None, None, "ESTIMATED_BILL;IMPLAUSIBLE_READ")


def test_each_side_of_a_change_of_meters(town: Book) -> None:
    """250 kWh by the old meter to 14 August, 210 by the new one from the 15th."""
    site = home(town)
    town.read(town.basic(site, end="2026-08-14", serial="OLD"), ("2026-07-01", 1000), ("2026-08-15", 1250))
    new = town.basic(site, start="2026-08-15", serial="NEW")
    town.read(new, ("2026-08-15", 0))
    assert catch_ups(town) == []
    town.read(new, ("2026-10-01", 210))
    assert catch_ups(town) == [("A", 60, 18)]


def test_gas(book: Book) -> None:
    """100 index units of 40 MJ are 4,000 MJ, 3,500 were billed: 500 x 0.04."""
    book.plan("GAS", ("DAILY", "ANYTIME", "0.80"), ("USAGE", "ANYTIME", "0.04"))
    book.macro("2024-11-01", "2026-10-31", 50_000, key="VIC|ZONE")
    site = book.account("A", fuel="GAS", state="VIC", plan="GAS", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-06-30", units={"PRIMARY": 10_000})
    book.billed("A", "2026-07-01", "2026-09-30", estimated=True, units={"PRIMARY": 3500})
    book.read(book.basic(site, uom="MJ"), ("2026-07-01", 10, "A", 40), ("2026-10-01", 110, "A", 40))
    assert summary(book)[1:] == (500, 20, "CATCH_UP;ESTIMATED_BILL")


# --- interval registers -----------------------------------------------------------------------------------------


def test_interval_days_of_the_snapshot(town: Book) -> None:
    """92 days of 4.8 kWh are 441.6: 41.6 x 0.30."""
    read_days(town, town.register(home(town)), "2026-07-01", "2026-10-31")
    assert summary(town) == (Decimal("148.8"), Decimal("41.6"), Decimal("12.48"), "CATCH_UP;ESTIMATED_BILL")


@pytest.mark.parametrize(
    "change",
    [
        "delete from core.aggregated_read where from_date = '2026-08-15'",
        "update core.aggregated_read set read_state = 'ESTIMATED' where from_date = '2026-08-15'",
        "update bua.utility_profile set missing_mask = 7 where profile_date = '2026-08-15'",
        NOT_BELIEVED,
    ],
)
def test_a_bill_of_which_a_day_is_not_known_is_left_out(town: Book, change: str) -> None:
    read_days(town, town.register(home(town)), "2026-07-01", "2026-10-31")
    assert len(catch_ups(town)) == 1
    town.rows(change)
    assert catch_ups(town) == []


def test_every_stream_has_to_be_known(town: Book) -> None:
    """The controlled load is 46 kWh in 92 days, 40 were billed at 15 cents: 18.00 and 0.90."""
    town.rows(
        "insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from) values ('FLAT', 'CONTROL', 'ANYTIME', 0.15, '2000-01-01')"
    )
    site = home(town, PRIMARY=BILLED_UNITS, CONTROL=40)
    town.read(town.basic(site), ("2026-07-01", 1000), ("2026-10-01", 1460))
    assert catch_ups(town) == []  # no register measures what was billed as CONTROL
    control = town.basic(site, "41", stream="CONTROL")
    assert catch_ups(town) == []
    town.read(control, ("2026-07-01", 0), ("2026-10-01", 46))
    assert catch_ups(town) == [("A", 66, Decimal("18.9"))]


def test_export_to_the_grid_is_a_credit_and_no_unit(town: Book) -> None:
    """Exactly billed, but 92 x 4.8 = 441.6 kWh were exported and 400 credited, at 5 cents."""
    town.rows(
        "insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from) values ('FLAT', 'FEED_IN', 'ANYTIME', 0.05, '2000-01-01')"
    )
    site = home(town, PRIMARY="441.6", SOLAR=400)
    for suffix, stream in (("E1", "PRIMARY"), ("B1", "SOLAR")):
        read_days(town, town.register(site, suffix, stream=stream), "2026-07-01", "2026-10-31")
    assert catch_ups(town) == [("A", 0, Decimal("-2.08"))]


# --- which bills ------------------------------------------------------------------------------------------------


READ = (("2026-07-01", 1000), ("2026-10-01", 1460))


def test_a_later_bill_on_reads_has_corrected_the_estimate(town: Book) -> None:
    basic(town, *READ, ("2026-10-16", 1535))
    town.billed("A", "2026-10-01", "2026-10-15", units={"PRIMARY": 135})
    assert summary(town)[1:] == (None, None, "")


def test_an_account_without_an_estimated_bill(town: Book) -> None:
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30", units={"PRIMARY": 1600})
    town.read(town.basic(site), ("2026-07-01", 1000), ("2026-10-01", 1460))
    assert summary(town)[1:] == (None, None, "")


def test_several_estimated_bills_in_a_row(town: Book) -> None:
    """60 kWh of July to September, and 15 days x 5 of October less 70 billed: 65 x 0.30."""
    basic(town, *READ)
    town.billed("A", "2026-10-01", "2026-10-15", estimated=True, units={"PRIMARY": 70})
    assert catch_ups(town) == [("A", 60, 18)]  # nothing is known of October
    town.read(town.value("select meter_register_id from core.meter_register"), ("2026-10-21", 1560))
    assert catch_ups(town) == [("A", 65, Decimal("19.5"))]


@pytest.mark.parametrize(
    "change",
    [
        "update core.invoice set is_reversed = true where is_estimated",
        "update core.invoice set issued_date = '2026-11-01' where is_estimated",
        "update core.invoice set origin = 'BUA', run_date = '2026-10-01' where is_estimated",
        "update core.invoice set from_date = '2026-06-30' where is_estimated",  # a day that is billed twice
        "delete from core.invoice_line_item",  # it is not known what was billed
    ],
)
def test_bills_that_do_not_count(town: Book, change: str) -> None:
    basic(town, ("2026-06-01", 850), *READ)
    assert len(catch_ups(town)) == 1
    town.rows(change)
    assert catch_ups(town) == []


# --- what it costs ----------------------------------------------------------------------------------------------


def test_each_day_has_its_price(town: Book) -> None:
    """5 kWh a day: 310 to 31 August at 30 cents, 150 in September at 40.

    The 400 billed fall on them in proportion: 269.565 and 130.435; 40.435 x 0.30 = 12.13 and 19.565 x 0.40 = 7.83.
    """
    town.rows(
        "insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from) values ('FLAT', 'USAGE', 'ANYTIME', 0.40, '2026-09-01')"
    )
    basic(town, *READ)
    assert catch_ups(town) == [("A", 60, Decimal("19.96"))]


def test_each_day_has_its_plan(town: Book) -> None:
    """The same by a change of plan on 1 September; the plan of today never applied."""
    town.plan("DEAR", ("USAGE", "ANYTIME", "0.40"))
    town.plan("TODAY", ("USAGE", "ANYTIME", "9.00"))
    basic(town, *READ)
    town.rows("update core.account set plan_code = 'TODAY'")
    town.rows("insert into core.account_plan values ('A', 'FLAT', '2025-11-01', '2026-08-31')")
    town.rows("insert into core.account_plan values ('A', 'DEAR', '2026-09-01', '2026-09-30')")
    assert catch_ups(town) == [("A", 60, Decimal("19.96"))]


def test_blocks_and_discounts(town: Book) -> None:
    """The first 4.5 kWh a day cost 20 cents, 414 kWh in 92 days: 14 of the 60 kWh. 46 cost 50 cents.

    A discount of 10 % that every second customer earns: 2.80 x 0.95 = 2.66 and 23.00 x 0.95 = 21.85.
    """
    town.rows("delete from core.plan_item where item_type = 'USAGE'")
    town.rows(
        "insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from, block_number, block_limit_per_day,"
        " discount_percent, discount_propensity) values ('FLAT', 'USAGE', 'ANYTIME', 0.20, '2000-01-01', 1, 4.5, 10, 0.5),"
        " ('FLAT', 'USAGE', 'ANYTIME', 0.50, '2000-01-01', 2, null, 10, 0.5)"
    )
    basic(town, *READ)
    assert catch_ups(town) == [("A", 60, Decimal("24.51"))]


def test_time_classes_are_corrected_apart(book: Book) -> None:
    """Peak 92 x 3 = 276 kWh and 270 billed: 6 x 0.50. Off-peak 92 x 1 = 92 and 100 billed: -8 x 0.10."""
    book.plan("FLAT", ("USAGE", "PEAK", "0.50"), ("USAGE", "OFFPEAK", "0.10"))
    register = book.register(home(book, PRIMARY=270))
    book.rows("update core.invoice_line_item set time_class = 'PEAK'")
    book.rows(
        "insert into core.invoice_line_item (invoice_id, item_type, stream_type, time_class, quantity, net_amount)"
        " select invoice_id, 'USAGE', 'PRIMARY', 'OFFPEAK', 100, 0 from core.invoice where is_estimated"
    )
    for time_class, quantity in (("PEAK", 3), ("OFFPEAK", 1)):
        book.rows(
            "insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity)"
            " select %s, d, d, %s, 'ACTUAL', %s from generate_series('2026-07-01'::timestamp, '2026-09-30', '1 day') d",
            *(register, time_class, quantity),
        )
    assert catch_ups(book) == [("A", -2, Decimal("2.2"))]


def test_an_index_on_a_plan_of_time_classes_is_divided_by_hours(town: Book) -> None:
    """Half of the day is peak. The bill has one line without a class: 30 kWh x 0.50 and 30 x 0.10."""
    town.rows("delete from core.plan_item where item_type = 'USAGE'")
    town.rows(
        "insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from) values"
        " ('FLAT', 'USAGE', 'PEAK', 0.50, '2000-01-01'), ('FLAT', 'USAGE', 'OFFPEAK', 0.10, '2000-01-01')"
    )
    town.rows("insert into core.time_class_window values ('FLAT', 'PEAK', 'ALL', 480, 1200), ('FLAT', 'OFFPEAK', 'ALL', 0, 480),"
              " ('FLAT', 'OFFPEAK', 'ALL', 1200, 1440)")  # fmt: skip
    basic(town, *READ)
    assert catch_ups(town) == [("A", 60, 18)]


def test_nothing_was_used(town: Book) -> None:
    """All 400 billed kWh come back. They fall on the prices by days: 62 of 92 at 30 cents, 30 at 40."""
    town.rows(
        "insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from) values ('FLAT', 'USAGE', 'ANYTIME', 0.40, '2026-09-01')"
    )
    basic(town, ("2026-07-01", 1000), ("2026-10-01", 1000))
    # 269.565217 x 0.30 = 80.87; 130.434783 x 0.40 = 52.17
    assert catch_ups(town) == [("A", -400, Decimal("-133.04"))]


# --- what is handed over ----------------------------------------------------------------------------------------


def test_the_control_totals_have_the_sum(town: Book) -> None:
    basic(town, *READ)
    accrue(town, "A")
    with town.acting_as("lambda"):
        found = json.loads(town.value("select bua.control_totals(%s)::text", town.run_date), parse_float=Decimal)
        assert found["catch_up"] == {"accounts": 1, "net_amount": 18}
        assert found["totals"]["net_amount"] == Decimal("77.5")
        row = town.rows("select catch_up_units, catch_up_amount from bua.export_account_summary")
    assert row == [(60, 18)]


def test_without_any_the_sum_is_zero(town: Book) -> None:
    basic(town, ("2026-07-01", 1000))
    accrue(town, "A")
    found = town.value("select bua.control_totals(%s) -> 'catch_up'", town.run_date)
    assert found == {"accounts": 0, "net_amount": 0}
