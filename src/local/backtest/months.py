"""The month ends of a back-test."""

from collections.abc import Iterator
from datetime import date

from local.portfolio.fields import iso_date
from shared.errors import InvalidInput
from shared.period import Period, choose


def run_dates(first: str, last: str) -> list[date]:
    """Return the run date of each month end from the month `first` to the month `last`, such as 2013-03, both included.

    A month's end is run on the first of the next month. Raises InvalidInput.
    """
    start, end = _month(first, "FROM"), _month(last, "TO")
    if start > end:
        raise InvalidInput(f"FROM={first} is after TO={last}: give the earlier month first")
    return [next_month(month) for month in _months(start, end)]


def next_month(day: date) -> date:
    """Return the first of the month after a day's."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def over_all(dates: list[date]) -> Period:
    """Return a period that holds the periods of all run dates."""
    first, last = choose(dates[0]), choose(dates[-1])
    return Period(first.from_date, last.to_date, last.to_date)


def _months(start: date, end: date) -> Iterator[date]:
    while start <= end:
        yield start
        start = next_month(start)


def _month(text: str, name: str) -> date:
    try:
        return iso_date(f"{text}-01")
    except ValueError as error:
        raise InvalidInput(f"{name}={text} is not a month such as 2013-03") from error
