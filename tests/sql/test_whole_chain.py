"""The whole accrual in SQL, from site-data's rows to the exported ones, by the roles that execute it.

What a run made, it never reads as input: December's run is made before November's and again after it, in one database,
and every table has to come out the same.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from psycopg2.extras import Json, execute_values
from tests.conftest import Database
from tests.sql.builder import Book

from local.aws.postgres import Server

NOVEMBER, DECEMBER = "2026-11-01", "2026-12-01"

SQL_RUN_TYPES = ("SegmentJurisdictionAvgExclEst", "SegmentJurisdictionCheck", "SegmentJurisdictionFix", "Validate")

# Tables of the platform, without the keys that a sequence gives out.
PLATFORM_ROWS = {
    "aggregated_read": "select meter_register_id, from_date, to_date, time_class, read_state, quantity from core.aggregated_read",
    "meter_read": "select meter_register_id, read_date, index_value, quantity_factor, quality from core.meter_read",
    "invoice": "select invoice_id, account_id, from_date, to_date, issued_date, is_estimated, net_amount, gst_amount"
    " from core.invoice",
    "line": "select l.invoice_id, l.item_type, l.stream_type, l.time_class, l.quantity, l.net_amount, l.gst_amount, l.line_state,"
    " m.year_month, m.quantity, m.days from core.invoice join core.invoice_line_item l using (invoice_id)"
    " join core.invoice_line_item_month m using (invoice_line_item_id)",
    "schedule": "select workflow_name, payload from core.workflow_schedule",
}


def portfolio(book: Book) -> None:
    """A few accounts with everything awkward; all are supplied from May 2026 and billed to 30 September."""
    book.plan(
        "FLAT",
        ("DAILY", "ANYTIME", "1.00"), ("USAGE", "ANYTIME", "0.30"), ("CONTROL", "ANYTIME", "0.15"), ("FEED_IN", "ANYTIME", "0.05"),
    )  # fmt: skip
    book.plan("CHANGING", ("USAGE", "ANYTIME", "0.30", "2020-01-01"), ("USAGE", "ANYTIME", "0.40", "2026-10-16"))
    book.gas_volume("2026-03-01", "2026-10-10", 50_000)
    book.gas_volume("2026-10-12", "2026-11-15", 60_000)
    for n in range(1, 8):
        home(book, f"H{n}")
    home(book, "GIANT")
    home(book, "MOVED_OUT", closed="2026-10-15")
    book.account("MOVED_IN", site="S-MOVED_OUT", state="NSW", opened="2026-10-16")
    for suffix, stream in (("E2", "CONTROL"), ("B1", "SOLAR")):
        book.register("S-H3", suffix, stream=stream)
    basic(book, "READ", "CHANGING", ("2026-05-01", 99_000), ("2026-07-15", 99_600), ("2026-10-06", 300))
    basic(book, "UNREAD", "FLAT")
    basic(book, "MISREAD", "FLAT", ("2026-05-01", 5000), ("2026-08-01", 5950), ("2026-10-01", 5900))
    basic(book, "TAIL", "FLAT", ("2026-06-01", 0), ("2026-09-01", 900), ("2026-10-20", 1500, "E"))
    gas = book.account("GAS", fuel="GAS", state="VIC", opened="2026-05-01")
    book.billed("GAS", "2026-05-01", "2026-09-30", units={"PRIMARY": 9000})
    book.read(
        book.basic(gas, uom="MJ"),
        ("2026-05-01", 10, "A", 40),
        ("2026-07-15", 90, "A", 40),
        ("2026-09-12", 130, "A", 40),
    )
    strange = book.account("STRANGE", state="WA", customer_class="BUS", opened="2026-05-01")
    book.basic(strange)
    book.account("NO_METER", state="NSW", opened="2026-05-01")
    book.account("BILLED", state="NSW", opened="2026-05-01")
    book.billed("BILLED", "2026-05-01", "2026-10-31")


def home(book: Book, name: str, **more: Any) -> None:
    book.register(book.account(name, state="NSW", opened="2026-05-01", **more))
    book.billed(name, "2026-05-01", "2026-09-30", units={"PRIMARY": 1000})


def basic(book: Book, name: str, plan: str, *reads: tuple[Any, ...]) -> None:
    register = book.basic(book.account(name, state="NSW", opened="2026-05-01", plan=plan), digits=5)
    book.billed(name, "2026-05-01", "2026-09-30", estimated=True)
    book.read(register, *reads)


def interval_reads(book: Book) -> None:
    """What site-data finds in the interval store, whatever the run; homes of n x 100 Wh a half-hour."""
    last = book.value("select accrual_date::text from bua.run where run_date = %s", book.run_date)

    def days(site: str, suffix: str, watt_hours: int, to: str = last, **more: Any) -> None:
        register = book.value(
            "select meter_register_id from core.meter_register where (site_id, suffix) = (%s, %s)", site, suffix
        )
        book.days(register, more.pop("first", "2026-08-15"), to, watt_hours, **more)

    days("S-H1", "E1", 100, "2026-10-09")
    days("S-H2", "E1", 200, "2026-10-19")
    days("S-H2", "E1", 200, "2026-10-20", first="2026-10-20", quality="A" * 20 + "N" * 28)
    days("S-H2", "E1", 200, first="2026-10-21")
    days("S-H3", "E1", 300)
    days("S-H3", "E2", 50, "2026-10-25")
    days("S-H3", "B1", 70, "2026-10-29")
    days("S-H4", "E1", 400)
    days("S-H5", "E1", 500, "2026-10-14")
    days("S-H5", "E1", 555, first="2026-10-15", quality="E")
    days("S-H6", "E1", 600)
    days("S-H7", "E1", 0, "2026-10-03")
    days("S-GIANT", "E1", 20_000, "2026-10-05")
    days("S-MOVED_OUT", "E1", 250, "2026-10-11")
    book.close_profiles()


@dataclass
class Chain:
    """One run, executed by the roles that execute it; every step commits."""

    connections: Mapping[str, Any]  # by role
    run_date: str

    def execute(self, role: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.connections[role] as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def run(self, attempt: str) -> None:
        self.site_data(attempt)
        for run_type in SQL_RUN_TYPES:
            self.fan_out(run_type, attempt)
        self.execute("lambda", "call bua.import_gas_volumes_profile_creation(%s)", self.run_date)
        self.execute("lambda", "call bua.bua_create_macro_profile(%s)", self.run_date)
        for run_type in ("MicroScalar", "ResetBasicRead", "BasicRead"):
            self.fan_out(run_type, attempt)
        self.meter_data(attempt)
        self.invoice()
        self.execute("lambda", "call bua.truncate_export(%s)", self.run_date)
        self.fan_out("PrepareExport", attempt)
        self.execute("lambda", "call bua.collect_failures(%s)", self.run_date)
        self.execute("lambda", "call bua.create_estimate_bands(%s)", self.run_date)

    def site_data(self, attempt: str) -> None:
        self.plan("UtilityProfile", attempt)
        with self.connections["core_admin"] as connection:
            book = Book(connection, self.run_date)
            interval_reads(book)
            book.rows("insert into bua.utility_profile_log select run_date, site_id, count(*), count(*) from bua.utility_profile"
                      " where run_date = %s group by 1, 2", self.run_date)  # fmt: skip
        self.finish("UtilityProfile")

    def finish(self, run_type: str) -> None:
        """Finish the items of a run type whose work Python does."""
        items = [item for (item,) in self.execute("lambda", "select item_key from bua.bua_control where run_type = %s and run_date = %s",
                                                  run_type, self.run_date)]  # fmt: skip
        self.execute("lambda", "call bua.finish_work_items(%s, %s, %s)", self.run_date, run_type, items)

    def plan(self, run_type: str, attempt: str) -> list[tuple[int, list[str]]]:
        batches = self.execute(
            "lambda", "select * from bua.plan_work_items(%s, %s, %s, 3)", self.run_date, run_type, attempt
        )
        numbers = [number for number, _ in batches]
        self.execute("lambda", "call bua.mark_enqueued(%s, %s, %s, %s)", self.run_date, run_type, attempt, numbers)
        return batches  # type: ignore[return-value]

    def fan_out(self, run_type: str, attempt: str) -> None:
        """Batches of three, the last first: no order is promised."""
        for _, items in reversed(self.plan(run_type, attempt)):
            with self.connections["lambda"] as connection, connection.cursor() as cursor:
                cursor.execute("select bua.claim_work_items(%s, %s, %s, %s)", (self.run_date, run_type, attempt, items))
                claimed = [item for (item,) in cursor.fetchall()]
                assert claimed == items
                cursor.execute("call bua.work_off(%s, %s, %s)", (self.run_date, run_type, claimed))
                cursor.execute("call bua.finish_work_items(%s, %s, %s)", (self.run_date, run_type, claimed))

    def meter_data(self, attempt: str) -> None:
        """Generated files, and what the platform makes of them."""
        days = [
            row
            for _, sites in self.plan("NEM12", attempt)
            for row in self.execute("lambda", "select * from bua.generate_nem12_days(%s, %s)", self.run_date, sites)
        ]
        self.finish("NEM12")
        self.aggregate("BUA", self.run_date, [
            (site, suffix, on, 3, [int(value * 1000) for value in values], qualities)
            for site, suffix, _, _, on, values, qualities in days
        ])  # fmt: skip

    def aggregate(self, origin: str, run_date: str | None, days: list[tuple[Any, ...]]) -> None:
        with self.connections["workflow"] as connection, connection.cursor() as cursor:
            cursor.execute("call core.stage_interval_days()")
            execute_values(
                cursor,
                "insert into pg_temp.interval_day (site_id, suffix, profile_date, scale, half_hours, qualities) values %s",
                days,
                page_size=1000,
            )
            cursor.execute("call core.aggregate_interval_reads(%s, %s)", (origin, run_date))

    def invoice(self) -> None:
        self.execute("lambda", "call bua.bua_initiate_invoice_runs(%s)", self.run_date)
        for (payload,) in self.execute(
            "workflow", "select payload from core.workflow_schedule where run_date = %s order by 1", self.run_date
        ):
            for procedure in ("generate_ili", "run_invoice_batch", "invoicegen"):
                self.execute("workflow", f"call core.{procedure}(%s)", Json(payload))

    def rows(self) -> dict[str, list[str]]:
        """Everything that the run has left, but for the attempts' names."""
        tables = [name for (name,) in self.execute(
            "core_admin", "select relname from pg_class where relnamespace = 'bua'::regnamespace and relkind = 'p'"
            " and not relispartition")]  # fmt: skip
        queries = {f"bua.{name}": f"select * from bua.{name}" for name in tables} | PLATFORM_ROWS
        return {
            name: [str(row) for (row,) in self.execute(
                "core_admin", f"select t::text from ({query} where run_date = %s) t order by 1", self.run_date)]
            for name, query in queries.items()
        }  # fmt: skip


