"""The other tables of the evidence: billed lines, scalars, profiles, index reads, what failed, how profiles compare."""

from decimal import Decimal
from typing import Any

import pytest
from tests.sql.accrue import accrue, read_days
from tests.sql.builder import Book
from tests.sql.nem12.test_generated_days import scale

from shared.steps.evidence import TABLES


def evidence(book: Book, name: str, columns: str = "*", *accounts: str) -> list[tuple[Any, ...]]:
    """Rows of a table of the evidence in its order; dates as text."""
    table = TABLES[name]
    arguments = [] if table.is_whole else [list(accounts or ("A",))]
    found = book.ask(table.function, *arguments, columns=columns, order=", ".join(table.keys))
    return [tuple(str(value) if hasattr(value, "year") else value for value in row) for row in found]


@pytest.mark.parametrize("name", TABLES)
def test_the_columns_of_a_file_are_those_that_its_function_returns(book: Book, name: str) -> None:
    table = TABLES[name]
    returned = book.value(
        "select proargnames from pg_proc where pronamespace = 'bua'::regnamespace and proname = %s", table.function
    )
    assert [column for column in returned if not column.startswith("p_")][: len(table.columns)] == list(table.columns)
    assert set(table.keys) <= set(returned)


def line(
    book: Book,
    invoice: str,
    quantity: Any,
    net: Any,
    *,
    days: int | None = None,
    item: str = "USAGE",
    stream: str | None = "PRIMARY",
) -> None:
    book.rows("insert into core.invoice_line_item (invoice_id, item_type, stream_type, time_class, quantity, net_amount, days)"
              " values (%s, %s, %s, 'ANYTIME', %s, %s, %s)", invoice, item, stream, quantity, net, days)  # fmt: skip


def test_billed_lines_are_those_of_valid_invoices_with_a_day_in_the_period(book: Book) -> None:
    book.account("A", opened="2020-01-01")
    for first, last, more in (
        ("2025-08-01", "2025-10-31", {}),  # I-1, before the period
        ("2025-10-01", "2025-11-01", {}),  # I-2, its last day is the first of it
        ("2026-10-31", "2026-12-31", {"issued": "2026-10-31"}),  # I-3, its first day is the last of it
        ("2026-01-01", "2026-01-31", {"reversed_": True}),
        ("2026-02-01", "2026-02-28", {"issued": "2026-11-01"}),  # after AS_AT
        ("2026-03-01", "2026-03-31", {"estimated": True}),  # I-6
    ):
        book.billed("A", first, last, **more)
    for number in range(1, 7):
        line(book, f"I-{number}", number, "1.50")
    line(book, "I-2", 32, "40.00", days=30, item="DAILY", stream=None)
    columns = "invoice_id, from_date, to_date, is_estimated, item_type, stream_type, quantity, net_amount, days"
    assert evidence(book, "billed_lines", columns) == [
        ("I-2", "2025-10-01", "2025-11-01", False, "USAGE", "PRIMARY", 2, Decimal("1.50"), 32),
        ("I-2", "2025-10-01", "2025-11-01", False, "DAILY", None, 32, 40, 30),
        ("I-3", "2026-10-31", "2026-12-31", False, "USAGE", "PRIMARY", 3, Decimal("1.50"), 62),
        ("I-6", "2026-03-01", "2026-03-31", True, "USAGE", "PRIMARY", 6, Decimal("1.50"), 31),
    ]


def test_scalars_say_what_they_were_worked_out_on(town: Book) -> None:
    """A home of 4.8 kWh a day whose last two days are missing."""
    site = town.account("A", opened="2026-05-01")
    town.billed("A", "2026-05-01", "2026-09-30")
    read_days(town, town.register(site), "2026-07-01", "2026-10-29")
    accrue(town, "A")
    columns = "site_id, meter_serial, register_id, stream_type, read_type, gap, method, scalar, first_missing, last_missing, profile_key"
    assert evidence(town, "scalars", columns) == [
        ("S-A", "M1", "E1", "PRIMARY", "INTERVAL", 1, "RECENT_DAYS", 1, "2026-10-30", "2026-10-31", "QLD|RES|PRIMARY"),
    ]
    assert evidence(town, "scalars", "account_id", "B") == []


ESTIMATED = "origin, gap, estimated_date, half_hours, day_units, units, delivered_units"


def test_what_a_stream_is_estimated_at_day_by_day(book: Book) -> None:
    """0.3 kWh for each of 18 half-hours of a day that is 14.4 kWh, and of the whole day after; the provider's five estimates stay."""
    register = book.register(book.account("A", opened="2026-10-30"))
    book.profile("2026-10-30", "2026-10-31", 0.1)
    book.days(
        register,
        "2026-10-30",
        "2026-10-30",
        [*range(1, 49)],
        quality="A" * 10 + "N" * 18 + "S" * 10 + "F" * 5 + "E" * 5,
    )
    book.snapshot()
    scale(book, "A", register, 3)
    assert evidence(book, "estimated_days", ESTIMATED) == [
        ("BUA", 1, "2026-10-30", 18, Decimal("14.4"), Decimal("5.4"), 0),
        ("BUA", 1, "2026-10-31", 48, Decimal("14.4"), Decimal("14.4"), 0),
        ("PLATFORM", None, "2026-10-30", None, None, 0, Decimal("0.230")),
    ]
    assert evidence(book, "estimated_days", "account_id", "B") == []


