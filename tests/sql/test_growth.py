"""A million accounts: what an item costs depends neither on the size of the run nor on that of its message.

The same run is worked off with 60 accounts and with 600, by everything that the database and the catalogue know of it.
Cost is counted, not timed: the rows that all nodes of all plans handle, those of nested statements and those that are read
and thrown away among them, as auto_explain reports them. Tables as small as these are best read whole, so sequential scans
are discouraged: what is asked is whether an index could serve. Statistics are what the platform's warming and the run's
own steps collect, and nothing else.
"""

import contextlib
import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2.extras import Json, execute_values
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.janitor import DatabaseJanitor
from tests.conftest import Database
from tests.sql.builder import Book

from local.aws.postgres import Server
from shared import catalogue
from shared.steps.evidence import TABLES

RUN_DATE = "2026-11-01"
SMALL, FACTOR = 60, 10
# A message is compared with so many of every fourth of its items.
EVERY = 4
# What does not grow with the work may be in either measurement.
SLACK = 1.5

# What Python asks the database for where the work is not SQL alone.
ASKED = {
    "UtilityProfile": "select count(*) from bua.bua_list_profile_registers(%s, %s)",
    "NEM12": "select count(*) from bua.generate_nem12_days(%s, %s)",
    "ExportEvidence": "select "
    + ", ".join(
        f"(select count(*) from bua.{table.function}(p.run_date, p.accounts))"
        for table in TABLES.values()
        if not table.is_whole
    )
    + " from (select %s::date as run_date, %s as accounts) p",
}
# An item of these is a file of a part of the accounts that were prepared.
PARTS = {"ExportEvidence": "PrepareExport"}
# An item of these is a file, with rows of the whole run; their views are asked for.
FILES = {"Export"}
VIEWS = ["account_summary", "invoice_line_item_monthly", "exceptions", "summary", "implausible_reads", "profile_marks"]

PLATFORM = """
insert into core.plan values ('FLAT'), ('CLASSES');
insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from) values
    ('FLAT', 'DAILY', 'ANYTIME', 1, '2020-01-01'), ('FLAT', 'USAGE', 'ANYTIME', 0.3, '2020-01-01'),
    ('FLAT', 'FEED_IN', 'ANYTIME', 0.05, '2020-01-01'), ('CLASSES', 'DAILY', 'ANYTIME', 1, '2020-01-01'),
    ('CLASSES', 'USAGE', 'PEAK', 0.5, '2020-01-01'), ('CLASSES', 'USAGE', 'OFFPEAK', 0.2, '2020-01-01');
insert into core.time_class_window values
    ('CLASSES', 'PEAK', 'WEEKDAY', 900, 1260), ('CLASSES', 'OFFPEAK', 'ALL', 0, 1440);
insert into core.gas_volume
    select 'VIC', 'ZONE', d, 50000 from generate_series(timestamp '2025-11-01', '2026-10-25', '1 day') d;
"""

