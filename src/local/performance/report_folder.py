"""`python -m local.performance.report_folder`: how long finance's report takes, and how much memory, on synthetic exports.

Two runs of so many accounts are written as a run exports them, with about 45 unbilled days each, and the report is made of them in
a process of its own.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from shared.report import exports
from shared.report.book import MEMORY_MB
from shared.steps import evidence

DAY = timedelta(days=1)

# Account n is unbilled for 1 to 90 days: three in four are billed in the month between the runs.
_ACCOUNTS = """
create or replace table account as
select printf('%09d', n) as account_id, case when n % 3 = 0 then 'GAS' else 'ELECTRICITY' end as fuel,
       ['NSW', 'VIC', 'QLD', 'SA'][1 + n % 4] as jurisdiction, case when n % 20 = 0 then 'BUS' else 'RES' end as customer_class,
       case when n % 20 = 0 then 'SMALL_BUSINESS' else 'MASS_MARKET' end as journal_segment,
       case when n % 3 = 0 then 'BASE_AND_SEASON' when n % 2 = 0 then 'RECENT_DAYS' else 'READS' end as method,
       $last::date - (1 + (hash(n) % 90 + $shift) % 90)::integer as billed_to, 1 + hash(n) % 40 as size, n % 5 = 1 and n % 3 <> 0 as has_solar
from range($accounts) t (n)
"""
_DAYS = """
create or replace table day as
with one as (
    select a.*, unnest(generate_series(a.billed_to + 1, $last::date, interval 1 day))::date as local_date from account a
)
select account_id, local_date, (l.line_no + (local_date > $last::date - 8 and l.item_type <> 'DAILY')::integer)::integer as line_no, l.item_type, l.stream_type, l.time_class,
       case when local_date > $last::date - 8 and l.item_type <> 'DAILY' then 'ESTIMATED' else 'ACTUAL' end as line_state,
       (case when l.item_type = 'DAILY' then 1 else size * l.units end)::decimal(18,6) as quantity,
       (case when l.item_type = 'DAILY' then 1 else size * l.units end * l.rate)::decimal(18,2) as net_amount,
       (case when l.item_type = 'FEED_IN' then 0 else 0.1 end * case when l.item_type = 'DAILY' then 1 else size * l.units end * l.rate)::decimal(18,2) as gst_amount,
       0::decimal(18,2) as discount_net, 0::decimal(18,2) as discount_net_propensity, abs(l.rate)::decimal(18,8) as rate, 1::bigint as plan_item_id,
       case when local_date > $last::date - 8 and l.item_type <> 'DAILY' then method end as method
from one, (values (1, 'DAILY', null, 'ANYTIME', 1, 1.02), (2, 'USAGE', 'PRIMARY', 'PEAK', 0.6, 0.41), (4, 'USAGE', 'PRIMARY', 'OFFPEAK', 0.7, 0.22),
               (6, 'FEED_IN', 'SOLAR', 'ANYTIME', 0.3, -0.06)) l (line_no, item_type, stream_type, time_class, units, rate)
where l.item_type <> 'FEED_IN' or has_solar
order by account_id, local_date, line_no
"""
_SPANS = """
create or replace table span as
select account_id, 'S' || account_id as site_id, fuel, jurisdiction, customer_class, journal_segment, from_date, to_date,
       (to_date - from_date + 1)::integer as days, state, case when state = 'BILLED' then account_id || '-1' end as invoice_id,
       case when state = 'BILLED' then to_date + 3 end as issued_date, case when state = 'BILLED' then false end as is_estimated_bill,
       case when state = 'ACCRUED' then case when days_unbilled > 80 then 'OVERDUE_11_30' else 'NOT_DUE' end end as ageing,
       case when state = 'ACCRUED' then 'WITHIN' end as recoverable
from (select *, $first::date as from_date, billed_to as to_date, 'BILLED' as state, 0 as days_unbilled from account
      union all select *, billed_to + 1, $last::date, 'ACCRUED', $last::date - billed_to from account)
order by account_id, from_date
"""
_BILLED = """
create or replace table bill as
select account_id || '-1' as invoice_id, account_id, billed_to - 90 as from_date, billed_to as to_date, billed_to + 3 as issued_date,
       false as is_estimated, item_type, stream_type, time_class, (units * size * 91)::decimal(18,6) as quantity,
       (units * size * 91 * rate)::decimal(18,2) as net_amount, 91 as days
