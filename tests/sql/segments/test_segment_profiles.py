"""Segment profiles: averaged, marked, filled, validated; and the macro profile.

15 October 2026 is a Thursday, so the 17th and 18th are a weekend.
"""

from decimal import Decimal
from typing import Any

import pytest
from tests.sql.builder import ALL_DAY, Book, mask

OCTOBER = ["QLD|RES|PRIMARY|2026-10"]


def home(book: Book, name: str, **more: Any) -> int:
    """An account with one interval register."""
    return book.register(book.account(name, **more))


def average(book: Book, items: list[str] = OCTOBER) -> None:
    """From what site-data leaves to SegmentJurisdictionAvgExclEst."""
    book.close_profiles()
    book.call("create_segments")
    book.call("calculate_segment_averages", items)


def entry(book: Book, on: str, half_hour: int, column: str = "average") -> Any:
    return book.value(
        f"select {column}[%s] from bua.segment_profile where run_date = %s and profile_date = %s",
        *(half_hour, book.run_date, on),
    )


def marks(book: Book, columns: str = "profile_date::text, half_hour, reason") -> list[tuple[Any, ...]]:
    return book.rows(
        f"select {columns} from bua.segment_profile_mark where run_date = %s order by profile_date, half_hour",
        book.run_date,
    )


def with_half_hour(half_hour: int, value: Any, others: Any = 0.1) -> list[Any]:
    """48 values, one of which differs."""
    return [value if h == half_hour else others for h in range(1, 49)]


# --- which days -------------------------------------------------------------------------------------------------


def dates_to_check(book: Book) -> list[tuple[Any, ...]]:
    with book.acting_as("lambda"):
        return book.rows(
            "select segment, min(profile_date)::text, max(profile_date)::text, count(*)"
            " from bua.bua_dates_to_check(%s) group by 1 order by 1",
            book.run_date,
        )


def test_dates_to_check_run_from_a_season_before_the_first_read_to_the_periods_last_market_day(book: Book) -> None:
    register = home(book, "A")
    book.days(register, "2026-10-29", "2026-10-29")
    book.days(home(book, "SUMMER", state="NSW", customer_class="BUS"), "2026-10-31", "2026-10-31")
    book.close_profiles()
    book.call("create_segments")
    # 45 days before 29 and 31 October. 30 and 31 October have not been read: they are missing, not out of question.
    assert dates_to_check(book) == [
        ("NSW|BUS|PRIMARY", "2026-09-16", "2026-10-31", 46), ("QLD|RES|PRIMARY", "2026-09-14", "2026-10-31", 48),
    ]  # fmt: skip


def test_no_dates_before_the_profiles_begin(book: Book) -> None:
    book.days(home(book, "A"), "2025-05-20", "2025-05-20")
    book.close_profiles()
    book.call("create_segments")
    assert dates_to_check(book) == [("QLD|RES|PRIMARY", "2025-05-09", "2026-10-31", 541)]


def test_a_south_australian_winter_is_checked_one_market_day_further(winter_book: Book) -> None:
    for state in ("SA", "WA"):
        winter_book.days(home(winter_book, state, state=state), "2026-06-30", "2026-06-30")
    winter_book.close_profiles()
    winter_book.call("create_segments")
    assert dates_to_check(winter_book) == [
        ("SA|RES|PRIMARY", "2026-05-16", "2026-07-01", 47), ("WA|RES|PRIMARY", "2026-05-16", "2026-06-30", 46),
    ]  # fmt: skip


# --- averages ---------------------------------------------------------------------------------------------------


def test_the_average_of_what_was_read(book: Book) -> None:
    book.days(home(book, "A"), "2026-10-05", "2026-10-05", 100)
    book.days(home(book, "B"), "2026-10-05", "2026-10-05", 200_000, quality="E" + "S" * 47, scale=6)  # 0.2 kWh
    book.days(home(book, "C"), "2026-10-05", "2026-10-05", 6, quality="AN" + "F" * 46, scale=1)  # 0.6 kWh
    book.days(home(book, "ELSE", customer_class="BUS"), "2026-10-05", "2026-10-05", 9000)
    average(book)
    # A has the only complete day, so all weigh the same: (0.1 + 0.6) / 2 where B is estimated, (0.1 + 0.2) / 2 where C is missing, (0.1 + 0.2 + 0.6) / 3 elsewhere.
    assert [entry(book, "2026-10-05", h) for h in (1, 2, 3, 48)] == pytest.approx([0.35, 0.15, 0.3, 0.3], abs=1e-15)
    assert [entry(book, "2026-10-05", h, "site_counts") for h in (1, 2, 3, 48)] == [2, 2, 3, 3]


