"""Parsers of single CSV fields: text in, a value out, or a ValueError that says what was expected."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

T = TypeVar("T")
Parser = Callable[[str], T]

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,12})?")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
YEARS = range(1970, 2101)


@dataclass(frozen=True, slots=True)
class OrBlank(Generic[T]):
    """A field that may be blank, which reads as None."""

    parse: Parser[T]

    def __call__(self, text: str) -> T | None:
        return self.parse(text) if text else None


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field with a fixed set of values."""

    values: tuple[str, ...]

    def __call__(self, text: str) -> str:
        if text not in self.values:
            raise ValueError(f"{text!r} is not known, use one of {', '.join(self.values)}")
        return text


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two limits, both included."""

    lowest: int
    highest: int

    def __call__(self, text: str) -> int:
        if not re.fullmatch(r"-?\d{1,9}", text) or not self.lowest <= int(text) <= self.highest:
            raise ValueError(f"{text!r} is no whole number from {self.lowest} to {self.highest}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number between two limits, both included; None is no limit."""

    lowest: Decimal | None = None
    highest: Decimal | None = None

    def __call__(self, text: str) -> Decimal:
        if not DECIMAL.fullmatch(text):
            raise ValueError(f"{text!r} is no plain decimal number, write it like 1234.567")
        value = Decimal(text)
        if self.lowest is not None and value < self.lowest:
            raise ValueError(f"{text} is below {self.lowest}")
        if self.highest is not None and value > self.highest:
            raise ValueError(f"{text} is above {self.highest}")
        return value


def text(value: str) -> str:
    """Any text that is not blank."""
    if CONTROL_CHARACTER.search(value):
        raise ValueError(f"{value!r} has a control character in it, remove it")
    return value


def iso_date(value: str) -> date:
    """A calendar date, YYYY-MM-DD, within this and the neighbouring centuries (9999-12-31 means blank elsewhere)."""
    if not ISO_DATE.fullmatch(value):
        raise ValueError(f"{value!r} is no date, write it as YYYY-MM-DD")
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value} is not in the calendar ({error})") from error
    if day.year not in YEARS:
        raise ValueError(f"{value} is outside {YEARS[0]} to {YEARS[-1]}, leave an open end blank")
    return day


def boolean(value: str) -> bool:
    """True or false, in any case, as spreadsheets write it."""
    if value.lower() not in ("true", "false"):
        raise ValueError(f"{value!r} is neither true nor false")
    return value.lower() == "true"


def half_hour_of_clock(value: str) -> int:
    """Clock time on a half-hour as minutes of the day; 24:00 is 1440.

    Interval data knows nothing finer than the half-hour, so a window cannot begin or end within one.
    """
    if not CLOCK.fullmatch(value):
        raise ValueError(f"{value!r} is no clock time, write it as HH:MM (up to 24:00)")
    hours, minutes = value.split(":")
    if minutes not in ("00", "30"):
        raise ValueError(f"{value} is not on a half-hour, round it to :00 or :30")
    return int(hours) * 60 + int(minutes)