from account, (values ('DAILY', null, 'ANYTIME', 1, 1.02), ('USAGE', 'PRIMARY', 'PEAK', 0.62, 0.41), ('USAGE', 'PRIMARY', 'OFFPEAK', 0.7, 0.23)) l
    (item_type, stream_type, time_class, units, rate)
order by account_id
"""
_PERIOD = "$first::date as period_from, $last::date as period_to, $last::date as as_at"
_FILES = {
    "InvoiceLineItemMonthly": f"""
        select $run_date::date as run_date, account_id, strftime(local_date, '%Y-%m') as year_month, item_type, stream_type, time_class,
               sum(quantity)::decimal(18,3) as quantity, count(*) as days, any_value(rate) as rate, sum(net_amount) as net_amount,
               sum(gst_amount) as gst_amount, sum(discount_net) as discount_net, sum(discount_net_propensity) as discount_net_propensity, line_state,
               line_no, {_PERIOD}
        from day group by account_id, year_month, item_type, stream_type, time_class, line_state, line_no order by account_id, year_month, line_no""",
    "BUAAccountSummary": f"""
        select $run_date::date as run_date, a.account_id, 'S' || a.account_id as site_id, fuel, jurisdiction, customer_class, journal_segment,
               billed_to as last_billed_to, billed_to + 1 as unbilled_from, $last::date as unbilled_to, ($last::date - billed_to) as unbilled_days,
               'NOT_DUE' as due_state, case when fuel = 'GAS' then 'MJ' else 'KWH' end as uom,
               coalesce(sum(quantity) filter (where item_type = 'USAGE' and line_state = 'ACTUAL'), 0)::decimal(18,3) as units_actual,
               coalesce(sum(quantity) filter (where item_type = 'USAGE' and line_state = 'ESTIMATED'), 0)::decimal(18,3) as units_estimated,
               coalesce(sum(quantity) filter (where item_type = 'USAGE'), 0)::decimal(18,3) as units_total, sum(net_amount) as net_amount,
               sum(gst_amount) as gst_amount, sum(discount_net_propensity) as discount_amount, a.method, 1.5 as scalar, '' as flags, 'P' as plan_code,
               91 as billing_days, $last::date + 20 as next_bill_date, null as close_date,
               coalesce(sum(net_amount) filter (where line_state = 'ESTIMATED'), 0)::decimal(18,2) as net_estimated, sum(net_amount) as recoverable_amount,
               null as catch_up_units, null as catch_up_amount, 8 as estimated_days, 'ACTUAL' as read_type, 'N1' as node, $last::date - 8 as last_read_date,
               null as reference_from, null as reference_to, 0 as daily_base, 0 as degree_slope, null as units_low_80, null as units_high_80,
               null as units_low_95, null as units_high_95, 'Synthetic' as no_band, {_PERIOD}
        from account a join day d using (account_id) group by all order by a.account_id""",
    "summary": f"""
        select $run_date::date as run_date, jurisdiction, fuel, journal_segment, strftime(local_date, '%Y-%m') as year_month, item_type, stream_type,
               time_class, count(distinct account_id) as accounts, count(*) as days, 'KWH' as uom, 0 as units_actual, 0 as units_estimated,
               sum(net_amount) as net_amount, sum(gst_amount) as gst_amount, sum(discount_net_propensity) as discount_amount, 0 as units_exported, {_PERIOD}
        from day join account using (account_id) group by all order by all""",
    "exceptions": f"""
        select $run_date::date as run_date, '' as account_id, '' as site_id, '' as fuel, '' as jurisdiction, $last::date as unbilled_from,
               $last::date as unbilled_to, 0 as unbilled_days, '' as reason, '' as run_types, '' as item_key, 0 as net_amount, {_PERIOD} where false""",
    "estimate_bands": f"""
        select $run_date::date as run_date, 'BOOK' as level, '' as fuel, '' as segment, sum(net_amount) as net_estimated, 0.00 as net_without_band,
               sum(net_amount) as net_mid, (0.98 * sum(net_amount))::decimal(18,2) as net_low_80, (1.02 * sum(net_amount))::decimal(18,2) as net_high_80,
               (0.97 * sum(net_amount))::decimal(18,2) as net_low_95, (1.03 * sum(net_amount))::decimal(18,2) as net_high_95, '' as uom,
               null as units_estimated, null as units_without_band, null as units_low_80, null as units_high_80, null as units_low_95,
               null as units_high_95, 100 as registers, 1 as rho_1, 1 as rho_2, 1 as rho_3, 1 as rho_4, '' as reason, {_PERIOD}
        from day where line_state = 'ESTIMATED'""",
    "profile_marks": f"""
        select $run_date::date as run_date, '' as fuel, '' as jurisdiction, '' as customer_class, '' as stream_type, '' as node,
               $last::date as profile_date, '' as reason, '' as half_hours, 0 as site_count, $last::date as source_date, {_PERIOD} where false""",
    "implausible_reads": f"""
        select $run_date::date as run_date, '' as account_id, '' as site_id, '' as meter_serial, '' as register_id, $last::date as read_date,
               '' as half_hours, 0 as value, 0 as limit_value, '' as reason, '' as why, {_PERIOD} where false""",
}  # fmt: skip
_EVIDENCE = {
    "account_days": "from day", "account_spans": "from span", "billed_lines": "from bill",
    "scalars": """
        select account_id, 'S' || account_id as site_id, 'M' as meter_serial, '11' as register_id, 'PRIMARY' as stream_type,
               case when method = 'RECENT_DAYS' then 'INTERVAL' else 'BASIC' end as read_type, 1 as gap, method, 1.5 as scalar, 0 as daily_base,
               null as daily_mean, billed_to - 90 as reference_from, billed_to as reference_to, 91 as reference_days, 1365 as usage_units,
               910 as macro_units, 1 as season_ratio, null as season_from, null as season_to, false as is_giant, false as is_vacant,
               false as is_capped, $last::date - 7 as first_missing, $last::date as last_missing, 'NSW|RES|PRIMARY' as profile_key, 0 as degree_slope
        from account order by account_id""",
    "estimated_days": """
        select account_id, 'M' as meter_serial, '11' as register_id, 'PRIMARY' as stream_type, 'BUA' as origin, 1 as gap,
               unnest(generate_series($last::date - 7, $last::date, interval 1 day))::date as estimated_date, 48 as half_hours, 15 as day_units,
               15 as units, 0 as delivered_units
        from account where method = 'RECENT_DAYS' order by account_id, estimated_date""",
    "basic_reads": """
        select account_id, 'M' as meter_serial, '11' as register_id, d.read_date, d.index_value, 1 as quantity_factor, d.quality, d.origin
        from account, lateral (values (billed_to - 90, 1000, 'A', 'PLATFORM'), (billed_to + 1, 2365, 'A', 'PLATFORM'),
                                      ($last::date + 1, 2485, 'E', 'BUA')) d (read_date, index_value, quality, origin)
        where method <> 'RECENT_DAYS' order by account_id, d.read_date""",
    "profiles": """
        select 'NSW|RES|PRIMARY' as profile_key, d::date as profile_date, 10 as units, null as degree_days
        from generate_series($first::date, $last::date, interval 1 day) t (d)""",
    "back_billing_limits": """
        select distinct jurisdiction, fuel, date '2000-01-01' as valid_from, 9 as months,
               ($last::date - interval 9 month)::date + 1 as recoverable_from
        from account order by all""",
    "failed_items": "select '' as run_type, '' as item_key, '' as account_id, '' as reason where false",
    "variances": """
        select 'NSW|RES|PRIMARY' as segment, '2026-09' as year_month, 300 as profile_units, 300 as platform_units, 0 as variance_percent,
               false as is_anomaly""",
}  # fmt: skip


def write(folder: Path, accounts: int, run_date: date, shift: int) -> None:
    """Write the export of a run of so many accounts; shift moves the days to which they are billed."""
    last = run_date - DAY
    first = date(run_date.year - 1, run_date.month, run_date.day)
    values = {"accounts": accounts, "first": first, "last": last, "run_date": run_date, "shift": shift}
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as database:
        for statement in (_ACCOUNTS, _DAYS, _SPANS, _BILLED):
            _run(database, statement, values)
        for name, statement in _FILES.items():
            _run(database, f"copy ({statement}) to '{folder}/{name}.csv' (header)", values)
        for name, statement in _EVIDENCE.items():
            (folder / "evidence" / name).mkdir(parents=True, exist_ok=True)
            _run(database, f"copy ({_typed(name, statement)}) to '{folder}/evidence/{name}/0001.parquet'", values)
        control = _control(database, folder, values)
    (folder / exports.CONTROL).write_text(json.dumps(control))


def _typed(name: str, statement: str) -> str:
    """The rows with the columns and types of the export: a column that is missing here is an error."""
    chosen = ", ".join(f"{column}::{kind} as {column}" for column, kind in evidence.TABLES[name].columns.items())
    source = statement if statement.startswith("from") else f"from ({statement})"
    return f"select {chosen} {source}"


def _run(database: duckdb.DuckDBPyConnection, statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement; a COPY takes no parameters, so they are written into it: dates and numbers of our own."""
    for name, value in values.items():
        statement = statement.replace(f"${name}", f"'{value}'" if isinstance(value, date) else str(value))
    return database.execute(statement).fetchall()