def test_a_day_without_reads_has_no_average(book: Book) -> None:
    book.days(home(book, "A"), "2026-10-05", "2026-10-05")
    average(book)
    assert entry(book, "2026-10-06", 7) is None
    assert entry(book, "2026-10-06", 7, "site_counts") == 0
    # Every day of October has its row.
    assert book.value("select count(*) from bua.segment_profile where run_date = %s", book.run_date) == 31


def test_partial_sums_of_all_batches_are_added(book: Book) -> None:
    for name, usage in (("A", 100), ("B", 300)):
        book.days(home(book, name), "2026-10-05", "2026-10-05", usage)
    book.close_profiles(batch_no=1)
    book.rows("insert into bua.segment_partial select run_date, 2, 'S-C', segment, profile_date, array_fill(1, array[48]),"
              " array_fill(800000::bigint, array[48]), 48 * 800000 from bua.segment_partial")  # fmt: skip
    book.rows("insert into bua.utility_profile_summary values (%s, %s, 'QLD|RES|PRIMARY', 1, 48 * 800000,"
              " '{[2026-10-05,2026-10-05]}')", book.run_date, home(book, "C"))  # fmt: skip
    book.call("create_segments")
    book.call("calculate_segment_averages", OCTOBER)
    assert entry(book, "2026-10-05", 1) == pytest.approx((0.1 + 0.3 + 0.8) / 3, abs=1e-15)
    assert entry(book, "2026-10-05", 1, "site_counts") == 3


def test_only_the_months_that_are_asked_for_and_again_the_same(book: Book) -> None:
    book.days(home(book, "A"), "2026-09-30", "2026-10-01")
    average(book)
    before = book.rows("select * from bua.segment_profile order by profile_date")
    assert str(before[0][2]) == "2026-10-01"
    book.call("calculate_segment_averages", OCTOBER)
    assert book.rows("select * from bua.segment_profile order by profile_date") == before


def test_giants_are_taken_out_exactly(book: Book) -> None:
    for name in "ABCDE":
        book.days(home(book, name), "2026-10-05", "2026-10-06", 100)
    large, giant = home(book, "LARGE"), home(book, "GIANT")
    book.days(large, "2026-10-05", "2026-10-05", 2000)  # 96 kWh: exactly 20 x the median of 4.8
    book.days(giant, "2026-10-05", "2026-10-05", 2_000_001, scale=6)
    book.days(giant, "2026-10-06", "2026-10-06", 7_777_777, quality="A" * 47 + "E", scale=6)
    average(book)
    assert book.rows(
        "select meter_register_id from bua.utility_profile_summary where run_date = %s and is_giant", book.run_date
    ) == [(giant,)]
    assert book.value("select median_daily from bua.segment where run_date = %s", book.run_date) == Decimal("4.8")
    # (5 x 0.1 + 2) / 6 on the 5th. On the 6th the five alone, who weigh 1.2 of 6, whether the giant was estimated or not.
    assert entry(book, "2026-10-05", 1) == 2.5 / 6
    assert [entry(book, "2026-10-06", h) for h in (1, 48)] == [0.5 / 1.2, 0.5 / 1.2]
    assert [entry(book, "2026-10-06", h, "site_counts") for h in (1, 48)] == [5, 5]


def test_the_median_of_an_even_number_lies_between(book: Book) -> None:
    for name, usage in (("A", 100), ("B", 200), ("C", 300), ("D", 1000)):
        book.days(home(book, name), "2026-10-05", "2026-10-05", usage)
    book.close_profiles()
    book.call("create_segments")
    # Days of 4.8, 9.6, 14.4 and 48 kWh.
    assert book.value("select median_daily from bua.segment where run_date = %s", book.run_date) == 12


