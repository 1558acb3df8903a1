"""The demo's plans, and the price of a true usage: written from the rules of billing, not from the estimator."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

import numpy as np

from local.demo.timeline import Clock, Flags, Integers, Timeline

CENT = Decimal("0.01")
LONG_AGO = date(2015, 1, 1)
ITEM_OF_STREAM = {"PRIMARY": "USAGE", "CONTROL": "CONTROL", "SOLAR": "FEED_IN"}
STREAM_OF_ITEM = {item: stream for stream, item in ITEM_OF_STREAM.items()}


class Price(NamedTuple):
    """A row of plans.csv."""

    plan_code: str
    item_type: str
    time_class: str
    from_date: date
    to_date: date | None
    rate: Decimal
    block_limit_per_day: Decimal | None = None
    discount_percent: Decimal | None = None
    discount_propensity: Decimal | None = None


class Window(NamedTuple):
    """A row of time_classes.csv, in half-hours of the local day."""

    plan_code: str
    time_class: str
    days: str
    start: int
    end: int


class Item(NamedTuple):
    """An item of a plan before it is spread over validities: rate in dollars, block in kWh or MJ a day."""

    item_type: str
    rate: str
    time_class: str = "ANYTIME"
    block: str | None = None
    percent: str | None = None
    propensity: str | None = None


SHOULDER_DAYS = (
    ("PEAK", "WEEKDAY", 28, 40),
    ("SHOULDER", "WEEKDAY", 14, 28),
    ("SHOULDER", "WEEKDAY", 40, 44),
    ("OFFPEAK", "WEEKDAY", 0, 14),
    ("OFFPEAK", "WEEKDAY", 44, 48),
    ("SHOULDER", "WEEKEND", 14, 44),
    ("OFFPEAK", "WEEKEND", 0, 14),
    ("OFFPEAK", "WEEKEND", 44, 48),
)
WINDOWS = {
    "HOME-TOU": SHOULDER_DAYS,
    "BUS-TOU": (("PEAK", "WEEKDAY", 14, 42), ("OFFPEAK", "WEEKDAY", 0, 14), ("OFFPEAK", "WEEKDAY", 42, 48),
                ("OFFPEAK", "WEEKEND", 0, 48)),
    # Only the night has a class of its own: all other half-hours are ANYTIME.
    "HOME-NIGHT": (("OFFPEAK", "ALL", 0, 12),),
    # Export is worth more in the evening; usage is not priced by class at all.
    "HOME-EXPORT": (("PEAK", "ALL", 32, 42),),
}  # fmt: skip
ITEMS = {
    "HOME-FLAT": (Item("DAILY", "0.9850"), Item("USAGE", "0.3120", percent="12", propensity="0.85"),
                  Item("CONTROL", "0.1870"), Item("FEED_IN", "0.0700")),
    "HOME-BLOCK": (Item("DAILY", "1.0340", percent="5", propensity="1"), Item("USAGE", "0.2890", block="10.5"),
                   Item("USAGE", "0.3340"), Item("CONTROL", "0.1920"), Item("FEED_IN", "0.0500")),
    "HOME-NEW": (Item("DAILY", "0.9120"), Item("USAGE", "0.2780", block="8"), Item("USAGE", "0.3010", block="7.25"),
                 Item("USAGE", "0.3555"), Item("CONTROL", "0.1710"), Item("FEED_IN", "0.0620")),
    "HOME-TOU": (Item("DAILY", "1.0870"), Item("USAGE", "0.4730", "PEAK", percent="8", propensity="0.9"),
                 Item("USAGE", "0.2960", "SHOULDER", percent="8", propensity="0.9"), Item("USAGE", "0.1990", "OFFPEAK"),
                 Item("CONTROL", "0.1780"), Item("FEED_IN", "0.0550")),
    "HOME-NIGHT": (Item("DAILY", "0.9990"), Item("USAGE", "0.3290"), Item("USAGE", "0.0800", "OFFPEAK"),
                   Item("CONTROL", "0.1650"), Item("FEED_IN", "0.0480")),
    "HOME-EXPORT": (Item("DAILY", "0.9430"), Item("USAGE", "0.3180"), Item("CONTROL", "0.1830"),
                    Item("FEED_IN", "0.0300"), Item("FEED_IN", "0.1200", "PEAK")),
    "BUS-FLAT": (Item("DAILY", "1.6500"), Item("USAGE", "0.2870", percent="10", propensity="0.6")),
    "BUS-BLOCK": (Item("DAILY", "1.7200"), Item("USAGE", "0.3010", block="27.4"), Item("USAGE", "0.2760", block="54.8"),
                  Item("USAGE", "0.2440")),
    "BUS-TOU": (Item("DAILY", "1.8100"), Item("USAGE", "0.3490", "PEAK", block="40"), Item("USAGE", "0.3150", "PEAK"),
                Item("USAGE", "0.1880", "OFFPEAK")),
    "GAS-HOME": (Item("DAILY", "0.7540"), Item("USAGE", "0.0432", block="41.1", percent="7", propensity="0.8"),
                 Item("USAGE", "0.0351", block="57.5", percent="7", propensity="0.8"), Item("USAGE", "0.0298")),
    "GAS-NEW": (Item("DAILY", "0.8010"), Item("USAGE", "0.0398")),
    "GAS-BUS": (Item("DAILY", "0.9980"), Item("USAGE", "0.0365", block="400"), Item("USAGE", "0.0311")),
}  # fmt: skip
CHANGES_IN_WINDOW = ("HOME-NEW", "GAS-NEW")


def prices(timeline: Timeline) -> list[Price]:
    """Return plans.csv: every price rises in July, two plans' again in the middle of the accrual month."""
    return [price for plan_code, items in ITEMS.items() for price in _prices_of(timeline, plan_code, items)]