# Kinds 0 to 5 have interval meters (1 with solar export, 2 a giant, 3 a day that the snapshot lacks), 6 to 11 basic ones (8
# with time classes, 9 a misread index), 12 and 13 gas; 14 moved into a site in the period. 11 days are unbilled.
ACCOUNTS = """
create temporary table new_account on commit drop as
select g, g %% 15 as kind, 'A' || lpad(g::text, 6, '0') as account_id, 'S' || lpad(g::text, 6, '0') as site_id
from generate_series(%(first)s, %(last)s) g;
insert into core.site select site_id, case when kind in (12, 13) then 'GAS' else 'ELECTRICITY' end,
    case when kind in (12, 13) then 'VIC' else 'NSW' end, 'ZONE' from new_account;
insert into core.account select account_id, case when kind in (12, 13) then 'GAS' else 'ELECTRICITY' end, 'RES',
    case when kind in (12, 13) then 'VIC' else 'NSW' end, 'MASS', case kind when 8 then 'CLASSES' else 'FLAT' end,
    case kind when 14 then date '2026-10-20' else '2022-01-01' end, null, 91, '2026-12-01' from new_account;
insert into core.account_site select account_id, site_id, case kind when 14 then date '2026-10-20' else '2022-01-01' end
    from new_account;
insert into core.account select 'B' || account_id, 'ELECTRICITY', 'RES', 'NSW', 'MASS', 'FLAT', '2022-01-01', '2026-10-20', 91, null
    from new_account where kind = 14;
insert into core.account_site select 'B' || account_id, site_id, '2022-01-01', '2026-10-20' from new_account where kind = 14;
insert into core.meter select site_id, 'M' from new_account;
insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom, digits, start_date)
    select site_id, 'M', suffix, suffix, stream, case when kind <= 5 or kind = 14 then 'INTERVAL' else 'BASIC' end,
           case when kind in (12, 13) then 'MJ' else 'KWH' end, case when kind between 6 and 13 then 5 end, '2020-01-01'
    from new_account
    cross join lateral (select case when kind between 6 and 13 then '11' else 'E1' end, 'PRIMARY'
                        union all select 'B1', 'SOLAR' where kind = 1) r (suffix, stream)
    order by g;
insert into core.invoice (invoice_id, account_id, from_date, to_date, issued_date)
    select account_id || '-' || n, account_id, greatest(date '2026-10-20' - 91 * n - 90, '2022-01-01'), date '2026-10-20' - 91 * n,
           date '2026-10-20' - 91 * n from new_account, generate_series(0, 3) n where kind <> 14;
insert into core.invoice_line_item (invoice_id, item_type, stream_type, time_class, quantity, net_amount)
    select invoice_id, 'USAGE', 'PRIMARY', 'ANYTIME', 900, 270 from core.invoice
    join new_account using (account_id) where origin = 'PLATFORM';
insert into core.meter_read (meter_register_id, read_date, index_value, quantity_factor, quality)
    select m.meter_register_id, date '2026-10-10' - 91 * n, 5000 - 900 * n + case when kind = 9 and n = 1 then 3000 else 0 end,
           1, 'A'
    from new_account join core.meter_register m using (site_id) cross join generate_series(0, 4) n where m.read_type = 'BASIC';
"""

# What site-data writes, here by copying: 55 days, of which the last six are missing.
SITE_DATA = """
insert into bua.utility_profile
    select %(run_date)s, m.site_id, m.meter_register_id, d, 3, array_fill(v.wh, array[48]), repeat('A', 48), 0, 0, v.wh * 48000
    from core.meter_register m
    cross join generate_series(timestamp '2026-09-01', '2026-10-25', '1 day') d
    cross join lateral (select case when right(m.site_id, 6)::integer %% 15 = 2 then 9000 else 100 + m.meter_register_id %% 7 end::integer) v (wh)
    where m.read_type = 'INTERVAL';
insert into bua.utility_profile_log select %(run_date)s, site_id, 55, count(*), null from bua.utility_profile
    where run_date = %(run_date)s group by site_id;
"""
SNAPSHOT = """
insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity)
    select m.meter_register_id, d, d, 'ANYTIME', 'ACTUAL',
           48 * case when a.kind = 2 then 9 else (100 + m.meter_register_id %% 7) / 1000.0 end
    from new_account a join core.meter_register m using (site_id)
    cross join generate_series(timestamp '2026-09-02', '2026-10-24', '1 day') d
    where m.read_type = 'INTERVAL' and not (a.kind = 3 and d = '2026-10-23');
"""


Cost = Counter[str]  # rows by the statement that handles them


