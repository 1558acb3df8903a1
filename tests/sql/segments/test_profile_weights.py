"""The profile weighted by level: a register that begins, ends or lacks days does not move it.

Usage is the same in every half-hour of a day unless said otherwise, so that 100 Wh are 4.8 kWh a day.
"""

from fractions import Fraction
from typing import Any

import pytest
from tests.sql.builder import Book

OCTOBER = ["QLD|RES|PRIMARY|2026-10"]


def home(book: Book, name: str, **more: Any) -> int:
    """An account with one interval register."""
    return book.register(book.account(name, **more))


def average(book: Book, items: list[str] = OCTOBER) -> None:
    """From what site-data leaves to SegmentJurisdictionAvgExclEst."""
    book.close_profiles()
    book.call("create_segments")
    book.call("calculate_segment_averages", items)


def profile(book: Book, half_hour: int = 1, key: str = "QLD|RES|PRIMARY") -> dict[int, float]:
    """The averages of a half-hour by day of October, without days that nobody read."""
    found = book.rows(
        "select extract(day from profile_date)::integer, average[%s] from bua.segment_profile"
        " where run_date = %s and segment = %s and profile_date >= '2026-10-01' and average[%s] is not null",
        *(half_hour, book.run_date, key, half_hour),
    )
    return dict(found)


def weights(book: Book, key: str = "QLD|RES|PRIMARY") -> list[float]:
    """By register; None is a giant."""
    found = book.rows(
        "select weight from bua.utility_profile_summary where run_date = %s and segment = %s order by meter_register_id",
        *(book.run_date, key),
    )
    return [weight and weight / 1e6 for (weight,) in found]


def near(value: Any) -> Any:
    """Weights are rounded to millionths."""
    return pytest.approx(value, rel=2e-6)


def test_a_large_site_that_lacks_the_last_days_does_not_move_the_profile(book: Book) -> None:
    for n in range(7):
        book.days(home(book, f"A{n}"), "2026-10-01", "2026-10-31", 500)  # 24 kWh a day
    book.days(home(book, "LARGE"), "2026-10-01", "2026-10-26", 6000)  # 288
    average(book)
    # (7 x 24 + 288) / 8 is 57, where a plain average falls to 24.
    assert profile(book) == near(dict.fromkeys(range(1, 32), 57.0 / 48))
    assert weights(book) == near([24 / 57] * 7 + [288 / 57])


def test_a_panel_that_grows_with_larger_users_has_a_constant_profile(book: Book) -> None:
    for n in range(4):
        book.days(home(book, f"A{n}"), "2026-10-01", "2026-10-31", 100)
        book.days(home(book, f"B{n}"), "2026-10-16", "2026-10-31", 400)
    average(book)
    assert profile(book) == near(dict.fromkeys(range(1, 32), 0.25))  # plain: 0.1, and 0.25 from the 16th


def test_with_every_register_there_all_the_time_it_is_the_plain_average(book: Book) -> None:
    usage = {"A": (100, 130, 90), "B": (700, 20, 310), "C": (0, 0, 0), "D": (55, 56, 1057)}
    for name, by_day in usage.items():
        register = home(book, name)
        for on, watt_hours in enumerate(by_day, start=5):
            book.days(register, f"2026-10-{on:02}", f"2026-10-{on:02}", [watt_hours] * 47 + [2 * watt_hours])
    average(book)
    plain = {on: sum(by_day[on - 5] for by_day in usage.values()) / 4000 for on in (5, 6, 7)}
    assert profile(book) == near(plain)
    assert profile(book, 48) == near({on: 2 * value for on, value in plain.items()})


def test_two_iterations(book: Book) -> None:
    # A uses 10, 10, 20, 20 and B, from the third day, 60, 60: three times as much as A, in a season that doubles.
    a, b = home(book, "A"), home(book, "B")
    book.days(a, "2026-10-05", "2026-10-06", 1000)
    book.days(a, "2026-10-07", "2026-10-08", 2000)
    book.days(b, "2026-10-07", "2026-10-08", 6000)
    average(book)
    # Mean days of 15 and 60 over their mean of 37.5 are weights of 0.4 and 1.6: days of 10 / 0.4 = 25 and 80 / 2 = 40.
    # 60 / (2 x 25 + 2 x 40) = 6/13 and 120 / 80 = 1.5: days of 65/3 and 80 / (51/26) = 2080/51.
    first, second = Fraction(65, 3), Fraction(2080, 51)
    weight_a, weight_b = 60 / (2 * first + 2 * second), 120 / (2 * second)
    assert weights(book) == near([float(weight_a), float(weight_b)])  # 0.480377, 1.471154
    early, late = float(1 / weight_a), float(8 / (weight_a + weight_b))
    assert profile(book) == near({5: early, 6: early, 7: late, 8: late})  # 2.0817 and 4.0993: nearly doubled


