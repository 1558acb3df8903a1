"""The period of a run: which days are accrued (FROM to TO), and by when an invoice counts (AS_AT)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from shared.errors import InvalidInput, PeriodRefused

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """Days from_date to to_date, both inclusive; invoices issued on or before as_at count."""

    from_date: date
    to_date: date
    as_at: date

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.from_date} to {self.to_date}, as at {self.as_at}"


def choose(
    run_date: date, from_date: date | None = None, to_date: date | None = None, as_at: date | None = None
) -> Period:
    """The period that was asked for: without TO to the end of the month before run_date's, without FROM the twelve
    months to TO, without AS_AT as at TO. Raises InvalidInput.
    """  # noqa: D205
    to_date = to_date or run_date.replace(day=1) - DAY
    from_date = from_date or _year_before(to_date + DAY)
    as_at = as_at or to_date
    if from_date > to_date:
        raise InvalidInput(f"from_date {from_date} is after to_date {to_date}: a period has at least one day")
    if as_at < to_date:
        raise InvalidInput(
            f"as_at {as_at} is before to_date {to_date}: what was unbilled then is not known for later days, give a later one"
        )
    return Period(from_date, to_date, as_at)


def recorded(run: Mapping[str, Any], run_date: date) -> Period:
    """The period in a run's record of the ledger; the default of run_date where none is recorded."""
    given = (date.fromisoformat(run[name]) if name in run else None for name in ("from_date", "to_date", "as_at"))
    return choose(run_date, *given)


def agree(known: Period, from_date: date | None, to_date: date | None, as_at: date | None) -> None:
    """Refuse dates that contradict the period of a run whose database is made; raises PeriodRefused."""
    given = {"from_date": from_date, "to_date": to_date, "as_at": as_at}
    wrong = [f"{name} {value}" for name, value in given.items() if value not in (None, getattr(known, name))]
    if wrong:
        raise PeriodRefused(
            f"the run's period is {known}, not {' and '.join(wrong)}: leave it out, or start at restore for another period"
        )


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
