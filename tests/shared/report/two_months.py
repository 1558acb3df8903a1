"""Two runs of five accounts whose roll-forward can be worked out on paper: the figures are in test_rollforward.py."""

from datetime import date
from pathlib import Path

from tests.shared.report.by_hand import Account, Line, Run, Span, write

SEPTEMBER = (date(2026, 9, 1), date(2026, 9, 30))
WINDOW = (date(2026, 9, 5), date(2026, 10, 31))  # of the second run: four days have left it


def _september(day: int) -> date:
    return date(2026, 9, day)


OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
GAS = {"fuel": "GAS", "jurisdiction": "VIC", "method": "BASE_AND_SEASON"}

FIRST = Run(
    date(2026, 10, 1),
    *SEPTEMBER,
    accounts=(Account("1"), Account("2", **GAS), Account("3"), Account("4"), Account("5")),
    spans=(
        Span("1", _september(1), _september(20)),
        Span("1", _september(21), _september(30), "ACCRUED", "NOT_DUE", "WITHIN"),
        Span("2", *SEPTEMBER, "ACCRUED", "NOT_DUE", "WITHIN"),
        Span("3", _september(1), _september(25)),
        Span("3", _september(26), _september(30), "ACCRUED", "NOT_DUE", "WITHIN"),
        Span("4", *SEPTEMBER),
        Span("5", _september(1), _september(29)),
        Span("5", _september(30), _september(30), "ACCRUED", "NOT_DUE", "WITHIN"),
    ),
    lines=(
        Line("1", 1, _september(21), _september(30), "2.00", "10", state="ESTIMATED"),
        Line("2", 1, *SEPTEMBER, "1.00", "40", state="ESTIMATED"),
        Line("3", 1, _september(26), _september(30), "3.00", "5"),
        Line("5", 1, _september(30), _september(30), "5.00", "20", state="ESTIMATED"),
    ),
)

SECOND = Run(
    date(2026, 11, 1),
    *WINDOW,
    accounts=(
        Account("1"),
        Account("2", **GAS, due_state="OVERDUE"),
        Account("3"),
        Account("4", flags="HOLE"),
        Account("5", segment="SMALL_BUSINESS"),
    ),
    spans=(
        Span("1", _september(5), _september(30)),
        Span("1", *OCTOBER, "ACCRUED", "NOT_DUE", "WITHIN"),
        Span("2", _september(5), _september(30), "ACCRUED", "OVERDUE_31_60", "EXPIRES_60"),
        Span("2", *OCTOBER, "ACCRUED", "OVERDUE_31_60", "WITHIN"),
        Span("3", _september(5), _september(27)),
        Span("3", _september(28), OCTOBER[1], "OUTSIDE_SUPPLY"),
        Span("4", _september(5), _september(10)),
        Span("4", _september(11), _september(20), "ACCRUED", "HOLE", "EXPIRED"),
        Span("4", _september(21), OCTOBER[1]),
        Span("5", _september(5), _september(29)),
        Span("5", _september(30), OCTOBER[1], "ACCRUED", "NOT_DUE", "WITHIN"),
    ),
    lines=(
        Line("1", 1, *OCTOBER, "0.50", item="DAILY", stream=None),
        Line("1", 2, *OCTOBER, "1.60", "10", discount="0.20"),
        Line("1", 3, *OCTOBER, "-0.10", "2", item="FEED_IN", stream="SOLAR"),
        Line("2", 1, _september(5), _september(30), "1.10", "44"),
        Line("2", 2, *OCTOBER, "1.20", "48", state="ESTIMATED"),
        Line("4", 1, _september(11), _september(20), "1.50", "7", item="CONTROL", stream="CONTROL"),
        Line("5", 1, _september(30), OCTOBER[1], "6.00", "20", state="ESTIMATED"),
    ),
    bands=(
        {"level": "BOOK", "net_estimated": "229.20", "net_without_band": "37.20", "net_mid": "192.00", "net_low_80": "190.00",
         "net_high_80": "194.00", "net_low_95": "189.00", "net_high_95": "195.00"},
    ),
)  # fmt: skip


def write_both(folder: Path) -> tuple[Path, Path]:
    """The folders of the first and the second run."""
    return write(FIRST, folder / "first"), write(SECOND, folder / "second")
