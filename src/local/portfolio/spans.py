"""Inclusive spans of days, whose end may be open."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Protocol, TypeVar

DAY = timedelta(days=1)


class Numbered(Protocol):
    """A record that knows its line."""

    @property
    def line(self) -> int: ...


Item = TypeVar("Item", bound=Numbered)
Span = tuple[date, date | None]


def overlaps(spans: Iterable[tuple[Span, Item]]) -> Iterator[tuple[Item, Item]]:
    """Yield (later row, earlier row) for every span that begins before one before it has ended."""
    ordered = sorted(spans, key=lambda pair: (pair[0][0], pair[1].line))
    if not ordered:
        return
    (_, latest_end), latest = ordered[0]
    for (start, end), item in ordered[1:]:
        if latest_end is None or start <= latest_end:
            yield (item, latest) if item.line > latest.line else (latest, item)
        if latest_end is not None and (end is None or end > latest_end):
            latest_end, latest = end, item


def common(one: Span, other: Span) -> Span | None:
    """Return the days that two spans share, if any."""
    start = max(one[0], other[0])
    ends = [end for end in (one[1], other[1]) if end is not None]
    end = min(ends) if ends else None
    return (start, end) if end is None or start <= end else None


def uncovered(wanted: Span, covers: Iterable[Span]) -> Iterator[Span]:
    """Yield the parts of the wanted span that no cover reaches."""
    start, end = wanted
    for cover_start, cover_end in sorted(covers, key=lambda cover: cover[0]):
        if end is not None and cover_start > end:
            break
        if cover_start > start:
            yield start, cover_start - DAY
        if cover_end is None:
            return
        start = max(start, cover_end + DAY)
    if end is None or start <= end:
        yield start, end


def gaps(covers: Iterable[Span]) -> Iterator[tuple[date, date]]:
    """Yield the holes between spans, which may overlap."""
    covered: date | None = None
    for start, end in sorted(covers, key=lambda cover: cover[0]):
        if covered is not None and covered + DAY < start:
            yield covered + DAY, start - DAY
        if end is None:
            return
        covered = end if covered is None else max(covered, end)


def shown(span: Span) -> str:
    """Return the span in words."""
    return f"{span[0]} to {span[1] or 'on'}"
