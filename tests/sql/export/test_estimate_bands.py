"""How far the estimates may be off, worked out by hand on a few meters; 125 Wh a half-hour are 6 kWh a day."""

import math
from typing import Any

import pytest
from tests.sql.accrue import accrue, read_days, recent
from tests.sql.builder import Book

KEY = "QLD|RES|PRIMARY"
REFERENCE, GAP = ("2026-07-01", "2026-09-30"), ("2026-10-01", "2026-10-31")  # 92 and 31 days


def least(book: Book, registers: int, gas_meters: int = 30) -> None:
    for name, value in (("band_min_registers", registers), ("band_min_gas_meters", gas_meters)):
        book.rows("update bua.parameter set value = %s where name = %s", value, name)


def meters(
    book: Book,
    *levels: tuple[int, ...],
    days: tuple[tuple[str, str], ...] = (REFERENCE, GAP),
    customer_class: str = "RES",
) -> None:
    """Interval customers: kWh a day in each of the stretches of days; 0 = not read."""
    for n, found in enumerate(levels):
        register = book.register(book.account(f"P{n}{customer_class}", customer_class=customer_class))
        for kwh, (first, last) in zip(found, days, strict=True):
            if kwh:
                book.days(register, first, last, kwh * 1000 // 48)


def segment(book: Book, key: str = KEY) -> None:
    """A profile of 10 kWh a day."""
    book.segment("12", key)
    book.macro("2025-07-01", "2026-10-31", "10", key)


def basic(book: Book, name: str, *daily: int, uom: str = "KWH", **more: Any) -> None:
    """A customer that was read each quarter to 1 October: its kWh or MJ a day, the latest quarter last."""
    reads = ["2025-07-01", "2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"][-len(daily) - 1 :]
    days = {"2025-10-01": 92, "2026-01-01": 92, "2026-04-01": 90, "2026-07-01": 91, "2026-10-01": 92}
    register = book.basic(book.account(name, **more), uom=uom)
    index, found = 0, [(reads[0], 0)]
    for read, kwh in zip(reads[1:], daily, strict=True):
        index += kwh * days[read]
        found.append((read, index))
    book.read(register, *found)
    book.billed(name, "2020-01-01", "2026-09-30")


def bands(book: Book) -> dict[str, dict[str, Any]]:
    """By segment, fuel ('ELECTRICITY') and '' for the book."""
    book.call("create_estimate_bands")
    with book.connection.cursor() as cursor:
        cursor.execute(
            "select * from bua.estimate_band where run_date = %s order by level, fuel, segment", (book.run_date,)
        )
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row["segment"] or row["fuel"]: row for row in rows}


def close(value: Any, expected: float) -> bool:
    return math.isclose(float(value), expected, abs_tol=0.011)


@pytest.fixture
def town(book: Book) -> Book:
    """Four panel meters and two homes of 10 and 20 kWh a day, whose October is missing: 310 and 620 kWh at 30 cents."""
    book.plan()
    least(book, 4)
    meters(book, (6, 12), (12, 12), (18, 12), (24, 24))
    book.close_profiles()
    segment(book)
    basic(book, "A", 10)
    basic(book, "B", 20)
    return book


# Predicted 186, 372, 558, 744 kWh, off by 186, 0, -186, 0: d^2 is 2 x 186^2 and p^2 30 x 186^2.
BEHAVIOUR = (310**2 + 620**2) * (2 / 30) * 4 / 3
# D = 930 x d / 1860 = 93, 0, -93, 0, around a mean of 0.
PROFILE = 4 / 3 * (93**2 + 93**2)


