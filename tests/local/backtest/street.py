"""A street in Queensland, where local time is market time, whose every number can be worked out by hand.

Eight homes with interval meters use half a kWh every half-hour, 24 a day. On the last five days of May 2025 home 7 uses
twice as much, and home 8 nothing. Two homes have basic meters that are read each quarter: home 21 uses 10 kWh a day,
home 22 15 in the second quarter of 2024, 10 until March 2025, and 20 since. Bills come three days after a quarter.
"""

from datetime import date, timedelta
from pathlib import Path

DAY = timedelta(days=1)
FIRST, LAST = date(2024, 4, 1), date(2025, 8, 31)
QUARTERS = [date(2024, 4, 1), date(2024, 7, 1), date(2024, 10, 1), date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1)]
INTERVAL, BASIC = range(1, 9), (21, 22)
ODD_DAYS = date(2025, 5, 27), date(2025, 5, 31)
USE_OF_22 = [15, 10, 10, 10, 20]  # kWh a day, by quarter
BILLED_TO_22 = 12  # kWh a day on its bills, whatever it used


def site(home: int) -> str:
    """A home's NMI."""
    return f"41{home:08d}"


def daily_use(home: int, quarter: int) -> int:
    """kWh a day of a basic meter."""
    return USE_OF_22[quarter] if home == 22 else 10


def write(folder: Path) -> Path:
    """Write the portfolio's files."""
    (folder / "nem12").mkdir(parents=True)
    homes = [*INTERVAL, *BASIC]
    _csv(
        folder / "accounts.csv",
        "account_id,fuel,customer_class,jurisdiction,journal_segment,site_id,node,plan_code,open_date,close_date,billing_days,next_bill_date",
        [f"{home},ELECTRICITY,RES,QLD,MASS,{site(home)},QLD1,FLAT,{FIRST},,91,2025-10-01" for home in homes],
    )
    _csv(
        folder / "registers.csv",
        "site_id,meter_serial,register_id,suffix,stream_type,read_type,uom,digits,start_date,end_date",
        [f"{site(home)},M{home},E1,E1,PRIMARY,INTERVAL,KWH,,{FIRST}," for home in INTERVAL]
        + [f"{site(home)},M{home},11,11,PRIMARY,BASIC,KWH,,{FIRST}," for home in BASIC],
    )
    _csv(
        folder / "plans.csv",
        "plan_code,item_type,time_class,from_date,to_date,rate,block_limit_per_day,discount_percent,discount_propensity",
        ["FLAT,DAILY,ANYTIME,2000-01-01,,1,,,", "FLAT,USAGE,ANYTIME,2000-01-01,,0.30,,,"],
    )
    _csv(folder / "time_classes.csv", "plan_code,time_class,days,start_time,end_time", [])
    _csv(folder / "gas_volumes.csv", "jurisdiction,node,date,volume_mj", [])
    _bills(folder, homes)
    reads = []
    for home in BASIC:
        index = 1000
        for quarter, day in enumerate(QUARTERS):
            reads.append(f"{site(home)},M{home},11,{day},{index},1,A")
            if quarter + 1 < len(QUARTERS):
                index += daily_use(home, quarter) * (QUARTERS[quarter + 1] - day).days
    _csv(
        folder / "basic_reads.csv",
        "site_id,meter_serial,register_id,read_date,index_value,quantity_factor,quality",
        reads,
    )
    for home in INTERVAL:
        days = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]
        nem12(folder / "nem12" / f"{home}.csv", home, {day: half_hour(home, day) for day in days})
    return folder


def half_hour(home: int, day: date) -> str:
    """kWh in every half-hour of a day of an interval meter."""
    if ODD_DAYS[0] <= day <= ODD_DAYS[1] and home in (7, 8):
        return "1.000" if home == 7 else "0.000"
    return "0.500"


def nem12(path: Path, home: int, days: dict[date, str], updated: date | None = None) -> None:
    """A file of days whose half-hours are alike; they arrive on the day after, or all on one."""
    rows = [f"200,{site(home)},E1,E1,E1,,M{home},KWH,30,"]
    for day, value in days.items():
        rows.append(f"300,{day:%Y%m%d},{','.join([value] * 48)},A,,,{updated or day + DAY:%Y%m%d}020000,")
    path.write_text("\n".join(["100,NEM12,202509010000,MDP,RETAILER", *rows, "900"]) + "\n")


def _bills(folder: Path, homes: list[int]) -> None:
    bills, lines = [], []
    for home in homes:
        for quarter, first in enumerate(QUARTERS[:-1]):
            last = QUARTERS[quarter + 1] - DAY
            a_day = 24 if home in INTERVAL else BILLED_TO_22 if home == 22 else 10
            number = f"{home}-{quarter}"
            bills.append(f"{number},{home},{first},{last},{last + 3 * DAY},false,false")
            lines.append(f"{number},USAGE,PRIMARY,ANYTIME,{a_day * ((last - first).days + 1)},0")
    _csv(folder / "invoices.csv", "invoice_id,account_id,from_date,to_date,issued_date,estimated,reversed", bills)
    _csv(folder / "invoice_lines.csv", "invoice_id,item_type,stream_type,time_class,quantity,net_amount", lines)


def _csv(path: Path, header: str, rows: list[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n")