class Meter:
    """Counts the rows that statements of the functions' role handle."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        connection.notices = deque()  # of a list, psycopg2 keeps the last fifty
        for statement in (
            "load 'auto_explain'", "set auto_explain.log_min_duration = 0", "set auto_explain.log_analyze = on",
            "set auto_explain.log_timing = off", "set auto_explain.log_nested_statements = on",
            "set auto_explain.log_format = json", "set auto_explain.log_level = notice", "set auto_explain.log_parameter_max_length = 0",
        ):  # fmt: skip
            connection.cursor().execute(statement)
        connection.commit()

    def count(self, statement: str, *parameters: Any) -> Cost:
        """The rows handled, by statement. What is done is undone."""
        with self.connection.cursor() as cursor:
            cursor.execute("set local role lambda")
            cursor.execute("set local enable_seqscan = off")
            self.connection.notices.clear()
            cursor.execute(statement, parameters)
            plans = [text.partition("plan:\n")[2] for text in self.connection.notices if "plan:\n" in text]
        self.connection.rollback()
        cost: Cost = Counter()
        for plan in map(json.loads, plans):
            cost[named(plan["Query Text"])] += handled(plan["Plan"])
        return cost


def named(text: str) -> str:
    """A statement's first words, without its arguments."""
    return re.sub(r"ARRAY\[[^]]*\]|'[^']*'", "?", " ".join(text.split()))[:100]


def handled(node: dict[str, Any]) -> int:
    """The rows that a node and those below it return or throw away."""
    rows = node["Actual Rows"] + sum(value for key, value in node.items() if key.startswith("Rows Removed by"))
    own: int = rows * node["Actual Loops"]
    return own + sum(handled(below) for below in node.get("Plans", ()))


