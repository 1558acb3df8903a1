"""Parsers of single CSV fields: text in, a value out, or a ValueError that says what was expected.

What they let pass can be carried to the end: by COPY, in keys, in the exported files. The text comes trimmed.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

from local.platform.text import SPACES, shown, upper

T = TypeVar("T")
Parser = Callable[[str], T]

ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)
DECIMAL = re.compile(r"[+-]?(?:(\d+)(?:\.(\d*))?|\.(\d+))", re.ASCII)
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
YEARS = range(1970, 2101)
MAX_DIGITS = 15  # before the point
MAX_DECIMALS = 12
MAX_TEXT = 100  # characters: three such texts, of any script, fit a row of a B-tree index (2,704 bytes)

_ONE_SPACE = str.maketrans(dict.fromkeys(SPACES, " "))


@dataclass(frozen=True, slots=True)
class OrBlank(Generic[T]):
    """A field that may be blank, which reads as None."""

    parse: Parser[T]

    def __call__(self, text: str) -> T | None:
        return self.parse(text) if text else None


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field with a fixed set of values, in any case."""

    values: tuple[str, ...]

    def __call__(self, text: str) -> str:
        if upper(text) not in self.values:
            raise ValueError(f"{shown(text)} is not known, use one of {', '.join(self.values)}")
        return upper(text)


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two limits, both included."""

    lowest: int
    highest: int

    def __call__(self, text: str) -> int:
        if not WHOLE.fullmatch(text) or not self.lowest <= int(text) <= self.highest:
            raise ValueError(f"{shown(text)} is no whole number from {self.lowest} to {self.highest}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number between two limits, both included."""

    lowest: Decimal
    highest: Decimal

    def __call__(self, text: str) -> Decimal:
        match = DECIMAL.fullmatch(text)
        if not match:
            raise ValueError(f"{shown(text)} is no plain decimal number, write it like 1234.567")
        whole, fraction = (match[1] or "").lstrip("0"), match[2] or match[3] or ""
        if len(whole) > MAX_DIGITS:
            raise ValueError(f"{shown(text)} has {len(whole)} digits before the point, {MAX_DIGITS} are allowed")
        if len(fraction) > MAX_DECIMALS:  # databases write out all the zeros of a NUMERIC(38, 18)
            fraction = fraction.rstrip("0")
        if len(fraction) > MAX_DECIMALS:
            reason = f"has {len(fraction)} decimals, {MAX_DECIMALS} are allowed: round it"
            raise ValueError(f"{shown(text)} {reason}")
        value = Decimal(f"{whole or 0}.{fraction}" if fraction else whole or 0)
        if text.startswith("-") and value:
            value = -value
        if value < self.lowest:
            raise ValueError(f"{text} is below {self.lowest}")
        if value > self.highest:
            raise ValueError(f"{text} is above {self.highest}")
        return value


def text(value: str) -> str:
    """Any text that is not blank, of at most MAX_TEXT characters that can be printed."""
    value = unicodedata.normalize("NFC", value.translate(_ONE_SPACE))
    hidden = next((c for c in value if not c.isprintable()), None)
    if hidden is not None:
        raise ValueError(f"{shown(value)} has a control character in it, U+{ord(hidden):04X}: remove it")
    if len(value) > MAX_TEXT:
        raise ValueError(f"{shown(value)} is too long, {MAX_TEXT} characters are allowed")
    return value


def part_of_key(value: str) -> str:
    """A text that keys are made of, as NSW|RES|PRIMARY is."""
    value = text(value)
    if "|" in value:
        raise ValueError(f"{shown(value)} has a | in it, which separates the parts of keys: use another character")
    return value


def code(value: str) -> str:
    """A text whose case does not matter."""
    return upper(text(value))


def iso_date(value: str) -> date:
    """A calendar date, YYYY-MM-DD, within this and the neighbouring centuries (9999-12-31 means blank elsewhere)."""
    if not ISO_DATE.fullmatch(value):
        raise ValueError(f"{shown(value)} is no date, write it as YYYY-MM-DD")
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
        raise ValueError(f"{shown(value)} is neither true nor false")
    return value.lower() == "true"


def half_hour_of_clock(value: str) -> int:
    """Clock time on a half-hour as minutes of the day; 24:00 is 1440.

    Interval data knows nothing finer than the half-hour, so a window cannot begin or end within one.
    """
    if not CLOCK.fullmatch(value):
        raise ValueError(f"{shown(value)} is no clock time, write it as HH:MM (up to 24:00)")
    hours, minutes = value.split(":")
    if minutes not in ("00", "30"):
        raise ValueError(f"{value} is not on a half-hour, round it to :00 or :30")
    return int(hours) * 60 + int(minutes)
