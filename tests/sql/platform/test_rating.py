"""From unbilled quantities to invoices; every amount is worked out in a comment or plain from the figures."""

from decimal import Decimal
from typing import Any

import pytest

OCTOBER = [["2026-10-01", "2026-10-31"]]


def home(platform: Any, *items: tuple[Any, ...], jurisdiction: str = "NSW") -> int:
    platform.plan("P", *items)
    platform.site("4103000001", jurisdiction)
    platform.account("1", "4103000001", "P")
    return platform.register("4103000001")


def test_supply_and_usage(platform: Any) -> None:
    register = home(platform, ("DAILY", "ANYTIME", "1.1"), ("USAGE", "ANYTIME", "0.3"))
    platform.read(register, "2026-10-01", "10.5")
    platform.read(register, "2026-10-31", "4.25", state="ESTIMATED", run_date="2026-11-01")
    platform.read(register, "2026-09-30", "1000")  # billed
    platform.read(register, "2026-11-01", "1000")  # next month's
    platform.read(register, "2026-10-31", "1000", state="ESTIMATED", run_date="2026-12-01")  # another run's
    platform.invoice({"1": OCTOBER})
    assert platform.lines("1", "quantity", "days", "rate", "l.net_amount", "l.gst_amount") == [
        ("DAILY", "ANYTIME", "ACTUAL", "31", "31", "1.1", "34.1", "3.41"),
        ("USAGE", "ANYTIME", "ACTUAL", "10.5", "1", "0.3", "3.15", "0.32"),  # GST 0.315
        ("USAGE", "ANYTIME", "ESTIMATED", "4.25", "1", "0.3", "1.28", "0.13"),  # 1.275, GST 0.1275
    ]
    assert platform.execute(
        "select invoice_id, from_date::text, to_date::text, issued_date::text, is_estimated, origin, run_date::text, "
        "net_amount::text, gst_amount::text from core.invoice"
    ) == [
        ("BUA-2026-11-01-1", "2026-10-01", "2026-10-31", "2026-11-01", True, "BUA", "2026-11-01", "38.53", "3.86"),
    ]


def test_running_twice_leaves_the_same(platform: Any) -> None:
    register = home(platform, ("DAILY", "ANYTIME", "1.1"), ("USAGE", "ANYTIME", "0.3", {"block_limit_per_day": 3}))
    for day in range(1, 31):
        platform.read(register, f"2026-10-{day:02}", f"{day}.123", state="ACTUAL" if day < 20 else "ESTIMATED")
    results = []
    for _ in range(2):
        platform.invoice({"1": OCTOBER})
        results.append(
            (
                platform.lines("1", "quantity", "days", "rate", "l.net_amount", "l.gst_amount", "discount_net"),
                platform.months("1", "USAGE"),
                platform.execute("select count(*) from core.invoice_line_item_month"),
                platform.execute("select * from core.billable_quantity order by item_type, line_state, year_month"),
                platform.execute("select workflow_name, count(*) from core.workflow_instance group by 1 order by 1"),
            )
        )
    assert results[0] == results[1]
    assert results[0][-1] == [("INVOICEGEN", 1), ("RUN_INVOICE_BATCH", 1)]


def test_each_day_at_the_price_valid_on_it(platform: Any) -> None:
    register = home(
        platform,
        ("DAILY", "ANYTIME", "1.0"),
        ("DAILY", "ANYTIME", "1.2", {"valid_from": "2026-10-11"}),
        ("USAGE", "ANYTIME", "0.30", {"valid_to": "2026-10-15"}),
        ("USAGE", "ANYTIME", "0.40", {"valid_from": "2026-10-16"}),
    )
    platform.read(register, "2026-10-15", "10")
    platform.read(register, "2026-10-16", "20")
    platform.invoice({"1": OCTOBER})
    assert platform.lines("1", "quantity", "rate", "l.net_amount") == [
        ("DAILY", "ANYTIME", "ACTUAL", "10", "1", "10"),
        ("DAILY", "ANYTIME", "ACTUAL", "21", "1.2", "25.2"),
        ("USAGE", "ANYTIME", "ACTUAL", "10", "0.3", "3"),
        ("USAGE", "ANYTIME", "ACTUAL", "20", "0.4", "8"),
    ]


