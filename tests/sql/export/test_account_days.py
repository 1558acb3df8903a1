"""The account-days of the evidence: which days a line has, and what each of them takes of its units and dollars."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from tests.sql.accrue import accrue, invoice, read_days
from tests.sql.builder import Book

MONTHLY = "quantity, net_amount, gst_amount, discount_net, discount_net_propensity"


def days(book: Book, columns: str = "local_date, quantity, net_amount", where: str = "true") -> list[tuple[Any, ...]]:
    """Rows of account A's days, as they are in the file; dates as text without the year, numbers as text."""
    with book.acting_as("lambda"):
        found = book.rows(
            f"select {columns} from bua.evidence_account_days(%s, array['A']) where {where} order by line_no, local_date",
            book.run_date,
        )
    return [tuple(text(value) for value in row) for row in found]


def text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return f"{value:%m-%d}" if hasattr(value, "year") else value


def used(
    book: Book, register: int, first: str, units: Sequence[Any], time_class: str = "ANYTIME", *, state: str = "ACTUAL"
) -> None:
    """The platform's units of a register on days from first on."""
    for n, quantity in enumerate(units):
        book.rows(
            "insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity)"
            " values (%s, %s::date + %s, %s::date + %s, %s, %s, %s)",
            *(register, first, n, first, n, time_class, state, quantity),
        )


def unbilled(book: Book, first: str, to: str = "2026-10-31", **more: Any) -> str:
    """Account A, billed in the period on all days but those from first to to; its site."""
    opened = str(book.value("select period_start from bua.run where run_date = %s", book.run_date))
    site = book.account("A", **{"opened": opened} | more)
    book.billed("A", opened, str(book.value("select %s::date - 1", first)))
    last = book.value("select accrual_date::text from bua.run where run_date = %s", book.run_date)
    if to != last:
        book.billed("A", str(book.value("select %s::date + 1", to)), last)
    return site


def export(book: Book, *accounts: str) -> None:
    """Invoices and exported rows, of the reads that are there; the days of every month add up to its row, exactly."""
    names = list(accounts or ("A",))
    invoice(book)
    book.call("bua_prepare_export_data", names)
    add_up(book, names)


def add_up(book: Book, names: list[str]) -> None:
    sums = ", ".join(f"sum({column})" for column in MONTHLY.split(", "))
    found = book.rows(
        f"select account_id, line_no, to_char(local_date, 'YYYY-MM'), {sums} from bua.evidence_account_days(%s, %s)"
        " group by 1, 2, 3 order by 1, 2, 3", book.run_date, names)  # fmt: skip
    lines = book.rows(
        f"select account_id, line_no, year_month, {MONTHLY} from bua.invoice_line_item_monthly"
        " where run_date = %s and account_id = any (%s) order by 1, 2, 3", book.run_date, names)  # fmt: skip
    assert lines
    assert found == lines


def test_a_line_is_spread_in_proportion_to_the_units_of_its_days(book: Book) -> None:
    book.plan()  # a dollar a day, 30 cents a kWh
    used(book, book.register(unbilled(book, "2026-10-29")), "2026-10-29", [10, 20, "0.5"])
    export(book)
    # Usage: 30.5 kWh are $9.15 and GST of 91.5 cents, 92. Up to each day: 3.00, 9.00, 9.15; 0.302, 0.905, 0.92.
    assert days(book, "item_type, local_date, quantity, net_amount, gst_amount, rate, line_state, method") == [
        ("DAILY", "10-29", "1", "1", "0.1", "1", "ACTUAL", None),
        ("DAILY", "10-30", "1", "1", "0.1", "1", "ACTUAL", None),
        ("DAILY", "10-31", "1", "1", "0.1", "1", "ACTUAL", None),
        ("USAGE", "10-29", "10", "3", "0.3", "0.3", "ACTUAL", None),
        ("USAGE", "10-30", "20", "6", "0.6", "0.3", "ACTUAL", None),
        ("USAGE", "10-31", "0.5", "0.15", "0.02", "0.3", "ACTUAL", None),
    ]


