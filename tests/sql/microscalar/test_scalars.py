"""Micro scalars: every method, in order. The macro profile is 4.8 kWh a day unless said otherwise.

Accounts are billed to 30 September 2026 and unbilled in October; 91 days before 1 October is 2 July.
"""

from decimal import Decimal
from typing import Any

import pytest
from tests.sql.accrue import recent
from tests.sql.builder import Book, day


@pytest.fixture
def segment(book: Book) -> Book:
    """A segment whose macro profile covers all days."""
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    return book


def unbilled_in_october(book: Book, account_id: str = "A", **more: Any) -> str:
    site = book.account(account_id, **more)
    book.billed(account_id, more.get("opened", "2025-11-01"), "2026-09-30", estimated=True)  # no reference itself
    return site


def interval(book: Book, account_id: str = "A", **more: Any) -> int:
    return book.register(unbilled_in_october(book, account_id, **more))


def basic(book: Book, account_id: str = "A", *, digits: int | None = None, **more: Any) -> int:
    return book.basic(unbilled_in_october(book, account_id, **more), digits=digits)


def create(book: Book, *accounts: str) -> None:
    book.call("bua_create_invoice_scalar", list(accounts or ("A",)))


FULL = "method, scalar, daily_mean, reference_days, reference_from::text, reference_to::text, usage_units, macro_units"


# --- interval reads ---------------------------------------------------------------------------------------------


def test_complete_days_of_the_reference_window(segment: Book) -> None:
    register = interval(segment)
    segment.days(register, "2026-06-01", "2026-07-01", 900)  # before the window
    segment.days(register, "2026-07-02", "2026-09-30", 200)  # 9.6 kWh on 91 days
    create(segment)
    assert segment.scalar("A", FULL) == (
        "RECENT_DAYS", 2, Decimal("9.6"), 91, "2026-07-02", "2026-09-30", Decimal("873.6"), Decimal("436.8"),
    )  # fmt: skip
    assert segment.scalar("A", "first_missing::text, last_missing::text, is_capped, profile_key") == (
        "2026-10-01", "2026-10-31", False, "QLD|RES|PRIMARY",
    )  # fmt: skip


def test_estimated_and_partly_missing_days_are_no_reference(segment: Book) -> None:
    register = interval(segment)
    segment.days(register, "2026-08-01", "2026-08-31", 900, quality="E")
    segment.days(register, "2026-09-01", "2026-09-01", 900, quality="A" * 47 + "E")
    segment.days(register, "2026-09-02", "2026-09-02", 900, quality="N" + "A" * 47)
    segment.days(register, "2026-09-03", "2026-09-30", 100, quality="A" * 16 + "S" * 16 + "F" * 16)
    create(segment)
    assert segment.scalar("A", FULL)[:5] == ("RECENT_DAYS", 1, Decimal("4.8"), 28, "2026-09-03")


def test_days_without_a_macro_value_count_on_neither_side(segment: Book) -> None:
    register = interval(segment)
    segment.days(register, "2026-07-02", "2026-07-31", 900)
    segment.days(register, "2026-08-01", "2026-09-30", 200)
    segment.forget_macro("2026-07-01", "2026-07-31")
    create(segment)
    assert segment.scalar("A", FULL)[:5] == ("RECENT_DAYS", 2, Decimal("9.6"), 61, "2026-08-01")


def test_days_on_either_side_of_a_hole_count_the_nearest_most(segment: Book) -> None:
    register = interval(segment)
    segment.days(register, "2026-09-01", "2026-10-05", 200)
    segment.days(register, "2026-10-07", "2026-10-31", 900)
    create(segment)
    # The 6th is missing: 30 days of September and five of October before it, 25 of October after it.
    method, scalar, _, *reference = segment.scalar("A", FULL)[:6]
    assert (method, *reference) == ("RECENT_DAYS", 60, "2026-09-01", "2026-10-31")
    assert float(scalar) == pytest.approx(recent((1, 35, 2), (1, 25, 9)), rel=1e-9)


