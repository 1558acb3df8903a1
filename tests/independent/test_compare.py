"""The comparison passes an output that agrees with the reading, and fails one that was tampered with."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.independent.accrual import CENT, MILLI, Reading
from tests.independent.compare import Row, judge
from tests.independent.mini import Mini, span

RUN_DATE = date(2026, 11, 1)


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    """Six interval homes in Queensland, a bill to 21 October, everything read; a seventh home has a basic meter."""
    mini = Mini(tmp_path / "portfolio")
    mini.price("FLAT", "DAILY", "1.00")
    mini.price("FLAT", "USAGE", "0.30")
    for key in "1234567":
        mini.account(key, state="QLD")
        mini.bill(key, "2026-01-01", "2026-10-21", "2026-10-25")
    for key in "123456":
        mini.interval(key)
        mini.days(key, span("2026-01-01", "2026-10-31"), int(key) / 10)
    mini.basic("7")
    mini.read("7", "2026-07-24", 0)
    mini.read("7", "2026-10-22", 756)
    return Reading(mini.write(), RUN_DATE)


def write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def output(reading: Reading, out: Path) -> Path:
    """What a run that agrees with the reading would have written."""
    out.mkdir()
    summary, lines = [], []
    for key, result in reading.results.items():
        days = [reading.folder.date(i) for i in np.flatnonzero(result.unbilled)]
        units = {s: Decimal(str(result.units(s))).quantize(MILLI) for s in ("ACTUAL", "ESTIMATED")}
        row = {
            "account_id": key,
            "fuel": "ELECTRICITY",
            "last_billed_to": "2026-10-21",
            "unbilled_from": days[0],
            "unbilled_to": days[-1],
            "unbilled_days": len(days),
            "due_state": "NOT_DUE",
            "units_actual": units["ACTUAL"],
            "units_estimated": units["ESTIMATED"],
            "units_total": sum(units.values()),
            "net_amount": result.net,
            "gst_amount": result.gst,
            "discount_amount": 0,
            "scalar": 1,
        }
        summary.append({name: str(value) for name, value in row.items()})
        for item, _, state, quantity, net, _ in result.lines:
            line = {"account_id": key, "year_month": "2026-10", "item_type": item, "line_state": state}
            line |= {"quantity": str(quantity.quantize(MILLI)), "net_amount": str(net), "days": str(len(days))}
            lines.append(line)
    write(out / "BUAAccountSummary.csv", summary)
    write(out / "InvoiceLineItemMonthly.csv", lines)
    total = sum(Decimal(row["net_amount"]) for row in summary)
    finance = {"jurisdiction": "QLD", "fuel": "ELECTRICITY", "net_amount": str(total)}
    finance |= {name: str(sum(Decimal(row[name]) for row in summary)) for name in ("units_actual", "units_estimated")}
    write(out / "summary.csv", [finance])
    (out / "run.json").write_text(json.dumps({"totals": {"net_amount": str(total)}}))
    (out / "exceptions.csv").write_text("account_id,reason\n")
    (out / "profile_marks.csv").write_text("jurisdiction,customer_class,stream_type,market_day\n")
    return out


def change(path: Path, alter: Callable[[list[Row]], list[Row]]) -> None:
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    write(path, alter(rows))


def add(rows: list[Row], column: str, by: Decimal) -> list[Row]:
    rows[-1][column] = str(Decimal(rows[-1][column]) + by)
    return rows


def test_agreement_passes(reading: Reading, tmp_path: Path) -> None:
    assert judge(reading, output(reading, tmp_path / "out"), None) == 0


@pytest.mark.parametrize(
    ("name", "alter", "said"),
    [
        ("BUAAccountSummary", lambda rows: rows[1:], "every unbilled account"),
        ("BUAAccountSummary", lambda rows: [*rows, rows[-1]], "every unbilled account"),
        ("BUAAccountSummary", lambda rows: add(rows, "units_total", Decimal("0.5")), "units of the others"),
        ("BUAAccountSummary", lambda rows: add(rows, "unbilled_days", Decimal(1)), "every account-day"),
        ("BUAAccountSummary", lambda rows: add(rows, "net_amount", CENT), "add up to its net_amount"),
        ("InvoiceLineItemMonthly", lambda rows: add(rows, "quantity", MILLI), "to its units"),
        ("InvoiceLineItemMonthly", lambda rows: add(rows, "net_amount", CENT), "add up to its net_amount"),
        ("summary", lambda rows: add(rows, "net_amount", CENT), "summary.csv adds up"),
        ("summary", lambda rows: add(rows, "units_actual", MILLI), "... in units too"),
    ],
)
def test_tampering_fails(
    reading: Reading,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    name: str,
    alter: Callable[[list[Row]], list[Row]],
    said: str,
) -> None:
    out = output(reading, tmp_path / "out")
    change(out / f"{name}.csv", alter)
    assert judge(reading, out, None) == 1
    failed: dict[str, list[str]] = defaultdict(list)
    for line in capsys.readouterr().out.splitlines():
        failed[line.split()[0] if line.split() else ""].append(line)
    assert any(said in line for line in failed["FAIL"])
