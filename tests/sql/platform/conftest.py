"""A small platform to aggregate and rate on: plans, occupied sites and reads, made by calls instead of rows."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg2
import pytest
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.janitor import DatabaseJanitor

RUN_DATE = "2026-11-01"


@dataclass
class Platform:
    """Writes into one open transaction, as the workflow service unless said otherwise."""

    connection: Any

    def execute(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def plan(self, code: str, *items: tuple[Any, ...], windows: tuple[tuple[Any, ...], ...] = ()) -> None:
        """items: (item, class, rate, and optionally a dict of other columns); windows: (class, days, from, to) in hours."""
        self.execute("insert into core.plan values (%s)", code)
        for item_type, time_class, rate, *more in items:
            columns = {"valid_from": "2020-01-01", **(more[0] if more else {})}
            names = ", ".join(columns)
            self.execute(
                f"insert into core.plan_item (plan_code, item_type, time_class, rate, {names}) "
                f"values (%s, %s, %s, %s{', %s' * len(columns)})",
                *(code, item_type, time_class, rate, *columns.values()),
            )
        for time_class, days, start, end in windows:
            self.execute(
                "insert into core.time_class_window values (%s, %s, %s, %s, %s)",
                *(code, time_class, days, int(start * 60), int(end * 60)),
            )

    def site(self, site_id: str, jurisdiction: str = "NSW", fuel: str = "ELECTRICITY") -> None:
        self.execute("insert into core.site values (%s, %s, %s, 'NODE')", site_id, fuel, jurisdiction)

    def account(
        self, account_id: str, site_id: str, plan: str, first: str = "2020-01-01", last: str | None = None
    ) -> None:
        self.execute(
            "insert into core.account select %s, fuel, 'RES', jurisdiction, 'MASS', %s, %s, %s, 91, null "
            "from core.site where site_id = %s",
            *(account_id, plan, first, last, site_id),
        )
        self.execute("insert into core.account_site values (%s, %s, %s, %s)", account_id, site_id, first, last)

    def register(
        self,
        site_id: str,
        suffix: str = "E1",
        stream: str = "PRIMARY",
        *,
        read_type: str = "INTERVAL",
        first: str = "2020-01-01",
        last: str | None = None,
    ) -> int:
        serial = f"{suffix}-{first}"
        self.execute("insert into core.meter values (%s, %s)", site_id, serial)
        [(register,)] = self.execute(
            "insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom, "
            "start_date, end_date) values (%s, %s, '01', %s, %s, %s, 'KWH', %s, %s) returning meter_register_id",
            *(site_id, serial, suffix, stream, read_type, first, last),
        )
        return register

    def stage(self) -> None:
        self.execute("call core.stage_interval_days()")

    def day(
        self,
        site_id: str,
        market_date: str,
        half_hours: list[int],
        qualities: str = "A" * 48,
        *,
        suffix: str = "E1",
        scale: int = 0,
    ) -> None:
        self.execute(
            "insert into interval_day values (%s, %s, %s, %s, %s, %s)",
            *(site_id, suffix, market_date, scale, half_hours, qualities),
        )

    def aggregate(self, origin: str = "PLATFORM", run_date: str | None = None) -> None:
        self.execute("call core.aggregate_interval_reads(%s, %s)", origin, run_date)

    def aggregated(self, register: int) -> dict[tuple[str, str, str], Decimal]:
        """(local day, class, state) to kWh."""
        rows = self.execute(
            "select from_date::text, time_class, read_state, quantity from core.aggregated_read "
            "where meter_register_id = %s and to_date = from_date order by 1, 2, 3",
            register,
        )
        assert len({row[:3] for row in rows}) == len(rows)
        return {row[:3]: row[3] for row in rows}

    def read(
        self,
        register: int,
        first: str,
        quantity: str,
        last: str | None = None,
        *,
        time_class: str = "ANYTIME",
        state: str = "ACTUAL",
        run_date: str | None = None,
    ) -> None:
        """One row of core.aggregated_read: the platform's without run_date, the run's with it."""
        self.execute(
            "insert into core.aggregated_read values (%s, %s, %s, %s, %s, %s, %s, %s)",
            *(register, first, last or first, time_class, state, quantity, "BUA" if run_date else "PLATFORM", run_date),
        )

    def invoice(self, windows: dict[str, list[list[str]]], run_date: str = RUN_DATE) -> None:
        """Run the three invoicing workflows over accounts and their unbilled windows."""
        accounts = [{"account_id": account, "windows": dates} for account, dates in windows.items()]
        payload = json.dumps({"run_date": run_date, "batch_no": 1, "accounts": accounts})
        for procedure in ("generate_ili", "run_invoice_batch", "invoicegen"):
            self.execute(f"call core.{procedure}(%s::jsonb)", payload)

    def lines(self, account_id: str, *columns: str) -> list[tuple[Any, ...]]:
        """The lines of the account's invoice of the run: item, class, state and the columns asked for, numbers as text."""
        values = "".join(f", trim_scale({column}::numeric)::text" for column in columns)
        return self.execute(
            f"select item_type, time_class, line_state{values} from core.invoice_line_item l "
            "join core.invoice i using (invoice_id) where i.account_id = %s and i.origin = 'BUA' "
            "order by item_type, time_class, line_state, rate, plan_item_id",
            account_id,
        )

    def months(self, account_id: str, item_type: str) -> list[tuple[Any, ...]]:
        """(class, state, rate, month, quantity, days) of the account's lines of one kind."""
        return self.execute(
            "select time_class, line_state, trim_scale(rate)::text, year_month, trim_scale(m.quantity)::text, m.days "
            "from core.invoice_line_item l join core.invoice i using (invoice_id) "
            "join core.invoice_line_item_month m using (invoice_line_item_id) "
            "where i.account_id = %s and i.origin = 'BUA' and item_type = %s order by 1, 2, 3, 4",
            *(account_id, item_type),
        )


@pytest.fixture(scope="session")
def shared_platform_database(platform_template: NoopExecutor) -> Iterator[dict[str, Any]]:
    """One database for all of these tests: none of them commits, so each finds it empty."""
    server = {"host": platform_template.host, "port": platform_template.port, "user": platform_template.user}
    name = f"{platform_template.dbname}_shared"
    with DatabaseJanitor(
        **server, password=platform_template.password, dbname=name, template_dbname=platform_template.template_dbname
    ):
        yield {**server, "password": platform_template.password, "dbname": name}


@pytest.fixture
def platform(shared_platform_database: dict[str, Any]) -> Iterator[Platform]:
    with contextlib.closing(psycopg2.connect(**shared_platform_database)) as connection:
        yield Platform(connection)