def test_behaviour_and_profile(town: Book) -> None:
    accrue(town, "A", "B")
    found = bands(town)[KEY]
    assert (found["units_estimated"], found["units_without_band"], found["registers"]) == (930, 0, 4)
    assert (found["net_estimated"], found["net_mid"], found["net_without_band"]) == (279, 279, 0)
    sd = math.sqrt(BEHAVIOUR + PROFILE)  # 256.47
    assert close(found["units_low_80"], 930 - 1.638 * sd)
    assert close(found["units_high_95"], 930 + 3.182 * sd)
    assert close(found["net_high_80"], 279 + 0.30 * 1.638 * sd)
    assert close(found["net_low_95"], 279 - 0.30 * 3.182 * sd)
    assert found["reason"] is None


def test_too_few_registers(town: Book) -> None:
    least(town, 5)
    accrue(town, "A", "B")
    found = bands(town)
    assert found[KEY]["net_mid"] is None
    assert found[KEY]["net_low_80"] is None
    assert found[KEY]["reason"] == (
        "Fewer than 5 interval registers of the segment were read on days like the missing ones: 930.000 KWH"
    )
    assert (found[""]["net_estimated"], found[""]["net_without_band"], found[""]["net_high_80"]) == (279, 279, None)


def test_what_is_kept_is_the_same_again(town: Book) -> None:
    accrue(town, "A", "B")
    first = bands(town)
    assert first
    assert bands(town) == first


def test_an_account_of_which_nothing_is_known_has_no_band(town: Book) -> None:
    town.basic(town.account("NEW", opened="2026-10-01"))  # 10 kWh a day of the segment's average
    accrue(town, "A", "B", "NEW")
    found = bands(town)
    segment_, book_ = found[KEY], found[""]
    assert (segment_["units_estimated"], segment_["units_without_band"]) == (1240, 310)
    assert (segment_["net_estimated"], segment_["net_mid"], segment_["net_without_band"]) == (372, 279, 93)
    assert close(segment_["net_high_80"], 279 + 0.30 * 1.638 * math.sqrt(BEHAVIOUR + PROFILE))
    assert segment_["reason"] == "Nothing is known of the account itself (SEGMENT_AVERAGE): 310.000 KWH"
    assert (book_["net_estimated"], book_["net_mid"], book_["net_without_band"]) == (372, 279, 93)


def test_delivered_estimates_have_no_band(town: Book) -> None:
    register = town.register(town.account("E"))
    town.billed("E", "2020-01-01", "2026-09-30")
    town.days(register, *GAP, 125, quality="E")
    town.platform_units(register, *GAP, 6, state="ESTIMATED")
    accrue(town, "A", "B", "E")
    found = bands(town)[KEY]
    assert (found["units_estimated"], found["units_without_band"], found["net_mid"]) == (1116, 186, 279)
    assert found["reason"] == "Delivered as an estimate by the meter data provider: 186.000 KWH"


def test_a_panel_that_is_not_like_the_others(book: Book) -> None:
    """The panel is estimated exactly; the basic meters' quarters say that it is not what they do."""
    book.plan()
    least(book, 2)
    meters(book, (12, 12), (24, 24))
    book.close_profiles()
    segment(book)
    basic(book, "A", 10, 10, 20, 10, 10)
    basic(book, "B", 20, 20, 20, 20, 20)
    accrue(book, "A", "B")
    found = bands(book)[KEY]
    # Each span against the one before: 30 of 30, 30 of 40, 40 of 30, 30 of 30.
    assert [float(rho) for rho in found["rho"]] == [1, 0.75, 1.333333, 1]
    half = 3.078 * 930 * math.sqrt((0.25**2 + (1 / 3) ** 2) / 4)
    assert close(found["units_high_80"] - 930, half)
    assert close(279 - found["net_low_80"], 0.30 * half)
    in_control = book.value("select bua.control_totals(%s) -> 'band'", book.run_date)
    assert in_control["segments"][f"ELECTRICITY|{KEY}"]["representativeness"] == [1, 0.75, 1.333333, 1]
    assert close(in_control["of_95_percent"]["net_high"], 279 + 0.30 * half / 3.078 * 12.706)