def test_no_day_is_off_by_a_cent(book: Book) -> None:
    """Ten cents on three days are not 3, 3 and 4 but rounded as they run up; on thirty days the last has no rest."""
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10"))
    used(book, book.register(unbilled(book, "2026-10-29")), "2026-10-29", ["0.333", "0.333", "0.334"])
    export(book)
    # 3.33, 6.66 and 10 cents.
    assert days(book, "quantity, net_amount") == [("0.333", "0.03"), ("0.333", "0.04"), ("0.334", "0.03")]


def test_the_months_of_a_line_are_spread_apart(book: Book) -> None:
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10"))
    used(book, book.register(unbilled(book, "2026-09-29")), "2026-09-29", [10, 30] + [1] * 31)
    export(book)
    found = days(book)
    assert found[:3] == [("09-29", "10", "1"), ("09-30", "30", "3"), ("10-01", "1", "0.1")]
    assert len(found) == 33


def test_estimated_and_actual_units_of_a_day_are_two_rows(book: Book) -> None:
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10"))
    register = book.register(unbilled(book, "2026-10-30"))
    used(book, register, "2026-10-30", [10, 4])
    used(book, register, "2026-10-31", [6], state="ESTIMATED")
    export(book)
    assert days(book, "line_state, method, local_date, quantity") == [
        ("ACTUAL", None, "10-30", "10"),
        ("ACTUAL", None, "10-31", "4"),
        ("ESTIMATED", "DELIVERED_ESTIMATE", "10-31", "6"),
    ]


def test_a_price_has_its_own_days(book: Book) -> None:
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10", "2020-01-01"), ("USAGE", "ANYTIME", "0.20", "2026-10-30"))
    used(book, book.register(unbilled(book, "2026-10-29")), "2026-10-29", [10, 10, 10])
    export(book)
    assert days(book, "rate, local_date, net_amount") == [
        ("0.1", "10-29", "1"), ("0.2", "10-30", "2"), ("0.2", "10-31", "2"),
    ]  # fmt: skip


def test_an_accounts_plan_of_the_day_prices_it(book: Book) -> None:
    book.plan("FLAT", ("DAILY", "ANYTIME", "1"), ("USAGE", "ANYTIME", "0.10"))
    book.plan("NEW", ("DAILY", "ANYTIME", "2"), ("USAGE", "ANYTIME", "0.20"))
    used(book, book.register(unbilled(book, "2026-10-29")), "2026-10-29", [10, 10, 10])
    book.rows("insert into core.account_plan values ('A', 'NEW', '2026-10-31', null)")
    export(book)
    assert days(book, "item_type, local_date, net_amount") == [
        ("DAILY", "10-29", "1"), ("DAILY", "10-30", "1"), ("DAILY", "10-31", "2"),
        ("USAGE", "10-29", "1"), ("USAGE", "10-30", "1"), ("USAGE", "10-31", "2"),
    ]  # fmt: skip


def test_time_classes_are_priced_apart_and_one_without_a_price_as_anytime(book: Book) -> None:
    book.plan("FLAT", ("USAGE", "PEAK", "0.50"), ("USAGE", "ANYTIME", "0.10"))
    register = book.register(unbilled(book, "2026-10-30"))
    used(book, register, "2026-10-30", [2, 4], "PEAK")
    used(book, register, "2026-10-30", [10, 20], "OFFPEAK")
    used(book, register, "2026-10-30", [1, 1])
    export(book)
    assert days(book, "time_class, local_date, quantity, net_amount") == [
        ("ANYTIME", "10-30", "11", "1.1"), ("ANYTIME", "10-31", "21", "2.1"),
        ("PEAK", "10-30", "2", "1"), ("PEAK", "10-31", "4", "2"),
    ]  # fmt: skip


