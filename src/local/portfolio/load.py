"""Loads a portfolio into an empty production database: the platform's `core` tables, in one transaction."""

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from local.portfolio.records import BasicRead, PlanItem, Portfolio, Register
from local.portfolio.rules_reads import register_of_read, registers_by_key
from local.portfolio.spans import DAY
from shared.errors import InvalidInput

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, whatever its name
    from psycopg2.extensions import cursor as Cursor  # noqa: N812

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
# The platform's unit of a register's unit, where that has another: of all energy, reads and factors make kWh.
_PLATFORM_UNITS = {"MWH": "KWH"}


def load_portfolio(connection: "Connection", portfolio: Portfolio) -> dict[str, int]:
    """Load everything but the interval reads; return the rows loaded per table.

    The caller commits. Raises InvalidInput when the database holds accounts already: a portfolio is loaded once, and
    a loader must not guess how to complete a database.
    """
    register_ids = number_registers(portfolio)
    reads = _reads_by_register(portfolio)
    with connection.cursor() as cursor:
        _refuse_unless_empty(cursor)
        loaded = {
            table.name: _copy(cursor, table)
            for table in (
                *_reference_tables(portfolio),
                *_customer_tables(portfolio),
                *_metering_tables(portfolio, register_ids, reads),
                *_billing_tables(portfolio),
            )
        }
        cursor.execute(
            "select setval(pg_get_serial_sequence('core.meter_register', 'meter_register_id'), %s)",
            (max(register_ids.values(), default=1),),
        )
    return loaded


def number_registers(portfolio: Portfolio) -> dict[Register, int]:
    """Return core.meter_register's key of every register: its place in the file."""
    return {register: number for number, register in enumerate(portfolio.registers, start=1)}


def read_periods(reads: Iterable[BasicRead], digits: int | None) -> Iterator[tuple[BasicRead, BasicRead, Decimal]]:
    """Yield (earlier read, later read, kWh or MJ between them) for each pair of consecutive actual reads of a register.

    An index that went backwards has rolled over at 10^digits. The factor is the later read's: a gas heating value is
    that of the time that the read closes.
    """
    actual = sorted((read for read in reads if read.quality == "A"), key=lambda read: read.read_date)
    for before, after in pairwise(actual):
        difference = after.index_value - before.index_value
        if difference < 0 and digits is not None:
            difference += Decimal(10) ** digits
        yield before, after, difference * after.quantity_factor


def _refuse_unless_empty(cursor: "Cursor") -> None:
    cursor.execute("select exists (select from core.account) or exists (select from core.site)")
    (occupied,) = cursor.fetchone() or (True,)
    if occupied:
        raise InvalidInput("the database holds accounts already, load the portfolio into a new one")


def _copy(cursor: "Cursor", table: "Table") -> int:
    """COPY rows into a table; None becomes null. Returns the number of rows.

    In the text format whatever a value holds can be escaped; in the csv format a lone backslash and point end the data.
    """
    buffer = io.StringIO("".join("\t".join(map(_escaped, row)) + "\n" for row in table.rows))
    cursor.copy_expert(f"copy core.{table.name} ({table.columns.replace(' ', ', ')}) from stdin", buffer)
    return int(cursor.rowcount)


def _escaped(value: object) -> str:
    return "\\N" if value is None else str(value).translate(_ESCAPES)


class Table(NamedTuple):
    """What goes into one table of the schema core; the names of its columns with a space between."""

    name: str
    columns: str
    rows: Iterable[Sequence[object]]


def _as_filed(name: str, records: Iterable[object], columns: str, **attributes: str) -> Table:
    """A table whose columns are the file's; attributes says which attribute a column with another name comes from."""
    take = attrgetter(*columns.split(), *attributes.values())
    return Table(name, " ".join([columns, *attributes]), map(take, records))


def _reference_tables(portfolio: Portfolio) -> Iterator[Table]:
    yield _as_filed("public_holiday", portfolio.public_holidays, "jurisdiction", holiday_date="date")
    yield Table("plan", "plan_code", ((code,) for code in dict.fromkeys(item.plan_code for item in portfolio.plans)))
    yield _plan_items(portfolio.plans)
    minutes = {"start_minute": "start_time", "end_minute": "end_time"}
    yield _as_filed("time_class_window", portfolio.time_classes, "plan_code time_class days", **minutes)