@pytest.mark.parametrize(
    ("first", "method", "days"), [("2026-09-17", "RECENT_DAYS", 14), ("2026-09-18", "SEGMENT_AVERAGE", None)]
)
def test_fourteen_days_are_a_reference_thirteen_are_none(
    segment: Book, first: str, method: str, days: int | None
) -> None:
    segment.days(interval(segment), first, "2026-09-30", 200)
    create(segment)
    assert segment.scalar("A", "method, scalar, reference_days") == (method, 2 if days else 1, days)


def test_too_few_days_in_the_window_older_ones_join_them(segment: Book) -> None:
    register = interval(segment)
    segment.days(register, "2025-12-01", "2025-12-10", 800)  # ten days too old: 91 latest are taken
    segment.days(register, "2025-12-11", "2026-02-26", 300)  # 21 + 31 + 26 = 78 days of 14.4
    segment.days(register, "2026-09-18", "2026-09-30", 200)  # 13 days of 9.6
    create(segment)
    # 78 x 14.4 + 13 x 9.6 over 91 x 4.8: 20 / 7.
    assert segment.scalar("A", "method, reference_days, reference_from::text, usage_units, macro_units") == (
        "OLDER_READS", 91, "2025-12-11", 1248, Decimal("436.8"),
    )  # fmt: skip
    assert segment.scalar("A", "round(scalar, 12)") == (Decimal("2.857142857143"),)


def test_only_days_of_the_accounts_own_occupancy(segment: Book) -> None:
    site = segment.account("BEFORE", closed="2026-08-31")
    register = segment.register(site)
    unbilled_in_october(segment, "A", site=site, opened="2026-09-01")
    segment.days(register, "2026-06-01", "2026-08-31", 900)
    segment.days(register, "2026-09-01", "2026-09-30", 100)
    create(segment)
    assert segment.scalar("A", FULL)[:5] == ("RECENT_DAYS", 1, Decimal("4.8"), 30, "2026-09-01")


def test_a_swap_of_interval_meters_keeps_the_references(segment: Book) -> None:
    site = unbilled_in_october(segment)
    old = segment.register(site, end="2026-09-15", serial="OLD")
    new = segment.register(site, start="2026-09-16", serial="NEW")
    segment.days(old, "2026-08-01", "2026-09-15", 100)  # 46 days of 4.8
    segment.days(new, "2026-09-16", "2026-09-30", 200)  # 15 days of 9.6
    create(segment)
    assert segment.scalar("A", "method, meter_register_id, reference_days, usage_units") == (
        "RECENT_DAYS", new, 61, Decimal("364.8"),
    )  # fmt: skip


def test_a_vacant_site_stays_at_zero(segment: Book) -> None:
    segment.days(interval(segment), "2026-07-02", "2026-09-30", 0)
    create(segment)
    assert segment.scalar("A", "method, scalar, is_capped") == ("RECENT_DAYS", 0, False)


@pytest.mark.parametrize(("watt_hours", "scalar", "is_capped"), [(2000, 20, False), (2001, 20, True)])
def test_a_scalar_over_twenty_is_capped(segment: Book, watt_hours: int, scalar: int, is_capped: bool) -> None:
    segment.rows("update bua.segment set median_daily = 50")  # no giants here
    segment.days(interval(segment), "2026-07-02", "2026-09-30", watt_hours)
    create(segment)
    assert segment.scalar("A", "method, scalar, is_capped") == ("RECENT_DAYS", scalar, is_capped)


def test_a_giant_is_estimated_from_its_own_mean_day(segment: Book) -> None:
    register = interval(segment)
    segment.days(register, "2026-07-02", "2026-09-30", 2500)  # 120 kWh a day, over 20 x 4.8
    segment.close_profiles()
    segment.rows("update bua.utility_profile_summary set is_giant = true where meter_register_id = %s", register)
    create(segment)
    assert segment.scalar("A", "method, scalar, daily_mean, reference_days, is_capped") == (
        "GIANT_DAILY_MEAN", None, 120, 91, False,
    )  # fmt: skip


def test_a_giant_of_another_class_is_none(segment: Book) -> None:
    site = segment.account("BEFORE", closed="2026-08-31", customer_class="BUS")
    register = segment.register(site)
    unbilled_in_october(segment, "A", site=site, opened="2026-09-01")
    segment.days(register, "2026-06-01", "2026-08-31", 9000)
    segment.days(register, "2026-09-01", "2026-09-30", 100)
    segment.close_profiles()
    segment.rows("update bua.utility_profile_summary set is_giant = true where segment = 'QLD|BUS|PRIMARY'")
    create(segment)
    assert segment.scalar("A", "method, scalar") == ("RECENT_DAYS", 1)