def test_a_delivered_estimate_on_a_day_that_the_snapshot_lacks_is_in_the_file(book: Book) -> None:
    register = book.register(book.account("A", opened="2026-10-31"))
    book.profile("2026-10-31", "2026-10-31", 0.1)
    book.days(register, "2026-10-31", "2026-10-31", [*range(1, 49)], quality="A" * 40 + "E" * 8)
    scale(book, "A", register, 3)
    # 41 to 48 Wh
    assert evidence(book, "estimated_days", ESTIMATED) == [
        ("BUA", 1, "2026-10-31", 0, Decimal("14.4"), 0, Decimal("0.356"))
    ]


def test_the_limits_are_those_of_the_states_and_fuels_of_the_run(book: Book) -> None:
    book.account("A", state="NSW", opened="2026-01-01")
    book.account("B", state="VIC", opened="2026-01-01")
    book.account("C", state="VIC", fuel="GAS", opened="2026-01-01")
    book.rows(
        "insert into bua.back_billing_limit values ('VIC', 'GAS', '2026-10-01', 3), ('VIC', 'GAS', '2026-11-01', 1)"
    )
    # Nine, four and three months before 31 October 2026
    assert evidence(book, "back_billing_limits") == [
        ("NSW", "ELECTRICITY", "2000-01-01", 9, "2026-02-01"), ("VIC", "ELECTRICITY", "2021-01-01", 4, "2026-07-01"),
        ("VIC", "GAS", "2026-10-01", 3, "2026-08-01"),
    ]  # fmt: skip


def test_profiles_are_the_runs_own(town: Book) -> None:
    found = evidence(town, "profiles", "profile_key, profile_date, units")
    assert len(found) == 730  # 1 November 2024 to 31 October 2026
    assert found[0] == ("QLD|RES|PRIMARY", "2024-11-01", Decimal("4.8"))
    town.rows("insert into bua.macro_profile values ('2026-07-01', 'QLD|RES|PRIMARY', '2026-10-31', 9)")
    assert evidence(town, "profiles", "profile_key, profile_date, units") == found


def test_index_reads_are_the_last_six_and_those_of_the_run(town: Book) -> None:
    site = town.account("A", opened="2024-11-01")
    town.billed("A", "2024-11-01", "2026-09-30")
    register = town.basic(site)
    quarters = (
        "2025-01-01",
        "2025-04-01",
        "2025-07-01",
        "2025-10-01",
        "2026-01-01",
        "2026-04-01",
        "2026-07-01",
        "2026-10-01",
    )
    for index, read_date in enumerate(quarters):
        town.read(register, (read_date, 440 * index))
    town.read(register, ("2026-11-02", 5000))  # not known yet
    accrue(town, "A")
    columns = "meter_serial, register_id, read_date, index_value, quantity_factor, quality, origin"
    found = evidence(town, "basic_reads", columns)
    assert [row[2] for row in found if row[-1] == "PLATFORM"] == list(quarters[2:])
    assert found[0] == ("M1", "11", "2025-07-01", 880, 1, "A", "PLATFORM")
    assert [row[2:3] + row[-2:] for row in found if row[-1] == "BUA"] == [("2026-11-01", "E", "BUA")]


def test_a_read_that_is_not_believed_is_no_evidence(town: Book) -> None:
    site = town.account("A", opened="2025-11-01")
    town.billed("A", "2025-11-01", "2026-09-30")
    register = town.basic(site, digits=5)
    town.read(register, ("2026-04-01", 100), ("2026-07-01", 540), ("2026-08-15", 90_000), ("2026-10-01", 980))
    accrue(town, "A")
    found = [row[0] for row in evidence(town, "basic_reads", "read_date, origin") if row[1] == "PLATFORM"]
    assert found == ["2026-04-01", "2026-07-01", "2026-10-01"]


def test_what_failed_is_there_once_with_its_account(book: Book) -> None:
    book.account("A", opened="2026-05-01")
    for run_type in ("MicroScalar", "ExportEvidence"):
        book.ask("plan_work_items", run_type, "one", 100)
    book.call("fail_work_items", "MicroScalar", "one", ["A"], "NumericValueOutOfRange: too much")
    book.call("fail_work_items", "ExportEvidence", "one", ["scalars/0001"], "lost")
    assert evidence(book, "failed_items") == [
        ("MicroScalar", "A", "A", "MicroScalar failed, the account's usual use could not be worked out: NumericValueOutOfRange: too much"),
    ]  # fmt: skip


def test_variances_are_those_of_validate(book: Book) -> None:
    for run_date in (book.run_date, "2026-07-01"):
        book.rows(
            "insert into bua.utility_profile_variance values (%s, 'QLD|RES|PRIMARY', '2026-10', 100, 94, 6.38, true)",
            run_date,
        )
    assert evidence(book, "variances") == [("QLD|RES|PRIMARY", "2026-10", 100, 94, Decimal("6.38"), True)]
