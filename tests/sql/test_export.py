"""What is exported: lines by month, account summaries, exceptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from tests.sql.builder import Book, day

SEPTEMBER, OCTOBER = ("2026-09", 10, 10), ("2026-10", 20, 20)


@dataclass
class Rated:
    """An account as invoicing leaves it: one invoice of the run's own, its lines, and reads on its unbilled days."""

    book: Book
    account_id: str
    register: int

    def line(
        self,
        quantity: Any,
        net: Any,
        *,
        item: str = "USAGE",
        stream: str | None = "PRIMARY",
        gst: Any = 0,
        discount: Any = 0,
        taken: Any = 0,
        state: str = "ACTUAL",
        rate: Any = 1,
        months: Sequence[tuple[str, Any, int]] | None = None,
    ) -> None:
        """A line; months are (month, quantity, days), all of it in October when there are none."""
        line_id = self.book.value(
            "insert into core.invoice_line_item (invoice_id, item_type, stream_type, time_class, quantity, net_amount,"
            " gst_amount, discount_net, discount_net_propensity, line_state, rate, days)"
            " values ('BUA-' || %s, %s, %s, 'ANYTIME', %s, %s, %s, %s, %s, %s, %s, 31) returning invoice_line_item_id",
            *(self.account_id, item, stream, quantity, net, gst, discount, taken, state, rate),
        )
        for year_month, share, days in months or [("2026-10", quantity, 31)]:
            self.book.rows(
                "insert into core.invoice_line_item_month values (%s, %s, %s, %s)", line_id, year_month, share, days
            )

    def estimated(self, register: int, quantity: Any, on: str = "2026-10-31", run_date: str | None = None) -> None:
        """Estimated units of the run's."""
        self.book.rows(
            "insert into core.aggregated_read values (%s, %s, %s, 'ANYTIME', 'ESTIMATED', %s, 'BUA', %s)",
            *(register, on, on, quantity, run_date or self.book.run_date),
        )

    def scalar(
        self, register: int, scalar: Any, method: str = "READS", stream: str = "PRIMARY", *, flag: str | None = None
    ) -> None:
        """A micro scalar."""
        self.book.rows(
            "insert into bua.micro_scalar (run_date, account_id, meter_register_id, site_id, read_type, stream_type,"
            " profile_key, register_ids, occupied, method, scalar, is_capped, is_giant, is_vacant)"
            " values (%s, %s, %s, %s, 'INTERVAL', %s, 'K', %s, '{[2020-01-01,]}', %s, %s, %s, %s, %s)",
            *(
                self.book.run_date,
                self.account_id,
                register,
                f"S-{self.account_id}",
                stream,
                [register],
                method,
                scalar,
                *(flag == one for one in ("CAPPED", "GIANT", "VACANT")),
            ),
        )


def rated(
    book: Book, name: str = "A", *, read_to: str | None = "2026-10-31", invoiced: bool = True, **more: Any
) -> Rated:
    """Unbilled in October; read on each of its days up to read_to."""
    site = book.account(name, **{"opened": "2025-11-01", **more})
    book.billed(name, "2025-11-01", "2026-09-30")
    register = book.register(site)
    if read_to:
        book.platform_units(register, "2026-10-01", read_to, 1)
    if invoiced:
        book.rows("insert into core.invoice (invoice_id, account_id, from_date, to_date, origin, run_date)"
                  " values ('BUA-' || %s, %s, '2026-10-01', '2026-10-31', 'BUA', %s)", name, name, book.run_date)  # fmt: skip
    return Rated(book, name, register)


def prepare(book: Book, *accounts: str) -> None:
    book.call("bua_prepare_export_data", list(accounts or ("A",)))


def monthly(book: Book, columns: str) -> list[tuple[Any, ...]]:
    return book.rows(
        f"select {columns} from bua.invoice_line_item_monthly where run_date = %s order by account_id, line_no, year_month",
        book.run_date,
    )


def summary(book: Book, columns: str, account_id: str = "A") -> tuple[Any, ...]:
    (row,) = book.rows(
        f"select {columns} from bua.account_summary where run_date = %s and account_id = %s", book.run_date, account_id
    )
    return row


# --- lines by month ---------------------------------------------------------------------------------------------