def test_nothing_missing_nothing_to_scale(segment: Book) -> None:
    segment.days(interval(segment), "2026-10-01", "2026-10-31")
    segment.snapshot()
    create(segment)
    assert segment.value("select count(*) from bua.micro_scalar where run_date = %s", segment.run_date) == 0


# --- basic reads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "method", "days"), [("2026-06-01", "READS", 60), ("2026-06-02", "OLDER_READS", 59)])
def test_reads_sixty_days_apart_are_a_reference(segment: Book, first: str, method: str, days: int) -> None:
    segment.read(basic(segment), (first, 1000), ("2026-07-31", 1000 + Decimal("9.6") * days))
    create(segment)
    assert segment.scalar("A", FULL) == (
        method, 2, Decimal("9.6"), days, first, "2026-07-30", Decimal("9.6") * days, Decimal("4.8") * days,
    )  # fmt: skip


@pytest.mark.parametrize(("first", "method"), [("2026-07-17", "OLDER_READS"), ("2026-07-18", "SEGMENT_AVERAGE")])
def test_spans_of_fourteen_days_are_a_reference_of_thirteen_none(segment: Book, first: str, method: str) -> None:
    segment.read(basic(segment), (first, 0), ("2026-07-31", 500))
    create(segment)
    assert segment.scalar("A", "method") == (method,)


def test_the_latest_read_at_least_sixty_days_before_the_last(segment: Book) -> None:
    segment.read(basic(segment), ("2026-03-01", 0), ("2026-05-31", 5000), ("2026-07-01", 5144), ("2026-07-31", 5864))
    create(segment)
    # From 31 May to 31 July 61 days; 864 / (61 x 4.8)
    assert segment.scalar("A", "method, reference_from::text, usage_units, macro_units") == (
        "READS", "2026-05-31", 864, Decimal("292.8"),
    )  # fmt: skip


def test_estimated_and_substituted_reads_are_passed_over(segment: Book) -> None:
    segment.read(
        basic(segment),
        ("2026-05-01", 0), ("2026-05-31", 9000, "E"), ("2026-06-15", 9000, "S"), ("2026-06-30", 288), ("2026-09-01", 9999, "E"),
    )  # fmt: skip
    create(segment)
    assert segment.scalar("A", "method, scalar, reference_to::text") == ("READS", 1, "2026-06-29")


def test_a_runs_own_reads_are_no_reference(segment: Book) -> None:
    register = basic(segment)
    segment.read(register, ("2026-05-01", 0), ("2026-06-30", 288), ("2026-09-30", 99999))
    segment.rows("update core.meter_read set origin = 'BUA', run_date = '2026-10-01' where read_date = '2026-09-30'")
    create(segment)
    assert segment.scalar("A", "method, scalar, reference_to::text") == ("READS", 1, "2026-06-29")


def test_reads_after_the_period_are_not_known_yet(segment: Book) -> None:
    segment.read(basic(segment), ("2026-05-01", 0), ("2026-06-30", 288), ("2026-11-01", 883), ("2026-11-02", 9999))
    create(segment)
    # A read of 1 November stands at the end of the accrual date. 30 June to 1 November: 124 days, 595 kWh.
    assert segment.scalar("A", "method, reference_days, usage_units") == ("READS", 124, 595)


def test_an_index_rolls_over_at_its_digits(segment: Book) -> None:
    segment.read(basic(segment, digits=5), ("2026-06-01", 99_712), ("2026-07-31", 288))
    create(segment)
    assert segment.scalar("A", "method, usage_units, scalar") == ("READS", 576, 2)


def test_an_index_without_digits_never_rolls_over(segment: Book) -> None:
    segment.read(basic(segment), ("2026-06-01", 99_712), ("2026-07-31", 288))
    create(segment)
    assert segment.scalar("A", "method, scalar") == ("SEGMENT_AVERAGE", 1)


