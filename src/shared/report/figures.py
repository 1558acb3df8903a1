"""Numbers as a reader sees them: the same on the page and in the workbook."""

from datetime import date
from decimal import Decimal
from typing import Any

from shared.report.table import Kind

DECIMALS: dict[Kind, int] = {"money": 2, "units": 1, "count": 0, "percent": 1, "ratio": 3}
MOST_DECIMALS = 3
ZERO_AS_DASH: tuple[Kind, ...] = ("money", "units", "count")


def decimals(value: Any, kind: Kind) -> int:
    """How many decimals a number is shown with."""
    if kind in DECIMALS:
        return DECIMALS[kind]
    if isinstance(value, Decimal):
        return min(max(-int(value.as_tuple().exponent), 0), MOST_DECIMALS)
    return 0


def text(value: Any, kind: Kind) -> str:
    """A value as text; nothing for None, a true minus sign, thousands apart."""
    if value is None:
        return ""
    if isinstance(value, bool | str | date):
        return str(value)
    if not value and kind in ZERO_AS_DASH:
        return "\N{EN DASH}"
    return f"{value:,.{decimals(value, kind)}f}".replace("-", "\N{MINUS SIGN}")


def is_number(value: Any) -> bool:
    """Whether a value is a number, and goes to the right."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def dollars(value: Decimal) -> str:
    """Dollars and cents in a sentence, the sign before the $."""
    sign = "\N{MINUS SIGN}" if value < 0 else ""
    return f"{sign}${abs(value):,.2f}"


def day(value: date | str) -> str:
    """A day as a person reads it: 31 October 2026."""
    value = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{value.day}\N{NO-BREAK SPACE}{value:%B}\N{NO-BREAK SPACE}{value.year}"