def test_blocks_share_every_day(book: Book) -> None:
    """10 kWh a day at 10 cents, the rest at 20: of 40 kWh on two days half is in each block, on either day."""
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.20"))
    book.rows("update core.plan_item set block_number = 2 where plan_code = 'FLAT'")
    book.rows("insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from, block_limit_per_day)"
              " values ('FLAT', 'USAGE', 'ANYTIME', 0.10, '2000-01-01', 10)")  # fmt: skip
    used(book, book.register(unbilled(book, "2026-10-30")), "2026-10-30", [10, 30])
    export(book)
    assert sorted(days(book, "rate, local_date, quantity, net_amount")) == [
        ("0.1", "10-30", "5", "0.5"), ("0.1", "10-31", "15", "1.5"),
        ("0.2", "10-30", "5", "1"), ("0.2", "10-31", "15", "3"),
    ]  # fmt: skip


def test_units_beyond_the_last_block_and_without_a_price_have_their_days(book: Book) -> None:
    """10 kWh a day at 10 cents and no second block, from the 30th on; before it there is no price at all."""
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10", "2026-10-30"))
    book.rows("update core.plan_item set block_limit_per_day = 10 where plan_code = 'FLAT'")
    used(book, book.register(unbilled(book, "2026-10-29")), "2026-10-29", [7, 10, 30])
    export(book)
    # 20 of 40 kWh are priced; 7 kWh and the other 20 are on one line without a rate, in proportion to 7, 10, 30.
    assert days(book, "rate, local_date, quantity", "rate is not null") == [
        ("0.1", "10-30", "5"),
        ("0.1", "10-31", "15"),
    ]
    assert days(book, "local_date, quantity, net_amount", "rate is null") == [
        ("10-29", "4.021277", "0"), ("10-30", "5.74468", "0"), ("10-31", "17.234043", "0"),
    ]  # fmt: skip


def test_what_is_fed_in_is_credited(book: Book) -> None:
    book.plan("FLAT", ("FEED_IN", "ANYTIME", "0.05"))
    used(book, book.register(unbilled(book, "2026-10-30"), "B1", stream="SOLAR"), "2026-10-30", [10, 20])
    export(book)
    assert days(book, "item_type, stream_type, quantity, net_amount, gst_amount") == [
        ("FEED_IN", "SOLAR", "10", "-0.5", "0"), ("FEED_IN", "SOLAR", "20", "-1", "0"),
    ]  # fmt: skip


def test_a_day_without_use_is_there_and_a_line_without_use_goes_by_days(book: Book) -> None:
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10"), ("CONTROL", "ANYTIME", "0.10"))
    site = unbilled(book, "2026-10-30")
    used(book, book.register(site), "2026-10-30", [0, 5])
    used(book, book.register(site, "E2", stream="CONTROL"), "2026-10-30", [0, 0])
    export(book)
    assert days(book, "item_type, local_date, quantity") == [
        ("CONTROL", "10-30", "0"), ("CONTROL", "10-31", "0"), ("USAGE", "10-30", "0"), ("USAGE", "10-31", "5"),
    ]  # fmt: skip


def test_a_day_that_the_run_took_over_from_its_copy_counts_once(book: Book) -> None:
    """The platform's estimate of the 31st was reversed, and 8 kWh that were read since stand for it."""
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10"))
    register = book.register(unbilled(book, "2026-10-30"))
    used(book, register, "2026-10-30", [5])
    used(book, register, "2026-10-31", [3], state="ESTIMATED")
    book.rows("insert into core.aggregated_read values (%s, '2026-10-31', '2026-10-31', 'ANYTIME', 'ACTUAL', 8, 'BUA', %s)",
              register, book.run_date)  # fmt: skip
    book.rows(
        "insert into bua.micro_scalar (run_date, account_id, meter_register_id, site_id, read_type, stream_type, profile_key,"
        " register_ids, occupied, method, unread, whole) values (%s, 'A', %s, 'S-A', 'INTERVAL', 'PRIMARY', 'K', %s,"
        " '{[2020-01-01,]}', 'OWN_COPY', '{[2026-10-31,2026-10-31]}', '{[2026-10-31,2026-10-31]}')",
        *(book.run_date, register, [register]),
    )
    export(book)
    assert book.rows("select quantity from core.aggregated_read where origin = 'BUA' and quantity < 0") == [(-3,)]
    # The platform has a line without units for what it reversed.
    assert days(book, "line_state, local_date, quantity") == [
        ("ACTUAL", "10-30", "5"), ("ACTUAL", "10-31", "8"), ("ESTIMATED", "10-31", "0"),
    ]  # fmt: skip