@pytest.fixture
def connections(bua_database: Database, postgres: Server) -> Iterator[Mapping[str, Any]]:
    """Connections to a database with the portfolio, in which calls of routines are counted."""
    postgres.execute(f"alter database {bua_database.name} set track_functions = 'all'")
    with contextlib.ExitStack() as stack:
        made = {role: stack.enter_context(bua_database.connect(role)) for role in ("core_admin", "lambda", "workflow")}
        with made["core_admin"] as connection:
            book = Book(connection, NOVEMBER)
            book.rows("grant lambda, workflow to core_admin with inherit false, set true")
            for run_date in (NOVEMBER, DECEMBER):
                book.rows("call bua.prepare_run(%s)", run_date)
            portfolio(book)
        chain = Chain(made, DECEMBER)
        chain.site_data("platform")
        chain.aggregate("PLATFORM", None, chain.execute(
            "core_admin", "select u.site_id, suffix, profile_date, scale, half_hours, qualities"
            " from bua.utility_profile u join core.meter_register using (meter_register_id) where run_date = %s", DECEMBER))  # fmt: skip
        yield made


def test_what_a_run_made_it_never_reads(connections: Mapping[str, Any]) -> None:
    november, december = Chain(connections, NOVEMBER), Chain(connections, DECEMBER)
    december.run("one")
    without_november = december.rows()
    november.run("one")
    first = november.rows()
    assert december.rows() == without_november
    december.run("two")
    assert december.rows() == without_november
    assert november.rows() == first
    filled = {table for table, rows in first.items() if rows}
    # Files come later, no read is late, and seven homes are no panel.
    assert set(first) - filled == {"bua.evidence_file", "bua.read_difference", "bua.panel_error"}
    adds_up(november)
    totals(november)
    no_row_can_be_lost(november)
    by_hand(november)
    every_routine_was_called(november)


