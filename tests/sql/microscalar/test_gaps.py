"""Every gap of an interval stream has a reference window of its own. The macro profile is 4.8 kWh a day."""

from datetime import date, timedelta

import pytest
from tests.sql.accrue import accrue, recent
from tests.sql.builder import Book, dec

GAPS = "select first_missing::text, last_missing::text, method, scalar, reference_from::text, reference_to::text, reference_days"


@pytest.fixture
def segment(book: Book) -> Book:
    book.plan()
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    book.profile("2024-11-01", "2026-10-31", 0.1)
    return book


def gaps(book: Book) -> list[tuple[object, ...]]:
    return book.rows(f"{GAPS} from bua.micro_scalar where run_date = %s order by gap", book.run_date)


def summary(book: Book, columns: str) -> tuple[object, ...]:
    (row,) = book.rows(f"select {columns} from bua.account_summary where run_date = %s", book.run_date)
    return row


def grown(book: Book) -> int:
    """4.8 kWh a day to 1 August and 19.2 from then on; a half-hour of 2 August and 20 to 31 October have not been read."""
    register = book.register(book.account("A", opened="2025-11-01"))
    book.billed("A", "2025-11-01", "2026-07-31", units={"PRIMARY": 1310})
    book.days(register, "2026-04-01", "2026-08-01", 100)
    book.days(register, "2026-08-02", "2026-08-02", 400, quality="N" + "A" * 47)
    book.days(register, "2026-08-03", "2026-10-19", 400)
    book.snapshot()
    return register


def test_an_early_hole_does_not_move_the_window_of_a_late_gap(segment: Book) -> None:
    grown(segment)
    segment.call("bua_create_invoice_scalar", ["A"])
    # 2 August: 91 days of 4.8 before it, 78 of 19.2 after it. 20 October: 78 days of 19.2; 2 August is not complete;
    # 12 of 4.8, the nearest of them 80 days away.
    early, late = gaps(segment)
    assert early[:3] + early[4:] == ("2026-08-02", "2026-08-02", "RECENT_DAYS", "2026-05-03", "2026-10-19", 169)
    assert late[:3] + late[4:] == ("2026-10-20", "2026-10-31", "RECENT_DAYS", "2026-07-21", "2026-10-19", 90)
    assert float(early[3]) == pytest.approx(recent((1, 91, 1), (1, 78, 4)), rel=1e-9)
    assert float(late[3]) == pytest.approx(recent((1, 78, 4), (80, 91, 1)), rel=1e-9)


def test_the_scalar_that_leads_is_that_of_the_larger_gap(segment: Book) -> None:
    grown(segment)
    accrue(segment, "A")
    # 2.5 x 0.1 kWh in August, and 12 x 4.0 x 4.8 = 230.4 in October, to four digits: 2 August's neighbours weigh alike on both
    # sides. 1 day of 4.8, 47 half-hours of 0.4 and 78 days of 19.2 were read.
    actual, estimated, method, scalar = summary(segment, "units_actual, units_estimated, method, scalar")
    assert (actual, method) == (dec("1521.2"), "RECENT_DAYS")
    assert float(scalar) == pytest.approx(recent((1, 78, 4), (80, 91, 1)), rel=1e-9)
    assert float(estimated) == pytest.approx(12 * 4.8 * float(scalar) + 0.1 * recent((1, 91, 1), (1, 78, 4)), abs=0.001)


def test_a_gap_before_the_first_read_takes_the_days_after_it(segment: Book) -> None:
    register = segment.register(segment.account("A", opened="2026-08-01"))
    segment.days(register, "2026-08-05", "2026-09-30", 200)
    segment.snapshot()
    segment.call("bua_create_invoice_scalar", ["A"])
    assert gaps(segment) == [
        ("2026-08-01", "2026-08-04", "RECENT_DAYS", 2, "2026-08-05", "2026-09-30", 57),
        ("2026-10-01", "2026-10-31", "RECENT_DAYS", 2, "2026-08-05", "2026-09-30", 57),
    ]


def test_gaps_without_any_reads_share_the_invoices_scalar(segment: Book) -> None:
    register = segment.register(segment.account("A", opened="2025-11-01"))
    segment.billed("A", "2025-11-01", "2026-09-30", units={"PRIMARY": dec("9.6") * 334})
    segment.days(register, "2026-10-05", "2026-10-09", 900)
    segment.snapshot()
    segment.call("bua_create_invoice_scalar", ["A"])
    assert [row[:4] for row in gaps(segment)] == [
        ("2026-10-01", "2026-10-04", "INVOICES", 2), ("2026-10-10", "2026-10-31", "INVOICES", 2),
    ]  # fmt: skip
    assert {row[6] for row in gaps(segment)} == {334}


def test_a_giants_gaps_have_the_mean_day_of_their_own_window(segment: Book) -> None:
    register = segment.register(segment.account("A", opened="2025-11-01"))
    segment.billed("A", "2025-11-01", "2026-07-31", estimated=True)
    segment.days(register, "2026-05-01", "2026-07-31", 10_000)
    segment.days(register, "2026-08-02", "2026-10-30", 20_000)
    segment.snapshot()
    segment.close_profiles()
    segment.rows("update bua.utility_profile_summary set is_giant = true")
    accrue(segment, "A")

    # 31 October, the 91 days before it: 1 August is missing, 90 days of 960. 1 August is a Saturday: the weekend days of
    # the 91 before it have 480 kWh, those of the 90 after it 960.
    def weekend_days(first: str, last: str) -> int:
        start = date.fromisoformat(first)
        return sum((start + timedelta(n)).isoweekday() >= 6 for n in range((date.fromisoformat(last) - start).days + 1))

    before, after = weekend_days("2026-05-02", "2026-07-31"), weekend_days("2026-08-02", "2026-10-30")
    saturday = (480 * before + 960 * after) / (before + after)
    estimated, flags = summary(segment, "units_estimated, flags")
    assert flags == "ESTIMATED_BILL;GIANT"
    assert float(estimated) == pytest.approx(saturday + 960, abs=0.001)