def test_the_day_of_a_change_of_meters_is_the_new_ones(book: Book) -> None:
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10"))
    site = unbilled(book, "2026-10-30")
    used(book, book.register(site, end="2026-10-31"), "2026-10-30", [5, 99])
    used(book, book.register(site, "E2", serial="M2", start="2026-10-31"), "2026-10-31", [8])
    export(book)
    assert days(book, "local_date, quantity") == [("10-30", "5"), ("10-31", "8")]


def test_days_that_are_billed_between_unbilled_ones_are_left_out(book: Book) -> None:
    book.plan()
    site = unbilled(book, "2026-10-28")
    book.billed("A", "2026-10-29", "2026-10-30")
    used(book, book.register(site), "2026-10-28", [1, 2, 3, 4])
    export(book)
    assert days(book, "item_type, local_date, quantity") == [
        ("DAILY", "10-28", "1"), ("DAILY", "10-31", "1"), ("USAGE", "10-28", "1"), ("USAGE", "10-31", "4"),
    ]  # fmt: skip


def test_an_index_is_shared_among_its_days_by_the_macro_profile(town: Book) -> None:
    """30 kWh from the 28th to the 31st, when the profile has 1, 2 and 3: 5, 10 and 15. After it the scalar of 5 goes on."""
    register = town.basic(unbilled(town, "2026-10-28"))
    for on, units in (("2026-10-28", 1), ("2026-10-29", 2), ("2026-10-30", 3), ("2026-10-31", 4)):
        town.macro(on, on, units)
    town.read(register, ("2026-10-28", 100), ("2026-10-31", 130))
    accrue(town, "A")
    add_up(town, ["A"])
    found = days(town, "line_state, local_date, quantity", "item_type = 'USAGE'")
    assert found[:3] == [("ACTUAL", "10-28", "5"), ("ACTUAL", "10-29", "10"), ("ACTUAL", "10-30", "15")]
    assert [row[:2] for row in found[3:]] == [("ESTIMATED", "10-31")]


def test_an_index_on_a_plan_of_time_classes_goes_by_the_hours_of_each_day(town: Book) -> None:
    """Saturday the 31st is off-peak all day; on Friday a quarter of the hours is peak. 10 kWh on each day."""
    town.plan("FLAT2", ("USAGE", "PEAK", "0.50"), ("USAGE", "OFFPEAK", "0.10"))
    town.rows(
        "insert into core.time_class_window values ('FLAT2', 'PEAK', 'WEEKDAY', 900, 1260), ('FLAT2', 'OFFPEAK', 'ALL', 0, 1440)"
    )
    register = town.basic(unbilled(town, "2026-10-30", plan="FLAT2"))
    town.read(register, ("2026-10-30", 100), ("2026-11-01", 120))
    accrue(town, "A")
    add_up(town, ["A"])
    assert days(town, "time_class, local_date, quantity, net_amount") == [
        ("OFFPEAK", "10-30", "7.5", "0.75"), ("OFFPEAK", "10-31", "10", "1"), ("PEAK", "10-30", "2.5", "1.25"),
    ]  # fmt: skip


def test_estimated_days_say_how(town: Book) -> None:
    """A home of 4.8 kWh a day, read up to the 29th: its two missing days have as much each."""
    register = town.register(unbilled(town, "2026-10-28"))
    read_days(town, register, "2026-07-01", "2026-10-29")
    accrue(town, "A")
    add_up(town, ["A"])
    assert days(town, "line_state, method, local_date, quantity", "item_type = 'USAGE'") == [
        ("ACTUAL", None, "10-28", "4.8"), ("ACTUAL", None, "10-29", "4.8"),
        ("ESTIMATED", "RECENT_DAYS", "10-30", "4.8"), ("ESTIMATED", "RECENT_DAYS", "10-31", "4.8"),
    ]  # fmt: skip


