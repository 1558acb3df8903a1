"""The migration runner, with tiny trees of its own and with the real one."""

import shutil
from pathlib import Path

import psycopg2
import pytest

from shared.database.migrate import main
from shared.database.migrate import run as migrate
from shared.errors import MigrationRefused
from shared.paths import ROOT

# Everything of schema bua that somebody could notice, without what is bound to differ (oids, times).
CATALOGUE_OF_BUA = """
select 'relation', c.relname, c.relkind::text, coalesce(pg_get_viewdef(case c.relkind when 'v' then c.oid end), ''), c.relacl::text
from pg_class c where c.relnamespace = 'bua'::regnamespace
union all
select 'column', c.relname, a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)), ''
from pg_attribute a join pg_class c on c.oid = a.attrelid and c.relnamespace = 'bua'::regnamespace
left join pg_attrdef d on (d.adrelid, d.adnum) = (a.attrelid, a.attnum) where a.attnum > 0
union all
select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), ''
from pg_constraint where connamespace = 'bua'::regnamespace
union all
select 'routine', oid::regprocedure::text, '', pg_get_functiondef(oid), proacl::text
from pg_proc where pronamespace = 'bua'::regnamespace
order by 1, 2, 3, 4, 5
"""


def rows(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


MIGRATION = """
create table bua.thing (name text primary key);
-- A semicolon in a string; in a comment; and in a body must not be split at.
insert into bua.thing values ('a;b');
do $$ begin perform 1; perform 2; end $$;
"""
FUNCTION = "create function bua.one() returns integer language sql as $$ select 1; $$;"
VIEW = "create view bua.ones as select bua.one() as one;"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "procedures" / "01-first").mkdir(parents=True)
    (tmp_path / "migrations" / "0001_thing.sql").write_text(MIGRATION)
    (tmp_path / "procedures" / "01-first" / "010_one.sql").write_text(FUNCTION)
    (tmp_path / "procedures" / "01-first" / "020_ones.sql").write_text(VIEW)
    return tmp_path


def test_installs_and_does_nothing_the_second_time(empty_database, tree):
    with empty_database.connect() as connection:
        first = migrate(connection, tree)
        second = migrate(connection, tree)
        assert (first.migrations, first.procedures) == (["0001_thing.sql"], 2)
        assert (second.migrations, second.procedures, second.dropped) == ([], 0, [])
        assert rows(connection, "select name from bua.thing") == [("a;b",)]


def test_an_applied_migration_is_history(empty_database, tree):
    with empty_database.connect() as connection:
        migrate(connection, tree)
        (tree / "migrations" / "0001_thing.sql").write_text(MIGRATION + "-- afterthought")
        with pytest.raises(MigrationRefused, match="was changed after it was applied"):
            migrate(connection, tree)
        (tree / "migrations" / "0001_thing.sql").unlink()
        with pytest.raises(MigrationRefused, match="its file is missing"):
            migrate(connection, tree)


def test_a_migration_cannot_be_slipped_in_before_an_applied_one(empty_database, tree):
    with empty_database.connect() as connection:
        (tree / "migrations" / "0003_later.sql").write_text("create table bua.later ();")
        migrate(connection, tree)
        (tree / "migrations" / "0002_forgotten.sql").write_text("create table bua.forgotten ();")
        with pytest.raises(MigrationRefused, match="renumber"):
            migrate(connection, tree)


def test_a_changed_function_may_change_its_type_and_takes_its_view_along(empty_database, tree):
    with empty_database.connect() as connection:
        migrate(connection, tree)
        # CREATE OR REPLACE could do neither: another result type, and a view that depends on it.
        (tree / "procedures" / "01-first" / "010_one.sql").write_text(
            FUNCTION.replace("integer", "text").replace("1;", "'one';")
        )
        migrate(connection, tree)
        assert rows(connection, "select one from bua.ones") == [("one",)]


def test_what_is_removed_from_the_tree_is_dropped(empty_database, tree):
    with empty_database.connect() as connection:
        migrate(connection, tree)
        (tree / "procedures" / "01-first" / "020_ones.sql").unlink()
        assert migrate(connection, tree).dropped == ["bua.ones"]
        assert rows(connection, "select to_regclass('bua.ones')") == [(None,)]


def test_what_somebody_changed_in_the_database_is_put_right(empty_database, tree):
    with empty_database.connect() as connection:
        migrate(connection, tree)
        with connection.cursor() as cursor:
            cursor.execute(FUNCTION.replace("create", "create or replace", 1).replace("select 1", "select 2"))
        connection.commit()
        assert migrate(connection, tree).procedures == 2
        assert rows(connection, "select bua.one()") == [(1,)]


def test_a_failing_file_leaves_nothing_behind_and_is_named(empty_database, tree):
    (tree / "procedures" / "01-first" / "030_bad.sql").write_text("create function bua.bad() nonsense")
    with empty_database.connect() as connection:
        with pytest.raises(psycopg2.errors.SyntaxError) as caught:
            migrate(connection, tree)
        assert caught.value.__notes__ == ["in sql/procedures/01-first/030_bad.sql"]
        assert rows(connection, "select count(*) from pg_namespace where nspname = 'bua'") == [(0,)]


def test_the_command_line_says_what_is_wrong(empty_database, tree, capsys):
    assert main(["--dsn", empty_database.dsn, "--sql", str(tree)]) == 0
    (tree / "migrations" / "1_short.sql").write_text("select 1")
    assert main(["--dsn", empty_database.dsn, "--sql", str(tree)]) == 1
    assert "NNNN_words.sql" in capsys.readouterr().err


def test_installed_upgraded_and_reinstalled_are_the_same(platform_database, tree):
    """The real tree: from nothing, and over a database in which all of it has to be replaced."""
    with platform_database.connect() as connection:
        migrate(connection)
        installed = rows(connection, CATALOGUE_OF_BUA)
        with connection.cursor() as cursor:
            cursor.execute("update bua.schema_file set checksum = 'of an older version'")
            cursor.execute(
                "create or replace function bua.parameter(p_name text) returns numeric language sql as 'select 0.0'"
            )
        connection.commit()
        assert migrate(connection).procedures > 20
        assert rows(connection, CATALOGUE_OF_BUA) == installed
        assert migrate(connection).procedures == 0


def test_a_release_that_the_database_has_not_seen_gives_what_a_new_database_has(platform_database, tmp_path):
    """Upgrade: the newest migration and the last procedures come a release later than the others."""
    with platform_database.connect() as connection:
        migrate(connection)
        installed = rows(connection, CATALOGUE_OF_BUA)
        with connection.cursor() as cursor:
            cursor.execute("drop schema bua cascade")
        connection.commit()
        older = tmp_path / "older"
        shutil.copytree(ROOT / "sql", older)
        shutil.rmtree(older / "procedures" / "12-export")
        shutil.rmtree(older / "procedures" / "99-grants")
        migrate(connection, older)
        migrate(connection)
        assert rows(connection, CATALOGUE_OF_BUA) == installed
