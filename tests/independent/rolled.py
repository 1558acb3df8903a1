"""Roll-forward and true-up of two exported folders, worked out again with dictionaries: docs/report.md is all that is known of them.

Parquet files are only read with DuckDB; nothing is joined or added up there.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

DAY = timedelta(days=1)
Key = tuple[str, date]
Row = dict[str, Any]


def rows(folder: Path, name: str) -> list[Row]:
    """The rows of a table of the evidence."""
    with duckdb.connect() as database:
        found = database.execute("select * from read_parquet(?)", [str(folder / "evidence" / name / "*.parquet")])
        names = [one[0] for one in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@dataclass
class Worth:
    """What an unbilled account-day is accrued at."""

    net: Decimal = Decimal(0)
    units: Decimal = Decimal(0)
    exported: Decimal = Decimal(0)
    estimated: Decimal = Decimal(0)
    net_estimated: Decimal = Decimal(0)


@dataclass
class Folder:
    """An exported run: its unbilled days, the spans of its accounts, its lines by day."""

    path: Path
    first: date
    last: date
    unbilled: dict[Key, Worth] = field(default_factory=dict)
    spans: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    lines: dict[Key, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for span in rows(self.path, "account_spans"):
            self.spans[span["account_id"]].append(span)
            if span["state"] in ("ACCRUED", "EXCEPTION"):
                for n in range(span["days"]):
                    self.unbilled[span["account_id"], span["from_date"] + n * DAY] = Worth()
        for line in rows(self.path, "account_days"):
            key = (line["account_id"], line["local_date"])
            self.lines[key].append(line)
            self._add(self.unbilled[key], line)

    @staticmethod
    def _add(worth: Worth, line: Row) -> None:
        worth.net += line["net_amount"]
        if line["stream_type"] == "SOLAR":
            worth.exported += line["quantity"]
        elif line["item_type"] != "DAILY":
            worth.units += line["quantity"]
            worth.estimated += line["quantity"] if line["line_state"] == "ESTIMATED" else 0
        if line["item_type"] != "DAILY" and line["line_state"] == "ESTIMATED":
            worth.net_estimated += line["net_amount"]

    def span_on(self, key: Key) -> Row | None:
        """The span that an account-day lies in."""
        return next((one for one in self.spans[key[0]] if one["from_date"] <= key[1] <= one["to_date"]), None)


def line_of(before: Folder, now: Folder, key: Key) -> str:
    """The line of the roll-forward that an account-day belongs to."""
    if key in now.unbilled:
        if key in before.unbilled:
            was, is_now = before.unbilled[key], now.unbilled[key]
            return "now_read" if was.estimated > 0 and is_now.estimated == 0 else "revalued"
        return "new_month" if key[1] > before.last else "reopened"
    if key[1] < now.first:
        return "left_window"
    span = now.span_on(key)
    return "billed" if span is not None and span["state"] == "BILLED" else "closed_out"


def rolled(before: Folder, now: Folder, account_id: str = "") -> dict[str, tuple[Decimal, int, Decimal, Decimal]]:
    """By line: net, days, units and what was exported; of one account, or of all."""
    found: dict[str, list[Any]] = defaultdict(lambda: [Decimal(0), 0, Decimal(0), Decimal(0)])
    for key in before.unbilled.keys() | now.unbilled.keys():
        if account_id in ("", key[0]):
            was, is_now = before.unbilled.get(key), now.unbilled.get(key)
            for line, new, old in (
                ("opening", was, None),
                ("closing", is_now, None),
                (line_of(before, now, key), is_now, was),
            ):
                _note(found[line], new, old)
    return {line: tuple(values) for line, values in found.items() if any(values)}


def _note(sums: list[Any], new: Worth | None, old: Worth | None) -> None:
    for sign, worth in ((1, new), (-1, old)):
        if worth is not None:
            sums[0] += sign * worth.net
            sums[1] += sign
            sums[2] += sign * worth.units
            sums[3] += sign * worth.exported


@dataclass
class Bill:
    """An invoice, the accrued days that it bills, and the part of its unread days that they are."""

    account_id: str
    first: date
    last: date
    lines: list[Row]
    days: list[Key] = field(default_factory=list)

    def part(self, before: Folder, profile: dict[date, Decimal] | None) -> Decimal:
        """Of what had not been read: by the profile of the account, or by days."""
        read = {
            key for key in self.days if not before.unbilled[key].estimated and not before.unbilled[key].net_estimated
        }
        every = [(self.account_id, self.first + n * DAY) for n in range((self.last - self.first).days + 1)]
        unread, own = [key for key in every if key not in read], [key for key in self.days if key not in read]
        if len(self.days) == len(every) or not unread:
            return Decimal(1)
        if not own:
            return Decimal(0)
        if profile is not None and all(day in profile for _, day in unread) and sum(profile[day] for _, day in unread):
            return Decimal(sum(profile[day] for _, day in own)) / sum(profile[day] for _, day in unread)
        return Decimal(len(own)) / len(unread)


def trued_up(before: Folder, now: Folder) -> dict[tuple[str, str, str, str], dict[str, Decimal]]:
    """By account, invoice, item and stream: accrued, volume, and billed; the rest of the difference is price."""
    bills: dict[str, Bill] = {}
    for line in rows(now.path, "billed_lines"):
        bill = bills.setdefault(line["invoice_id"], Bill(line["account_id"], line["from_date"], line["to_date"], []))
        bill.lines.append(line)
    for key in before.unbilled:
        span = now.span_on(key)
        if key not in now.unbilled and key[1] >= now.first and span is not None and span["invoice_id"] in bills:
            bills[span["invoice_id"]].days.append(key)
    profiles: dict[str, dict[date, Decimal]] = defaultdict(dict)
    for row in rows(now.path, "profiles"):
        profiles[row["profile_key"]][row["profile_date"]] = row["units"]
    keys: dict[str, str] = {}
    for row in [*rows(before.path, "scalars"), *rows(now.path, "scalars")]:
        if row["profile_key"] is not None:
            keys[row["account_id"]] = min(row["profile_key"], keys.get(row["account_id"], row["profile_key"]))
    found: dict[tuple[str, str, str, str], dict[str, Decimal]] = {}
    for invoice, bill in bills.items():
        if bill.days:
            own = keys.get(bill.account_id)
            part = bill.part(before, None if own is None else profiles.get(own, {}))
            for (item, stream), values in _compared(before, bill, part).items():
                found[bill.account_id, invoice, item, stream] = values
    return found


def _compared(before: Folder, bill: Bill, part: Decimal) -> dict[tuple[str, str], dict[str, Decimal]]:
    """Per item and stream; a time class is shared by what had been read of it."""
    classes: dict[tuple[str, str, str], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for key in bill.days:
        worth = before.unbilled[key]
        is_read = not worth.estimated and not worth.net_estimated
        for line in before.lines[key]:
            one = classes[line["item_type"], line["stream_type"] or "", line["time_class"]]
            one["q_acc"] += line["quantity"]
            one["net_acc"] += line["net_amount"]
            one["q_read"] += line["quantity"] if is_read else 0
    for line in bill.lines:
        one = classes[line["item_type"], line["stream_type"] or "", line["time_class"]]
        one["bill_q"] += line["quantity"]
        one["bill_net"] += line["net_amount"]
    length, sums = (bill.last - bill.first).days + 1, defaultdict(lambda: defaultdict(Decimal))
    for (item, stream, _), one in classes.items():
        if item == "DAILY":
            quantity = one["bill_q"] * len(bill.days) / length
        else:
            quantity = (
                one["bill_q"] if len(bill.days) == length else one["q_read"] + (one["bill_q"] - one["q_read"]) * part
            )
        net = one["bill_net"] * quantity / one["bill_q"] if one["bill_q"] else one["bill_net"]
        for name, value in (
            ("q_acc", one["q_acc"]),
            ("net_acc", one["net_acc"]),
            ("q_bill", quantity),
            ("net_bill", net),
        ):
            sums[item, stream][name] += value
    return {
        key: {
            "net_acc": one["net_acc"], "net_bill": one["net_bill"],
            "volume": (one["q_bill"] - one["q_acc"]) * one["net_acc"] / one["q_acc"] if one["q_acc"] > 0 and one["q_bill"] > 0
            else one["net_bill"] - one["net_acc"],
        }
        for key, one in sums.items()
    }  # fmt: skip
