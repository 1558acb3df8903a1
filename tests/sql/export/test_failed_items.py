"""Work items that failed: their accounts are exceptions with the cause, in any run type; everything else is as before."""

from typing import Any

import pytest
from tests.sql.builder import Book
from tests.sql.test_export import monthly, rated, summary


def failed(book: Book, run_type: str, item: str, reason: str = "ValueError: no") -> None:
    """One more work item of a run type, failed."""
    partition = book.value("select bua.partition_name('bua_control', %s)", book.run_date)
    book.rows(
        f"create table if not exists bua.{partition}_{run_type.lower()} partition of bua.{partition} for values in ('{run_type}')"
    )
    book.rows("insert into bua.bua_control values (%s, %s, %s, 1, 'FAIL', %s)", book.run_date, run_type, item, reason)


def three(book: Book) -> None:
    for name in ("A", "B", "C"):
        account = rated(book, name)
        account.line(31, "31.00", item="DAILY", stream=None, gst="3.10")
        account.line(100, "30.00", gst="3.00")


def exceptions(book: Book) -> list[tuple[Any, ...]]:
    with book.acting_as("lambda"):
        return book.rows("select account_id, run_types, item_key, reason, unbilled_days, net_amount"
                         " from bua.export_exceptions order by 1, 3")  # fmt: skip


@pytest.mark.parametrize(
    ("run_type", "item", "words"),
    [
        ("MicroScalar", "A", "the account's usual use could not be worked out"),
        ("ResetBasicRead", "A", "estimates of an earlier attempt could not be removed"),
        ("BasicRead", "A", "missing index reads could not be estimated"),
        ("UtilityProfile", "S-A", "the site's interval reads could not be taken over"),
        ("NEM12", "S-A", "missing interval reads could not be estimated"),
    ],
)
def test_its_account_accrues_supply_alone_and_the_others_as_before(
    book: Book, run_type: str, item: str, words: str
) -> None:
    three(book)
    book.call("bua_prepare_export_data", ["A", "B", "C"])
    before = [row for row in monthly(book, "*") if row[1] != "A"]
    failed(book, run_type, item)
    book.call("bua_prepare_export_data", ["A", "B", "C"])
    book.call("collect_failures")
    assert exceptions(book) == [("A", run_type, None, f"{run_type} failed, {words}: ValueError: no", 31, 31)]
    assert summary(book, "net_amount, gst_amount::text, units_total, method, flags") == (
        31,
        "3.10",
        0,
        "NONE",
        "SUPPLY_ONLY",
    )
    assert [row for row in monthly(book, "*") if row[1] != "A"] == before


def test_a_cause_is_one_line_without_postgresqls_list_of_callers(book: Book) -> None:
    three(book)
    failed(
        book,
        "NEM12",
        "S-A",
        "NotNull: no\n  serial\nDETAIL:  of A\nCONTEXT:  PL/pgSQL function f() line 2\nSQL statement x\n",
    )
    book.call("bua_prepare_export_data", ["A", "B", "C"])
    assert exceptions(book)[0][3] == (
        "NEM12 failed, missing interval reads could not be estimated: NotNull: no serial DETAIL: of A"
    )


def test_several_causes_are_one_exception(book: Book) -> None:
    three(book)
    failed(book, "NEM12", "S-A", "no serial")
    failed(book, "MicroScalar", "A", "no scalar")
    book.call("bua_prepare_export_data", ["A", "B", "C"])
    assert [row[:4] for row in exceptions(book)] == [
        (
            "A",
            "MicroScalar;NEM12",
            None,
            (
                "MicroScalar failed, the account's usual use could not be worked out: no scalar;"
                " NEM12 failed, missing interval reads could not be estimated: no serial"
            ),
        )
    ]


def test_an_account_that_could_not_be_prepared_is_in_the_exceptions(book: Book) -> None:
    three(book)
    book.call("bua_prepare_export_data", ["B", "C"])
    failed(book, "PrepareExport", "A", "NumericValueOutOfRange: too much")
    book.call("collect_failures")
    assert exceptions(book) == [
        ("A", "PrepareExport", None, ("PrepareExport failed, the account's rows could not be prepared, nothing of it is accrued:"
         " NumericValueOutOfRange: too much"), 31, 0)
    ]  # fmt: skip


