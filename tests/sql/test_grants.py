"""Who may do what in the schemas core and bua."""

import pytest
from tests.sql.builder import Book


def refused(book: Book, role: str, statement: str) -> bool:
    """Whether the role lacks the right; the transaction goes on."""
    book.rows("savepoint attempt")
    try:
        with book.acting_as(role):
            book.rows(statement)
    except Exception as error:  # noqa: BLE001
        book.rows("rollback to attempt")
        return type(error).__name__ == "InsufficientPrivilege"
    book.rows("rollback to attempt")
    return False


@pytest.mark.parametrize("role", ["lambda", "workflow"])
def test_no_service_may_truncate_anything(book: Book, role: str) -> None:
    assert (
        book.rows(
            "select c.oid::regclass::text from pg_class c where c.relnamespace in ('core'::regnamespace, 'bua'::regnamespace)"
            " and c.relkind in ('r', 'p') and has_table_privilege(%s, c.oid, 'TRUNCATE')",
            role,
        )
        == []
    )
    assert refused(book, role, "truncate bua.utility_profile")
    assert refused(book, role, "truncate core.workflow_instance")


def test_the_functions_role_writes_only_these_tables_of_the_platform(book: Book) -> None:
    found = dict(
        book.rows(
            "select c.relname, string_agg(p, ' ' order by p) from pg_class c, unnest(array['INSERT', 'UPDATE', 'DELETE']) p"
            " where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
            " and has_table_privilege('lambda', c.oid, p) group by 1"
        )
    )
    everything = "DELETE INSERT UPDATE"
    assert found == {
        "aggregated_read": everything, "meter_read": everything,
        "event_log": everything, "workflow_exception": everything, "workflow_instance": everything,
        "workflow_schedule": everything, "workflow": "UPDATE",
        "billable_quantity": "DELETE", "invoice": "DELETE", "invoice_line_item": "DELETE", "invoice_line_item_month": "DELETE",
    }  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "update core.account set plan_code = plan_code",
        "insert into core.plan values ('X')",
        "update core.plan_item set rate = 0",
        "delete from core.site",
        "insert into core.public_holiday values ('QLD', '2026-01-01')",
        "create table core.mine ()",
        "create table bua.mine ()",
        "drop table bua.segment",
        "alter table bua.utility_profile disable row level security",
        "call bua.prepare_run('2026-12-01')",
    ],
)
def test_the_functions_role_may_not(book: Book, statement: str) -> None:
    assert refused(book, "lambda", statement)


def test_routines_with_their_definers_rights_fix_their_search_path(book: Book) -> None:
    loose = book.rows(
        "select oid::regprocedure::text from pg_proc where pronamespace = 'bua'::regnamespace and prosecdef"
        " and not exists (select from unnest(proconfig) c where c like 'search_path=%%pg_temp')"
    )
    assert loose == []


def test_the_functions_role_may_call_every_routine_but_makes_none_its_own(book: Book) -> None:
    assert (
        book.rows(
            "select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'bua'::regnamespace"
            " and (not has_function_privilege('lambda', p.oid, 'EXECUTE') or p.proowner <> 'core_admin'::regrole)"
        )
        == []
    )


def test_truncating_by_name_reaches_a_runs_own_partitions_only(book: Book) -> None:
    book.rows("savepoint attempt")
    with pytest.raises(Exception, match="does not exist"):
        book.rows("call bua.truncate_run('run; drop table bua.run', %s)", book.run_date)
    book.rows("rollback to attempt")
    with pytest.raises(Exception, match="does not exist"):
        book.rows("call bua.truncate_run('run', %s)", book.run_date)