# --- marking ----------------------------------------------------------------------------------------------------


def mark(book: Book, items: list[str] = OCTOBER) -> None:
    book.call("bua_mark_segment_jurisdiction_entries", items)


@pytest.mark.parametrize(
    ("value", "sites", "reason"),
    [
        (0.1, 5, None),
        (0.1, 4, "FEW_SITES"),
        (None, 0, "MISSING"),
        (0.299, 9, None),  # three times the median is 0.3
        (0.301, 9, "HIGH"),
        (0.301, 4, "FEW_SITES"),
        (0.034, 9, None),  # a third of it 0.0333...
        (0.033, 9, "LOW"),
        (0.0, 9, "LOW"),
    ],
)
def test_each_reason(book: Book, value: float | None, sites: int, reason: str | None) -> None:
    book.profile("2026-10-01", "2026-10-31")
    book.profile("2026-10-15", "2026-10-15", with_half_hour(10, value), sites=with_half_hour(10, sites, 9))
    mark(book)
    assert marks(book) == ([("2026-10-15", 10, reason)] if reason else [])
    assert book.value(
        "select marked_mask from bua.segment_profile where run_date = %s and profile_date = '2026-10-15'", book.run_date
    ) == (mask(10) if reason else 0)


def test_neighbours_are_the_seven_days_either_side_without_the_day_itself(book: Book) -> None:
    book.profile("2026-10-01", "2026-10-15", 0.1)
    book.profile("2026-10-16", "2026-10-31", 0.9)
    mark(book)
    # 15th: seven days of 0.1 and seven of 0.9, median 0.5, and 0.1 < 0.5 / 3. 14th: eight and six, median 0.1.
    # 16th: again 0.5, and 0.9 < 3 x 0.5.
    assert marks(book) == [("2026-10-15", h, "LOW") for h in range(1, 49)]


def test_neighbours_of_other_months_count_and_are_not_marked_themselves(book: Book) -> None:
    book.profile("2026-09-01", "2026-09-30", 0.1)
    book.profile("2026-10-01", "2026-10-31", 0.9)
    mark(book)
    assert marks(book) == []
    mark(book, ["QLD|RES|PRIMARY|2026-09"])
    assert {(on, reason) for on, _, reason in marks(book)} == {("2026-09-30", "LOW")}


def test_the_first_days_have_neighbours_on_one_side(book: Book) -> None:
    book.profile("2026-10-01", "2026-10-01", 0.5)
    book.profile("2026-10-02", "2026-10-31", 0.1)
    mark(book)
    assert {(on, reason) for on, _, reason in marks(book)} == {("2026-10-01", "HIGH")}


def test_another_segments_days_are_no_neighbours(book: Book) -> None:
    book.profile("2026-10-15", "2026-10-15", 0.9)
    book.profile("2026-10-01", "2026-10-31", 0.1, key="QLD|BUS|PRIMARY")
    mark(book, [*OCTOBER, "QLD|BUS|PRIMARY|2026-10"])
    assert marks(book) == []


def test_the_thresholds_are_parameters(book: Book) -> None:
    book.profile("2026-10-01", "2026-10-31", 0.1, sites=2)
    book.profile("2026-10-15", "2026-10-15", with_half_hour(10, 0.16), sites=2)
    book.rows("update bua.parameter set value = 2 where name = 'profile_min_sites'")
    book.rows("update bua.parameter set value = 1.5 where name = 'profile_outlier_factor'")
    mark(book)
    assert marks(book) == [("2026-10-15", 10, "HIGH")]


def test_marking_again_replaces_marks(book: Book) -> None:
    book.profile("2026-10-01", "2026-10-31")
    book.profile("2026-10-15", "2026-10-15", with_half_hour(10, 0.9))
    mark(book)
    book.call("bua_fill_marked_segment_jurisdiction_entries", OCTOBER)
    before = marks(book, "*"), book.rows("select * from bua.segment_profile order by profile_date")
    mark(book)
    assert entry(book, "2026-10-15", 10, "profile") == 0.9  # profiles start again from the average
    book.call("bua_fill_marked_segment_jurisdiction_entries", OCTOBER)
    assert (marks(book, "*"), book.rows("select * from bua.segment_profile order by profile_date")) == before


