"""Work items: planned once an attempt, claimed once, finished in the transaction that does the work."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from psycopg2.extras import Json
from tests.conftest import Database
from tests.sql.builder import Book

from shared.steps.evidence import TABLES

ITEMS = ["A1", "A2", "A3", "A4", "A5"]


@pytest.fixture
def five(book: Book) -> Book:
    """Five unbilled accounts."""
    for name in ITEMS:
        book.account(name, site="S")
    return book


def plan(book: Book, attempt: str, run_type: str = "BasicRead", size: int = 2) -> list[tuple[Any, ...]]:
    return book.ask("plan_work_items", run_type, attempt, size)


def claim(book: Book, attempt: str, items: list[str], run_type: str = "BasicRead") -> list[str]:
    return [item for (item,) in book.ask("claim_work_items", run_type, attempt, items)]


def counts(book: Book, attempt: str, run_type: str = "BasicRead") -> tuple[Any, ...]:
    """planned, pending, done, skip, fail."""
    return book.ask("count_work_items", run_type, attempt)[0]


def test_a_plan_is_cut_into_batches(five: Book) -> None:
    assert plan(five, "one") == [(1, ["A1", "A2"]), (2, ["A3", "A4"]), (3, ["A5"])]
    assert counts(five, "one") == (5, 5, 0, 0, 0)
    assert five.value("select planned from bua.fan_out where run_date = %s", five.run_date) == 5


def test_the_same_attempt_resumes_with_what_was_not_enqueued(five: Book) -> None:
    plan(five, "one")
    five.call("mark_enqueued", "BasicRead", "one", [1, 3])
    claim(five, "one", ["A1"])
    five.call("finish_work_items", "BasicRead", ["A1"])
    five.account("A6", site="S")  # planned work is planned
    assert plan(five, "one") == [(2, ["A3", "A4"])]
    five.call("mark_enqueued", "BasicRead", "one", [2])
    assert plan(five, "one") == []
    assert counts(five, "one") == (5, 4, 1, 0, 0)


def test_a_new_attempt_begins_anew(five: Book) -> None:
    plan(five, "one")
    five.call("mark_enqueued", "BasicRead", "one", [1, 2, 3])
    claim(five, "one", ITEMS)
    five.call("finish_work_items", "BasicRead", ITEMS)
    assert plan(five, "two", size=5) == [(1, ITEMS)]
    assert counts(five, "two") == (5, 5, 0, 0, 0)


def test_a_stale_attempt_claims_counts_fails_and_marks_nothing(five: Book) -> None:
    plan(five, "one")
    plan(five, "two")
    assert claim(five, "one", ITEMS) == []
    assert counts(five, "one") == (0, 0, 0, 0, 0)
    five.call("fail_work_items", "BasicRead", "one", ITEMS, "late")
    five.call("mark_enqueued", "BasicRead", "one", [1, 2, 3])
    assert counts(five, "two") == (5, 5, 0, 0, 0)
    assert len(plan(five, "two")) == 3


def test_outcomes(five: Book) -> None:
    plan(five, "one")
    assert claim(five, "one", ["A5", "A1", "UNKNOWN"]) == ["A1", "A5"]
    five.call("skip_work_items", "BasicRead", ["A2"], "No basic register")
    five.call("fail_work_items", "BasicRead", "one", ["A3"], "broken")
    five.call("finish_work_items", "BasicRead", ["A1", "A2", "A3"])  # an outcome stands
    assert counts(five, "one") == (5, 2, 1, 1, 1)
    assert claim(five, "one", ITEMS) == ["A4", "A5"]
    five.call("skip_work_items", "BasicRead", ["A1", "A3"], "late")
    five.call("fail_work_items", "BasicRead", "one", ["A1", "A2"], "late")
    found = five.rows(
        "select item_key, state, reason from bua.bua_control where run_date = %s order by 1", five.run_date
    )
    assert found[:3] == [("A1", "DONE", None), ("A2", "SKIP", "No basic register"), ("A3", "FAIL", "broken")]


def test_run_types_and_runs_are_apart(five: Book) -> None:
    winter = Book(five.connection, "2026-07-01")
    for book in (five, winter):
        for run_type in ("BasicRead", "MicroScalar"):
            plan(book, "one", run_type)
    five.call("finish_work_items", "BasicRead", ITEMS)
    assert counts(five, "one") == (5, 0, 5, 0, 0)
    assert counts(five, "one", "MicroScalar") == counts(winter, "one") == (5, 5, 0, 0, 0)
    plan(five, "two")
    assert counts(winter, "one") == (5, 5, 0, 0, 0)


def test_what_each_run_type_works_on(book: Book) -> None:
    site = book.account("HOME", state="NSW")
    register = book.register(site)
    book.register(site, "B1", stream="SOLAR")
    book.basic(book.account("BASIC", opened="2026-10-01"))
    book.account("BILLED", opened="2025-11-01")
    book.billed("BILLED", "2025-11-01", "2026-10-31")
    book.account("GONE", opened="2020-01-01", closed="2020-12-31")
    assert plan(book, "one", "UtilityProfile", 250) == [(1, ["S-HOME"])]
    book.days(register, "2026-09-30", "2026-10-02")
    book.close_profiles()
    # From 45 days before the first read.
    months = [(1, [f"NSW|RES|PRIMARY|2026-{month}" for month in ("08", "09", "10")])]
    for run_type in ("SegmentJurisdictionAvgExclEst", "SegmentJurisdictionCheck", "SegmentJurisdictionFix", "Validate"):
        assert plan(book, "one", run_type, 12) == months
    for run_type in ("MicroScalar", "ResetBasicRead", "BasicRead"):
        assert plan(book, "one", run_type, 100) == [(1, ["BASIC", "HOME"])]
    book.call("bua_create_macro_profile")
    book.call("bua_create_invoice_scalar", ["BASIC", "HOME"])
    assert plan(book, "one", "NEM12", 50) == [(1, ["S-HOME"])]  # the segment's average at least
    assert plan(book, "one", "PrepareExport", 100) == [(1, ["BASIC", "BILLED", "HOME"])]
    files = [
        "BUAAccountSummary",
        "InvoiceLineItemMonthly",
        "estimate_bands",
        "exceptions",
        "implausible_reads",
        "profile_marks",
        "summary",
    ]
    assert plan(book, "one", "Export", 10) == [(1, files)]
    evidence = [f"{name}/0001" for name in sorted(TABLES)]
    assert plan(book, "one", "ExportEvidence", 10) == [(1, evidence)]


def test_neighbours_of_a_segment_travel_together(book: Book) -> None:
    for n, state in enumerate(("VIC", "NSW", "VIC", "NSW")):
        book.register(book.account(f"A{n}", state=state))
    assert plan(book, "one", "UtilityProfile", 2) == [(1, ["S-A1", "S-A3"]), (2, ["S-A0", "S-A2"])]


def test_an_unknown_run_type_is_refused(book: Book) -> None:
    with pytest.raises(Exception, match="there is no run type Nonsense"):
        plan(book, "one", "Nonsense")


# Which tables a new attempt of a run type empties.
RESETS = {
    "UtilityProfile": [
        "incomplete_day",
        "segment_partial",
        "utility_profile",
        "utility_profile_log",
        "utility_profile_summary",
    ],
    "SegmentJurisdictionAvgExclEst": ["segment_profile", "segment_profile_mark"],  # segment, segment_day are made anew
    "SegmentJurisdictionCheck": ["segment_profile_mark"],
    "SegmentJurisdictionFix": [],
    "Validate": ["utility_profile_variance"],
    "MicroScalar": ["micro_scalar", "read_difference"],
    "ResetBasicRead": [],
    "BasicRead": [],
    "NEM12": [],
    "PrepareExport": ["account_exception", "account_summary", "invoice_line_item_monthly"],
    "Export": [],
    "ExportEvidence": ["evidence_file"],
}

FILL = """
insert into bua.utility_profile values ({run}, 'S', 1, '2026-01-01', 3, array_fill(1, array[48]), repeat('E', 48), 1, 0, 1);
insert into bua.utility_profile_log values ({run}, 'S', 1, 1, null);
insert into bua.utility_profile_summary values ({run}, 1, 'QLD|RES|PRIMARY', 0, 0, '{{}}', false);
insert into bua.incomplete_day values ({run}, 'QLD|RES|PRIMARY', '2026-01-01', 1, 1);
insert into bua.segment_partial values ({run}, 1, 'S', 'NSW|RES|PRIMARY', '2030-01-01', '{{1}}', '{{1}}', 1);
insert into bua.segment values ({run}, 'QLD|RES|PRIMARY', '2026-01-01', '2026-01-02', 1);
insert into bua.segment_profile values ({run}, 'QLD|RES|PRIMARY', '2026-01-01', '{{1}}', '{{1}}', 0, '{{1}}');
insert into bua.segment_profile_mark values ({run}, 'QLD|RES|PRIMARY', '2026-01-01', 1, 'HIGH', 1, 1, null, null);
insert into bua.utility_profile_variance values ({run}, 'QLD|RES|PRIMARY', '2026-01', 1, 1, 1, false);
insert into bua.micro_scalar (run_date, account_id, meter_register_id, site_id, read_type, stream_type, profile_key,
    register_ids, occupied) values ({run}, 'A', 1, 'S', 'BASIC', 'PRIMARY', 'K', '{{1}}', '{{[2026-01-01,]}}');
