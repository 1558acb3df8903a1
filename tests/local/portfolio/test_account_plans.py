"""account_plans.csv: an account's plans by date; the small portfolio's accounts A1 and A2 follow each other on a site."""

import pytest

from local.portfolio.problems import InvalidPortfolio
from local.portfolio.rules_plans import plans_by_day

HEADER = "account_id,plan_code,from_date,to_date"


def write(folder, *rows):
    (folder.path / "account_plans.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


def spans(folder, account_id):
    plans = plans_by_day(folder.read())[account_id]
    return sorted((str(first), str(last or ""), plan) for plan, (first, last) in plans)


def test_without_the_file_an_account_has_its_own_plan(folder):
    assert spans(folder, "A1") == [("2025-01-01", "2026-06-30", "FLAT")]
    assert spans(folder, "A2") == [("2026-07-01", "", "TOU")]


def test_days_that_the_history_leaves_out_have_the_accounts_own_plan(folder):
    write(folder, "A2,FLAT,2026-08-01,2026-08-31", "A2,FLAT,2026-10-16,")
    assert spans(folder, "A2") == [
        ("2026-07-01", "2026-07-31", "TOU"),
        ("2026-08-01", "2026-08-31", "FLAT"),
        ("2026-09-01", "2026-10-15", "TOU"),
        ("2026-10-16", "", "FLAT"),
    ]


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        (["A2,FALT,2026-08-01,"], ["account_plans.csv:2: plan_code: 'FALT' is not in plans.csv"]),
        (["A9,FLAT,2026-08-01,"], ["account_plans.csv:2: account_id: 'A9' is not in accounts.csv"]),
        (
            ["A2,FLAT,2026-08-02,2026-08-01"],
            ["account_plans.csv:2: to_date: 2026-08-01 is before from_date 2026-08-02"],
        ),
        (
            ["A2,FLAT,2026-06-30,"],
            ["account_plans.csv:2: from_date: 2026-06-30 is before account A2 opened on 2026-07-01"],
        ),
        (
            ["A1,TOU,2026-06-01,2026-07-01"],
            ["account_plans.csv:2: to_date: 2026-07-01 is after account A1 closed on 2026-06-30"],
        ),
        (
            ["A1,TOU,2026-07-01,"],
            ["account_plans.csv:2: from_date: 2026-07-01 is after account A1 closed on 2026-06-30"],
        ),
        (
            ["A2,FLAT,2026-08-01,2026-08-31", "B1,TOU,2026-08-31,", "A2,TOU,2026-08-31,"],
            [
                "account_plans.csv:4: from_date: overlaps the plan of line 2, end the earlier one the day before the later one begins",
            ],
        ),
        (["A2,FLAT,1 August,"], ["account_plans.csv:2: from_date: '1 August' is no date, write it as YYYY-MM-DD"]),
    ],
)
def test_a_history_that_cannot_be_is_refused(folder, rows, problems):
    write(folder, *rows)
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    assert [str(problem) for problem in refused.value.problems if problem.file == "account_plans.csv"] == problems


def test_every_unbilled_day_needs_a_price_of_its_own_plan(folder):
    """A2 has another plan from 1 October. It has no USAGE price before the 10th, and no FEED_IN price at all."""
    folder.add("plans.csv", "LATE,USAGE,ANYTIME,2026-10-10,,0.50,,,")
    write(folder, "A2,LATE,2026-10-01,")
    with pytest.raises(InvalidPortfolio) as refused:
        folder.read()
    (problem,) = refused.value.problems
    assert str(problem) == (
        "accounts.csv:3: plan_code: plan LATE has no USAGE price for register E1 of site 4103000001 on the unbilled days"
        " 2026-10-01 to 2026-10-09 (priced: 2026-10-10 to on), add it"
    )


def test_export_needs_no_price_where_a_plan_has_none(folder):
    folder.replace("plans.csv", "TOU,FEED_IN,ANYTIME,2025-01-01,,0.05,,,\n", "")
    assert len(folder.read().accounts) == 4


def test_an_index_may_be_priced_by_time_classes(folder):
    """B1 has basic registers; the plan of time classes prices all hours of the week."""
    folder.add("plans.csv", "TOU,CONTROL,ANYTIME,2025-01-01,,0.15,,,")
    write(folder, "B1,TOU,2026-10-01,")
    assert len(folder.read().account_plans) == 1
