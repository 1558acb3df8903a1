"""A run's exported files, written from a few rows: CSV and control.json with the standard library, Parquet for the evidence."""

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from shared.steps.evidence import TABLES

CENT = Decimal("0.01")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Account:
    """An account of the run; days are its unbilled ones, spans the whole period."""

    account_id: str
    fuel: str = "ELECTRICITY"
    jurisdiction: str = "NSW"
    customer_class: str = "RES"
    segment: str = "MASS_MARKET"
    due_state: str = "NOT_DUE"
    method: str = "READS"
    flags: str = ""
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """A span of days of an account."""

    account_id: str
    first: date
    last: date
    state: str = "BILLED"
    ageing: str | None = None
    recoverable: str | None = None
    invoice_id: str | None = None
    issued_date: date | None = None
    is_estimated_bill: bool | None = None


@dataclass(frozen=True)
class Line:
    """A rated line: the same quantity and dollars on every day from first to last, GST a tenth."""

    account_id: str
    line_no: int
    first: date
    last: date
    net: str  # of a day
    quantity: str = "1"
    item: str = "USAGE"
    stream: str | None = "PRIMARY"
    time_class: str = "ANYTIME"
    state: str = "ACTUAL"
    discount: str = "0"  # that is expected
    whole: str = "0"  # the discount in full
    rate: str = "0"

    def days(self) -> Iterable[date]:
        """Its days."""
        return (self.first + DAY * n for n in range((self.last - self.first).days + 1))

    @property
    def gst(self) -> Decimal:
        """Of a day."""
        return Decimal(0) if self.item == "FEED_IN" else (Decimal(self.net) / 10).quantize(CENT)


@dataclass(frozen=True)
class Run:
    """What is in a folder. billed, scalars and reads are rows as the contract has their columns."""

    run_date: date
    first: date
    last: date
    accounts: Sequence[Account]
    spans: Sequence[Span]
    lines: Sequence[Line]
    bands: Sequence[dict[str, Any]] = ()
    exceptions: Sequence[dict[str, Any]] = ()
    evidence: dict[str, Sequence[tuple[Any, ...]]] = field(default_factory=dict)
    cents_off: Decimal = Decimal(0)  # added to the first line of InvoiceLineItemMonthly.csv, to break a tie


ACCOUNTS = [
    "run_date",
    "account_id",
    "site_id",
    "fuel",
    "jurisdiction",
    "customer_class",
    "journal_segment",
    "last_billed_to",
    "unbilled_from",
    "unbilled_to",
    "unbilled_days",
    "due_state",
    "uom",
    "units_actual",
    "units_estimated",
    "units_total",
    "net_amount",
    "gst_amount",
    "discount_amount",
    "method",
    "scalar",
    "flags",
    "plan_code",
    "billing_days",
    "next_bill_date",
    "close_date",
    "net_estimated",
    "recoverable_amount",
    "catch_up_units",
    "catch_up_amount",
    "estimated_days",
    "read_type",
    "node",
    "last_read_date",
    "reference_from",
    "reference_to",
    "daily_base",
    "degree_slope",
    "units_low_80",
    "units_high_80",
    "units_low_95",
    "units_high_95",
    "no_band",
    "period_from",
    "period_to",
    "as_at",
]
LINES = [
    "run_date",
    "account_id",
    "year_month",
    "item_type",
    "stream_type",
    "time_class",
    "quantity",
    "days",
    "rate",
    "net_amount",
    "gst_amount",
    "discount_net",
    "discount_net_propensity",
    "line_state",
    "line_no",
    "period_from",
    "period_to",
    "as_at",
]
SUMMARY = [
    "run_date",
    "jurisdiction",
    "fuel",
    "journal_segment",
    "year_month",
    "item_type",
    "stream_type",
    "time_class",
    "accounts",
    "days",
    "uom",
    "units_actual",
    "units_estimated",
    "net_amount",
    "gst_amount",
    "discount_amount",
    "units_exported",
    "period_from",
    "period_to",
    "as_at",
]
EXCEPTIONS = [
    "run_date",
    "account_id",
    "site_id",
    "fuel",
    "jurisdiction",
    "unbilled_from",
    "unbilled_to",
    "unbilled_days",
    "reason",
    "run_types",
    "item_key",
    "net_amount",
    "period_from",
    "period_to",
    "as_at",
]
BANDS = [
    "run_date",
    "level",
    "fuel",
    "segment",
    "net_estimated",
    "net_without_band",
    "net_mid",
    "net_low_80",
    "net_high_80",
    "net_low_95",
    "net_high_95",
    "uom",
    "units_estimated",
    "units_without_band",
    "units_low_80",
    "units_high_80",
    "units_low_95",
    "units_high_95",
    "registers",
    "rho_1",
    "rho_2",
    "rho_3",
    "rho_4",
    "reason",
    "period_from",
    "period_to",
    "as_at",
]
MARKS = [
    "run_date",
    "fuel",
    "jurisdiction",
    "customer_class",
    "stream_type",
    "node",
    "profile_date",
    "reason",
    "half_hours",
    "site_count",
    "source_date",
    "period_from",
    "period_to",
    "as_at",
]
IMPLAUSIBLE = [
    "run_date",
    "account_id",
    "site_id",
    "meter_serial",
    "register_id",
    "read_date",
    "half_hours",
    "value",
    "limit_value",
    "reason",
    "why",
    "period_from",
    "period_to",
    "as_at",
]

