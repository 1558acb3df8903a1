"""Errors of observations that are worked out by hand."""

import io
import math
import statistics
from datetime import date

import pytest
from PIL import Image
from rich.console import Console

from local.backtest import report
from local.backtest.picture import draw
from local.backtest.report import Coverage
from local.backtest.score import Observation, quantile, score, t_value

MARCH, APRIL = date(2025, 4, 1), date(2025, 5, 1)


def seen(
    run_date, account, missing, *, segment="QLD RES", method="READS", fuel="ELECTRICITY", **estimates
) -> Observation:
    ways = {way.replace("_", " "): units for way, units in estimates.items()}
    return Observation(run_date, account, fuel, segment, method, missing, ways)


OBSERVATIONS = [
    seen(MARCH, "1", 100.0, product=110.0, last_bill=130.0),
    seen(MARCH, "2", 300.0, product=270.0, last_bill=300.0, segment="QLD BUS"),
    seen(APRIL, "1", 200.0, product=240.0, method="RECENT_DAYS"),
]


def test_errors_are_shares_of_the_missing_units():
    found = score("product", OBSERVATIONS)
    # March: -20 of 400 with 40 off; April: +40 of 200. Accounts: 10, 10 and 20 %.
    assert [(m.book, m.wape) for m in found.months] == [(-5.0, 10.0), (20.0, 20.0)]
    assert (found.bias, found.book, found.accounts, found.missing) == (7.5, 12.5, 3, 600.0)
    assert found.wape == pytest.approx(100 * 80 / 600)
    assert found.median == 10.0
    assert found.p90 == pytest.approx(18.0)  # between the second and the third, eight tenths of the way
    assert found.spread == pytest.approx(math.sqrt(2 * 12.5**2))
    assert found.t is None  # two months


def test_an_account_that_used_nothing_has_no_percentage_but_counts():
    found = score("product", [seen(MARCH, "1", 100.0, product=100.0), seen(MARCH, "2", 0.0, product=50.0)])
    assert (found.bias, found.wape, found.median, found.accounts) == (50.0, 50.0, 0.0, 2)


def test_nothing_missing_is_no_score():
    assert score("product", [seen(MARCH, "1", 0.0, product=5.0)]) is None
    assert score("last year", OBSERVATIONS) is None


def test_t_allows_for_months_that_share_days():
    # Deviations -1, 0, 1: squares 2; a month apart 0; two apart -1, which counts 2 x 1/3. Sum 4/3, divided by n (n - 1).
    assert t_value([1, 2, 3]) == pytest.approx(2 / math.sqrt(4 / 3 / 6))
    # Without overlap it is the ordinary t.
    values = [1.0, 4.0, 2.0, 7.0]
    assert t_value(values, lags=0) == pytest.approx(statistics.mean(values) / (statistics.stdev(values) / 2))
    assert t_value([1, 2]) is None
    assert t_value([3, 3, 3]) is None


def test_quantiles_lie_between_values():
    values = [10.0, 20.0, 40.0, 45.0, 70.0]
    assert quantile(values, 0.9) == pytest.approx(statistics.quantiles(values, n=10, method="inclusive")[-1])
    assert quantile(values, 0.5) == statistics.median(values)
    assert quantile([], 0.5) is None


def test_a_simpler_way_is_followed_by_the_product_on_the_same_accounts():
    found = [(line.group, line.name, line.label, line.score.accounts) for line in report.lines(OBSERVATIONS)]
    assert found == [
        ("all", "", "product", 3),
        ("all", "", "last bill", 2),
        ("all", "", "product, where last bill is known", 2),
        ("segment", "QLD BUS", "product", 1),
        ("segment", "QLD BUS", "last bill", 1),
        ("segment", "QLD RES", "product", 2),
        ("segment", "QLD RES", "last bill", 1),
        ("segment", "QLD RES", "product, where last bill is known", 1),
        ("method", "READS", "product", 2),
        ("method", "READS", "last bill", 2),
        ("method", "RECENT_DAYS", "product", 1),
    ]


def test_fuels_are_never_added_up():
    both = [*OBSERVATIONS, seen(MARCH, "9", 9000.0, product=9000.0, fuel="GAS", segment="VIC RES")]
    assert [(line.fuel, line.score.missing) for line in report.lines(both) if line.group == "all" and not line.on] == [
        ("ELECTRICITY", 600.0), ("ELECTRICITY", 400.0), ("GAS", 9000.0),
    ]  # fmt: skip


def test_files_have_the_figures(tmp_path):
    coverage = [Coverage(MARCH, 3, 2, [("7", "ELECTRICITY", "QLD RES", "READS")]), Coverage(APRIL, 1, 1, [])]
    report.write_files(list(report.lines(OBSERVATIONS)), OBSERVATIONS, coverage, tmp_path)
    summary = (tmp_path / "backtest.csv").read_text().splitlines()
    assert summary[1] == "ELECTRICITY,all,,product,2,3,600.000,7.50,17.68,,12.50,10.00,18.00,13.33,7.07"
    months = (tmp_path / "backtest_months.csv").read_text().splitlines()
    assert months[1:3] == [
        "2025-03-31,ELECTRICITY,product,2,400.000,380.000,-5.00,10.00",
        "2025-04-30,ELECTRICITY,product,1,200.000,240.000,20.00,20.00",
    ]
    accounts = (tmp_path / "backtest_accounts.csv").read_text().splitlines()
    assert accounts[1:] == [
        "2025-03-31,1,ELECTRICITY,QLD RES,READS,100.000,110.000,130.000,,,,,",
        "2025-03-31,2,ELECTRICITY,QLD BUS,READS,300.000,270.000,300.000,,,,,",
        "2025-03-31,7,ELECTRICITY,QLD RES,READS,,,,,,,,",
        "2025-04-30,1,ELECTRICITY,QLD RES,RECENT_DAYS,200.000,240.000,,,,,,",
    ]


def test_the_table_says_what_it_rests_on():
    console = Console(record=True, width=160, file=io.StringIO())
    report.print_summary(
        report.lines(OBSERVATIONS), [Coverage(MARCH, 4, 2, []), Coverage(APRIL, 20, 19, [])], [], OBSERVATIONS, console
    )
    text = console.export_text()
    assert "At 2 month ends 24 accounts had something missing; of 21 all of it was read later" in text
    assert "2025-03 2 of 4, 2025-04 19 of 20." in text
    assert "of 2025-03 less than 95% of the accounts is settled" in text  # 19 of 20 is 95 %


def test_the_same_figures_draw_the_same_picture(tmp_path):
    for name in ("a.png", "b.png"):
        draw(list(report.lines(OBSERVATIONS)), tmp_path / name)
    draw(list(report.lines(OBSERVATIONS[:2])), tmp_path / "c.png")
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.png", "b.png", "c.png"))
    assert a == b != c
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (1200, 432)
        assert "Software" not in picture.info