# --- filling ----------------------------------------------------------------------------------------------------


def rising(book: Book, first: str, last: str, start: float = 0.1) -> None:
    """Every day a thousandth more than the day before, so that a value tells its day."""
    book.profile(first, last)
    book.rows(
        "update bua.segment_profile p set average = v.values, profile = v.values"
        " from (select q.profile_date, array_fill((%s + (q.profile_date - %s::date) * 0.001)::float, array[48]) as values"
        "       from bua.segment_profile q where q.profile_date between %s and %s) v"
        " where p.run_date = %s and p.profile_date = v.profile_date",
        *(Decimal(str(start)), first, first, last, book.run_date),
    )


def unreliable(book: Book, *days: str, half_hour: int = 10) -> None:
    """From four sites only, at one half-hour of these days."""
    for on in days:
        book.rows(
            "update bua.segment_profile set site_counts[%s] = 4 where run_date = %s and profile_date = %s",
            *(half_hour, book.run_date, on),
        )


def fill(book: Book, items: list[str] = OCTOBER) -> dict[str, str | None]:
    """Mark and fill; the source of each marked day."""
    mark(book, items)
    book.call("bua_fill_marked_segment_jurisdiction_entries", items)
    return dict(marks(book, "profile_date::text, source_date::text"))


def test_filled_from_the_nearest_day_of_its_type(book: Book) -> None:
    rising(book, "2026-10-01", "2026-10-31")
    unreliable(book, "2026-10-15", "2026-10-17", "2026-10-19")
    # Thursday: the 14th and the 16th are as near, the earlier one. Saturday: the Sunday. Monday 19th: Tuesday.
    assert fill(book) == {"2026-10-15": "2026-10-14", "2026-10-17": "2026-10-18", "2026-10-19": "2026-10-20"}
    assert entry(book, "2026-10-15", 10, "profile") == 0.113  # the 14th: 0.1 + 13 / 1000
    assert entry(book, "2026-10-15", 9, "profile") == 0.114  # the others stay
    assert entry(book, "2026-10-15", 10, "average") == 0.114  # and the average stands as it was read
    assert marks(book, "site_count, average, filled")[0] == (4, 0.114, 0.113)


def test_a_marked_day_is_no_source(book: Book) -> None:
    rising(book, "2026-10-01", "2026-10-31")
    unreliable(book, "2026-10-14", "2026-10-15", "2026-10-16")
    unreliable(book, "2026-10-13", half_hour=11)  # marked elsewhere: a source for half-hour 10
    # From the 15th the 13th and the 19th are the nearest left; the 16th is as far from both. Half-hour 11 of the 13th: the 12th.
    assert fill(book) == {
        "2026-10-13": "2026-10-12", "2026-10-14": "2026-10-13", "2026-10-15": "2026-10-13", "2026-10-16": "2026-10-13",
    }  # fmt: skip


def test_a_holiday_is_filled_from_a_holiday_first_of_this_season_then_of_last_year_else_from_a_weekend(
    book: Book,
) -> None:
    rising(book, "2025-10-01", "2025-10-31", 0.1)
    rising(book, "2026-09-01", "2026-10-31", 0.1)
    book.holiday("2026-10-19")
    unreliable(book, "2026-10-19")
    assert fill(book) == {"2026-10-19": "2026-10-18"}
    book.holiday("2025-10-20")  # 364 days before the 19th
    assert fill(book) == {"2026-10-19": "2025-10-20"}
    book.holiday("2026-09-07")  # 42 days before
    assert fill(book) == {"2026-10-19": "2026-09-07"}


def test_without_a_day_this_season_last_years_nearest_is_taken(book: Book) -> None:
    book.profile("2025-10-15", "2025-10-17", 0.3)
    book.profile("2026-08-31", "2026-08-31", 0.1)  # a Monday, 45 days before the 15th
    book.profile("2026-10-15", "2026-10-16", 0.1, sites=4)
    found = fill(book)
    # 45 days are within the season, 46 are not; the 16th's last year's day is 17 October 2025.
    assert found == {"2026-10-15": "2026-08-31", "2026-10-16": "2025-10-17"}
    assert entry(book, "2026-10-16", 1, "profile") == 0.3