def test_blocks_are_pooled_over_the_bill_days(platform: Any) -> None:
    """10 bill days, 5 kWh a day in the first block, 10 a day in the second: 50, the next 100, and the remainder."""
    block = {"valid_from": "2020-01-01"}
    register = home(
        platform,
        ("USAGE", "ANYTIME", "0.20", {**block, "block_limit_per_day": 5, "block_number": 1}),
        ("USAGE", "ANYTIME", "0.30", {**block, "block_limit_per_day": 10, "block_number": 2}),
        ("USAGE", "ANYTIME", "0.50", {**block, "block_number": 3}),
    )
    platform.read(register, "2026-10-22", "150")  # far over one day's blocks, but not over ten days'
    platform.read(register, "2026-10-31", "50", state="ESTIMATED", run_date="2026-11-01")
    platform.invoice({"1": [["2026-10-22", "2026-10-31"]]})
    assert platform.lines("1", "quantity", "rate", "l.net_amount") == [  # 3/4 of every block is actual
        ("USAGE", "ANYTIME", "ACTUAL", "37.5", "0.2", "7.5"),
        ("USAGE", "ANYTIME", "ACTUAL", "75", "0.3", "22.5"),
        ("USAGE", "ANYTIME", "ACTUAL", "37.5", "0.5", "18.75"),
        ("USAGE", "ANYTIME", "ESTIMATED", "12.5", "0.2", "2.5"),
        ("USAGE", "ANYTIME", "ESTIMATED", "25", "0.3", "7.5"),
        ("USAGE", "ANYTIME", "ESTIMATED", "12.5", "0.5", "6.25"),
    ]


def test_a_price_change_begins_the_blocks_anew(platform: Any) -> None:
    """4 bill days of the old price (40 kWh in its block), 6 of the new one (60)."""
    register = home(
        platform,
        ("USAGE", "ANYTIME", "0.20", {"block_limit_per_day": 10, "block_number": 1}),
        ("USAGE", "ANYTIME", "0.40", {"block_number": 2}),
        ("USAGE", "ANYTIME", "0.25", {"valid_from": "2026-10-26", "block_limit_per_day": 10, "block_number": 1}),
        ("USAGE", "ANYTIME", "0.45", {"valid_from": "2026-10-26", "block_number": 2}),
    )
    platform.read(register, "2026-10-22", "50")
    platform.read(register, "2026-10-27", "50")
    platform.invoice({"1": [["2026-10-22", "2026-10-31"]]})
    assert platform.lines("1", "quantity", "rate", "l.net_amount") == [
        ("USAGE", "ANYTIME", "ACTUAL", "40", "0.2", "8"),
        ("USAGE", "ANYTIME", "ACTUAL", "50", "0.25", "12.5"),
        ("USAGE", "ANYTIME", "ACTUAL", "10", "0.4", "4"),
    ]


def test_blocks_pool_over_both_windows_and_their_months(platform: Any) -> None:
    """A hole of 2 days in August and 28 days from 4 September: 30 bill days, so a block of 30 kWh, 120 remain."""
    register = home(
        platform,
        ("USAGE", "ANYTIME", "0.10", {"block_limit_per_day": 1, "block_number": 1}),
        ("USAGE", "ANYTIME", "0.20", {"block_number": 2}),
    )
    platform.read(register, "2026-08-10", "50")
    platform.read(register, "2026-08-20", "1000")  # between the windows: billed
    platform.read(register, "2026-09-04", "100")
    platform.invoice({"1": [["2026-08-10", "2026-08-11"], ["2026-09-04", "2026-10-01"]]})
    assert platform.lines("1", "quantity", "days", "l.net_amount") == [
        ("USAGE", "ANYTIME", "ACTUAL", "30", "2", "3"),
        ("USAGE", "ANYTIME", "ACTUAL", "120", "2", "24"),
    ]
    assert platform.months("1", "USAGE") == [
        ("ANYTIME", "ACTUAL", "0.1", "2026-08", "10", 1),
        ("ANYTIME", "ACTUAL", "0.1", "2026-09", "20", 1),
        ("ANYTIME", "ACTUAL", "0.2", "2026-08", "40", 1),
        ("ANYTIME", "ACTUAL", "0.2", "2026-09", "80", 1),
    ]


