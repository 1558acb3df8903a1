"""truth.csv against a second reckoning, half-hour by half-hour from the folder's own files.

Only the standard library works here: every value of a 300 record is put on the local clock and given its time class and
price in turn. It is slow, so it takes one account of each kind that could go wrong.
"""

import csv
import gzip
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

ZONES = {"NSW": "Australia/Sydney", "ACT": "Australia/Sydney", "SA": "Australia/Adelaide", "WA": "Australia/Perth"}
ITEMS = {"PRIMARY": "USAGE", "CONTROL": "CONTROL", "SOLAR": "FEED_IN"}


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records(folder: Path, site: str) -> dict[tuple[str, str], list[str]]:
    """Return the newest 300 record per suffix and day, preceded by its unit and interval length."""
    found: dict[tuple[str, str], list[str]] = {}
    for path in (folder / "nem12").iterdir():
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                texts = [archive.read(name).decode() for name in archive.namelist() if site in name]
        elif site in path.name:
            content = path.read_bytes()
            texts = [(gzip.decompress(content) if path.suffix == ".gz" else content).decode()]
        else:
            texts = []
        for text in texts:
            for row in csv.reader(text.splitlines()):
                if row[0] == "200":
                    suffix, unit, minutes = row[4], row[7], row[8]
                elif row[0] == "300":
                    old = found.get((suffix, row[1]))
                    if old is None or old[-2] < row[-2]:
                        found[suffix, row[1]] = [unit, minutes, *row]
    return found