def test_recent_days_weigh_most(book: Book) -> None:
    """One home lacks the last four days. P0 changed its habits ten days before, P3 when they began."""
    book.plan()
    least(book, 4)
    days = (("2026-07-29", "2026-10-17"), ("2026-10-18", "2026-10-27"), ("2026-10-28", "2026-10-31"))
    meters(book, (6, 12, 12), (12, 12, 12), (12, 12, 12), (24, 24, 12), days=days)
    register = book.register(book.account("C"))
    read_days(book, register, "2026-07-29", "2026-10-27", 250)
    book.billed("C", "2020-01-01", "2026-09-30")
    book.close_profiles()
    segment(book)
    accrue(book, "C")
    found = bands(book)[KEY]
    assert (found["units_estimated"], found["units_without_band"]) == (48, 0)
    predicted = [4 * recent((1, 10, 12), (11, 91, 6)), 48, 48, 96]
    assert close(found["units_high_80"], 48 + half(predicted, [48, 48, 48, 48], [48]))


def half(predicted: list[float], actual: list[float], estimates: list[float]) -> float:
    """The half of one cohort without giants at 80 %, four registers."""
    d = [a - p for a, p in zip(actual, predicted, strict=True)]
    mean = sum(d) / 4
    v_i = sum(e * e for e in estimates) * sum(x * x for x in d) / sum(p * p for p in predicted) * 4 / 3
    v_p = 4 / 3 * sum((sum(estimates) * (x - mean) / sum(predicted)) ** 2 for x in d)
    return 1.638 * math.sqrt(v_i + v_p)


def test_days_that_nobody_delivered_are_tried_a_week_before(book: Book) -> None:
    """21 to 24 October take the place of 28 to 31; what came after them was not known."""
    book.plan()
    least(book, 4)
    days = (("2026-07-01", "2026-10-20"), ("2026-10-21", "2026-10-24"), ("2026-10-25", "2026-10-27"))
    meters(book, (6, 12, 24), (12, 12, 24), (24, 24, 48), days=days)
    register = book.register(book.account("C"))
    read_days(book, register, "2026-07-01", "2026-10-27", 250)
    book.billed("C", "2020-01-01", "2026-09-30")
    book.close_profiles()
    segment(book)
    accrue(book, "C")
    found = bands(book)[KEY]
    assert found["registers"] == 4  # C itself was read a week before
    assert close(found["units_high_80"], 48 + half([24, 48, 96, 48], [48, 48, 96, 48], [48]))


def test_a_register_that_was_not_read_on_the_days_takes_no_part(town: Book) -> None:
    register = town.register(town.account("P4"))
    town.days(register, *REFERENCE, 250)
    town.rows(
        "insert into bua.utility_profile_summary values (%s, %s, %s, 92, 92 * 12000000, %s)",
        *(town.run_date, register, KEY, "{[2026-07-01,2026-10-01)}"),
    )
    accrue(town, "A", "B")
    found = bands(town)[KEY]
    assert found["registers"] == 4
    assert close(found["units_high_80"], 930 + 1.638 * math.sqrt(BEHAVIOUR + PROFILE))


def test_two_cohorts_share_the_error_of_the_profile(town: Book) -> None:
    """C was read on 1 September: 61 days are missing since, 31 of them unbilled, at 10 kWh. Its panel's reference ends there."""
    town.read(town.basic(town.account("C")), ("2026-07-01", 0), ("2026-09-01", 620))
    town.billed("C", "2020-01-01", "2026-09-30")
    accrue(town, "A", "B", "C")
    # Days before and in October are the same in both cohorts, and so is d: D = 1240 x d / 1860.
    d = 1240 * 186 / 1860
    v = (310**2 + 620**2 + 310**2) * (2 / 30) * 4 / 3 + 4 / 3 * 2 * d**2
    assert close(bands(town)[KEY]["units_high_80"], 1240 + 1.638 * math.sqrt(v))


