"""What the report consists of: sections of tables and pictures. The workbook and the page are made from the same ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

# money: dollars, ex GST unless the column says otherwise; units: kWh or MJ; percent: 0 to 100; ratio: near 1.
# figure: a number as it is, of a column that mixes them.
Kind = Literal["text", "money", "units", "count", "percent", "ratio", "date", "figure"]


@dataclass(frozen=True)
class Column:
    """A column: its heading, and what its values are."""

    name: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """A table. total is a row under the others, shown is how many rows the page shows (the workbook has all)."""

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    total: Sequence[Any] | None = None
    note: str = ""
    shown: int | None = None


@dataclass(frozen=True)
class Picture:
    """A picture as SVG, what it says in one sentence, and the table with the data behind it."""

    key: str
    title: str
    caption: str
    svg: str
    data: Table


@dataclass(frozen=True)
class Section:
    """A sheet of the workbook and a chapter of the page; lead is what it says, in sentences."""

    key: str
    title: str
    lead: Sequence[str] = ()
    tables: Sequence[Table] = field(default_factory=tuple)


def columns(*named: str | tuple[str, Kind]) -> tuple[Column, ...]:
    """Columns from their names; a name alone is text."""
    return tuple(Column(one) if isinstance(one, str) else Column(*one) for one in named)