def test_a_span_that_is_worth_nothing_counts_on_neither_side(segment: Book) -> None:
    # 30 days of 9.6 kWh, 15 days in which the index fell, 30 days of 9.6 kWh.
    segment.read(basic(segment), ("2026-05-01", 1000), ("2026-05-31", 1288), ("2026-06-15", 500), ("2026-07-15", 788))
    create(segment)
    assert segment.scalar("A", FULL) == (
        "READS", 2, Decimal("9.6"), 60, "2026-05-01", "2026-07-14", 576, 288,
    )  # fmt: skip


def test_index_units_times_their_factor(segment: Book) -> None:
    segment.read(basic(segment), ("2026-06-01", 0, "A", 40), ("2026-07-31", "14.4", "A", 40))
    create(segment)
    assert segment.scalar("A", "usage_units, scalar") == (576, 2)


def test_meters_are_never_mixed(segment: Book) -> None:
    site = unbilled_in_october(segment)
    old = segment.basic(site, end="2026-07-31", serial="OLD")
    new = segment.basic(site, start="2026-08-01", serial="NEW")
    segment.read(old, ("2026-06-02", 1000), ("2026-08-01", 1288))  # 60 days, 288 kWh
    segment.read(new, ("2026-08-01", 0), ("2026-08-31", 288))  # 30 days, 288 kWh: too short for READS
    create(segment)
    # The old meter is gone before the unbilled window; both spans together, 90 days: 576 / 432.
    assert segment.scalar("A", "meter_register_id, method, reference_days, usage_units, macro_units") == (
        new, "OLDER_READS", 90, 576, 432,
    )  # fmt: skip


def test_reads_of_an_earlier_occupant_are_none_of_the_accounts(segment: Book) -> None:
    site = segment.account("BEFORE", closed="2026-06-30")
    register = segment.basic(site)
    unbilled_in_october(segment, "A", site=site, opened="2026-07-01")
    segment.read(register, ("2026-03-01", 0), ("2026-07-01", 9000), ("2026-08-30", 9288))
    create(segment)
    assert segment.scalar("A", "method, scalar, reference_from::text") == ("READS", 1, "2026-07-01")


@pytest.mark.parametrize(
    ("daily", "method", "scalar"), [(96, "READS", 20), (Decimal("96.1"), "GIANT_DAILY_MEAN", None)]
)
def test_a_basic_giant_uses_over_twenty_times_the_median(segment: Book, daily: Any, method: str, scalar: Any) -> None:
    segment.read(basic(segment), ("2026-06-01", 0), ("2026-07-31", daily * 60))
    create(segment)
    assert segment.scalar("A", "method, scalar, daily_mean, is_capped") == (method, scalar, daily, False)


def test_gas_follows_its_zone(book: Book) -> None:
    book.macro("2026-01-01", "2026-10-31", 100_000, key="VIC|ZONE")
    site = unbilled_in_october(book, fuel="GAS", state="VIC")
    book.read(book.basic(site, uom="MJ"), ("2026-06-01", 0, "A", 40), ("2026-07-31", 150, "A", 40))
    create(book)
    # 150 x 40 MJ in 60 days of 100 GJ in the zone.
    assert book.scalar("A", "method, scalar, daily_mean") == ("READS", Decimal("0.001"), 100)


# --- invoices ---------------------------------------------------------------------------------------------------


def test_invoices_that_are_no_estimates(segment: Book) -> None:
    site = segment.account("A", opened="2025-01-01")
    segment.basic(site)
    segment.billed("A", "2025-08-01", "2025-10-31", units={"PRIMARY": 99_999})  # ended before the twelve months
    segment.billed("A", "2026-01-01", "2026-01-31", units={"PRIMARY": 148.8})  # 31 days of 4.8
    segment.billed("A", "2026-02-01", "2026-03-31", units={"PRIMARY": 99_999}, estimated=True)
    segment.billed("A", "2026-04-01", "2026-04-30", units={"PRIMARY": 99_999}, reversed_=True)
    segment.billed("A", "2026-05-01", "2026-05-31", units={"PRIMARY": 99_999}, issued="2026-11-01")
    segment.billed("A", "2026-07-01", "2026-09-30", units={"PRIMARY": 1296, "SOLAR": 77})  # 92 days
    create(segment)
    # (148.8 + 1296) / (123 x 4.8) = 1444.8 / 590.4
    assert segment.scalar("A", "method, reference_days, usage_units, macro_units, reference_from::text") == (
        "INVOICES", 123, Decimal("1444.8"), Decimal("590.4"), "2026-01-01",
    )  # fmt: skip