def test_months_of_a_shared_block_add_up_to_the_line(platform: Any) -> None:
    """A kWh in each of three months shares a block of 1.04 kWh: thirds without end."""
    register = home(
        platform,
        ("USAGE", "ANYTIME", "0.10", {"block_limit_per_day": "0.02", "block_number": 1}),
        ("USAGE", "ANYTIME", "0.20", {"block_number": 2}),
    )
    for month in ("08", "09", "10"):
        platform.read(register, f"2026-{month}-20", "1")
    platform.invoice({"1": [["2026-08-12", "2026-09-30"], ["2026-10-01", "2026-10-01"], ["2026-10-20", "2026-10-20"]]})
    # 50 + 1 + 1 bill days
    assert platform.months("1", "USAGE")[:3] == [
        ("ANYTIME", "ACTUAL", "0.1", "2026-08", "0.346666666667", 1),
        ("ANYTIME", "ACTUAL", "0.1", "2026-09", "0.346666666667", 1),
        ("ANYTIME", "ACTUAL", "0.1", "2026-10", "0.346666666666", 1),
    ]
    assert platform.lines("1", "quantity", "l.net_amount") == [
        ("USAGE", "ANYTIME", "ACTUAL", "1.04", "0.1"),
        ("USAGE", "ANYTIME", "ACTUAL", "1.96", "0.39"),
    ]


def test_discount_is_taken_up_in_part(platform: Any) -> None:
    """30 % off in full, 80 % of customers take it up: 24 % off what is accrued."""
    register = home(platform, ("USAGE", "ANYTIME", "0.25", {"discount_percent": 30, "discount_propensity": "0.8"}))
    platform.read(register, "2026-10-15", "333")
    platform.invoice({"1": OCTOBER})
    assert platform.lines("1", "discount_net", "discount_net_propensity", "l.net_amount", "l.gst_amount") == [
        # gross 83.25; 24.975; 19.98; 63.27; 6.327
        ("USAGE", "ANYTIME", "ACTUAL", "24.98", "19.98", "63.27", "6.33"),
    ]


def test_every_stream_has_its_own_price(platform: Any) -> None:
    register = home(
        platform, ("USAGE", "ANYTIME", "0.30"), ("CONTROL", "ANYTIME", "0.18"), ("FEED_IN", "ANYTIME", "0.055")
    )
    hot_water = platform.register("4103000001", "E2", "CONTROL")
    roof = platform.register("4103000001", "B1", "SOLAR")
    platform.read(register, "2026-10-15", "100")
    platform.read(hot_water, "2026-10-15", "50")
    platform.read(roof, "2026-10-15", "200.1")
    platform.invoice({"1": OCTOBER})
    assert platform.lines("1", "quantity", "l.net_amount", "l.gst_amount") == [
        ("CONTROL", "ANYTIME", "ACTUAL", "50", "9", "0.9"),
        ("FEED_IN", "ANYTIME", "ACTUAL", "200.1", "-11.01", "0"),  # a credit of 11.0055, no GST
        ("USAGE", "ANYTIME", "ACTUAL", "100", "30", "3"),
    ]
    assert platform.execute("select distinct item_type, stream_type from core.invoice_line_item order by 1") == [
        ("CONTROL", "CONTROL"),
        ("FEED_IN", "SOLAR"),
        ("USAGE", "PRIMARY"),
    ]
    assert platform.execute("select net_amount, gst_amount from core.invoice") == [(Decimal("27.99"), Decimal("3.90"))]


def test_time_classes_and_their_fallback(platform: Any) -> None:
    register = home(platform, ("USAGE", "PEAK", "0.50"), ("USAGE", "ANYTIME", "0.20"))
    platform.read(register, "2026-10-15", "10", time_class="PEAK")
    platform.read(register, "2026-10-15", "10", time_class="OFFPEAK")
    platform.read(register, "2026-10-15", "10", time_class="ANYTIME")
    platform.invoice({"1": OCTOBER})
    assert platform.lines("1", "quantity", "days", "rate", "l.net_amount") == [
        ("USAGE", "ANYTIME", "ACTUAL", "20", "1", "0.2", "4"),
        ("USAGE", "PEAK", "ACTUAL", "10", "1", "0.5", "5"),
    ]