def _prices_of(timeline: Timeline, plan_code: str, items: tuple[Item, ...]) -> list[Price]:
    accrual = timeline.accrual
    july = date(accrual.year if accrual.month >= 7 else accrual.year - 1, 7, 1)
    starts = [LONG_AGO, july]
    middle = accrual.replace(day=15)
    if plan_code in CHANGES_IN_WINDOW:
        starts.append(middle)
    found = []
    for number, start in enumerate(starts):
        end = starts[number + 1] - timedelta(days=1) if number + 1 < len(starts) else None
        for item in items:
            rate = (Decimal(item.rate) * (1 + Decimal("0.037") * number)).quantize(Decimal("0.0001"))
            extras = [None if text is None else Decimal(text) for text in (item.block, item.percent, item.propensity)]
            found.append(Price(plan_code, item.item_type, item.time_class, start, end, rate, *extras))
    return found


def windows() -> list[Window]:
    """Return time_classes.csv."""
    return [Window(plan_code, *window) for plan_code, rows in WINDOWS.items() for window in rows]


@dataclass(frozen=True)
class DailyUse:
    """What an account used per bill day, by (item type, time class), as integers of `unit` kWh or MJ."""

    quantities: Mapping[tuple[str, str], Integers]
    unit: Decimal


class Line(NamedTuple):
    """A priced item of a bill."""

    item_type: str
    time_class: str
    quantity: Decimal
    net_amount: Decimal


def classes_of(plan_code: str, item_type: str, clock: Clock) -> dict[str, Flags]:
    """Return, by time class, a flag for each market half-hour (day x 48) of an item that is priced under it."""
    priced = {item.time_class for item in ITEMS[plan_code] if item.item_type == item_type}
    table = np.full((2, 48), "ANYTIME", dtype="U8")
    for time_class, days, start, end in WINDOWS.get(plan_code, ()):
        if time_class in priced:
            for weekend, name in enumerate(("WEEKDAY", "WEEKEND")):
                if days in {"ALL", name}:
                    table[weekend, start:end] = time_class
    weekend_flags = clock.weekend[np.maximum(clock.local_day, 0)].astype(int)
    return {name: (table == name)[weekend_flags, clock.local_half_hour] for name in np.unique(table).tolist()}


def priced_lines(own: list[Price], use: DailyUse, billed: Flags, timeline: Timeline) -> list[Line]:
    """Price the use of the flagged bill days: one line per plan row with something on it, rounded once to the cent.

    A block's width is pooled over the bill days on which its price holds. A credit for feed-in is negative.
    """
    validities: dict[tuple[str, str, date], list[Price]] = defaultdict(list)
    for price in own:
        validities[price.item_type, price.time_class, price.from_date].append(price)
    lines = []
    for (item_type, time_class, start), blocks in validities.items():
        days = billed & timeline.span(start, blocks[0].to_date or timeline.days[-1])
        count = int(days.sum())
        if item_type == "DAILY":
            left = Decimal(count)
        else:
            quantities = use.quantities.get((item_type, time_class))
            left = Decimal(0) if quantities is None else int(quantities[days].sum()) * use.unit
        for block in blocks:
            width = left if block.block_limit_per_day is None else block.block_limit_per_day * count
            quantity = min(left, width)
            left -= quantity
            if quantity:
                lines.append(Line(item_type, time_class, quantity, _net(block, quantity)))
    return lines


def _net(price: Price, quantity: Decimal) -> Decimal:
    discount = (price.discount_percent or Decimal(0)) / 100
    propensity = Decimal(1) if price.discount_propensity is None else price.discount_propensity
    net = quantity * price.rate * (1 - discount * propensity)
    rounded = net.quantize(CENT, ROUND_HALF_UP)
    return -rounded if price.item_type == "FEED_IN" else rounded