def test_items_of_no_account_and_of_billed_accounts_are_listed(book: Book) -> None:
    three(book)
    book.account("BILLED", opened="2025-11-01")
    book.billed("BILLED", "2025-11-01", "2026-10-31")
    failed(book, "UtilityProfile", "S-BILLED")
    failed(book, "SegmentJurisdictionFix", "QLD|RES|PRIMARY|2026-10", "deadlock")
    book.call("bua_prepare_export_data", ["A", "B", "C", "BILLED"])
    book.call("collect_failures")
    assert exceptions(book) == [
        ("BILLED", "UtilityProfile", None, "UtilityProfile failed, the site's interval reads could not be taken over: ValueError: no",
         0, 0),
        (None, "SegmentJurisdictionFix", "QLD|RES|PRIMARY|2026-10", ("SegmentJurisdictionFix failed, a month of the segment's average"
         " could not be worked out or corrected: deadlock"), 0, 0),
    ]  # fmt: skip


def test_accounts_of_a_failed_workflow_instance_are_exceptions(book: Book) -> None:
    three(book)
    not_taken = "the platform did not take over the estimated interval reads"
    for workflow, payload in (
        ("RUN_INVOICE_BATCH", '{"accounts": [{"account_id": "A", "windows": []}]}'),
        ("IMPORT_NEM12", '{"reads": [{"nmi": "S-B", "suffix": "E1"}, {"nmi": "S-B", "suffix": "B1"}]}'),
        ("LOAD_NEM12", '{"keys": ["nem12/2026-11-01/S-C.csv"]}'),
    ):
        instance = book.value("insert into core.workflow_instance (workflow_name, state, run_date, payload)"
                              " values (%s, 'FAILED', %s, %s) returning workflow_instance_id", workflow, book.run_date, payload)  # fmt: skip
        book.rows("insert into core.workflow_exception (workflow_instance_id, message) values (%s, 'first'), (%s, 'last')",
                  instance, instance)  # fmt: skip
    book.call("bua_prepare_export_data", ["A", "B", "C"])
    assert [row[:4] for row in exceptions(book)] == [
        ("A", "RUN_INVOICE_BATCH", None, "RUN_INVOICE_BATCH failed, the platform could not invoice the account: last"),
        ("B", "IMPORT_NEM12", None, f"IMPORT_NEM12 failed, {not_taken}: last"),
        ("C", "LOAD_NEM12", None, f"LOAD_NEM12 failed, {not_taken}: last"),
    ]


def test_who_was_at_a_failed_site_before_the_period_is_not_among_the_exceptions(book: Book) -> None:
    """The site's account of the period is; before, the failure had a second row, of no account."""
    three(book)
    book.account("OLD", site="S-A", opened="2020-01-01", closed="2024-12-31")
    failed(book, "UtilityProfile", "S-A")
    book.call("bua_prepare_export_data", ["A", "B", "C"])
    book.call("collect_failures")
    assert [row[:3] for row in exceptions(book)] == [("A", "UtilityProfile", None)]


def test_a_table_that_was_not_warmed_is_listed_with_its_name(book: Book) -> None:
    book.rows("insert into core.workflow_instance (workflow_name, state, run_date, payload)"
              " values ('WARM_TABLE', 'FAILED', %s, '{\"relation\": \"core.plan\"}')", book.run_date)  # fmt: skip
    book.call("collect_failures")
    assert exceptions(book) == [
        (None, "WARM_TABLE", "core.plan", ("WARM_TABLE failed, a table or index was not read into memory beforehand;"
         " no amount rests on it: no reason recorded"), 0, 0)
    ]  # fmt: skip


def test_what_failed_profiles_lost_and_who_follows_them(book: Book) -> None:
    """Of homes in Queensland a site and two months are missing. A comparison that failed is no loss."""
    three(book)
    book.basic("S-B", "41")  # B has an index meter as well: the profile spreads its use over the days
    failed(book, "UtilityProfile", "S-A")
    failed(book, "SegmentJurisdictionFix", "QLD|RES|PRIMARY|2026-10")
    failed(book, "SegmentJurisdictionCheck", "QLD|RES|PRIMARY|2026-09")
    failed(book, "Validate", "QLD|BUS|PRIMARY|2026-10")
    book.call("bua_prepare_export_data", ["A", "B", "C"])
    assert book.ask("incomplete_profiles") == [("QLD|RES|PRIMARY", 1, 2, 1)]