def test_a_business_has_its_own_season(book: Book) -> None:
    """READS_SEASON on the panel: P0 used twice as much in last year's October to December as in the quarter before."""
    book.plan()
    least(book, 2)
    quarters = (("2025-07-01", "2025-09-30"), ("2025-10-01", "2025-12-31"), REFERENCE, GAP)
    meters(book, (12, 24, 12, 24), (12, 12, 12, 12), days=quarters, customer_class="BUS")
    book.close_profiles()
    key = "QLD|BUS|PRIMARY"
    segment(book, key)
    basic(book, "A", 10, 10, 10, 10, 10, customer_class="BUS")
    basic(book, "B", 10, 10, 10, 10, 10, customer_class="BUS")
    accrue(book, "A", "B")
    predicted = [31 * 12 * math.sqrt(2), 31 * 12]
    d = [31 * 24 - predicted[0], 0]
    v_i = 2 * 310**2 * d[0] ** 2 / (predicted[0] ** 2 + predicted[1] ** 2) * 2
    v_p = 2 * 2 * (620 * d[0] / 2 / sum(predicted)) ** 2
    assert close(bands(book)[key]["units_high_80"], 620 + 3.078 * math.sqrt(v_i + v_p))


def test_a_giant_by_its_own_past_spans(book: Book) -> None:
    """960 kWh a day after 1000 and 800: 25 % up, 4 % down. Of one with a single span nothing can be said."""
    book.plan()
    key = "QLD|BUS|PRIMARY"
    segment(book, key)
    basic(book, "G", 800, 1000, 960, customer_class="BUS")
    basic(book, "YOUNG", 1000, customer_class="BUS")
    accrue(book, "G", "YOUNG")
    found = bands(book)[key]
    assert (found["units_estimated"], found["units_without_band"]) == (31 * 1960, 31 * 1000)
    assert found["reason"] == "A giant without two earlier spans of its own: 31000.000 KWH"
    half = 3.078 * 31 * 960 * math.sqrt((0.25**2 + 0.04**2) / 2)
    assert close(found["units_high_80"], 31 * 960 + half)
    assert found["registers"] is None


GAS = "VIC|ZONE"


@pytest.fixture
def gas(book: Book) -> Book:
    """Three gas meters whose last quarter was 12 after 10, 20 after 20 and 24 after 30 MJ a day."""
    book.plan()
    book.macro("2025-07-01", "2026-10-31", "1000", GAS)
    for name, before, last in (("A", 10, 12), ("B", 20, 20), ("C", 30, 24)):
        basic(book, name, before, last, uom="MJ", fuel="GAS", state="VIC")
    return book


def test_gas_by_its_last_spans(gas: Book) -> None:
    least(gas, 10, gas_meters=3)
    accrue(gas, "A", "B", "C")
    found = bands(gas)[GAS]
    assert (found["units_estimated"], found["units_without_band"], found["registers"]) == (31 * 56, 0, 3)
    d = [92 * 2, 0, -92 * 6]
    v_i = 31**2 * (12**2 + 20**2 + 24**2) * sum(x * x for x in d) / (92**2 * (10**2 + 20**2 + 30**2)) * 3 / 2
    mean = sum(d) / 3
    v_p = 3 / 2 * sum((31 * 56 * (x - mean) / (92 * 60)) ** 2 for x in d)
    assert close(found["units_high_80"], 31 * 56 + 1.886 * math.sqrt(v_i + v_p))


def test_gas_of_few_meters(gas: Book) -> None:
    accrue(gas, "A", "B", "C")
    found = bands(gas)
    assert found[GAS]["net_high_95"] is None
    assert found[GAS]["reason"] == "Fewer than 30 gas meters of the zone have two spans between reads: 1736.000 MJ"
    assert (found["GAS"]["net_mid"], found["GAS"]["net_without_band"]) == (None, found["GAS"]["net_estimated"])


