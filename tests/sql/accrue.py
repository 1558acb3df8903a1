"""The rest of the chain, after the profiles: from micro scalars to the exported rows, by the roles that execute it."""

from decimal import Decimal
from typing import Any

from psycopg2.extras import Json, execute_values
from tests.sql.builder import Book


def accrue(book: Book, *accounts: str) -> None:
    """Scalars, basic reads, generated days and what the platform makes of them, invoices, the export."""
    book.call("bua_create_invoice_scalar", list(accounts))
    book.call("bua_create_basic_read", list(accounts))
    load(book)
    invoice(book)
    book.call("bua_prepare_export_data", list(accounts))


def accrued(book: Book, *accounts: str) -> dict[str, dict[str, Any]]:
    """Everything from the scalars to the export; returns the summaries' rows by account."""
    accrue(book, *accounts)
    columns = "account_id unbilled_from unbilled_to unbilled_days units_actual units_estimated units_total net_amount method flags"
    rows = book.rows(
        f"select {columns.replace(' ', ', ')} from bua.account_summary where run_date = %s order by 1", book.run_date
    )
    return {row[0]: dict(zip(columns.split(), row, strict=True)) for row in rows}


def recent(*stretches: tuple[int, int, float]) -> float:
    """The mean of levels, each on the days from .. to away from a gap: five days further away, a day counts half."""
    weights = [(0.5 ** (k / 5), level) for first, last, level in stretches for k in range(first, last + 1)]
    return sum(w * level for w, level in weights) / sum(w for w, _ in weights)


def read_days(book: Book, register: int, first: str, last: str, watt_hours: int = 100) -> None:
    """Interval reads as the store and the platform have them: half-hours of so many Wh on whole days."""
    book.days(register, first, last, watt_hours)
    book.platform_units(register, first, last, Decimal(watt_hours) * 48 / 1000)


def units(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["unbilled_days"], row["units_actual"], row["units_estimated"], row["net_amount"], row["flags"]


def load(book: Book) -> None:
    """Generate the meter data of every site that needs some, and aggregate it as the platform does."""
    sites = [site for (site,) in book.ask("bua_list_profile_nmis")]
    days = book.ask(
        "generate_nem12_days", sites, columns="site_id, suffix, profile_date, 3, half_hours, qualities", order="1, 2, 3"
    )
    with book.acting_as("workflow"), book.connection.cursor() as cursor:
        cursor.execute("call core.stage_interval_days()")
        if days:
            execute_values(
                cursor,
                "insert into pg_temp.interval_day (site_id, suffix, profile_date, scale, half_hours, qualities) values %s",
                [(*key, scale, [int(value * 1000) for value in values], q) for *key, scale, values, q in days],
            )
        cursor.execute("call core.aggregate_interval_reads('BUA', %s)", (book.run_date,))


def invoice(book: Book) -> None:
    """Every invoice run, to the end."""
    book.call("bua_initiate_invoice_runs")
    for (payload,) in book.rows("select payload from core.workflow_schedule where run_date = %s", book.run_date):
        with book.acting_as("workflow"):
            for procedure in ("generate_ili", "run_invoice_batch", "invoicegen"):
                book.rows(f"call core.{procedure}(%s)", Json(payload))