insert into bua.read_difference values ({run}, 'A', 1, '2026-01-01', 1, 2);
insert into bua.account_exception values ({run}, 'A', 'S', 'GAS', 'QLD', '2026-01-01', '2026-01-01', 1, 'because');
insert into bua.account_summary values ({run}, 'A', 'S', 'GAS', 'QLD', 'RES', 'MASS', null, '2026-01-01', '2026-01-01', 1,
    'DUE', 'MJ', 1, 1, 1, 1, 1, 1, 'ACTUAL', null, '');
insert into bua.invoice_line_item_monthly values ({run}, 'A', 1, '2026-01', 'DAILY', null, 'ANYTIME', 1, 1, 1, 1, 1, 1, 1, 'ACTUAL');
insert into bua.evidence_file values ({run}, 'account_days', 1, 1, 1, '', '{{}}');
"""


@pytest.mark.parametrize("run_type", RESETS)
def test_a_new_attempt_empties_the_steps_own_tables_of_its_run(book: Book, run_type: str) -> None:
    tables = sorted({table for emptied in RESETS.values() for table in emptied})
    for run_date in (book.run_date, "2026-07-01"):
        book.rows(FILL.format(run=f"'{run_date}'"))
    plan(book, "new", run_type)
    left = {t for t in tables if book.value(f"select count(*) from bua.{t} where run_date = %s", book.run_date) == 0}
    assert sorted(left) == RESETS[run_type]
    assert all(book.value(f"select count(*) from bua.{t} where run_date = '2026-07-01'") == 1 for t in tables)
    book.rows(FILL.format(run=f"'{book.run_date}'").replace(");", ") on conflict do nothing;"))
    plan(book, "new", run_type)  # resuming empties nothing: what was done stays done
    assert all(book.value(f"select count(*) from bua.{t} where run_date = %s", book.run_date) for t in tables)


def test_a_duplicate_waits_and_then_finds_nothing(bua_database: Database) -> None:
    with bua_database.connect() as owner:
        book = Book(owner, "2026-11-01")
        book.rows("grant lambda to core_admin with inherit false, set true")
        book.rows("call bua.prepare_run('2026-11-01')")
        for name in ITEMS:
            book.account(name, site="S")
        plan(book, "one", size=5)
        owner.commit()
    claimed: list[list[str]] = []

    def second() -> None:
        with bua_database.connect("lambda") as connection, connection.cursor() as cursor:
            cursor.execute("select bua.claim_work_items('2026-11-01', 'BasicRead', 'one', %s)", (ITEMS[1:],))
            claimed.append([item for (item,) in cursor.fetchall()])

    with bua_database.connect("lambda") as connection, connection.cursor() as cursor:
        cursor.execute("select bua.claim_work_items('2026-11-01', 'BasicRead', 'one', %s)", (ITEMS[:4],))
        assert [item for (item,) in cursor.fetchall()] == ITEMS[:4]
        duplicate = threading.Thread(target=second)
        duplicate.start()
        duplicate.join(0.3)
        assert duplicate.is_alive()  # it waits for the first to commit or to give up
        cursor.execute("call bua.finish_work_items('2026-11-01', 'BasicRead', %s)", (ITEMS[:4],))
        connection.commit()
        duplicate.join(30)
    assert claimed == [["A5"]]


# --- calculations started from SQL ------------------------------------------------------------------------------


def test_calculations_through_the_workflow_engine(book: Book) -> None:
    """bua_initiate raises instances, which the workflow service executes as its own role."""
    book.plan()
    book.gas_volume("2026-01-01", "2026-10-31", 1000)
    for name in "ABCDEF":
        register = book.register(book.account(f"I-{name}", opened="2026-07-01"))
        book.billed(f"I-{name}", "2026-07-01", "2026-09-30")
        book.days(register, "2026-07-02", "2026-10-15" if name == "A" else "2026-10-31", 100)
    basic = book.basic(book.account("B", opened="2026-07-01"))
    book.billed("B", "2026-07-01", "2026-09-30")
    book.read(basic, ("2026-07-01", 0), ("2026-10-01", 883.2))
    book.close_profiles()
    for run_type in (
        "SegmentJurisdictionAvgExclEst", "SegmentJurisdictionCheck", "SegmentJurisdictionFix", "Validate", "macro",
        "MicroScalar", "ResetBasicRead", "BasicRead", "PrepareExport",
    ):  # fmt: skip
        if run_type == "macro":
            book.call("import_gas_volumes_profile_creation")
            book.call("bua_create_macro_profile")
            continue
        for _ in range(2):  # again: the instances are replaced, the work is done anew
            book.call("bua_initiate", run_type)
            payloads = book.rows("select payload from core.workflow_instance where workflow_name = 'BUA_CALCULATION'"
                                 " and payload ->> 'run_type' = %s and state = 'READY'", run_type)  # fmt: skip
            assert len(payloads) == 1
            with book.acting_as("workflow"):
                for (payload,) in payloads:
                    book.rows("call bua.execute_calculation(%s)", Json(payload))
                    # A resubmitted instance finds nothing left.
                    book.rows("call bua.execute_calculation(%s)", Json(payload))
        states = book.rows("select distinct state from bua.bua_control where run_type = %s and run_date = %s",
                           run_type, book.run_date)  # fmt: skip
        assert ("PENDING",) not in states
    assert book.scalar("I-A", "method, scalar") == ("RECENT_DAYS", 1)
    assert book.scalar("B", "method, scalar") == ("READS", 2)
    assert book.value("select sum(quantity) from core.aggregated_read where origin = 'BUA'") == Decimal("297.6")


@pytest.mark.parametrize("run_type", ["UtilityProfile", "NEM12", "Export", "ExportEvidence"])
def test_calculations_that_need_aws_are_refused(book: Book, run_type: str) -> None:
    with pytest.raises(Exception, match="is not worked off in SQL"):
        book.call("bua_initiate", run_type)
