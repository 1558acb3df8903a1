"""The rows of a portfolio folder: one dataclass per file, one attribute per column, its parser in the annotation.

`line` is the row's line in its file. Dates are inclusive. Energy is kWh, or MJ for gas; money is dollars ex GST.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from local.portfolio.fields import (
    Number,
    OneOf,
    OrBlank,
    Whole,
    boolean,
    code,
    half_hour_of_clock,
    iso_date,
    part_of_key,
    text,
)
from local.portfolio.identifiers import site_identifier

JURISDICTIONS = ("NSW", "VIC", "QLD", "SA", "ACT", "TAS", "WA")
TIME_CLASSES = ("ANYTIME", "PEAK", "SHOULDER", "OFFPEAK")
# Which item of a plan prices which stream of a site; the daily supply charge has no stream.
ITEM_OF_STREAM = {"PRIMARY": "USAGE", "CONTROL": "CONTROL", "SOLAR": "FEED_IN"}
STREAM_OF_ITEM = {"DAILY": None, **{item: stream for stream, item in ITEM_OF_STREAM.items()}}

_jurisdiction = OneOf(JURISDICTIONS)
_time_class = OneOf(TIME_CLASSES)
_item_type = OneOf(("DAILY", "USAGE", "CONTROL", "FEED_IN"))
_stream = OneOf(("PRIMARY", "CONTROL", "SOLAR"))
# What is larger is a slip of the pen, and would not fit the accrual's columns once it is multiplied.
LARGEST_QUANTITY = Decimal(10) ** 10  # kWh or MJ of a register or an invoice line: 10 TWh, 10 PJ
_quantity = Number(Decimal(0), LARGEST_QUANTITY)
_rate = Number(-(Decimal(10) ** 5), Decimal(10) ** 5)
_amount = Number(-(Decimal(10) ** 12), Decimal(10) ** 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """accounts.csv: a customer's contract for one fuel at one site."""

    line: int
    account_id: Annotated[str, text]
    fuel: Annotated[str, OneOf(("ELECTRICITY", "GAS"))]
    customer_class: Annotated[str, OneOf(("RES", "BUS"))]
    jurisdiction: Annotated[str, _jurisdiction]
    journal_segment: Annotated[str, text]
    site_id: Annotated[str, site_identifier]
    node: Annotated[str, part_of_key]
    plan_code: Annotated[str, text]
    open_date: Annotated[date, iso_date]
    close_date: Annotated[date | None, OrBlank(iso_date)]
    billing_days: Annotated[int, Whole(1, 400)]
    next_bill_date: Annotated[date | None, OrBlank(iso_date)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """account_plans.csv: the plan that an account has or had, where it is not the one of accounts.csv."""

    line: int
    account_id: Annotated[str, text]
    plan_code: Annotated[str, text]
    from_date: Annotated[date, iso_date]
    to_date: Annotated[date | None, OrBlank(iso_date)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """registers.csv: a channel of a meter, for as long as that meter is installed."""

    line: int
    site_id: Annotated[str, site_identifier]
    meter_serial: Annotated[str, text]
    register_id: Annotated[str, text]
    suffix: Annotated[str, code]
    stream_type: Annotated[str, _stream]
    read_type: Annotated[str, OneOf(("INTERVAL", "BASIC"))]
    uom: Annotated[str, OneOf(("KWH", "WH", "MWH", "MJ"))]
    digits: Annotated[int | None, OrBlank(Whole(1, 12))]
    start_date: Annotated[date, iso_date]
    end_date: Annotated[date | None, OrBlank(iso_date)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanItem:
    """plans.csv: one price; rows of one item, class and validity are its blocks, in file order."""

    line: int
    plan_code: Annotated[str, text]
    item_type: Annotated[str, _item_type]
    time_class: Annotated[str, _time_class]
    from_date: Annotated[date, iso_date]
    to_date: Annotated[date | None, OrBlank(iso_date)]
    rate: Annotated[Decimal, _rate]
    block_limit_per_day: Annotated[Decimal | None, OrBlank(_quantity)]
    discount_percent: Annotated[Decimal | None, OrBlank(Number(Decimal(0), Decimal(100)))]
    discount_propensity: Annotated[Decimal | None, OrBlank(Number(Decimal(0), Decimal(1)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeClassWindow:
    """time_classes.csv: when a class of a plan applies, in minutes of the local clock day, end exclusive."""

    line: int
    plan_code: Annotated[str, text]
    time_class: Annotated[str, _time_class]
    days: Annotated[str, OneOf(("ALL", "WEEKDAY", "WEEKEND"))]
    start_time: Annotated[int, half_hour_of_clock]
    end_time: Annotated[int, half_hour_of_clock]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """invoices.csv: what was billed."""

    line: int
    invoice_id: Annotated[str, text]
    account_id: Annotated[str, text]
    from_date: Annotated[date, iso_date]
    to_date: Annotated[date, iso_date]
    issued_date: Annotated[date, iso_date]
    estimated: Annotated[bool, boolean]
    reversed: Annotated[bool, boolean]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """invoice_lines.csv: days, kWh or MJ and dollars of one item of an invoice."""

    line: int
    invoice_id: Annotated[str, text]
    item_type: Annotated[str, _item_type]
    stream_type: Annotated[str | None, OrBlank(_stream)]
    time_class: Annotated[str, _time_class]
    quantity: Annotated[Decimal, _quantity]
    net_amount: Annotated[Decimal, _amount]


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicRead:
    """basic_reads.csv: an index at the start of a day; the factor makes kWh or MJ of an index unit."""

    line: int
    site_id: Annotated[str, site_identifier]
    meter_serial: Annotated[str, text]
    register_id: Annotated[str, text]
    read_date: Annotated[date, iso_date]
    index_value: Annotated[Decimal, Number(Decimal(0), Decimal(10) ** 12)]
    quantity_factor: Annotated[Decimal, Number(Decimal(0), Decimal(10) ** 6)]
    quality: Annotated[str, OneOf(("A", "E", "S", "F"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasVolume:
    """gas_volumes.csv: what a distribution zone used on a gas day, in MJ."""

    line: int
    jurisdiction: Annotated[str, _jurisdiction]
    node: Annotated[str, part_of_key]
    date: Annotated[date, iso_date]
    volume_mj: Annotated[Decimal, Number(Decimal(0), Decimal(10) ** 12)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Temperature:
    """temperatures.csv: the mean temperature of a gas zone's day, in degrees Celsius."""

    line: int
    jurisdiction: Annotated[str, _jurisdiction]
    node: Annotated[str, part_of_key]
    date: Annotated[date, iso_date]
    mean_c: Annotated[Decimal, Number(Decimal(-60), Decimal(60))]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicHoliday:
    """public_holidays.csv: a day that counts as WEEKEND."""

    line: int
    jurisdiction: Annotated[str, _jurisdiction]
    date: Annotated[date, iso_date]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterData:
    """What nem12/ holds, ready for the interval store: one item per NMI, suffix and day, the newest version of it."""

    files: int
    items: list[dict[str, Any]]
    passed_over: Counter[str]  # channels that are not energy, by their unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """A whole folder; the names of the lists are those of the files. remarks has what is odd but does no harm."""

    folder: Path
    plans: list[PlanItem]
    time_classes: list[TimeClassWindow]
    public_holidays: list[PublicHoliday]
    accounts: list[Account]
    account_plans: list[AccountPlan]
    registers: list[Register]
    invoices: list[Invoice]
    invoice_lines: list[InvoiceLine]
    basic_reads: list[BasicRead]
    gas_volumes: list[GasVolume]
    temperatures: list[Temperature]
    meter_data: MeterData
    remarks: list[str]
