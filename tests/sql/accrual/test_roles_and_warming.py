"""Who may do what, the warming of a restored database, and a run's partitions and calendar."""

from typing import Any

import pytest
from tests.sql.accrual.builder import ALL_DAY, Book, mask


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


# --- warming ----------------------------------------------------------------------------------------------------


def instances(book: Book, *names: str) -> list[tuple[str, str]]:
    return book.rows(  # type: ignore[return-value]
        "select workflow_name, payload ->> 'relation' from core.workflow_instance"
        " where run_date = %s and workflow_name = any (%s) order by 2",
        *(book.run_date, list(names)),
    )


def test_statistics_of_every_table_and_partition(book: Book) -> None:
    for _ in range(2):  # again: the instances are replaced
        book.call("core_warm_database_statistics")
        found = instances(book, "WARM_TABLE", "WARM_PARTITION")
        relations = [relation for _, relation in found]
        assert relations == [row[0] for row in book.rows(
            "select schemaname || '.' || tablename from pg_tables where schemaname = 'core' order by 1")]  # fmt: skip
        partitions = [relation for name, relation in found if name == "WARM_PARTITION"]
        assert partitions == [f"core.aggregated_read_{year}" for year in (*range(2010, 2031), "default")]
        assert ("WARM_TABLE", "core.aggregated_read") in found


def test_every_index_with_blocks_of_its_own(book: Book) -> None:
    for _ in range(2):
        book.call("core_warm_database_indexes")
        relations = [relation for _, relation in instances(book, "WARM_INDEX")]
    assert "core.aggregated_read_2026_meter_register_id_from_date_idx" in relations
    assert "core.invoice_account" in relations
    assert "core.aggregated_read_register" not in relations  # the partitioned index itself
    assert (
        len(relations)
        == len(set(relations))
        == book.value("select count(*) from pg_class where relnamespace = 'core'::regnamespace and relkind = 'i'")
    )


def test_the_workflow_service_executes_each(book: Book) -> None:
    book.rows("insert into core.plan select 'P' || n from generate_series(1, 500) n")
    book.call("core_warm_database_statistics")
    book.call("core_warm_database_indexes")
    routines = {
        "WARM_TABLE": "core_warm_table",
        "WARM_PARTITION": "core_warm_partition",
        "WARM_INDEX": "core_warm_index",
    }
    with book.acting_as("workflow"):
        for workflow, relation in instances(book, *routines):
            book.rows(f"call bua.{routines[workflow]}(%s)", relation)
    assert book.value("select reltuples from pg_class where oid = 'core.plan'::regclass") == 500


def test_a_partitioned_table_is_analysed_as_a_whole(book: Book) -> None:
    register = book.register(book.account("A"))
    book.platform_units(register, "2026-01-01", "2026-10-31", 1)
    with book.acting_as("lambda"):
        book.rows("call bua.core_warm_table('core.aggregated_read')")
    # 304 days, on the parent and on the year's partition.
    assert book.rows("select reltuples from pg_class where oid in ('core.aggregated_read'::regclass,"
                     " 'core.aggregated_read_2026'::regclass)") == [(304,), (304,)]  # fmt: skip


@pytest.mark.parametrize(
    ("procedure", "relation", "message"),
    [
        ("core_warm_partition", "core.plan", "not a partition"),
        ("core_warm_table", "core.nothing", "does not exist"),
        ("core_warm_index", "core.nothing", "does not exist"),
        ("core_warm_table", "core.plan; drop table core.plan", "does not exist|invalid name"),
    ],
)
def test_what_cannot_be_warmed_is_refused(book: Book, procedure: str, relation: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        book.rows(f"call bua.{procedure}(%s)", relation)


# --- runs and their partitions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run_date", "expected"),
    [
        ("2026-11-01", ("2025-11-01", "2026-11-01", "2026-10-31", "2024-11-01")),
        ("2026-01-01", ("2025-01-01", "2026-01-01", "2025-12-31", "2024-01-01")),
        ("2024-03-01", ("2023-03-01", "2024-03-01", "2024-02-29", "2022-03-01")),
        ("2026-11-17", ("2025-11-01", "2026-11-01", "2026-10-31", "2024-11-01")),
    ],
)
def test_the_period_of_a_run(book: Book, run_date: str, expected: tuple[str, ...]) -> None:
    for _ in range(2):
        book.rows("call bua.prepare_run(%s)", run_date)
    assert book.rows("select period_start::text, period_end::text, accrual_date::text, profile_start::text"
                     " from bua.run where run_date = %s", run_date) == [expected]  # fmt: skip


def test_every_partitioned_table_has_the_runs_partition(book: Book) -> None:
    without = book.rows(
        "select c.relname from pg_class c where c.relnamespace = 'bua'::regnamespace and c.relkind = 'p' and not c.relispartition"
        " and to_regclass('bua.' || bua.partition_name(c.relname, %s)) is null",
        book.run_date,
    )
    assert without == []


def calendar(book: Book, state: str, local_date: str) -> list[tuple[Any, ...]]:
    return book.rows(
        "select profile_date::text, half_hour_mask from bua.market_day where (jurisdiction, local_date) = (%s, %s) order by 1",
        *(state, local_date),
    )


def test_the_calendar_of_a_leap_day_and_a_years_end(book: Book) -> None:
    book.rows("call bua.prepare_run('2024-03-01')")
    for local_date, before in (("2024-02-29", "2024-02-28"), ("2024-01-01", "2023-12-31")):
        assert calendar(book, "NSW", local_date) == [(before, mask(47, 48)), (local_date, mask((1, 46)))]
        assert calendar(book, "QLD", local_date) == [(local_date, ALL_DAY)]


def test_every_half_hour_of_the_calendar_belongs_to_one_local_day(book: Book) -> None:
    assert (
        book.rows(
            "select jurisdiction, profile_date from bua.market_day group by 1, 2"
            " having bit_or(half_hour_mask) <> %s or sum(bit_count(half_hour_mask::bit(64))) <> 48",
            ALL_DAY,
        )
        == []
    )
    # Local days have 48 half-hours but where the clocks change; the calendar's outer days are cut off.
    assert book.rows(
        "select jurisdiction, local_date::text, sum(bit_count(half_hour_mask::bit(64))) from bua.market_day"
        " where local_date between '2026-01-01' and '2026-10-31' and jurisdiction in ('NSW', 'SA', 'QLD', 'WA')"
        " group by 1, 2 having sum(bit_count(half_hour_mask::bit(64))) <> 48 order by 1, 2"
    ) == [("NSW", "2026-04-05", 50), ("NSW", "2026-10-04", 46), ("SA", "2026-04-05", 50), ("SA", "2026-10-04", 46)]