def test_what_has_no_price_stays_visible(platform: Any) -> None:
    register = home(
        platform,
        ("DAILY", "ANYTIME", "1", {"valid_from": "2026-10-02"}),
        ("USAGE", "PEAK", "0.5", {"valid_to": "2026-10-15"}),
        ("USAGE", "OFFPEAK", "0.1", {"block_limit_per_day": 1}),
    )
    roof = platform.register("4103000001", "B1", "SOLAR")
    platform.read(register, "2026-10-15", "1", time_class="PEAK")
    platform.read(register, "2026-10-16", "2", time_class="PEAK")
    platform.read(register, "2026-10-16", "33", time_class="OFFPEAK")  # 31 in the block, 2 beyond it
    platform.read(roof, "2026-10-16", "4")
    platform.invoice({"1": OCTOBER})
    assert platform.lines("1", "quantity", "rate", "l.net_amount", "l.gst_amount") == [
        ("DAILY", "ANYTIME", "ACTUAL", "30", "1", "30", "3"),
        ("DAILY", "ANYTIME", "ACTUAL", "1", None, "0", "0"),
        ("FEED_IN", "ANYTIME", "ACTUAL", "4", "0", "0", "0"),  # the plan pays nothing for export
        ("USAGE", "OFFPEAK", "ACTUAL", "31", "0.1", "3.1", "0.31"),
        ("USAGE", "OFFPEAK", "ACTUAL", "2", None, "0", "0"),
        ("USAGE", "PEAK", "ACTUAL", "1", "0.5", "0.5", "0.05"),
        ("USAGE", "PEAK", "ACTUAL", "2", None, "0", "0"),
    ]
    assert platform.months("1", "FEED_IN") == [("ANYTIME", "ACTUAL", "0", "2026-10", "4", 1)]


def test_a_vacant_site_pays_supply_and_shows_its_zero(platform: Any) -> None:
    register = home(platform, ("DAILY", "ANYTIME", "1"), ("USAGE", "ANYTIME", "0.3", {"block_limit_per_day": 5}))
    platform.read(register, "2026-10-01", "0", "2026-10-31", state="ESTIMATED", run_date="2026-11-01")
    platform.invoice({"1": OCTOBER})
    assert platform.lines("1", "quantity", "l.net_amount")[1:] == [("USAGE", "ANYTIME", "ESTIMATED", "0", "0")]


def test_basic_registers_are_billed_by_the_runs_rows_alone(platform: Any) -> None:
    platform.plan("GAS", ("DAILY", "ANYTIME", "0.7"), ("USAGE", "ANYTIME", "0.03"))
    platform.site("5100000001", "VIC", "GAS")
    platform.account("1", "5100000001", "GAS")
    meter = platform.register("5100000001", "11", read_type="BASIC")
    platform.read(meter, "2026-09-01", "5000", "2026-10-31")  # the platform's read period: an input, not a bill
    platform.read(meter, "2026-09-16", "900", "2026-09-30", run_date="2026-11-01")
    platform.read(meter, "2026-10-01", "300", "2026-10-05", run_date="2026-11-01")
    platform.read(meter, "2026-10-06", "1700", "2026-10-31", state="ESTIMATED", run_date="2026-11-01")
    platform.invoice({"1": [["2026-09-16", "2026-10-31"]]})
    assert platform.lines("1", "quantity", "days", "l.net_amount") == [
        ("DAILY", "ANYTIME", "ACTUAL", "46", "46", "32.2"),
        ("USAGE", "ANYTIME", "ACTUAL", "1200", "20", "36"),
        ("USAGE", "ANYTIME", "ESTIMATED", "1700", "26", "51"),
    ]
    assert platform.months("1", "USAGE") == [
        ("ANYTIME", "ACTUAL", "0.03", "2026-09", "900", 15),
        ("ANYTIME", "ACTUAL", "0.03", "2026-10", "300", 5),
        ("ANYTIME", "ESTIMATED", "0.03", "2026-10", "1700", 26),
    ]