def totals(chain: Chain) -> None:
    """Each account and account-day of the period once, in November's control totals."""
    ((found,),) = chain.execute("lambda", "select bua.control_totals(%s)", chain.run_date)
    # 7 homes, the giant, four basic ones, gas, MOVED_OUT and MOVED_IN; NO_METER and STRANGE; BILLED.
    assert found["accounts"] == {"accrued": 15, "exceptions": 2, "failed_items": 0, "fully_billed": 1, "total": 18}
    # 14 accounts are billed for the 153 days from 1 May to 30 September, BILLED for 184; MOVED_OUT left on 15 October.
    assert found["account_days"] == {
        "billed": 14 * 153 + 184, "accrued": 13 * 31 + 15 + 16, "exceptions": 2 * 184,
        "outside_supply": 18 * 365 - (14 * 153 + 184) - (13 * 31 + 15 + 16) - 2 * 184, "total": 18 * 365,
    }  # fmt: skip
    assert found["unbilled_before_period"]["accounts"] == 0
    assert found["period"] == {"from": "2025-11-01", "to": "2026-10-31", "as_at": "2026-10-31"}


def adds_up(chain: Chain) -> None:
    """Every unbilled account once; every day of its supply in a line of supply; months, lines, summaries alike."""
    summaries = {row[0] for row in chain.execute("lambda", "select account_id from bua.export_account_summary where run_date = %s",
                                                 chain.run_date)}  # fmt: skip
    excepted = {row[0] for row in chain.execute("lambda", "select account_id from bua.export_exceptions where run_date = %s",
                                                chain.run_date)}  # fmt: skip
    unbilled = {row[0] for row in chain.execute("lambda", "select account_id from bua.bua_list_unbilled_accounts(%s)",
                                                chain.run_date)}  # fmt: skip
    assert summaries | excepted == unbilled
    assert excepted == {"NO_METER", "STRANGE"}
    assert summaries & excepted == excepted  # their supply is accrued: a dollar a day
    assert chain.execute("lambda", "select account_id, net_amount, flags from bua.export_account_summary where run_date = %s"
                         " and flags ~ 'SUPPLY_ONLY' order by 1", chain.run_date) == [
        ("NO_METER", Decimal(184), "NEVER_BILLED;OVER_CYCLE;SUPPLY_ONLY"), ("STRANGE", Decimal(184), "INCOMPLETE;NEVER_BILLED;OVER_CYCLE;SUPPLY_ONLY"),
    ]  # fmt: skip
    assert chain.execute("lambda", "select * from bua.broken_identities(%s)", chain.run_date) == []
    assert (
        chain.execute(
            "lambda",
            "select s.account_id from bua.export_account_summary s join (select account_id, run_date, sum(net_amount) as net,"
            " sum(gst_amount) as gst, coalesce(sum(quantity) filter (where stream_type in ('PRIMARY', 'CONTROL')), 0) as units,"
            " sum(days) filter (where item_type = 'DAILY') as days"
            " from bua.export_invoice_line_item_monthly group by 1, 2) l using (account_id, run_date)"
            " join core.invoice i on i.invoice_id = 'BUA-' || s.run_date || '-' || s.account_id"
            " where (s.net_amount, s.gst_amount, s.units_total, coalesce(l.days, s.unbilled_days))"
            " is distinct from (l.net, l.gst, l.units, s.unbilled_days)"
            " or (i.net_amount, i.gst_amount) is distinct from (s.net_amount, s.gst_amount)",
        )
        == []
    )