def test_an_invoice_whose_days_the_profile_does_not_cover_is_no_reference(segment: Book) -> None:
    segment.basic(segment.account("A", opened="2026-01-01"))
    segment.billed("A", "2026-01-01", "2026-01-31", units={"PRIMARY": 99_999})
    segment.billed("A", "2026-07-01", "2026-09-30", units={"PRIMARY": 883.2})
    segment.forget_macro("2026-01-15", "2026-01-15")
    create(segment)
    assert segment.scalar("A", "method, scalar") == ("INVOICES", 2)


def test_streams_beside_each_other_share_an_invoice(segment: Book) -> None:
    site = segment.account("A", opened="2026-01-01")
    one, two = segment.basic(site, "11"), segment.basic(site, "12")
    segment.billed("A", "2026-07-01", "2026-09-30", units={"PRIMARY": 883.2})
    create(segment)
    assert segment.scalar("A", "method, scalar", one) == segment.scalar("A", "method, scalar", two) == ("INVOICES", 1)


def test_a_stream_that_has_been_read_has_its_share_of_an_invoice_too(segment: Book) -> None:
    site = segment.account("A", opened="2026-01-01")
    one, two = segment.register(site, "E1"), segment.register(site, "E2")
    segment.billed("A", "2026-01-01", "2026-06-30", estimated=True)
    segment.billed("A", "2026-07-01", "2026-09-30", units={"PRIMARY": 883.2})  # 9.6 a day, of both
    segment.days(one, "2026-07-02", "2026-09-30", 100)
    create(segment)
    assert segment.scalar("A", "method, scalar", one) == ("RECENT_DAYS", 1)
    assert segment.scalar("A", "method, scalar", two) == ("INVOICES", 1)


def test_meters_after_each_other_do_not_share_an_invoice(segment: Book) -> None:
    site = segment.account("A", opened="2026-01-01")
    old = segment.basic(site, end="2026-10-15", serial="OLD")
    new = segment.basic(site, start="2026-10-16", serial="NEW")
    segment.billed("A", "2026-07-01", "2026-09-30", units={"PRIMARY": 883.2})
    create(segment)
    assert segment.scalar("A", "method, scalar", old) == segment.scalar("A", "method, scalar", new) == ("INVOICES", 2)


def test_each_stream_type_has_its_own_part_of_an_invoice(segment: Book) -> None:
    segment.macro("2026-01-01", "2026-10-31", 10, key="QLD|RES|SOLAR")
    site = segment.account("A", opened="2026-01-01")
    home, roof = segment.register(site), segment.register(site, "B1", stream="SOLAR")
    segment.billed("A", "2026-07-01", "2026-09-30", units={"PRIMARY": 883.2, "SOLAR": 460})
    create(segment)
    assert segment.scalar("A", "method, scalar", home) == ("INVOICES", 2)
    assert segment.scalar("A", "method, scalar", roof) == ("INVOICES", Decimal("0.5"))


def test_older_reads_go_before_invoices_and_invoices_before_last_year(segment: Book) -> None:
    site = segment.account("A", opened="2025-01-01")
    older, neither = segment.register(site), segment.register(segment.account("B", opened="2025-01-01"))
    for account_id in ("A", "B"):
        segment.billed(account_id, "2025-01-01", "2026-06-30", estimated=True)
        segment.billed(account_id, "2026-07-01", "2026-09-30", units={"PRIMARY": 883.2})
    segment.days(older, "2026-02-01", "2026-02-14", 300)
    segment.days(neither, "2025-10-10", "2025-10-19", 300)
    create(segment, "A", "B")
    assert segment.scalar("A", "method, scalar") == ("OLDER_READS", 3)
    assert segment.scalar("B", "method, scalar") == ("INVOICES", 2)


# --- last year and less -----------------------------------------------------------------------------------------