def test_the_last_month_takes_what_is_left(book: Book) -> None:
    months = [("2026-08", 1, 31), ("2026-09", 1, 30), ("2026-10", 1, 31)]
    rated(book).line(3, "10.00", gst="1.00", discount="0.50", taken="0.05", months=months)
    prepare(book)
    # A third of 10.00, 1.00, 0.50 and 0.05 in each month, to the cent; then what is left.
    cents = "year_month, net_amount::text, gst_amount::text, discount_net::text, discount_net_propensity::text"
    assert monthly(book, cents) == [
        ("2026-08", "3.33", "0.33", "0.17", "0.02"),
        ("2026-09", "3.33", "0.33", "0.17", "0.02"),
        ("2026-10", "3.34", "0.34", "0.16", "0.01"),
    ]
    assert summary(book, "net_amount, gst_amount, discount_amount") == (
        Decimal("10.00"),
        Decimal("1.00"),
        Decimal("0.05"),
    )


def test_quantities_too(book: Book) -> None:
    third = Decimal(1) / 3
    rated(book).line(1, "0.30", months=[("2026-08", third, 9), ("2026-09", third, 8), ("2026-10", third, 7)])
    prepare(book)
    assert monthly(book, "quantity::text, days") == [("0.333", 9), ("0.333", 8), ("0.334", 7)]


def test_a_credit_is_shared_alike(book: Book) -> None:
    rated(book).line(3, "-10.00", item="FEED_IN", stream="SOLAR", months=[("2026-09", 1, 1), ("2026-10", 2, 2)])
    prepare(book)
    assert monthly(book, "net_amount::text") == [("-3.33",), ("-6.67",)]


def test_quantities_of_lines_add_up_to_the_rounded_sum(book: Book) -> None:
    account = rated(book)
    for _ in range(4):
        account.line("0.0006", "0.01", months=[("2026-10", "0.0006", 1)])
    prepare(book)
    # 0.0006, 0.0012, 0.0018, 0.0024 are rounded to 1, 1, 2, 2 thousandths.
    assert [str(quantity) for (quantity,) in monthly(book, "quantity")] == ["0.001", "0.000", "0.001", "0.000"]
    assert summary(book, "units_total")[0] == Decimal("0.002")


def test_a_line_without_units_is_kept(book: Book) -> None:
    rated(book).line(0, "0.00", months=[("2026-09", 0, 0), ("2026-10", 0, 31)])
    prepare(book)
    assert monthly(book, "year_month, quantity, net_amount, days") == [("2026-09", 0, 0, 0), ("2026-10", 0, 0, 31)]


def test_lines_of_other_runs_and_of_the_platform_are_not_exported(book: Book) -> None:
    account = rated(book)
    account.line(5, "1.50")
    book.rows("insert into core.invoice (invoice_id, account_id, from_date, to_date, origin, run_date)"
              " values ('BUA-OLD', 'A', '2026-09-01', '2026-09-30', 'BUA', '2026-10-01')")  # fmt: skip
    Rated(book, "OLD", account.register).line(99, "99")
    prepare(book)
    assert monthly(book, "quantity, net_amount, line_state, rate") == [(5, Decimal("1.5"), "ACTUAL", 1)]


# --- the account's summary --------------------------------------------------------------------------------------


def test_units_are_those_used_never_those_exported_to_the_grid(book: Book) -> None:
    account = rated(book, customer_class="BUS", state="NSW")
    account.line(31, "31.00", item="DAILY", stream=None, gst="3.10")
    account.line("100.1", "30.03", gst="3.00")
    account.line("50.05", "15.02", state="ESTIMATED", gst="1.50", discount="2", taken="1")
    account.line("7.5", "1.50", item="CONTROL", stream="CONTROL", gst="0.15")
    account.line(40, "-4.00", item="FEED_IN", stream="SOLAR", state="ESTIMATED")
    prepare(book)
    assert summary(book, "uom, units_actual, units_estimated, units_total, net_amount, gst_amount, discount_amount") == (
        "KWH", Decimal("107.6"), Decimal("50.05"), Decimal("157.65"), Decimal("73.55"), Decimal("7.75"), 1,
    )  # fmt: skip
    assert summary(book, "site_id, fuel, jurisdiction, customer_class, journal_segment, last_billed_to, unbilled_from,"
                         " unbilled_to, unbilled_days, flags") == (
        "S-A", "ELECTRICITY", "NSW", "BUS", "MASS", day("2026-09-30"), day("2026-10-01"), day("2026-10-31"), 31, "",
    )  # fmt: skip