def no_row_can_be_lost(chain: Chain) -> None:
    """Without one row of any table of the run, whichever it is, the control totals refuse."""
    made = "select l.ctid from core.invoice join core.invoice_line_item l using (invoice_id)"
    ours = "where run_date = %s limit 1"
    rows = {f"bua.{name}": "" for (name,) in chain.execute(
        "core_admin", "select relname from pg_class where relnamespace = 'bua'::regnamespace and relkind in ('r', 'p')"
        " and not relispartition and not starts_with(relname, 'schema_') and relname not in ('relation_statistics', 'evidence_file', 'panel_error')")}  # fmt: skip
    # evidence_file is of the files, which are written after: bua.broken_evidence. panel_error is of no use once the bands are made.
    rows |= {f"core.{name}": "" for name in (
        "invoice", "billable_quantity", "aggregated_read", "meter_read", "workflow_schedule")}  # fmt: skip
    # Those of the invoicing are not counted: what they made is.
    rows["core.workflow_instance"] = (
        "select ctid from core.workflow_instance where workflow_name = 'LOAD_NEM12' and run_date = %s"
    )
    rows |= {f"bua.{name}": f"select ctid from bua.{name} limit 1" for name in ("parameter", "back_billing_limit")}
    rows["bua.market_day"] = "select ctid from bua.market_day where local_date = '2026-10-31' limit 1"
    rows["core.invoice_line_item"] = f"{made} {ours}"
    rows["core.invoice_line_item_month"] = (
        f"select m.ctid from ({made} where run_date = %s) l join core.invoice_line_item x on x.ctid = l.ctid"
        " join core.invoice_line_item_month m using (invoice_line_item_id) limit 1"
    )
    # What this portfolio has no row of.
    absent = {
        "bua.read_difference": "insert into bua.read_difference values (%s, 'H1', 1, '2026-10-01', 1, 2)",
        "core.workflow_instance": "insert into core.workflow_instance (run_date, workflow_name) values (%s, 'LOAD_NEM12')",
    }
    unnoticed = []
    with chain.connections["core_admin"] as connection, connection.cursor() as cursor:
        for table, query in rows.items():
            cursor.execute("savepoint whole")
            if table in absent:
                cursor.execute(absent[table], (chain.run_date,))
                cursor.execute("call bua.record_counts(%s)", (chain.run_date,))
            chosen = query or f"select ctid, tableoid from {table} {ours}"
            key = "ctid" if query else "(ctid, tableoid)"
            parameters = (chain.run_date,) if "%s" in chosen else None
            cursor.execute(f"delete from {table} where {key} in ({chosen})", parameters)
            assert cursor.rowcount == 1, table
            if not is_refused(cursor, chain.run_date):
                unnoticed.append(table)
            if table not in {
                "bua.account_summary",
                "bua.invoice_line_item_monthly",
                "bua.account_exception",
                "bua.estimate_band",
                "bua.account_band",
            }:
                prepare_again(cursor, chain.run_date)  # as if it had been lost before the export began
                if not is_refused(cursor, chain.run_date):
                    unnoticed.append(f"{table}, before the export")
            cursor.execute("rollback to savepoint whole")
        connection.rollback()
    assert unnoticed == []