def intervals(rows: dict[tuple[str, str], list[str]], suffix: str, offset: int) -> Iterator[tuple[datetime, Decimal]]:
    """Yield (start in UTC, kWh) of every interval of a suffix."""
    for (own, _), (unit, length, _, day, *values) in rows.items():
        if own == suffix:
            minutes = int(length)
            midnight = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(hours=offset)
            for number in range(1440 // minutes):
                kwh = Decimal(values[number]) / (1000 if unit == "WH" else 1)
                yield midnight + timedelta(minutes=minutes * number), kwh


def time_class(
    plan: str, moment: datetime, windows: list[dict[str, str]], holidays: set[tuple[str, str]], where: str
) -> str:
    kinds = {"ALL", "WEEKEND" if moment.weekday() >= 5 or (where, f"{moment:%F}") in holidays else "WEEKDAY"}
    clock = f"{moment:%H:%M}"
    for window in windows:
        if (
            window["plan_code"] == plan
            and window["days"] in kinds
            and window["start_time"] <= clock < window["end_time"]
        ):
            return window["time_class"]
    return "ANYTIME"


def reckon(folder: Path, account: dict[str, str], unbilled: set[date]) -> tuple[Decimal, Decimal, Decimal]:
    """Return (units without solar, solar, net amount ex GST)."""
    plan, where = account["plan_code"], account["jurisdiction"]
    prices = [row for row in table(folder, "plans.csv") if row["plan_code"] == plan]
    windows = table(folder, "time_classes.csv")
    holidays = {(row["jurisdiction"], row["date"]) for row in table(folder, "public_holidays.csv")}
    site = account["site_id"][:10]
    used: dict[tuple[str, str, date], Decimal] = defaultdict(Decimal)
    streams = {row["suffix"]: row["stream_type"] for row in table(folder, "registers.csv") if row["site_id"] == site}
    rows = records(folder, site)
    for suffix, stream in streams.items():
        item = ITEMS[stream]
        priced = {row["time_class"] for row in prices if row["item_type"] == item}
        for start, kwh in intervals(rows, suffix, 8 if where == "WA" else 10):
            moment = start.astimezone(ZoneInfo(ZONES[where]))
            if moment.date() in unbilled:
                name = time_class(plan, moment, windows, holidays, where)
                used[item, name if name in priced else "ANYTIME", moment.date()] += kwh
    units = sum(kwh for (item, _, _), kwh in used.items() if item != "FEED_IN")
    solar = sum((kwh for (item, _, _), kwh in used.items() if item == "FEED_IN"), Decimal(0))
    return Decimal(units), solar, net_amount(prices, used, unbilled)


def net_amount(
    prices: list[dict[str, str]], used: dict[tuple[str, str, date], Decimal], unbilled: set[date]
) -> Decimal:
    total, left = Decimal(0), {}
    for row in prices:  # blocks stand in file order
        days = {d for d in unbilled if row["from_date"] <= d.isoformat() <= (row["to_date"] or "9")}
        item, name = row["item_type"], row["time_class"]
        key = (item, name, row["from_date"])
        if key not in left:
            whole = sum((used.get((item, name, d), Decimal(0)) for d in days), Decimal(0))
            left[key] = Decimal(len(days)) if item == "DAILY" else whole
        limit = row["block_limit_per_day"]
        quantity = min(left[key], Decimal(limit) * len(days)) if limit else left[key]
        left[key] -= quantity
        discount = Decimal(row["discount_percent"] or 0) / 100 * Decimal(row["discount_propensity"] or 1)
        line = (quantity * Decimal(row["rate"]) * (1 - discount)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        total += -line if item == "FEED_IN" else line
    return total


def unbilled_days(folder: Path, account: dict[str, str], first: date, last: date) -> set[date]:
    first = max(first, date.fromisoformat(account["open_date"]))
    last = min(last, date.fromisoformat(account["close_date"] or "9999-12-31"))
    days = {first + timedelta(days=number) for number in range((last - first).days + 1)}
    for row in table(folder, "invoices.csv"):
        valid = row["account_id"] == account["account_id"] and row["reversed"] == "false"
        if valid and row["issued_date"] <= "2026-10-31":
            days = {day for day in days if not row["from_date"] <= day.isoformat() <= row["to_date"]}
    return days


@pytest.mark.parametrize(
    "cases",
    [
        {"five_minute", "time_of_use"},
        {"fifteen_minute"},
        {"fine_decimals"},
        {"solar", "control"},
        {"price_change_in_window", "interval"},
        {"meter_change", "time_of_use"},
        {"delivered_substitutes"},
        {"redelivered"},
        {"watt_hours"},
        {"south_australia"},
        {"western_australia", "time_of_use"},
        {"reversed_hole", "interval"},
        {"closed_unbilled", "move_in", "interval"},
        {"issued_late"},
    ],
    ids=lambda cases: "-".join(sorted(cases)),
)
def test_truth_of_an_account_with_complete_reads(demo, cases):
    truth = next(
        row for row in table(demo, "truth.csv") if cases <= set(row["cases"].split()) and row["complete"] == "true"
    )
    account = next(row for row in table(demo, "accounts.csv") if row["account_id"] == truth["account_id"])
    unbilled = unbilled_days(demo, account, date(2025, 11, 1), date(2026, 10, 31))
    units, solar, net = reckon(demo, account, unbilled)
    assert truth["unbilled_days"] == str(len(unbilled))
    assert (truth["unbilled_from"], truth["unbilled_to"]) == (min(unbilled).isoformat(), max(unbilled).isoformat())
    assert Decimal(truth["units_true"]) == units.quantize(Decimal("0.001"), ROUND_HALF_UP)
    assert Decimal(truth["units_known"]) == Decimal(truth["units_true"])
    assert Decimal(truth["naive_estimate"] or truth["units_true"]) == Decimal(truth["units_true"])
    assert Decimal(truth["solar_true"]) == solar.quantize(Decimal("0.001"), ROUND_HALF_UP)
    assert Decimal(truth["net_true"]) == net


def test_truth_of_a_basic_account_that_closed_with_a_final_read(demo):
    """The index tells it: from the last bill's read to the final one."""
    for fuel, factor in (("basic", Decimal(1)), ("gas", Decimal("39.6844"))):
        truth = next(
            row
            for row in table(demo, "truth.csv")
            if {"closed_unbilled", fuel} <= set(row["cases"].split())
            and "move" not in row["cases"]
            and row["complete"] == "true"
        )
        reads = {row["read_date"]: row for row in table(demo, "basic_reads.csv") if row["site_id"] == truth["site_id"]}
        after = (date.fromisoformat(truth["unbilled_to"]) + timedelta(days=1)).isoformat()
        start, end = reads[truth["unbilled_from"]], reads[after]
        assert (start["quality"], end["quality"]) == ("A", "A")
        used = (Decimal(end["index_value"]) - Decimal(start["index_value"])) * factor
        assert Decimal(truth["units_true"]) == used.quantize(Decimal("0.001"), ROUND_HALF_UP)