def test_without_any_day_an_entry_is_kept_as_it_was(book: Book) -> None:
    book.profile("2026-10-15", "2026-10-15", with_half_hour(10, None), sites=with_half_hour(10, 0, 4))
    assert fill(book) == {"2026-10-15": None}
    assert entry(book, "2026-10-15", 9, "profile") == 0.1
    assert entry(book, "2026-10-15", 10, "profile") is None


def test_days_that_could_not_be_averaged_are_missing_and_filled(book: Book) -> None:
    """Work item SegmentJurisdictionAvgExclEst of October failed: none of its 31 days has a row."""
    for register in (home(book, name) for name in "ABCDE"):
        book.days(register, "2026-09-30", "2026-10-01", 100)
    book.close_profiles()
    book.call("create_segments")
    book.call("calculate_segment_averages", ["QLD|RES|PRIMARY|2026-09"])
    sources = fill(book, ["QLD|RES|PRIMARY|2026-09", "QLD|RES|PRIMARY|2026-10"])
    assert {(on, reason) for on, _, reason in marks(book) if on >= "2026-10-01"} == {
        (f"2026-10-{day:02}", "MISSING") for day in range(1, 32)
    }
    # 1 October is a Thursday, 30 September the Wednesday before; the 3rd is a Saturday, and no weekend day is known.
    assert (sources["2026-10-01"], sources["2026-10-03"]) == ("2026-09-30", None)
    assert entry(book, "2026-10-01", 10, "profile") == pytest.approx(0.1, abs=1e-15)


def test_filling_months_one_by_one_is_filling_them_together(book: Book) -> None:
    rising(book, "2026-09-20", "2026-10-10")
    unreliable(book, "2026-09-30", "2026-10-01", "2026-10-02")
    months = ["QLD|RES|PRIMARY|2026-09", "QLD|RES|PRIMARY|2026-10"]
    together = fill(book, months), book.rows("select * from bua.segment_profile order by profile_date")
    for month in months:
        mark(book, [month])
    for month in reversed(months):
        book.call("bua_fill_marked_segment_jurisdiction_entries", [month])
    sources = dict(marks(book, "profile_date::text, source_date::text"))
    assert (sources, book.rows("select * from bua.segment_profile order by profile_date")) == together
    assert sources == {"2026-09-30": "2026-09-29", "2026-10-01": "2026-09-29", "2026-10-02": "2026-09-29"}


def test_the_exported_marks(book: Book) -> None:
    book.profile("2026-10-01", "2026-10-31")
    book.profile(
        "2026-10-15", "2026-10-15", 0.1, sites=[4 if h <= 12 or h == 15 or h >= 20 else 9 for h in range(1, 49)]
    )
    book.profile("2026-10-16", "2026-10-16", with_half_hour(2, 0.9))
    fill(book)
    with book.acting_as("lambda"):
        found = book.rows("select profile_date::text, reason, half_hours, site_count, source_date::text"
                          " from bua.export_profile_marks order by profile_date")  # fmt: skip
    assert found == [
        ("2026-10-15", "FEW_SITES", "1-12,15,20-48", 4, "2026-10-14"),
        ("2026-10-16", "HIGH", "2", 9, "2026-10-14"),  # the 15th is marked there
    ]


# --- validating -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "variance", "is_anomaly"),
    [
        ("5.04", 0, False),
        ("4.8", 5, False),  # 100 x (5.04 - 4.8) / 4.8: the tolerance itself
        ("4.5", 12, True),
        ("5.6", -10, True),
        (None, None, True),  # the platform has none
    ],
)
def test_profiles_are_held_against_the_platforms_reads(
    book: Book, platform: str | None, variance: int | None, is_anomaly: bool
) -> None:
    register = home(book, "A")
    book.days(register, "2026-10-01", "2026-10-31", 105)  # 5.04 kWh a day
    if platform:
        book.platform_units(register, "2026-10-01", "2026-10-31", platform)
    book.close_profiles()
    book.call("create_segments")
    for _ in range(2):
        book.call("validate_segments", OCTOBER)
        found = book.rows("select year_month, profile_units, variance_percent, is_anomaly"
                          " from bua.utility_profile_variance where run_date = %s", book.run_date)  # fmt: skip
        assert found == [("2026-10", Decimal("156.24"), variance, is_anomaly)]


