"""What the accrual relies on in the billing platform's schema, checked against every restored database.

sql/platform/ builds the same tables for the demo and the tests, and a test compares the two. If a platform release
renames a column, the run stops at restore and names the column, not six hours later.
"""

from datetime import date

from shared.database import prerequisites
from shared.database.connections import Cursor
from shared.errors import ContractBroken

SERVER_MAJOR_VERSION = 17
SCHEMA = "core"

# Table: its columns and their types, as information_schema spells them.
TABLES: dict[str, str] = {
    "jurisdiction": "jurisdiction text, time_zone text, market_offset interval",
    "public_holiday": "jurisdiction text, holiday_date date",
    "plan": "plan_code text",
    "plan_item": (
        "plan_item_id bigint, plan_code text, item_type text, time_class text, valid_from date, valid_to "
        "date, rate numeric, block_number smallint, block_limit_per_day numeric, discount_percent numeric, "
        "discount_propensity numeric"
    ),
    "time_class_window": "plan_code text, time_class text, days text, start_minute smallint, end_minute smallint",
    "site": "site_id text, fuel text, jurisdiction text, node text",
    "account": (
        "account_id text, fuel text, customer_class text, jurisdiction text, journal_segment text, plan_code "
        "text, open_date date, close_date date, billing_days integer, next_bill_date date"
    ),
    "account_plan": "account_id text, plan_code text, from_date date, to_date date",
    "account_site": "account_id text, site_id text, from_date date, to_date date",
    "meter": "site_id text, meter_serial text",
    "meter_register": (
        "meter_register_id bigint, site_id text, meter_serial text, register_id text, suffix text, "
        "stream_type text, read_type text, uom text, digits smallint, start_date date, end_date date"
    ),
    "invoice": (
        "invoice_id text, account_id text, from_date date, to_date date, issued_date date, is_estimated "
        "boolean, is_reversed boolean, origin text, run_date date, net_amount numeric, gst_amount numeric"
    ),
    "invoice_line_item": (
        "invoice_line_item_id bigint, invoice_id text, item_type text, stream_type text, time_class text, "
        "quantity numeric, net_amount numeric, plan_item_id bigint, line_state text, days integer, rate "
        "numeric, discount_net numeric, discount_net_propensity numeric, gst_amount numeric"
    ),
    "billable_quantity": (
        "run_date date, account_id text, item_type text, stream_type text, time_class text, line_state text, price_from date, "
        "year_month text, quantity numeric, days integer, plan_code text"
    ),
    "invoice_line_item_month": "invoice_line_item_id bigint, year_month text, quantity numeric, days integer",
    "meter_read": (
        "meter_read_id bigint, meter_register_id bigint, read_date date, index_value numeric, quantity_factor "
        "numeric, quality text, origin text, run_date date"
    ),
    "aggregated_read": (
        "meter_register_id bigint, from_date date, to_date date, time_class text, read_state text, quantity "
        "numeric, origin text, run_date date"
    ),
    "gas_volume": "jurisdiction text, node text, volume_date date, volume_mj numeric",
    "temperature": "jurisdiction text, node text, temperature_date date, mean_c numeric",
    "workflow": "workflow_name text, service text, priority integer, description text",
    "workflow_schedule": (
        "workflow_schedule_id bigint, workflow_name text, is_enabled boolean, due_at timestamp with time "
        "zone, executed_at timestamp with time zone, payload jsonb, run_date date"
    ),
    "workflow_instance": (
        "workflow_instance_id bigint, workflow_name text, state text, payload jsonb, run_date date, attempts "
        "integer, created_at timestamp with time zone, started_at timestamp with time zone, finished_at "
        "timestamp with time zone"
    ),
    "workflow_exception": (
        "workflow_exception_id bigint, workflow_instance_id bigint, raised_at timestamp with time zone, message text"
    ),
    "event_log": "event_log_id bigint, logged_at timestamp with time zone, level text, message text",
}

# A platform need not have these. One that has them has them with these columns.
OPTIONAL = ("temperature",)


def check(cursor: Cursor, run_date: date, disk_gb: int) -> None:
    """Raise ContractBroken with everything that differs from what the accrual relies on; disk_gb as RDS allocated it.

    Tables and columns, the server, the roles' rights, extensions, settings, and the room that a run needs.
    """
    problems = [*compare(expected(), installed(cursor)), *prerequisites.problems(cursor, tuple(TABLES))]
    if not problems:  # otherwise the tables may be missing, or not ours to count
        problems = prerequisites.room(cursor, run_date, disk_gb)
    problems += _server_problems(cursor)
    if problems:
        raise ContractBroken("the restored database differs from what the accrual relies on: " + "; ".join(problems))


def expected() -> dict[str, dict[str, str]]:
    """Table: column: type, as written above."""
    return {
        table: dict(column.strip().split(" ", 1) for column in columns.split(",")) for table, columns in TABLES.items()
    }


def installed(cursor: Cursor) -> dict[str, dict[str, str]]:
    """Table: column: type, as the database has them. pg_catalog shows them whatever the role's privileges are."""
    cursor.execute(
        "select c.relname, a.attname, format_type(a.atttypid, null) from pg_catalog.pg_class c"
        " join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where c.relnamespace = (select oid from pg_catalog.pg_namespace where nspname = %s) and c.relkind in ('r', 'p', 'v')",
        (SCHEMA,),
    )
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in cursor.fetchall():
        tables.setdefault(table, {})[column] = kind
    return tables


def compare(wanted: dict[str, dict[str, str]], found: dict[str, dict[str, str]]) -> list[str]:
    """One sentence for each thing that is required and missing. Anything else in the database does not matter."""
    problems = []
    for table, columns in wanted.items():
        if table not in found and table in OPTIONAL:
            continue
        if table not in found:
            problems.append(f"table {SCHEMA}.{table} is missing")
            continue
        for column, kind in columns.items():
            actual = found[table].get(column)
            if actual is None:
                problems.append(f"column {SCHEMA}.{table}.{column} is missing")
            elif actual != kind:
                problems.append(f"column {SCHEMA}.{table}.{column} is {actual}, not {kind}")
    return problems


def _server_problems(cursor: Cursor) -> list[str]:
    cursor.execute("select current_setting('server_version_num')::int / 10000")
    (major,) = cursor.fetchone() or (0,)
    if major == SERVER_MAJOR_VERSION:
        return []
    return [f"the server is PostgreSQL {major}, not {SERVER_MAJOR_VERSION} like production"]