def is_refused(cursor: Any, run_date: str) -> bool:
    cursor.execute("select identity from bua.broken_identities(%s)", (run_date,))
    return bool(cursor.fetchall())


def prepare_again(cursor: Any, run_date: str) -> None:
    cursor.execute("call bua.truncate_export(%s)", (run_date,))
    cursor.execute("select account_id from core.account order by 1")
    cursor.execute(
        "call bua.bua_prepare_export_data(%s, %s)", (run_date, [account for (account,) in cursor.fetchall()])
    )
    cursor.execute("call bua.collect_failures(%s)", (run_date,))
    cursor.execute("call bua.create_estimate_bands(%s)", (run_date,))


def by_hand(chain: Chain) -> None:
    """October's local days have 31 x 48 - 2 half-hours in New South Wales."""
    found = {row[0]: row[1:] for row in chain.execute(
        "lambda", "select account_id, units_actual, units_estimated, net_amount, gst_amount, method, flags"
        " from bua.export_account_summary where run_date = %s", chain.run_date)}  # fmt: skip
    # 1486 x 0.6 kWh; 31 x 1.00 + 891.6 x 0.30 = 298.48; GST of 3.10 and of 26.748.
    assert found["H6"] == (Decimal("891.6"), 0, Decimal("298.48"), Decimal("29.85"), "ACTUAL", "")
    # Read to the market's midnight of 9 October: 9 x 48 half-hours.
    assert found["H1"][0] == Decimal("43.2")
    assert found["H1"][4] == "RECENT_DAYS"
    # Delivered estimates from 15 October on: 14 x 48 half-hours of 0.5 kWh are actual, 814 of 0.555 estimated.
    assert found["H5"][:2] == (336, Decimal("451.77"))
    assert found["H5"][4] == "DELIVERED_ESTIMATE"
    assert found["H7"][:2] == (0, 0)
    assert "ZERO_USE" in found["H7"][5]  # its reads began less than a year before
    # 40 kWh a day in local days of 48 half-hours; estimated like read, to the watt-hour.
    assert sum(found["GIANT"][:2]) == 1486 * 20
    assert "GIANT" in found["GIANT"][5]
    assert found["MOVED_IN"][0] == 0
    assert "NEVER_BILLED" in found["MOVED_IN"][5]