def test_a_runs_own_reads_validate_nothing(book: Book) -> None:
    register = home(book, "A")
    book.days(register, "2026-10-01", "2026-10-31", 100)
    book.platform_units(register, "2026-10-01", "2026-10-31", "4.8")
    book.rows("insert into core.aggregated_read select meter_register_id, from_date, to_date, time_class, 'ESTIMATED', 99,"
              " 'BUA', %s from core.aggregated_read", book.run_date)  # fmt: skip
    book.close_profiles()
    book.call("create_segments")
    book.call("validate_segments", OCTOBER)
    assert (
        book.value("select variance_percent from bua.utility_profile_variance where run_date = %s", book.run_date) == 0
    )


# --- macro ------------------------------------------------------------------------------------------------------


def test_the_macro_profile_is_the_days_total(book: Book) -> None:
    book.profile("2026-10-01", "2026-10-03", 0.1)
    book.profile("2026-10-02", "2026-10-02", [0.25] * 24 + [0.5] * 24)
    book.profile("2026-10-03", "2026-10-03", with_half_hour(7, None))  # nothing is known of a half-hour: no total
    book.gas_volume("2026-10-31", "2026-10-31", "1234.5")
    book.call("import_gas_volumes_profile_creation")
    for _ in range(2):
        book.call("bua_create_macro_profile")
        found = book.rows("select profile_key, profile_date::text, daily_total from bua.macro_profile"
                          " where run_date = %s order by 1, 2", book.run_date)  # fmt: skip
        # 48 x 0.1; 24 x 0.25 + 24 x 0.5.
        assert found == [
            ("QLD|RES|PRIMARY", "2026-10-01", Decimal("4.8")),
            ("QLD|RES|PRIMARY", "2026-10-02", Decimal(18)),
            ("VIC|ZONE", "2026-10-31", Decimal("1234.5")),
        ]


def test_the_macro_profile_takes_filled_entries(book: Book) -> None:
    book.profile("2026-10-01", "2026-10-31")
    book.profile("2026-10-15", "2026-10-15", with_half_hour(10, 5.0))
    fill(book)
    book.call("bua_create_macro_profile")
    assert book.value("select daily_total from bua.macro_profile where run_date = %s and profile_date = '2026-10-15'",
                      book.run_date) == Decimal("4.8")  # fmt: skip


def test_average_scalars(book: Book) -> None:
    book.days(home(book, "A"), "2026-10-05", "2026-10-05")
    book.close_profiles()
    book.call("create_segments")
    book.gas_volume("2026-01-01", "2026-10-31", 1000)
    # 60 days of 1000 MJ in the zone; usage of 600 and 900 MJ, and 3000 MJ of a business.
    for name, usage, customer_class in (("G1", 600, "RES"), ("G2", 900, "RES"), ("G3", 3000, "BUS")):
        meter = book.basic(book.account(name, fuel="GAS", state="VIC", customer_class=customer_class), uom="MJ")
        book.read(meter, ("2026-03-01", 0), ("2026-04-30", usage))
    book.call("import_gas_volumes_profile_creation")
    book.call("bua_create_macro_profile")
    found = book.rows("select profile_key, customer_class, scalar from bua.profile_scalar where run_date = %s order by 1, 2",
                      book.run_date)  # fmt: skip
    # 0.6 / 60 and 0.9 / 60 make 0.0125 on average.
    assert found == [
        ("QLD|RES|PRIMARY", "RES", 1), ("VIC|ZONE", "BUS", Decimal("0.05")), ("VIC|ZONE", "RES", Decimal("0.0125")),
    ]  # fmt: skip


def test_masks_of_the_tests_themselves() -> None:
    assert mask(1) == 1
    assert mask((1, 48)) == ALL_DAY == 2**48 - 1