def test_two_registers_of_one_stream_are_one_line(platform: Any) -> None:
    register = home(platform, ("USAGE", "ANYTIME", "0.335"))
    second = platform.register("4103000001", "E3")
    platform.read(register, "2026-10-15", "0.01")
    platform.read(second, "2026-10-15", "0.02")
    platform.invoice({"1": OCTOBER})
    # 0.03 x 0.335 = 0.01005, rounded once; two lines would be 0.00 + 0.01 with quantities 0.01 and 0.02
    assert platform.lines("1", "quantity", "days", "l.net_amount") == [
        ("USAGE", "ANYTIME", "ACTUAL", "0.03", "1", "0.01")
    ]


def test_accounts_that_follow_each_other_pay_for_their_own_days(platform: Any) -> None:
    platform.plan("A", ("DAILY", "ANYTIME", "1"), ("USAGE", "ANYTIME", "0.3"))
    platform.plan("B", ("DAILY", "ANYTIME", "2"), ("USAGE", "ANYTIME", "0.5"))
    platform.site("4103000001")
    platform.account("1", "4103000001", "A", last="2026-10-10")
    platform.account("2", "4103000001", "B", first="2026-10-11")
    register = platform.register("4103000001")
    platform.read(register, "2026-10-10", "10")
    platform.read(register, "2026-10-11", "20")
    platform.invoice({"1": [["2026-10-01", "2026-10-10"]], "2": [["2026-10-11", "2026-10-31"]]})
    assert platform.lines("1", "quantity", "l.net_amount") == [
        ("DAILY", "ANYTIME", "ACTUAL", "10", "10"),
        ("USAGE", "ANYTIME", "ACTUAL", "10", "3"),
    ]
    assert platform.lines("2", "quantity", "l.net_amount") == [
        ("DAILY", "ANYTIME", "ACTUAL", "21", "42"),
        ("USAGE", "ANYTIME", "ACTUAL", "20", "10"),
    ]


@pytest.mark.parametrize(
    ("window", "months"),
    [
        (["2028-02-15", "2028-03-01"], [("2028-02", "15", 15), ("2028-03", "1", 1)]),  # 29 February counts
        (["2026-12-30", "2027-01-02"], [("2026-12", "2", 2), ("2027-01", "2", 2)]),
        (["2026-10-01", "2026-10-31"], [("2026-10", "31", 31)]),  # a day of 23 hours is a day of supply
    ],
)
def test_supply_by_month(platform: Any, window: list[str], months: list[tuple[Any, ...]]) -> None:
    home(platform, ("DAILY", "ANYTIME", "1"))
    platform.invoice({"1": [window]}, run_date="2028-04-01")
    assert [row[3:] for row in platform.months("1", "DAILY")] == months


def test_a_day_is_never_priced_twice(platform: Any) -> None:
    """A price that a later one overtakes ends the day before it, whatever its own end says."""
    register = home(
        platform,
        ("DAILY", "ANYTIME", "1", {"valid_to": "2026-12-31"}),
        ("DAILY", "ANYTIME", "2", {"valid_from": "2026-10-16"}),
        ("USAGE", "ANYTIME", "0.1"),
        ("USAGE", "ANYTIME", "0.2", {"valid_from": "2026-10-16"}),
    )
    platform.read(register, "2026-10-16", "10")
    platform.invoice({"1": OCTOBER})
    assert platform.lines("1", "quantity", "rate") == [
        ("DAILY", "ANYTIME", "ACTUAL", "15", "1"),
        ("DAILY", "ANYTIME", "ACTUAL", "16", "2"),
        ("USAGE", "ANYTIME", "ACTUAL", "10", "0.2"),
    ]


def test_only_the_batchs_accounts_change(platform: Any) -> None:
    register = home(platform, ("DAILY", "ANYTIME", "1"), ("USAGE", "ANYTIME", "0.3"))
    platform.account("2", "4103000001", "P")
    platform.read(register, "2026-10-16", "10")
    platform.invoice({"1": OCTOBER, "2": OCTOBER})
    before = platform.execute("select invoice_line_item_id from core.invoice_line_item where invoice_id like '%-2'")
    platform.invoice({"1": OCTOBER})
    assert before == platform.execute(
        "select invoice_line_item_id from core.invoice_line_item where invoice_id like '%-2'"
    )


def test_an_unknown_account_is_refused(platform: Any) -> None:
    home(platform, ("DAILY", "ANYTIME", "1"))
    with pytest.raises(Exception, match="there is no account 7"):
        platform.invoice({"1": OCTOBER, "7": OCTOBER})
