"""Statistics and memory of a restored database."""

import pytest
from psycopg2.extras import Json
from tests.sql.builder import Book


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


def test_a_large_relation_is_cut_into_pieces_and_the_last_asks_for_statistics(book: Book) -> None:
    # 400 rows of a block each: text that does not compress, stored in the row.
    book.rows("create table core.large (t text)")
    book.rows("alter table core.large alter t set storage plain")
    book.rows("insert into core.large select repeat('x', 7000) from generate_series(1, 400)")
    assert [payload for (payload,) in book.rows("select bua.warming_pieces('core.large', 150)")] == [
        {"relation": "core.large", "first_block": 0, "last_block": 149},
        {"relation": "core.large", "first_block": 150, "last_block": 299},
        {"relation": "core.large", "first_block": 300, "last_block": 399, "analyze": True},
    ]
    assert book.value("select bua.warming_pieces('core.aggregated_read')") == {
        "relation": "core.aggregated_read", "analyze": True,
    }  # fmt: skip
    for (piece,) in book.rows("select bua.warming_pieces('core.large', 150)"):
        book.rows("call bua.core_warm_table(%s)", Json(piece))
    assert book.value("select reltuples from pg_class where oid = 'core.large'::regclass") == 400
    # What was emptied since has no such blocks any more.
    book.rows("truncate core.large")
    book.rows("call bua.core_warm_table(%s)", Json({"relation": "core.large", "first_block": 0, "last_block": 149}))


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
        for workflow, payload in book.rows(
            "select workflow_name, payload from core.workflow_instance where run_date = %s"
            " order by workflow_instance_id", book.run_date):  # fmt: skip
            book.rows(f"call bua.{routines[workflow]}(%s)", Json(payload))
    assert book.value("select reltuples from pg_class where oid = 'core.plan'::regclass") == 500


def test_a_partitioned_table_is_analysed_as_a_whole(book: Book) -> None:
    register = book.register(book.account("A"))
    book.platform_units(register, "2026-01-01", "2026-10-31", 1)
    with book.acting_as("lambda"):
        book.rows("call bua.core_warm_table(%s)", Json({"relation": "core.aggregated_read", "analyze": True}))
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
        book.rows(f"call bua.{procedure}(%s)", Json({"relation": relation}))