class Run:
    """The run, at one size after the other."""

    def __init__(self, name: str, connection: Any, meter: Meter, smaller: "Run | None" = None) -> None:
        self.name = name
        self.smaller = smaller.items if smaller else {}
        self.book = Book(connection, RUN_DATE)
        self.connection = connection
        self.meter = meter
        self.items: dict[str, list[str]] = {}  # of every run type
        self.message: dict[str, Cost] = {}  # of one message
        self.parts: dict[str, Cost] = {}  # of four messages of a quarter of the items each
        self.cost: dict[str, Cost] = {}  # of what is done once

    def grow(self, first: int, last: int) -> None:
        self.book.rows(
            "delete from core.meter_read where origin = 'BUA'; delete from core.aggregated_read where origin = 'BUA'"
        )
        with self.connection.cursor() as cursor:
            cursor.execute(ACCOUNTS + SNAPSHOT, {"first": first, "last": last})
        self.connection.commit()
        self.connection.autocommit = True
        self.book.rows("analyze core.account, core.account_site, core.site, core.meter, core.meter_register, core.invoice,"
                       " core.invoice_line_item, core.meter_read, core.aggregated_read, core.gas_volume, core.plan_item")  # fmt: skip
        self.connection.autocommit = False

    def once(self, statement: str, *parameters: Any) -> None:
        self.cost[statement] = self.meter.count(statement, *parameters)

    def work(self) -> None:
        """All of it, in the order of the pipeline; every part is counted before it is done."""
        for run_type in catalogue.load().run_types:
            self.fan_out(run_type)
            for statement in AFTER.get(run_type, ()):
                self.once(statement, RUN_DATE)
                self.lambda_(statement, RUN_DATE)
            if run_type == "NEM12":
                self.load_and_invoice()

    def fan_out(self, run_type: str) -> None:
        name = self.book.value("select bua.snake_case(%s)", run_type)
        plan = "select batch_no, items from bua.plan_work_items(%s, %s, %s, %s)"
        self.cost[f"plan {run_type}"] = self.meter.count(plan, RUN_DATE, run_type, self.name, SMALL)
        batches = self.lambda_(plan, RUN_DATE, run_type, self.name, SMALL)
        self.once(f"select count(*) from bua.list_{name}(%s)", RUN_DATE)
        self.items[run_type] = (
            self.items[PARTS[run_type]] if run_type in PARTS else [i for _, items in batches for i in items]
        )
        if run_type in FILES:
            for view in VIEWS:
                self.once(f"select count(*) from (select * from bua.export_{view} where run_date = %s) v", RUN_DATE)
            return
        in_sql = self.book.value("select bua.is_worked_in_sql(%s)", run_type)
        statement = f"call bua.work_off_{name}(%s, %s)" if in_sql else ASKED[run_type]
        message = [item for item in self.items[run_type] if item in self.smaller.get(run_type, [item])]
        self.message[run_type] = self.meter.count(statement, RUN_DATE, message)
        parts = [self.meter.count(statement, RUN_DATE, message[first::EVERY]) for first in range(EVERY)]
        self.parts[run_type] = sum(parts, Counter())
        for _, items in batches if in_sql else ():
            self.lambda_(statement, RUN_DATE, items)
        if run_type == "UtilityProfile":
            self.site_data()
        self.lambda_("call bua.finish_work_items(%s, %s, %s)", RUN_DATE, run_type, self.items[run_type])

    def lambda_(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.book.acting_as("lambda"):
            rows = self.book.rows(statement, *parameters)
        self.connection.commit()
        return rows

    def site_data(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(SITE_DATA, {"run_date": RUN_DATE})
        self.book.close_profiles()
        self.connection.commit()

    def load_and_invoice(self) -> None:
        """The platform's part: generated days become quantities, and quantities invoices."""
        days = self.lambda_(
            "select site_id, suffix, profile_date, 3, array(select (v * 1000)::integer from unnest(half_hours) v), qualities"
            " from bua.generate_nem12_days(%s, %s)", RUN_DATE, self.items["NEM12"])  # fmt: skip
        with self.book.acting_as("workflow"), self.connection.cursor() as cursor:
            cursor.execute("call core.stage_interval_days()")
            execute_values(
                cursor,
                "insert into pg_temp.interval_day (site_id, suffix, profile_date, scale, half_hours, qualities) values %s",
                days, page_size=1000,
            )  # fmt: skip
            cursor.execute("call core.aggregate_interval_reads('BUA', %s)", (RUN_DATE,))
        self.connection.commit()
        self.once("call bua.bua_initiate_invoice_runs(%s)", RUN_DATE)
        self.lambda_("call bua.bua_initiate_invoice_runs(%s)", RUN_DATE)
        for (payload,) in self.book.rows("select payload from core.workflow_schedule where run_date = %s", RUN_DATE):
            with self.book.acting_as("workflow"):
                for procedure in ("generate_ili", "run_invoice_batch", "invoicegen"):
                    self.book.rows(f"call core.{procedure}(%s)", Json(payload))
        self.connection.commit()


# What the state machines call between their fan-outs.
AFTER = {
    "Validate": ("call bua.import_gas_volumes_profile_creation(%s)", "call bua.bua_create_macro_profile(%s)"),
    "PrepareExport": (
        "call bua.collect_failures(%s)",
        "select * from bua.broken_identities(%s)",
        "select bua.control_totals(%s)",
    ),
}


@pytest.fixture(scope="module")
def growth(bua_template: NoopExecutor, postgres: Server) -> Iterator[tuple[Run, Run]]:
    """The run of 60 accounts, and that of 600: they and 540 more, in the same database."""
    janitor = DatabaseJanitor(
        user=bua_template.user, password=bua_template.password, host=bua_template.host, port=bua_template.port,
        dbname="growth_test", template_dbname=bua_template.template_dbname,
    )  # fmt: skip
    with janitor, contextlib.closing(postgres.connect(janitor.dbname)) as watched:
        watched.autocommit = False
        meter = Meter(watched)
        with Database(bua_template.host, bua_template.port, janitor.dbname).connect() as connection:
            Book(connection, RUN_DATE).rows("grant lambda, workflow to core_admin with inherit false, set true")
            Book(connection, RUN_DATE).rows("call bua.prepare_run(%s)", RUN_DATE)
            Book(connection, RUN_DATE).rows(PLATFORM)
            small = Run("small", connection, meter)
            large = Run("large", connection, meter, smaller=small)
            small.grow(1, SMALL)
            small.work()
            large.grow(SMALL + 1, SMALL * FACTOR)
            large.work()
            yield small, large


RUN_TYPES = list(catalogue.load().run_types)
MESSAGES = [run_type for run_type in RUN_TYPES if run_type not in FILES]


def grown(before: Cost, after: Cost, times: float) -> str:
    """Empty if the cost has not grown more than so many times; otherwise the statements that have grown most."""
    worst = sorted(after, key=lambda text: after[text] - before[text] * times, reverse=True)[:5]
    # A statement that is a tenth of the cost, and has grown twice as much, may not hide behind the others.
    if after.total() <= before.total() * times * SLACK and not any(
        after[one] > max(before[one] * times * SLACK * 2, after.total() / 10) for one in worst
    ):
        return ""
    return "\n".join(
        [f"{before.total()} rows became {after.total()}", *(f"{before[w]} -> {after[w]}: {w}" for w in worst)]
    )


@pytest.mark.parametrize("run_type", MESSAGES)
def test_a_message_costs_the_same_in_a_large_run(growth: tuple[Run, Run], run_type: str) -> None:
    """Where a larger run has no more items, each of them is of more accounts: then it may cost as much more as these."""
    small, large = growth
    more_items = len(large.items[run_type]) / len(small.items[run_type])
    assert grown(small.message[run_type], large.message[run_type], FACTOR / more_items) == ""


@pytest.mark.parametrize("run_type", MESSAGES)
def test_an_item_costs_the_same_in_a_large_message(growth: tuple[Run, Run], run_type: str) -> None:
    """In the large run: in the small one it may be best to read all there is."""
    large = growth[1]
    assert large.parts[run_type].total() > 0
    assert grown(large.parts[run_type], large.message[run_type], 1) == ""


def test_what_is_done_once_grows_with_the_run_and_no_faster(growth: tuple[Run, Run]) -> None:
    """Listing, resetting and planning of every run type, the single procedures, the exported files."""
    small, large = growth
    assert set(large.cost) == set(small.cost)
    # A plan may change where there is little to do: ten rows an account are no cliff.
    found = {
        what: grown(small.cost[what], cost, FACTOR)
        for what, cost in large.cost.items()
        if cost.total() > 10 * len(large.items["PrepareExport"])
    }
    assert [f"{what}: {text}" for what, text in found.items() if text] == []


def test_every_run_type_of_the_database_is_counted(growth: tuple[Run, Run]) -> None:
    listed = {
        name for (name,) in growth[0].book.rows(
            "select substr(p.proname, 6) from pg_proc p where p.pronamespace = 'bua'::regnamespace and p.proname ~ '^list_'"
            " and p.proname <> 'list_work_items' and pg_get_function_identity_arguments(p.oid) = 'p_run_date date'")
    }  # fmt: skip
    counted = {growth[0].book.value("select bua.snake_case(%s)", run_type) for run_type in RUN_TYPES}
    # The segments' run types share a list of their months.
    assert listed - {"segment_months"} == counted


# Whose items are months of a segment, which has a part of the run.
OF_SEGMENTS = ("SegmentJurisdiction", "Validate")
# A run of 20,000 accounts more, of which no message asks.
PADDING = """
insert into core.site select 'Z' || g, 'ELECTRICITY', 'NSW', 'ZONE' from generate_series(1, 20000) g;
insert into core.account select 'Z' || g, 'ELECTRICITY', 'RES', 'NSW', 'MASS', 'FLAT', '2022-01-01', null, 91, null
    from generate_series(1, 20000) g;
analyze core.site, core.account;    -- or every reference to them is checked by reading all of them
insert into core.account_site select 'Z' || g, 'Z' || g, '2022-01-01' from generate_series(1, 20000) g;
insert into bua.micro_scalar (run_date, account_id, meter_register_id, site_id, read_type, stream_type, profile_key, register_ids,
                              occupied, method, scalar)
    select %(run_date)s, 'Z' || g, 1000000 + g, 'Z' || g, 'BASIC', 'PRIMARY', 'NSW|RES|PRIMARY', array[1000000 + g],
           '{[2022-01-01,)}', 'READS', 1 from generate_series(1, 20000) g;
insert into core.invoice (invoice_id, account_id, from_date, to_date, origin, run_date, net_amount)
    select 'BUA-Z' || g, 'Z' || g, '2026-10-21', '2026-10-31', 'BUA', %(run_date)s, 11 from generate_series(1, 20000) g;
analyze core.invoice;
insert into core.invoice_line_item (invoice_id, item_type, time_class, quantity, net_amount, line_state, days)
    select 'BUA-Z' || g, 'DAILY', 'ANYTIME', 11, 11, 'ACTUAL', 11 from generate_series(1, 20000) g;
analyze core.invoice_line_item;
insert into core.invoice_line_item_month (invoice_line_item_id, year_month, quantity, days)
    select invoice_line_item_id, '2026-10', 11, 11 from core.invoice_line_item where invoice_id like 'BUA-Z%%';
insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity, origin, run_date)
    select 1000000 + g, '2026-10-01', '2026-10-31', 'ANYTIME', 'ESTIMATED', 1, 'BUA', %(run_date)s from generate_series(1, 20000) g;
"""


@pytest.mark.parametrize("run_type", [run_type for run_type in MESSAGES if not run_type.startswith(OF_SEGMENTS)])
def test_a_message_of_accounts_or_sites_never_reads_the_whole_run(book: Book, run_type: str) -> None:
    """The rows that PostgreSQL's statistics count as read from the tables that have a row for each account of the run."""
    beside_many(book)
    items = book.rows(
        "select array_agg(account_id), array_agg(site_id) from core.account_site where account_id ~ '^A'"
    )[0]
    message = items[run_type in ASKED]
    in_sql = book.value("select bua.is_worked_in_sql(%s)", run_type)
    before = rows_read(book)
    with book.acting_as("lambda"):
        if in_sql:
            book.rows("call bua.work_off(%s, %s, %s)", RUN_DATE, run_type, message)
        else:
            book.rows(ASKED[run_type], RUN_DATE, message)
    assert {
        table: rows - before[table] for table, rows in rows_read(book).items() if rows - before[table] >= 20_000
    } == {}


def test_invoicing_a_batch_never_reads_the_whole_run(book: Book) -> None:
    """Nor do the services of the platform, in whose place the local ones stand: otherwise no month could be rehearsed."""
    beside_many(book)
    windows = [["2026-10-21", "2026-10-31"]]
    accounts = book.rows("select account_id from core.account where account_id ~ '^A' order by 1")
    payload = {"run_date": RUN_DATE, "accounts": [{"account_id": one, "windows": windows} for (one,) in accounts]}
    before = rows_read(book)
    with book.acting_as("workflow"):
        for procedure in ("generate_ili", "run_invoice_batch", "invoicegen"):
            book.rows(f"call core.{procedure}(%s)", Json(payload))
    read = {table: rows - before[table] for table, rows in rows_read(book).items()}
    assert {table: rows for table, rows in read.items() if rows >= 20_000} == {}
    assert book.value("select count(*) from core.invoice where origin = 'BUA' and net_amount > 0") == 20_000 + len(
        accounts
    )


def beside_many(book: Book) -> None:
    """A run's accounts beside many others; the planner knows of all of them."""
    with book.connection.cursor() as cursor:
        cursor.execute(PLATFORM)
        cursor.execute(ACCOUNTS + SNAPSHOT, {"first": 1, "last": SMALL})
        cursor.execute(SITE_DATA, {"run_date": RUN_DATE})
        book.close_profiles()
        cursor.execute(PADDING, {"run_date": RUN_DATE})
        # A restored database has production's statistics, and who fills a partition that is read next analyses it.
        cursor.execute("analyze")
        # As in the run's parameter group: with the default, a scan of 100,000 rows seems cheaper than a few hundred look-ups.
        cursor.execute("set local random_page_cost = 1.1")


def rows_read(book: Book) -> Cost:
    """The rows that this transaction has read so far, by table."""
    return Counter(
        dict(book.rows("select relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables"
                       " where relname in ('site', 'account', 'account_site') or relname like 'micro_scalar%%'"
                       " or relname like 'aggregated_read%%' or relname like 'invoice%%'"))
    )  # fmt: skip