# The export's own columns and types, so that a table written here cannot lack one.
EVIDENCE = {
    name: ", ".join(f"{column} {kind}" for column, kind in table.columns.items()) for name, table in TABLES.items()
}


def write(run: Run, folder: Path) -> Path:
    """Write a complete export and return its folder."""
    folder.mkdir(parents=True)
    period = {"period_from": run.first, "period_to": run.last, "as_at": run.last, "run_date": run.run_date}
    monthly = _monthly(run)
    accounts = [
        _account(run, one) for one in run.accounts if any(line.account_id == one.account_id for line in run.lines)
    ]
    files = {
        "BUAAccountSummary": (ACCOUNTS, accounts), "InvoiceLineItemMonthly": (LINES, monthly), "summary": (SUMMARY, _summary(run, monthly)),
        "exceptions": (EXCEPTIONS, run.exceptions), "estimate_bands": (BANDS, run.bands), "profile_marks": (MARKS, ()),
        "implausible_reads": (IMPLAUSIBLE, ()),
    }  # fmt: skip
    for name, (heads, rows) in files.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, heads, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows({**period, **row} for row in rows)
    _write_evidence(run, folder)
    (folder / "control.json").write_text(json.dumps(_control(run, folder, accounts, monthly)))
    return folder


def _account(run: Run, account: Account) -> dict[str, Any]:
    own = [line for line in run.lines if line.account_id == account.account_id]
    per_day = [(line, len(list(line.days()))) for line in own]
    unbilled = sorted({day for line in own for day in line.days()})

    def units(state: str) -> Decimal:
        return sum((Decimal(line.quantity) * n for line, n in per_day
                    if line.state == state and line.item != "DAILY" and line.stream != "SOLAR"), Decimal("0.000"))  # fmt: skip

    def money(name: str) -> Decimal:
        return sum((Decimal(getattr(line, name)) * n for line, n in per_day), Decimal("0.00"))

    return {
        "account_id": account.account_id, "site_id": f"site-{account.account_id}", "fuel": account.fuel,
        "jurisdiction": account.jurisdiction, "customer_class": account.customer_class, "journal_segment": account.segment,
        "unbilled_from": unbilled[0], "unbilled_to": unbilled[-1], "unbilled_days": len(unbilled), "due_state": account.due_state,
        "uom": "MJ" if account.fuel == "GAS" else "KWH", "units_actual": units("ACTUAL"), "units_estimated": units("ESTIMATED"),
        "units_total": units("ACTUAL") + units("ESTIMATED"), "net_amount": money("net"), "gst_amount": money("gst"),
        "discount_amount": money("discount"), "method": account.method, "flags": account.flags, "billing_days": 91,
        "net_estimated": sum((Decimal(line.net) * n for line, n in per_day if line.state == "ESTIMATED" and line.item != "DAILY"), Decimal("0.00")),
        **account.summary,
    }  # fmt: skip


def _monthly(run: Run) -> list[dict[str, Any]]:
    rows = []
    for line in run.lines:
        months: dict[str, int] = defaultdict(int)
        for day in line.days():
            months[f"{day:%Y-%m}"] += 1
        for month, days in months.items():
            rows.append({
                "account_id": line.account_id, "year_month": month, "item_type": line.item, "stream_type": line.stream or "",
                "time_class": line.time_class, "quantity": Decimal(line.quantity) * days, "days": days, "rate": line.rate,
                "net_amount": Decimal(line.net) * days, "gst_amount": line.gst * days, "discount_net": Decimal(line.whole) * days,
                "discount_net_propensity": Decimal(line.discount) * days, "line_state": line.state, "line_no": line.line_no,
            })  # fmt: skip
    if rows:
        rows[0]["net_amount"] += run.cents_off
    return rows