def test_a_half_hour_is_divided_by_the_weights_of_those_who_have_it(book: Book) -> None:
    a, b = home(book, "A"), home(book, "B")
    book.days(a, "2026-10-05", "2026-10-06", 100)
    book.days(b, "2026-10-05", "2026-10-05", 300)
    book.days(b, "2026-10-06", "2026-10-06", [900] * 24 + [300] * 24, quality="E" * 24 + "A" * 24)
    book.days(a, "2026-10-07", "2026-10-07", [100] * 24 + [0] * 24, quality="A" * 24 + "N" * 24)
    book.days(b, "2026-10-07", "2026-10-07", 900, quality="E")
    average(book)
    # 4.8 and 14.4 kWh are 0.5 and 1.5 of 9.6. On the 6th 0.1 / 0.5, then 0.4 / 2; on the 7th 0.1 / 0.5, then nobody.
    assert weights(book) == [0.5, 1.5]
    assert profile(book, 1) == pytest.approx({5: 0.2, 6: 0.2, 7: 0.2}, abs=1e-15)
    assert profile(book, 48) == pytest.approx({5: 0.2, 6: 0.2}, abs=1e-15)
    assert book.rows(
        "select site_counts[1], site_counts[48] from bua.segment_profile where run_date = %s"
        " and profile_date between '2026-10-05' and '2026-10-07' order by profile_date",
        book.run_date,
    ) == [(2, 2), (1, 2), (1, 0)]


def test_giants_weigh_nothing_on_any_of_their_days(book: Book) -> None:
    for n in range(5):
        book.days(home(book, f"A{n}"), "2026-10-01", "2026-10-31", 100)
    late, giant = home(book, "LATE"), home(book, "GIANT")
    book.days(late, "2026-10-21", "2026-10-31", 700)
    book.days(giant, "2026-10-03", "2026-10-20", 9000)
    book.days(giant, "2026-10-25", "2026-10-25", 9000, quality="A" * 20 + "E" * 28)
    book.days(giant, "2026-10-26", "2026-10-26", 9000, quality="E")
    average(book)
    # The mean of five homes of 0.1 and one of 0.7 a half-hour is 0.2.
    assert weights(book) == [0.5] * 5 + [3.5, None]
    assert profile(book, 1) == pytest.approx(dict.fromkeys(range(1, 32), 0.2), abs=1e-15)
    assert profile(book, 48) == pytest.approx(dict.fromkeys(range(1, 32), 0.2), abs=1e-15)
    counts = book.rows(
        "select distinct site_counts[1], site_counts[48] from bua.segment_profile where run_date = %s"
        " and profile_date >= '2026-10-01' order by 1",
        book.run_date,
    )
    assert counts == [(5, 5), (6, 6)]


def test_a_giant_no_longer_is_weighed_again(book: Book) -> None:
    for n in range(5):
        book.days(home(book, f"A{n}"), "2026-10-05", "2026-10-05", 100)
    book.days(home(book, "LARGE"), "2026-10-05", "2026-10-05", 2500)
    average(book)
    assert weights(book) == [1] * 5 + [None]
    book.rows("delete from bua.segment_day")
    book.rows("delete from bua.segment")
    book.rows("update bua.parameter set value = 25 where name = 'giant_factor'")
    book.call("create_segments")
    book.call("calculate_segment_averages", OCTOBER)
    assert weights(book) == [0.2] * 5 + [5]  # of 0.5
    assert profile(book) == pytest.approx({5: 0.5}, abs=1e-15)


def test_one_register_of_two_accounts_has_a_weight_in_each_segment(book: Book) -> None:
    site = book.account("OLD", closed="2026-10-10")
    book.account("NEW", site=site, opened="2026-10-11", customer_class="BUS")
    moved = book.register(site)
    book.days(moved, "2026-10-01", "2026-10-10", 300)
    book.days(moved, "2026-10-11", "2026-10-20", 600)
    book.days(home(book, "HOME"), "2026-10-01", "2026-10-20", 100)
    book.days(home(book, "SHOP", customer_class="BUS"), "2026-10-01", "2026-10-20", 1000)
    average(book, [*OCTOBER, "QLD|BUS|PRIMARY|2026-10"])
    assert weights(book) == [1.5, 0.5]  # of 0.2
    assert weights(book, "QLD|BUS|PRIMARY") == [0.75, 1.25]  # of 0.8
    assert profile(book) == pytest.approx(dict.fromkeys(range(1, 21), 0.2), abs=1e-15)
    assert profile(book, key="QLD|BUS|PRIMARY") == pytest.approx(dict.fromkeys(range(1, 21), 0.8), abs=1e-15)