def test_gas_is_in_megajoules(book: Book) -> None:
    rated(book, fuel="GAS").line(5, "0.10")
    prepare(book)
    assert summary(book, "uom, fuel") == ("MJ", "GAS")


@pytest.mark.parametrize(
    ("next_bill", "closed", "state"),
    [
        ("2026-11-01", None, "NOT_DUE"),
        ("2026-10-31", None, "DUE"),
        ("2026-10-21", None, "DUE"),  # ten days of grace
        ("2026-10-20", None, "OVERDUE"),
        (None, None, "NOT_DUE"),
        (None, "2026-10-31", "DUE"),  # a final bill
    ],
)
def test_due_states(book: Book, next_bill: str | None, closed: str | None, state: str) -> None:
    rated(book, next_bill=next_bill, closed=closed).line(1, 1)
    prepare(book)
    assert summary(book, "due_state") == (state,)


def test_all_read_needs_no_scalar(book: Book) -> None:
    account = rated(book)
    account.line(5, 1)
    account.scalar(account.register, 25, flag="CAPPED")  # of a stream that turned out to estimate nothing
    prepare(book)
    assert summary(book, "method, scalar, flags") == ("ACTUAL", None, "")


def test_delivered_estimates_have_no_scalar(book: Book) -> None:
    rated(book).line(5, 1, state="ESTIMATED")
    prepare(book)
    assert summary(book, "method, scalar") == ("DELIVERED_ESTIMATE", None)


def test_the_scalar_is_of_the_register_with_most_estimated_units(book: Book) -> None:
    account = rated(book)
    account.line(5, 1, state="ESTIMATED")
    control, solar = book.register("S-A", "E2", stream="CONTROL"), book.register("S-A", "B1", stream="SOLAR")
    book.platform_units(control, "2026-10-01", "2026-10-31", 1)
    book.platform_units(solar, "2026-10-01", "2026-10-31", 1)
    account.scalar(account.register, "1.5")
    account.scalar(control, "2.5", "OLDER_READS", "CONTROL")
    account.scalar(solar, "3.5", "INVOICES", "SOLAR")
    account.estimated(account.register, 10)
    account.estimated(control, 6, "2026-10-30")
    account.estimated(control, 6, "2026-10-31")
    account.estimated(account.register, 1000, run_date="2026-10-01")  # last month's guess
    account.estimated(solar, 500)
    prepare(book)
    assert summary(book, "method, scalar") == ("OLDER_READS", Decimal("2.5"))


def test_export_to_the_grid_leads_only_alone(book: Book) -> None:
    account = rated(book)
    account.line(5, 1, item="FEED_IN", stream="SOLAR", state="ESTIMATED")
    solar = book.register("S-A", "B1", stream="SOLAR")
    book.platform_units(solar, "2026-10-01", "2026-10-31", 1)
    account.scalar(solar, "3.5", "INVOICES", "SOLAR")
    account.estimated(solar, 5)
    prepare(book)
    assert summary(book, "method, scalar") == ("INVOICES", Decimal("3.5"))


def test_flags_of_the_estimate(book: Book) -> None:
    for name, scalar, method, flag in (
        ("CAPPED", 20, "READS", "CAPPED"), ("VACANT", 0, "READS", "VACANT"), ("GIANT", None, "GIANT_DAILY_MEAN", "GIANT"),
        ("LARGE", 60, "READS_SEASON", "GIANT"), ("OWN", None, "OWN_DAILY_MEAN", None), ("ZERO", 0, "READS", None),
    ):  # fmt: skip
        account = rated(book, name)
        account.line(5, 1, state="ESTIMATED")
        account.scalar(account.register, scalar, method, flag=flag)
        account.estimated(account.register, 5)
    prepare(book, "CAPPED", "VACANT", "GIANT", "LARGE", "OWN", "ZERO")
    assert book.rows("select account_id, flags from bua.account_summary where run_date = %s order by 1", book.run_date) == [
        ("CAPPED", "CAPPED"), ("GIANT", "GIANT"), ("LARGE", "GIANT"), ("OWN", ""), ("VACANT", "VACANT"), ("ZERO", "ZERO_USE"),
    ]  # fmt: skip


