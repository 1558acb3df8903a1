"""Public holidays of the simulated years: the ones that matter for prices, by simple rules."""

from datetime import date, timedelta

MONDAY, TUESDAY = 0, 1


def public_holidays(jurisdiction: str, first_year: int, last_year: int) -> set[date]:
    """Return a jurisdiction's holidays of some years, both included."""
    return {day for year in range(first_year, last_year + 1) for day in _of_year(jurisdiction, year)}


def _of_year(jurisdiction: str, year: int) -> set[date]:
    easter = _easter_sunday(year)
    days = {
        date(year, 1, 1),
        date(year, 1, 26),
        easter - timedelta(days=2),
        easter + timedelta(days=1),
        date(year, 4, 25),
        date(year, 12, 25),
        date(year, 12, 26),
    }
    if jurisdiction in {"NSW", "ACT", "SA", "QLD"}:
        days.add(_nth(year, 10, MONDAY, 1))  # Labour Day; in Queensland the King's Birthday
    if jurisdiction in {"NSW", "ACT", "SA", "VIC", "TAS"}:
        days.add(_nth(year, 6, MONDAY, 2))  # King's Birthday
    if jurisdiction in {"VIC", "TAS"}:
        days.add(_nth(year, 3, MONDAY, 2))  # Labour Day
    if jurisdiction == "VIC":
        days.add(_nth(year, 11, TUESDAY, 1))  # Melbourne Cup
    return days


def _nth(year: int, month: int, weekday: int, count: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))


def _easter_sunday(year: int) -> date:
    """Gauss's algorithm, valid from 1900 to 2099."""
    moon = (19 * (year % 19) + 24) % 30
    sunday = (2 * (year % 4) + 4 * (year % 7) + 6 * moon + 5) % 7
    late = (moon == 29 and sunday == 6) or (moon == 28 and sunday == 6 and year % 19 > 10)
    return date(year, 3, 22) + timedelta(days=moon + sunday - (7 if late else 0))