def test_the_same_days_last_year_however_few(segment: Book) -> None:
    register = interval(segment)
    # 1 to 31 October less 364 days: 2 October to 1 November 2025.
    segment.days(register, "2025-09-30", "2025-10-01", 900)
    segment.days(register, "2025-10-02", "2025-10-05", 200)
    segment.days(register, "2025-11-01", "2025-11-01", 700)
    segment.days(register, "2025-11-02", "2025-11-02", 900)
    create(segment)
    # (4 x 9.6 + 33.6) / (5 x 4.8)
    assert segment.scalar("A", FULL) == (
        "LAST_YEAR", 3, Decimal("14.4"), 5, "2025-10-02", "2025-11-01", 72, 24,
    )  # fmt: skip


def test_a_short_span_of_basic_reads_last_year(segment: Book) -> None:
    segment.read(basic(segment, opened="2025-01-01"), ("2025-10-20", 0), ("2025-10-30", 96))
    create(segment)
    assert segment.scalar("A", "method, scalar, reference_days") == ("LAST_YEAR", 2, 10)


def test_a_short_span_of_another_season_says_nothing(segment: Book) -> None:
    segment.read(basic(segment, opened="2025-01-01"), ("2026-03-01", 0), ("2026-03-11", 96))
    create(segment)
    assert segment.scalar("A", "method, scalar") == ("SEGMENT_AVERAGE", 1)


def test_without_a_profile_its_own_mean_day(book: Book) -> None:
    book.days(interval(book, "A"), "2026-07-02", "2026-09-30", 200)
    book.read(basic(book, "B"), ("2026-06-01", 0), ("2026-06-15", 140))
    create(book, "A", "B")
    assert book.scalar("A", "method, scalar, daily_mean, reference_days") == (
        "OWN_DAILY_MEAN",
        None,
        Decimal("9.6"),
        91,
    )
    assert book.scalar("B", "method, scalar, daily_mean, reference_days") == ("OWN_DAILY_MEAN", None, 10, 14)


def test_nothing_to_work_from(book: Book) -> None:
    interval(book, "A")
    basic(book, "B")
    create(book, "A", "B")
    assert book.scalar("A", "method, scalar, daily_mean") == (None, None, None)
    assert book.scalar("B", "method, scalar, daily_mean") == (None, None, None)


# --- work items and reruns --------------------------------------------------------------------------------------


def planned(book: Book, run_type: str = "MicroScalar") -> list[tuple[Any, ...]]:
    return book.rows(
        "select item_key, state, reason from bua.bua_control where run_date = %s and run_type = %s order by 1",
        *(book.run_date, run_type),
    )


def test_outcomes(segment: Book) -> None:
    segment.days(interval(segment, "READ"), "2026-10-01", "2026-10-31")
    segment.snapshot()
    interval(segment, "SCALED")
    interval(segment, "STRANGE", customer_class="BUS")
    # One stream of two is known: the account is worked out, its row says what is missing.
    half = unbilled_in_october(segment, "HALF")
    segment.register(half)
    segment.register(half, "E2", stream="CONTROL")
    segment.ask("plan_work_items", "MicroScalar", "one", 100)
    segment.call("bua_create_invoice_scalar", ["READ", "SCALED", "STRANGE", "HALF"])
    segment.call("finish_work_items", "MicroScalar", ["READ", "SCALED", "STRANGE", "HALF"])
    assert [(item, state) for item, state, _ in planned(segment)] == [
        ("HALF", "DONE"), ("READ", "SKIP"), ("SCALED", "DONE"), ("STRANGE", "SKIP"),
    ]  # fmt: skip
    assert "has been read" in planned(segment)[1][2]
    assert "Nothing to work from" in planned(segment)[3][2]


def test_again_the_same_rows_and_other_accounts_and_runs_untouched(segment: Book) -> None:
    for name in ("A", "B"):
        segment.days(interval(segment, name), "2026-07-02", "2026-09-30", 200)
    create(segment, "A", "B")
    segment.rows("insert into bua.micro_scalar select '2026-07-01', account_id, meter_register_id, site_id, read_type,"
                 " stream_type, profile_key, register_ids, occupied from bua.micro_scalar")  # fmt: skip
    before = segment.rows("select * from bua.micro_scalar order by 1, 2")
    create(segment, "A")
    assert segment.rows("select * from bua.micro_scalar order by 1, 2") == before
    assert len(before) == 4
    assert before[0][0] == day("2026-07-01")
