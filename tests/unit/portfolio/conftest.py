"""A small portfolio folder, written out by hand, for tests to spoil."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from local.portfolio.format import read_portfolio
from local.portfolio.records import Portfolio

RUN_DATE = date(2026, 11, 1)

FILES = {
    "accounts.csv": """\
account_id,fuel,customer_class,jurisdiction,journal_segment,site_id,node,plan_code,open_date,close_date,billing_days,next_bill_date
A1,ELECTRICITY,RES,NSW,MASS,4103000001,NTNI,FLAT,2025-01-01,2026-06-30,91,
A2,ELECTRICITY,RES,NSW,MASS,4103000001,NTNI,TOU,2026-07-01,,91,2026-11-20
B1,ELECTRICITY,RES,QLD,MASS,QAAAVZZZZZ3,QTNI,FLAT,2025-01-01,,91,2026-12-24
G1,GAS,BUS,VIC,SME,5240000001,ZONE,GAS,2025-01-01,,61,2026-11-10
""",
    "registers.csv": """\
site_id,meter_serial,register_id,suffix,stream_type,read_type,uom,digits,start_date,end_date
4103000001,M1,E1,E1,PRIMARY,INTERVAL,KWH,,2025-01-01,2026-03-31
4103000001,M2,E1,E1,PRIMARY,INTERVAL,KWH,,2026-04-01,
4103000001,M2,B1,B1,SOLAR,INTERVAL,WH,,2026-04-01,
QAAAVZZZZZ,M3,01,11,PRIMARY,BASIC,KWH,5,2025-01-01,
QAAAVZZZZZ,M3,02,41,CONTROL,BASIC,KWH,,2025-01-01,
5240000001,M4,01,01,PRIMARY,BASIC,MJ,4,2025-01-01,
""",
    "plans.csv": """\
plan_code,item_type,time_class,from_date,to_date,rate,block_limit_per_day,discount_percent,discount_propensity
FLAT,DAILY,ANYTIME,2025-01-01,,1.00,,,
FLAT,USAGE,ANYTIME,2025-01-01,2026-06-30,0.30,10,12,0.85
FLAT,USAGE,ANYTIME,2025-01-01,2026-06-30,0.35,,,
FLAT,USAGE,ANYTIME,2026-07-01,,0.40,,,
FLAT,CONTROL,ANYTIME,2025-01-01,,0.18,,,
FLAT,FEED_IN,ANYTIME,2025-01-01,,0.07,,,
TOU,USAGE,PEAK,2025-01-01,,0.50,,,
TOU,USAGE,OFFPEAK,2025-01-01,,0.20,,,
TOU,FEED_IN,ANYTIME,2025-01-01,,0.05,,,
GAS,DAILY,ANYTIME,2025-01-01,,0.80,,,
GAS,USAGE,ANYTIME,2025-01-01,,0.04,,,
""",
    "time_classes.csv": """\
plan_code,time_class,days,start_time,end_time
TOU,PEAK,WEEKDAY,14:00,20:30
TOU,OFFPEAK,WEEKDAY,00:00,14:00
TOU,OFFPEAK,WEEKDAY,20:30,24:00
TOU,OFFPEAK,WEEKEND,00:00,24:00
""",
    "invoices.csv": """\
invoice_id,account_id,from_date,to_date,issued_date,estimated,reversed
I1,A1,2026-04-01,2026-06-30,2026-07-03,false,false
I2,A2,2026-07-01,2026-08-20,2026-08-23,false,true
I3,A2,2026-07-01,2026-08-20,2026-09-01,true,false
I4,B1,2026-06-16,2026-09-14,2026-09-17,FALSE,FALSE
""",
    "invoice_lines.csv": """\
invoice_id,item_type,stream_type,time_class,quantity,net_amount
I1,DAILY,,ANYTIME,91,91.00
I1,USAGE,PRIMARY,ANYTIME,800.5,250.15
I1,FEED_IN,SOLAR,ANYTIME,100,-7.00
I4,CONTROL,CONTROL,ANYTIME,45,8.10
""",
    "basic_reads.csv": """\
site_id,meter_serial,register_id,read_date,index_value,quantity_factor,quality
QAAAVZZZZZ,M3,01,2026-03-17,99000.5,1,A
QAAAVZZZZZ,M3,01,2026-06-16,99950.250,1,E
QAAAVZZZZZ,M3,01,2026-09-15,900.75,1,A
QAAAVZZZZZ,M3,02,2026-03-17,100,1,A
QAAAVZZZZZ,M3,02,2026-09-15,180,1,A
5240000001,M4,01,2026-09-01,9990,39.5,A
""",
    "gas_volumes.csv": """\
jurisdiction,node,date,volume_mj
VIC,ZONE,2026-10-01,400000
VIC,ZONE,2026-10-02,410000.5
""",
    "public_holidays.csv": """\
jurisdiction,date
NSW,2026-10-05
""",
}


@dataclass
class Folder:
    """A portfolio folder that a test changes before it is read."""

    path: Path

    def replace(self, file: str, old: str, new: str) -> None:
        """Change a file; what is to be changed must be there once."""
        text = (self.path / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (self.path / file).write_text(text.replace(old, new), encoding="utf-8")

    def add(self, file: str, line: str) -> None:
        """Append a line to a file."""
        with (self.path / file).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    def read(self) -> Portfolio:
        return read_portfolio(self.path, RUN_DATE)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A sound portfolio."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Folder(tmp_path)