def _control(database: duckdb.DuckDBPyConnection, folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    (totals,) = _run(database, """
        select sum(net_amount), sum(gst_amount), sum(discount_net_propensity),
               sum(quantity) filter (where item_type = 'USAGE' and fuel <> 'GAS'), sum(quantity) filter (where item_type = 'USAGE' and fuel = 'GAS'),
               coalesce(sum(quantity) filter (where stream_type = 'SOLAR'), 0) from day join account using (account_id)""", values)  # fmt: skip
    days = dict(_run(database, "select state, sum(days) from span group by 1", values))
    counted = values["accounts"]
    names = ("net_amount", "gst_amount", "discount_amount", "kwh", "mj", "kwh_exported")
    return {
        "run_date": str(values["run_date"]), "period": {"from": str(values["first"]), "to": str(values["last"]), "as_at": str(values["last"])},
        "accounts": {"accrued": counted, "exceptions": 0, "failed_items": 0, "fully_billed": 0, "total": counted},
        "account_days": {"billed": int(days["BILLED"]), "accrued": int(days["ACCRUED"]), "exceptions": 0, "outside_supply": 0,
                         "total": int(sum(days.values()))},
        "totals": {name: str(value) for name, value in zip(names, totals, strict=True)},
        "unbilled_before_period": {"accounts": 0, "days": 0, "net_amount": "0.00"}, "snapshot": "synthetic", "code": "synthetic",
        "parameters": {}, "work_items": {},
        "files": {path.relative_to(folder).as_posix(): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
                  for path in sorted(folder.rglob("*.*")) if path.suffix in {".csv", ".parquet"}},
    }  # fmt: skip


def main() -> int:
    """Write two runs, make the report of the second, and print what it took."""
    parser = argparse.ArgumentParser(prog="local.performance.report_folder")
    parser.add_argument("--accounts", type=int, default=100_000, help="of each run (%(default)s)")
    parser.add_argument("--write", type=Path, help="only write the two runs, into this folder")
    parser.add_argument("--memory-mb", type=int, default=MEMORY_MB, help="what the report may use (%(default)s)")
    options = parser.parse_args()
    if options.write:
        write(options.write / "before", options.accounts, date(2026, 10, 1), 0)
        write(options.write / "now", options.accounts, date(2026, 11, 1), 31)
        return 0
    with tempfile.TemporaryDirectory() as place:
        return _measure(Path(place), options.accounts, options.memory_mb)


def _measure(place: Path, accounts: int, memory_mb: int) -> int:
    # A process of its own writes them: the report's memory is not to be that of the process that it was forked from.
    here = [sys.executable, "-m", "local.performance.report_folder", "--accounts", str(accounts), "--write", str(place)]
    subprocess.run(here, check=True)
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    started = time.monotonic()
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "local.finance",
            "--out",
            place / "now",
            "--memory-mb",
            str(memory_mb),
            "--previous",
            place / "before",
        ]
    ) as report:
        _, status, used = os.wait4(report.pid, 0)
        report.returncode = os.waitstatus_to_exitcode(status)
    print(
        f"{accounts:,} accounts, {size / 1e6:,.0f} MB of exports: {time.monotonic() - started:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of "
        f"processor time, {used.ru_maxrss / 1e6:.2f} GB at most; exit status {report.returncode}"
    )
    return report.returncode


if __name__ == "__main__":
    sys.exit(main())