def _summary(run: Run, monthly: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per line is a summary too: nothing of the report depends on how many rows it has."""
    who = {one.account_id: one for one in run.accounts}
    return [
        {
            "jurisdiction": who[row["account_id"]].jurisdiction, "fuel": who[row["account_id"]].fuel,
            "journal_segment": who[row["account_id"]].segment, "discount_amount": row["discount_net_propensity"],
            **{name: row[name] for name in ("year_month", "item_type", "stream_type", "time_class", "net_amount", "gst_amount")},
        }
        for row in monthly
    ]  # fmt: skip


def _write_evidence(run: Run, folder: Path) -> None:
    who = {one.account_id: one for one in run.accounts}
    days = sorted(
        (
            (line.account_id, day, line.line_no, line.item, line.stream, line.time_class, line.state, line.quantity, line.net, line.gst,
             line.whole, line.discount, line.rate, None, who[line.account_id].method if line.state == "ESTIMATED" else None)
            for line in run.lines for day in line.days()
        ),
        key=lambda row: row[:3],
    )  # fmt: skip
    spans = [
        (one.account_id, f"site-{one.account_id}", who[one.account_id].fuel, who[one.account_id].jurisdiction,
         who[one.account_id].customer_class, who[one.account_id].segment, one.first, one.last, (one.last - one.first).days + 1, one.state,
         one.invoice_id, one.issued_date, one.is_estimated_bill, one.ageing, one.recoverable)
        for one in run.spans
    ]  # fmt: skip
    rows = {"account_days": days, "account_spans": spans, **run.evidence}
    with duckdb.connect() as database:
        for name, table_columns in EVIDENCE.items():
            (folder / "evidence" / name).mkdir(parents=True)
            database.execute(f"create or replace table one ({table_columns})")
            if rows.get(name):
                marks = ", ".join("?" * len(rows[name][0]))
                database.executemany(f"insert into one values ({marks})", rows[name])
            database.execute(f"copy one to '{folder}/evidence/{name}/0001.parquet' (format parquet)")


def _control(run: Run, folder: Path, accounts: list[dict[str, Any]], monthly: list[dict[str, Any]]) -> dict[str, Any]:
    states: dict[str, int] = defaultdict(int)
    for span in run.spans:
        states[span.state] += (span.last - span.first).days + 1
    excepted = {span.account_id for span in run.spans if span.state == "EXCEPTION"}
    total = len({span.account_id for span in run.spans})
    files = {
        path.name: {"rows": 1, "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in folder.glob("*.csv")
    }
    who = {one.account_id: one for one in run.accounts}

    def units(fuel: str, *, solar: bool) -> str:
        return str(sum((row["quantity"] for row in monthly if row["item_type"] != "DAILY" and (row["stream_type"] == "SOLAR") == solar
                        and who[row["account_id"]].fuel == fuel), Decimal("0.000")))  # fmt: skip

    return {
        "run_date": str(run.run_date), "period": {"from": str(run.first), "to": str(run.last), "as_at": str(run.last)},
        "accounts": {"accrued": len(accounts) - len(excepted), "exceptions": len(excepted), "failed_items": 0,
                     "fully_billed": total - len(accounts), "total": total},
        "account_days": {"billed": states["BILLED"], "accrued": states["ACCRUED"], "exceptions": states["EXCEPTION"],
                         "outside_supply": states["OUTSIDE_SUPPLY"], "total": sum(states.values())},
        "totals": {
            **{name: str(sum((Decimal(row[name]) for row in accounts), Decimal("0.00"))) for name in ("net_amount", "gst_amount", "discount_amount")},
            "kwh": units("ELECTRICITY", solar=False), "mj": units("GAS", solar=False), "kwh_exported": units("ELECTRICITY", solar=True),
        },
        "unbilled_before_period": {"accounts": 0, "days": 0, "net_amount": "0.00", "accounts_without_a_daily_amount": 0},
        "catch_up": {"accounts": 0, "net_amount": "0.00"}, "snapshot": "snapshot-1", "code": "abc", "parameters": {}, "work_items": {},
        "failed": [], "incomplete_profiles": {}, "files": files, "months": {},
    }  # fmt: skip