def test_segments_add_up(town: Book) -> None:
    """Their halves as squares, over the segments of a fuel and the fuels of the book."""
    least(town, 4, gas_meters=3)
    town.macro("2025-07-01", "2026-10-31", "1000", GAS)
    for name, before, last in (("GA", 10, 12), ("GB", 20, 20), ("GC", 30, 24)):
        basic(town, name, before, last, uom="MJ", fuel="GAS", state="VIC")
    key = "QLD|BUS|PRIMARY"
    segment(town, key)
    basic(town, "G", 800, 1000, 960, customer_class="BUS")
    accrue(town, "A", "B", "G", "GA", "GB", "GC")
    found = bands(town)
    halves = {name: float(row["net_high_80"] - row["net_mid"]) for name, row in found.items()}
    assert close(halves["ELECTRICITY"], math.hypot(halves[KEY], halves[key]))
    assert close(halves["GAS"], halves[GAS])
    assert close(halves[""], math.hypot(halves["ELECTRICITY"], halves["GAS"]))
    assert found[""]["net_mid"] == found[KEY]["net_mid"] + found[key]["net_mid"] + found[GAS]["net_mid"]
    assert found["ELECTRICITY"]["units_estimated"] == 930 + 31 * 960


def test_export_to_the_grid_is_no_usage(book: Book) -> None:
    """Its units are no part of the fuel's, its dollars, below zero, are."""
    book.plan("FLAT", ("DAILY", "ANYTIME", "1.00"), ("USAGE", "ANYTIME", "0.30"), ("FEED_IN", "ANYTIME", "0.10"))
    register = book.basic(book.account("A"), stream="SOLAR")
    book.read(register, ("2026-07-01", 0), ("2026-10-01", 920))
    book.billed("A", "2020-01-01", "2026-09-30")
    key = "QLD|RES|SOLAR"
    segment(book, key)
    accrue(book, "A")
    found = bands(book)
    assert (found[key]["units_estimated"], found[key]["net_estimated"]) == (310, -31)
    assert (found["ELECTRICITY"]["units_estimated"], found["ELECTRICITY"]["net_estimated"]) == (0, -31)
    assert found[""]["net_without_band"] == -31


def test_a_band_that_is_lost_is_missed(town: Book) -> None:
    accrue(town, "A", "B")
    bands(town)
    query = (
        "select cases from bua.broken_identities(%s) where identity = 'the bands are those of the estimated dollars'"
    )
    assert town.rows(query, town.run_date) == []
    for level in ("SEGMENT", "FUEL", "BOOK"):
        town.rows("savepoint whole")
        town.rows("delete from bua.estimate_band where level = %s", level)
        assert town.rows(query, town.run_date) == [(1,)]
        town.rows("rollback to savepoint whole")


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 12, 19, 25, 30, 40, 60, 100])
@pytest.mark.parametrize(("percent", "inside"), [(80, 0.80), (95, 0.95)])
def test_students_t(book: Book, degrees: int, percent: int, inside: float) -> None:
    """The density integrated between the two quantiles by Simpson's rule."""
    t = float(book.value("select bua.t_quantile(%s, %s)", degrees, percent))
    log_constant = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.log(degrees * math.pi) / 2
    steps = 2000
    density = [
        math.exp(log_constant - (degrees + 1) / 2 * math.log1p((t * k / steps) ** 2 / degrees))
        for k in range(steps + 1)
    ]
    area = 2 * t / steps / 3 * (density[0] + density[-1] + 4 * sum(density[1:-1:2]) + 2 * sum(density[2:-1:2]))
    assert math.isclose(area, inside, abs_tol=0.0003)


def test_between_two_rows_the_wider(book: Book) -> None:
    assert book.value("select bua.t_quantile(59, 80)") == book.value("select bua.t_quantile(40, 80)")