def test_of_an_exception_there_is_the_supply_alone(book: Book) -> None:
    book.plan()
    unbilled(book, "2026-10-30")  # no register
    export(book)
    assert days(book, "item_type, local_date, net_amount") == [("DAILY", "10-30", "1"), ("DAILY", "10-31", "1")]


@pytest.mark.parametrize(
    ("changed", "units"),
    [("2026-04-05", "5"), ("2026-10-04", "4.6")],  # Sydney's clocks: 50 half-hours, and 46
)
def test_a_day_on_which_the_clocks_change(book: Book, changed: str, units: str) -> None:
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10"))
    before, after = (str(book.value("select %s::date + %s", changed, n)) for n in (-1, 1))
    register = book.register(unbilled(book, before, after, state="NSW"))
    book.days(register, "2026-03-01", "2026-10-31", 100)
    book.snapshot()
    export(book)
    assert days(book, "quantity, net_amount") == [("4.8", "0.48"), (units, f"{Decimal(units) / 10:f}"), ("4.8", "0.48")]


def test_a_leap_day(book: Book) -> None:
    leap = Book(book.connection, "2028-03-01")
    leap.rows("call bua.prepare_run('2028-03-01')")
    leap.plan()
    used(leap, leap.register(unbilled(leap, "2028-02-28", "2028-02-29")), "2028-02-28", [10, 20])
    export(leap)
    assert days(leap, "item_type, local_date, quantity, net_amount") == [
        ("DAILY", "02-28", "1", "1"), ("DAILY", "02-29", "1", "1"), ("USAGE", "02-28", "10", "3"), ("USAGE", "02-29", "20", "6"),
    ]  # fmt: skip


def test_a_part_has_the_next_accounts_in_the_order_of_their_names(book: Book) -> None:
    book.plan()
    for name in ("b", "A", "a", "B", "1"):
        book.account(name)
    book.rows("update bua.parameter set value = 2 where name = 'evidence_accounts'")
    assert [book.ask("evidence_accounts", part)[0][0] for part in (1, 2, 3, 4)] == [["1", "A"], ["B", "a"], ["b"], []]
    files = [item for item, _ in book.ask("list_export_evidence") if item.startswith("account_days/")]
    assert files == ["account_days/0001", "account_days/0002", "account_days/0003"]


def test_without_an_account_there_is_an_empty_file(book: Book) -> None:
    assert ("account_days/0001", "") in book.ask("list_export_evidence")
    assert book.ask("evidence_account_days", book.ask("evidence_accounts", 1)[0][0]) == []


def file_of(book: Book, sums: str, name: str = "account_days", part: int = 1) -> None:
    book.rows("insert into bua.evidence_file values (%s, %s, %s, 1, 1, '', %s)", book.run_date, name, part, sums)


def test_a_cent_that_is_missing_in_the_files_breaks_the_totals(book: Book) -> None:
    book.plan("FLAT", ("USAGE", "ANYTIME", "0.10"))
    used(book, book.register(unbilled(book, "2026-10-30")), "2026-10-30", [10, 20])
    export(book)
    for item, _ in book.ask("list_export_evidence"):
        if not item.startswith("account_days"):
            # a year of one account
            file_of(book, '{"days": "365"}' if item.startswith("account_spans") else "{}", item.split("/")[0])
    right = '{"quantity": "30.000000", "net_amount": "3.00", "gst_amount": "0.30", "discount_net": "0.00", "discount_net_propensity": "0.00"}'
    file_of(book, right)
    assert book.ask("broken_evidence") == []
    book.rows("update bua.evidence_file set sums = sums || '{\"net_amount\": \"2.99\"}' where name = 'account_days'")
    assert book.ask("broken_evidence") == [("the account-days are the lines", 1, "net_amount")]


def test_a_file_that_was_not_written_breaks_the_totals(book: Book) -> None:
    broken = {identity: example for identity, _, example in book.ask("broken_evidence")}
    assert broken["every evidence file is there"] == "account_days/0001"