def test_flags_of_the_account(book: Book) -> None:
    everything = rated(book, "A", opened="2025-01-01", read_to="2026-10-30")
    book.rows("delete from core.invoice where account_id = 'A' and origin = 'PLATFORM'")
    book.billed("A", "2025-11-01", "2026-08-31")
    book.billed("A", "2026-09-02", "2026-09-30", estimated=True)  # 1 September is a hole
    everything.line(5, 0, rate=None)
    rated(book, "NEW", opened="2026-10-01").line(5, 1)
    book.rows("delete from core.invoice where account_id = 'NEW' and origin = 'PLATFORM'")
    rated(book, "PLAIN").line(5, 1)
    prepare(book, "A", "NEW", "PLAIN")
    assert summary(book, "flags, unbilled_from, unbilled_days") == (
        "ESTIMATED_BILL;HOLE;INCOMPLETE;NO_PRICE;UNBILLED_BEFORE_PERIOD", day("2026-09-01"), 32,
    )  # fmt: skip
    assert summary(book, "flags", "NEW") == ("NEVER_BILLED",)
    assert summary(book, "flags", "PLAIN") == ("",)


# --- what is covered --------------------------------------------------------------------------------------------


def test_uncovered_days_of_every_stream(book: Book) -> None:
    account = rated(book, read_to="2026-10-20")
    other = book.basic("S-A", "41", stream="CONTROL")
    book.platform_units(other, "2026-10-01", "2026-10-31", 1)  # the platform's periods of basic registers do not count
    account.estimated(account.register, 1, "2026-10-21")
    account.estimated(account.register, 1, "2026-10-22", run_date="2026-10-01")
    # Interval: 31 days, 22 to 31 October lack everything, the 21st is estimated. Basic: 31 of 31.
    assert book.ask("uncovered_days", ["A"]) == [("A", 62, 41, 1, False)]
    book.rows("insert into core.aggregated_read values (%s, '2026-10-01', '2026-10-31', 'ANYTIME', 'ESTIMATED', 5, 'BUA', %s)",
              other, book.run_date)  # fmt: skip
    assert book.ask("uncovered_days", ["A"]) == [("A", 62, 10, 31, False)]


def test_local_days_are_covered_not_market_days(book: Book) -> None:
    rated(book, state="NSW")
    assert book.ask("uncovered_days", ["A"]) == [("A", 31, 0, 0, False)]


# --- exceptions -------------------------------------------------------------------------------------------------


def exceptions(book: Book) -> list[tuple[Any, ...]]:
    return book.rows("select account_id, reason, unbilled_days from bua.account_exception where run_date = %s order by 1",
                     book.run_date)  # fmt: skip


def test_an_account_of_which_nothing_can_be_worked_out(book: Book) -> None:
    rated(book, "NO_READS", read_to=None).line(31, 31, item="DAILY", stream=None)
    rated(book, "NO_INVOICE", invoiced=False)
    rated(book, "NO_LINE")
    bare = rated(book, "NO_METER", read_to=None)
    book.rows("delete from core.meter_register where meter_register_id = %s", bare.register)
    rated(book, "GOOD").line(1, 1)
    names = ["GOOD", "NO_INVOICE", "NO_LINE", "NO_METER", "NO_READS"]
    book.ask("plan_work_items", "PrepareExport", "one", 100)
    prepare(book, *names)
    book.call("finish_work_items", "PrepareExport", names)
    found = {name: reason for name, reason, days in exceptions(book) if days == 31}
    assert sorted(found) == names[1:]
    assert "workflow exceptions" in found["NO_INVOICE"]
    assert "no line" in found["NO_LINE"]
    assert "No register" in found["NO_METER"]
    assert "No reads" in found["NO_READS"]
    # Of an exception only the supply is accrued, where it was invoiced.
    assert book.rows("select account_id, net_amount, units_total, method, flags from bua.account_summary order by 1") == [
        ("GOOD", 1, 1, "ACTUAL", ""), ("NO_READS", 31, 0, "NONE", "INCOMPLETE;SUPPLY_ONLY"),
    ]  # fmt: skip
    assert {account for (account,) in monthly(book, "account_id")} == {"GOOD", "NO_READS"}
    with book.acting_as("lambda"):
        assert book.rows("select account_id, net_amount from bua.export_exceptions where net_amount > 0") == [
            ("NO_READS", 31)
        ]
    assert book.rows("select item_key, state from bua.bua_control where run_date = %s order by 1", book.run_date) == [
        ("GOOD", "DONE"), *((name, "SKIP") for name in names[1:]),
    ]  # fmt: skip


