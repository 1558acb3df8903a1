"""Write a portfolio folder small enough to be worked out by hand."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

COLUMNS = {
    "accounts": "account_id,fuel,customer_class,jurisdiction,journal_segment,site_id,node,plan_code,open_date,close_date,"
    "billing_days,next_bill_date",
    "account_plans": "account_id,plan_code,from_date,to_date",
    "registers": "site_id,meter_serial,register_id,suffix,stream_type,read_type,uom,digits,start_date,end_date",
    "plans": "plan_code,item_type,time_class,from_date,to_date,rate,block_limit_per_day,discount_percent,"
    "discount_propensity",
    "time_classes": "plan_code,time_class,days,start_time,end_time",
    "invoices": "invoice_id,account_id,from_date,to_date,issued_date,estimated,reversed",
    "invoice_lines": "invoice_id,item_type,stream_type,time_class,quantity,net_amount",
    "basic_reads": "site_id,meter_serial,register_id,read_date,index_value,quantity_factor,quality",
    "gas_volumes": "jurisdiction,node,date,volume_mj",
    "temperatures": "jurisdiction,node,date,mean_c",
    "public_holidays": "jurisdiction,date",
}


def span(first: str, last: str) -> list[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


class Mini:
    """A folder in the making. Each method adds what it says; write() makes it real."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, list[Sequence[object]]] = {name: [] for name in COLUMNS}
        self.nem12: list[str] = []

    def add(self, name: str, *row: object) -> None:
        assert len(row) == len(COLUMNS[name].split(",")), name
        self.rows[name].append(row)

    def account(
        self,
        key: str,
        *,
        opened: str = "2026-01-01",
        closed: str = "",
        site: str = "",
        fuel: str = "ELECTRICITY",
        plan: str = "FLAT",
        state: str = "NSW",
        node: str = "N1",
    ) -> None:
        self.add("accounts", key, fuel, "RES", state, "MASS", site or key, node, plan, opened, closed, 91, "2026-12-01")

    def interval(
        self, site: str, suffix: str = "E1", stream: str = "PRIMARY", *, start: str = "2020-01-01", end: str = ""
    ) -> None:
        self.add("registers", site, f"M{site}", suffix, suffix, stream, "INTERVAL", "KWH", "", start, end)

    def basic(self, site: str, digits: str = "", *, end: str = "") -> None:
        self.add("registers", site, f"M{site}", "11", "11", "PRIMARY", "BASIC", "KWH", digits, "2020-01-01", end)

    def read(self, site: str, day: str, index: float, quality: str = "A", factor: float = 1) -> None:
        self.add("basic_reads", site, f"M{site}", "11", day, index, factor, quality)

    def bill(self, key: str, first: str, last: str, issued: str, kind: str = "") -> str:
        invoice = f"I{len(self.rows['invoices'])}"
        flags = [str(word in kind).lower() for word in ("estimated", "reversed")]
        self.add("invoices", invoice, key, first, last, issued, *flags)
        return invoice

    def price(
        self,
        plan: str,
        item: str,
        rate: str,
        *,
        time_class: str = "ANYTIME",
        dates: tuple[str, str] = ("2020-01-01", ""),
        block: str = "",
        discount: tuple[str, str] = ("", ""),
    ) -> None:
        self.add("plans", plan, item, time_class, *dates, rate, block, *discount)

    def days(
        self, site: str, days: Iterable[date], values: Sequence[float] | float, quality: str = "A", suffix: str = "E1"
    ) -> None:
        """Half-hours of the given days in kWh: one number for all of them, or one row of 48."""
        row = [values] * 48 if isinstance(values, (int, float)) else values
        self.nem12.append(f"200,{site},E1,{suffix},{suffix},N1,M{site},KWH,30,")
        for day in days:
            text = ",".join(f"{value:g}" for value in row)
            self.nem12.append(f"300,{day:%Y%m%d},{text},{quality},,,20261101000000,")

    def write(self) -> Path:
        (self.path / "nem12").mkdir(parents=True)
        for name, rows in self.rows.items():
            with (self.path / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(COLUMNS[name].split(","))
                writer.writerows(rows)
        lines = ["100,NEM12,202611010000,MDP1,RETAILER", *self.nem12, "900"]
        (self.path / "nem12" / "all.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.path