def every_routine_was_called(chain: Chain) -> None:
    """Every procedure and every function of plpgsql; functions of SQL may have been folded into their callers."""
    with chain.connections["core_admin"] as connection:
        book = Book(connection, NOVEMBER)
        # The ones that other tests are about.
        book.rows("call bua.core_warm_database_statistics(%s)", NOVEMBER)
        book.rows("call bua.core_warm_database_indexes(%s)", NOVEMBER)
        book.rows("call bua.core_warm_partition(%s)", Json({"relation": "core.aggregated_read_2026", "analyze": True}))
        book.rows("call bua.core_warm_index(%s)", Json({"relation": "core.plan_pkey"}))
        book.rows("call bua.calculate_statistics('core.plan')")
        book.call("bua_initiate", "ResetBasicRead")
        ((payload,),) = book.rows("select payload from core.workflow_instance where workflow_name = 'BUA_CALCULATION'")
        book.rows("call bua.execute_calculation(%s)", Json(payload))
        book.call("fail_work_items", "Export", "none", ["none"], "none")
        book.call("reset_export_evidence")
        book.ask("bua_list_missing_periods")
        book.ask("evidence_account_days", book.ask("evidence_accounts", 1)[0][0])
    for role in chain.connections:
        chain.execute(role, "select pg_stat_force_next_flush()")
    with chain.connections["core_admin"] as connection:
        uncalled = Book(connection, NOVEMBER).rows(
            "select p.oid::regprocedure::text from pg_proc p join pg_language l on l.oid = p.prolang"
            " where p.pronamespace = 'bua'::regnamespace and (p.prokind = 'p' or l.lanname = 'plpgsql')"
            " and not exists (select from pg_stat_user_functions f where f.funcid = p.oid and f.calls > 0)"
        )
        assert uncalled == []