def test_a_billed_account_is_skipped(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-10-31")
    book.ask("plan_work_items", "PrepareExport", "one", 100)
    prepare(book)
    assert book.rows("select state, reason from bua.bua_control where run_date = %s", book.run_date) == [
        ("SKIP", "Billed to the accrual date")
    ]
    assert exceptions(book) == monthly(book, "*") == []


def test_again_the_same_rows(book: Book) -> None:
    rated(book).line(30, "9.99", months=[SEPTEMBER, OCTOBER])
    rated(book, "B", read_to=None)
    prepare(book, "A", "B")
    tables = ("account_summary", "invoice_line_item_monthly", "account_exception")
    before = [book.rows(f"select * from bua.{table} order by 1, 2, 3, 4") for table in tables]
    assert [len(rows) for rows in before] == [1, 2, 1]
    prepare(book, "A")
    assert [book.rows(f"select * from bua.{table} order by 1, 2, 3, 4") for table in tables] == before
    book.call("truncate_export")
    assert [book.rows(f"select * from bua.{table}") for table in tables] == [[], [], []]
    prepare(book, "B", "A")
    assert [book.rows(f"select * from bua.{table} order by 1, 2, 3, 4") for table in tables] == before


def test_the_exported_files_add_up(book: Book) -> None:
    for name, state in (("A", "QLD"), ("B", "NSW")):
        account = rated(book, name, state=state)
        account.line(30, "30.00", item="DAILY", stream=None, gst="3.00", months=[SEPTEMBER, OCTOBER])
        account.line(30, "9.99", gst="1.00", months=[SEPTEMBER, OCTOBER], state="ESTIMATED")
        account.line(7, "-0.70", item="FEED_IN", stream="SOLAR")
    rated(book, "C", read_to=None)
    prepare(book, "A", "B", "C")
    with book.acting_as("lambda"):
        totals = [
            book.rows(f"select sum(net_amount), sum(gst_amount) from bua.{view}")
            for view in ("export_account_summary", "export_invoice_line_item_monthly", "export_summary")
        ]
        # 2 x (30.00 + 9.99 - 0.70) and 2 x 4.00.
        assert totals == [[(Decimal("78.58"), Decimal(8))]] * 3
        assert book.rows("select jurisdiction, year_month, item_type, accounts, days, units_actual, units_estimated"
                         " from bua.export_summary where jurisdiction = 'NSW' order by 2, 3") == [
            ("NSW", "2026-09", "DAILY", 1, 10, None, None),
            ("NSW", "2026-09", "USAGE", 1, None, None, 10),
            ("NSW", "2026-10", "DAILY", 1, 20, None, None),
            ("NSW", "2026-10", "FEED_IN", 1, None, None, None),
            ("NSW", "2026-10", "USAGE", 1, None, None, 20),
        ]  # fmt: skip
        # What goes to the grid is apart: 10 and 20 kWh are used, 7 exported.
        assert book.rows("select sum(units_estimated), sum(units_exported) from bua.export_summary") == [(60, 14)]
        assert book.rows("select account_id from bua.export_exceptions") == [("C",)]


def test_a_fan_out_without_items_breaks_no_identity(book: Book) -> None:
    """A portfolio without interval meters plans no item of NEM12; without the plan of the items that there are, it refuses."""
    assert book.ask("plan_work_items", "NEM12", "one", 10) == []
    planned = (
        "select example from bua.broken_identities(%s) where identity = 'the work items are those that were planned'"
    )
    assert book.rows(planned, book.run_date) == []
    book.account("A", site="S")
    book.ask("plan_work_items", "MicroScalar", "one", 10)
    book.rows("delete from bua.fan_out where run_date = %s and run_type = 'MicroScalar'", book.run_date)
    assert ("MicroScalar",) in book.rows(planned, book.run_date)