def test_accounts_of_one_register_that_follow_each_other_in_a_segment_share_a_weight(book: Book) -> None:
    site = book.account("OLD", closed="2026-10-10")
    book.account("NEW", site=site, opened="2026-10-11")
    moved = book.register(site)
    book.days(moved, "2026-10-01", "2026-10-09", 200)
    book.days(moved, "2026-10-12", "2026-10-20", 400)
    book.days(home(book, "HOME"), "2026-10-01", "2026-10-20", 100)
    average(book)
    # 18 days of 0.3 on average, beside 0.1: the weights begin as 1.5 and 0.5. On the 10th and 11th the home is alone.
    w_moved, w_home = Fraction(3, 2), Fraction(1, 2)

    def days() -> tuple[Fraction, Fraction, Fraction]:
        return Fraction(3, 10) / (w_moved + w_home), Fraction(1, 10) / w_home, Fraction(5, 10) / (w_moved + w_home)

    for _ in range(2):
        early, alone, late = days()
        w_moved = Fraction(54, 10) / (9 * early + 9 * late)
        w_home = Fraction(20, 10) / (9 * early + 2 * alone + 9 * late)
    assert weights(book) == near([float(w_moved), float(w_home)])
    early, alone, late = days()
    assert profile(book) == near({on: float(early if on < 10 else alone if on < 12 else late) for on in range(1, 21)})


def test_without_use_the_weight_is_0_and_without_a_complete_day_it_is_1(book: Book) -> None:
    book.days(home(book, "A"), "2026-10-05", "2026-10-06", 100)
    book.days(home(book, "VACANT"), "2026-10-05", "2026-10-05", 0)
    book.days(home(book, "PARTS"), "2026-10-05", "2026-10-06", 350, quality="A" * 47 + "N")
    book.days(home(book, "GUESSED"), "2026-10-05", "2026-10-06", 900, quality="E")
    average(book)
    # 4.8 and 0 kWh: A has twice the mean. (0.1 + 0.35) / (2 + 1), and 0.1 / 2 where PARTS is missing, vacant or not.
    assert weights(book) == [2, 0, 1, 1]
    assert profile(book, 1) == pytest.approx({5: 0.15, 6: 0.15}, abs=1e-15)
    assert profile(book, 48) == pytest.approx({5: 0.05, 6: 0.05}, abs=1e-15)


def test_values_without_any_weight_are_an_average_of_0(book: Book) -> None:
    for name in ("A", "B"):
        vacant = home(book, name)
        book.days(vacant, "2026-10-05", "2026-10-05", 0)
        book.days(vacant, "2026-10-07", "2026-10-07", 20, quality="A" + "E" * 47)
    average(book)
    assert weights(book) == [0, 0]
    assert profile(book, 1) == {5: 0, 7: 0}
    assert profile(book, 48) == {5: 0}


def test_again_and_in_another_order_the_same_to_the_last_bit(book: Book) -> None:
    for n in range(1, 10):
        register = home(book, f"A{n}")
        book.days(register, f"2026-10-{n:02}", "2026-10-12", [37 * n + h % (n + 2) for h in range(48)])
        book.days(register, "2026-10-13", "2026-10-13", 41 * n, quality="N" * n + "A" * (48 - n))
        book.days(register, f"2026-10-{13 + n}", "2026-10-31", [29 * n + h for h in range(48)])
    average(book)

    def made() -> list[list[tuple[Any, ...]]]:
        return [
            book.rows(f"select * from bua.{table} where run_date = %s order by 2, 3", book.run_date)
            for table in ("segment", "segment_day", "segment_profile", "utility_profile_summary")
        ]

    before = made()
    for table in ("segment", "segment_day", "segment_profile"):
        book.rows(f"delete from bua.{table}")
    for table in ("utility_profile_summary", "incomplete_day", "utility_profile"):
        book.rows(f"create temporary table kept on commit drop as select * from bua.{table}")
        book.rows(f"delete from bua.{table}")
        book.rows(f"insert into bua.{table} select * from kept order by meter_register_id desc")
        book.rows("drop table kept")
    # The same sums from two batches, the second of which comes first.
    book.rows("create temporary table kept on commit drop as select * from bua.segment_partial")
    book.rows("delete from bua.segment_partial")
    for batch, part in ((2, "value - value / 3"), (1, "value / 3")):
        split = f"(select array_agg({part} order by n) from unnest(%s) with ordinality v (value, n))"
        book.rows(
            f"insert into bua.segment_partial select run_date, {batch}, first_item, segment, profile_date,"
            f" {split % 'counts'}, {split % 'totals'}, {part.replace('value', 'complete_total')}"
            " from kept order by profile_date desc"
        )
    book.call("create_segments")
    book.call("calculate_segment_averages", OCTOBER)
    assert made() == before
    book.rows("delete from bua.segment_day")
    book.rows("delete from bua.segment")
    book.call("create_segments")
    book.call("calculate_segment_averages", OCTOBER)
    assert made() == before
