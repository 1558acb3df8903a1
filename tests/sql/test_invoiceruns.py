"""What the platform's invoicing is handed."""

from typing import Any

import pytest
from tests.sql.builder import Book


def schedules(book: Book) -> list[dict[str, Any]]:
    return [payload for (payload,) in book.rows(
        "select payload from core.workflow_schedule where workflow_name = 'GENERATE_ILI' and run_date = %s order by workflow_schedule_id",
        book.run_date,
    )]  # fmt: skip


def test_every_unbilled_account_with_its_windows(book: Book) -> None:
    for name in ("B", "A", "BILLED"):
        book.account(name, opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-09-30")
    book.billed("B", "2025-11-01", "2026-03-31")
    book.billed("B", "2026-05-01", "2026-10-30")
    book.billed("BILLED", "2025-11-01", "2026-10-31")
    book.call("bua_initiate_invoice_runs")
    assert schedules(book) == [
        {
            "run_date": "2026-11-01",
            "batch_no": 1,
            "accounts": [
                {"account_id": "A", "windows": [["2026-10-01", "2026-10-31"]]},
                {"account_id": "B", "windows": [["2026-04-01", "2026-04-30"], ["2026-10-31", "2026-10-31"]]},
            ],
        }
    ]


@pytest.mark.parametrize(("accounts", "batches"), [(100, [100]), (101, [100, 1])])
def test_a_hundred_accounts_a_batch(book: Book, accounts: int, batches: list[int]) -> None:
    for n in range(accounts):
        book.account(f"A{n:03}", site="S")
    book.call("bua_initiate_invoice_runs")
    assert [len(payload["accounts"]) for payload in schedules(book)] == batches
    assert [payload["batch_no"] for payload in schedules(book)] == [1, 2][: len(batches)]


def test_again_only_the_runs_own_rows_are_replaced(book: Book) -> None:
    book.account("A", opened="2025-11-01")
    book.billed("A", "2025-11-01", "2026-09-30", units={"PRIMARY": 1})
    for run_date in (book.run_date, "2026-10-01"):
        book.rows("insert into core.invoice (invoice_id, account_id, from_date, to_date, origin, run_date)"
                  " values ('BUA-' || %s, 'A', '2026-09-01', '2026-09-30', 'BUA', %s)", run_date, run_date)  # fmt: skip
        book.rows("insert into core.invoice_line_item (invoice_id, item_type, time_class, quantity, net_amount)"
                  " values ('BUA-' || %s, 'DAILY', 'ANYTIME', 1, 1)", run_date)  # fmt: skip
        book.rows("insert into core.billable_quantity values (%s, 'A', 'DAILY', null, 'ANYTIME', 'ACTUAL', null, '2026-09', 1, 1)",
                  run_date)  # fmt: skip
        for workflow in ("GENERATE_ILI", "RUN_INVOICE_BATCH", "INVOICEGEN", "WARM_TABLE"):
            book.rows(
                "insert into core.workflow_instance (workflow_name, run_date) values (%s, %s)", workflow, run_date
            )
        book.rows("insert into core.workflow_schedule (workflow_name, run_date) values ('GENERATE_ILI', %s)", run_date)
    for _ in range(2):
        book.call("bua_initiate_invoice_runs")
        assert len(schedules(book)) == 1
        assert book.rows("select invoice_id from core.invoice order by 1") == [("BUA-2026-10-01",), ("I-1",)]
        assert book.value("select count(*) from core.invoice_line_item") == 2
        assert book.value("select min(run_date)::text || count(*) from core.billable_quantity") == "2026-10-011"
        assert book.rows("select workflow_name from core.workflow_instance where run_date = %s", book.run_date) == [
            ("WARM_TABLE",)
        ]
        assert book.value("select count(*) from core.workflow_instance where run_date = '2026-10-01'") == 4
        assert book.value("select count(*) from core.workflow_schedule where run_date = '2026-10-01'") == 1