def _plan_items(items: Iterable[PlanItem]) -> Table:
    """The blocks of one plan, item, class and validity are numbered by their order in the file."""
    take = attrgetter("plan_code", "item_type", "time_class", "from_date", "to_date", "rate", "block_limit_per_day")
    counts: dict[object, int] = defaultdict(int)
    rows = []
    for item in items:
        validity = (item.plan_code, item.item_type, item.time_class, item.from_date)
        counts[validity] += 1
        propensity = 1 if item.discount_propensity is None else item.discount_propensity
        rows.append((*take(item), counts[validity], item.discount_percent or 0, propensity))
    columns = (
        "plan_code item_type time_class valid_from valid_to rate block_limit_per_day "
        "block_number discount_percent discount_propensity"
    )
    return Table("plan_item", columns, rows)


def _customer_tables(portfolio: Portfolio) -> Iterator[Table]:
    # Several accounts may follow each other on a site; validation made sure that they agree about it.
    sites = {account.site_id: account for account in portfolio.accounts}
    yield _as_filed("site", sites.values(), "site_id fuel jurisdiction node")
    columns = (
        "account_id fuel customer_class jurisdiction journal_segment plan_code open_date close_date billing_days "
        "next_bill_date"
    )
    yield _as_filed("account", portfolio.accounts, columns)
    yield _as_filed("account_plan", portfolio.account_plans, "account_id plan_code from_date to_date")
    supply = {"from_date": "open_date", "to_date": "close_date"}
    yield _as_filed("account_site", portfolio.accounts, "account_id site_id", **supply)


def _metering_tables(
    portfolio: Portfolio, register_ids: dict[Register, int], reads: dict[Register, list[BasicRead]]
) -> Iterator[Table]:
    meters = dict.fromkeys((register.site_id, register.meter_serial) for register in portfolio.registers)
    yield Table("meter", "site_id meter_serial", meters)
    columns = "site_id meter_serial register_id suffix stream_type read_type digits start_date end_date"
    take = attrgetter(*columns.split())
    numbered = (
        (number, _PLATFORM_UNITS.get(register.uom, register.uom), *take(register))
        for register, number in register_ids.items()
    )
    yield Table("meter_register", f"meter_register_id uom {columns}", numbered)
    yield Table(
        "meter_read",
        "meter_register_id read_date index_value quantity_factor quality",
        (
            (register_ids[register], read.read_date, read.index_value, read.quantity_factor, read.quality)
            for register, own in reads.items()
            for read in own
        ),
    )
    yield Table(
        "aggregated_read",
        "meter_register_id from_date to_date time_class read_state quantity",
        (
            (register_ids[register], before.read_date, after.read_date - DAY, "ANYTIME", "ACTUAL", quantity)
            for register, own in reads.items()
            for before, after, quantity in read_periods(own, register.digits)
        ),
    )
    yield _as_filed("gas_volume", portfolio.gas_volumes, "jurisdiction node volume_mj", volume_date="date")
    yield _as_filed("temperature", portfolio.temperatures, "jurisdiction node mean_c", temperature_date="date")


def _reads_by_register(portfolio: Portfolio) -> dict[Register, list[BasicRead]]:
    registers = registers_by_key(portfolio)
    found: dict[Register, list[BasicRead]] = defaultdict(list)
    for read in portfolio.basic_reads:
        register = register_of_read(read, registers[read.site_id, read.meter_serial, read.register_id])
        if register is not None:  # validation refused the others
            found[register].append(read)
    return found


def _billing_tables(portfolio: Portfolio) -> Iterator[Table]:
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in portfolio.invoice_lines:
        amounts[line.invoice_id] += line.net_amount
    columns = "invoice_id account_id from_date to_date issued_date estimated reversed"
    take = attrgetter(*columns.split())
    yield Table(
        "invoice",
        "invoice_id account_id from_date to_date issued_date is_estimated is_reversed net_amount",
        ((*take(invoice), amounts[invoice.invoice_id]) for invoice in portfolio.invoices),
    )
    columns = "invoice_id item_type stream_type time_class quantity net_amount"
    yield _as_filed("invoice_line_item", portfolio.invoice_lines, columns)
