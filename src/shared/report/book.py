"""What every part of the report asks: the two runs in a DuckDB database, with the unbilled account-days worked out once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from shared.report import exports
from shared.report.exports import Export
from shared.report.finance import Finance

ZERO = Decimal(0)
MEMORY_MB = 2048
BESIDE_MB = 400  # the interpreter, the pictures, the workbook


# An account belongs to what its last span says.
_ACCOUNT = """
create table {schema}.account as
select account_id, max_by(fuel, from_date) as fuel, max_by(jurisdiction, from_date) as jurisdiction,
       max_by(customer_class, from_date) as customer_class, max_by(journal_segment, from_date) as journal_segment
from {schema}.account_spans group by account_id
"""

# One row per unbilled account-day: net_estimated and net_energy leave supply out, exported is what went to the grid.
# is_unbilled is false where money lies on a day that no span calls unbilled: a tie names it.
_DAY = """
create table {schema}.day as
with unbilled as (
    select account_id, unnest(generate_series(from_date, to_date, interval 1 day))::date as local_date, state, ageing, recoverable
    from {schema}.account_spans where state in ('ACCRUED', 'EXCEPTION')
),
value as (
    select account_id, local_date, sum(net_amount)::decimal(18,2) as net,
           (sum(net_amount) filter (where item_type <> 'DAILY'))::decimal(18,2) as net_energy,
           (sum(net_amount) filter (where item_type <> 'DAILY' and line_state = 'ESTIMATED'))::decimal(18,2) as net_estimated,
           (sum(quantity) filter (where item_type <> 'DAILY' and stream_type <> 'SOLAR'))::decimal(18,6) as units,
           (sum(quantity) filter (where item_type <> 'DAILY' and stream_type <> 'SOLAR' and line_state = 'ESTIMATED'))::decimal(18,6)
               as units_estimated,
           (sum(quantity) filter (where stream_type = 'SOLAR'))::decimal(18,6) as exported
    from {schema}.account_days group by all
)
select account_id, local_date, u.account_id is not null as is_unbilled, state, ageing, recoverable, coalesce(net, 0) as net,
       coalesce(net_energy, 0) as net_energy, coalesce(net_estimated, 0) as net_estimated, coalesce(units, 0) as units,
       coalesce(units_estimated, 0) as units_estimated, coalesce(exported, 0) as exported
from unbilled u full join value v using (account_id, local_date)
"""


@dataclass(frozen=True)
class Book:
    """The run, the run before if there is one, and finance's parameters."""

    database: duckdb.DuckDBPyConnection
    now: Export
    before: Export | None
    finance: Finance

    def rows(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.database.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...]:
        """The only row of a query."""
        (row,) = self.rows(statement, parameters)
        return row

    @property
    def total(self) -> Decimal:
        """The accrued revenue, dollars ex GST, as BUAAccountSummary.csv has it."""
        (total,) = self.row("select coalesce(sum(net_amount), 0.00) from now.accounts")
        return Decimal(total)


def open_book(now: Export, before: Export | None, finance: Finance, scratch: Path, memory_mb: int = MEMORY_MB) -> Book:
    """Read both runs. scratch is a folder for what does not fit into the process's memory of memory_mb."""
    limit = f"{_database_mb(memory_mb)}MB"
    database = duckdb.connect(
        config={"memory_limit": limit, "temp_directory": str(scratch), "preserve_insertion_order": "false"}
    )
    for schema, export in (("now", now), ("before", before)):
        if export is not None:
            exports.attach(database, schema, export)
            database.execute(_ACCOUNT.format(schema=schema))
            database.execute(_DAY.format(schema=schema))
    return Book(database, now, before, finance)


def _database_mb(memory_mb: int) -> int:
    """DuckDB's part of a process's memory: its limit leaves out some of what it allocates, so a quarter stays free."""
    return max((memory_mb - BESIDE_MB) * 3 // 4, 256)


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """Percent, to two decimals; None of nothing."""
    return (100 * Decimal(part) / Decimal(whole)).quantize(Decimal("0.01")) if whole else None
