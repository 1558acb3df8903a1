"""The migration runner of schema bua: Lambda action of restore, and command line.

    python -m shared.database.migrate --dsn "host=... dbname=core user=core_admin"

sql/migrations/NNNN_*.sql are versioned: each runs once, its checksum is recorded, and a changed or removed one is
refused. sql/procedures/**/*.sql are repeatable: whenever a file, or what is installed of it, differs from what was
recorded, all functions, procedures and views that the tree created are dropped and created again, so that an upgraded
database equals a new one and nothing outlives its file. All of it happens in one transaction under an advisory
lock. Files are sent whole: nothing here splits SQL. The master role of an RDS instance is enough; it is no superuser.
"""

import argparse
import hashlib
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psycopg2

from shared.database.connections import Connection, Cursor
from shared.errors import BuaError, MigrationRefused
from shared.paths import ROOT

LOCK = 0x627561  # "bua": one runner at a time per database
MIGRATION_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")

_BOOKKEEPING = """
create schema if not exists bua;
create table if not exists bua.schema_migration (
    name            text primary key,
    checksum        text not null,
    applied_at      timestamptz not null default now()
);
create table if not exists bua.schema_file (
    path            text primary key,
    checksum        text not null
);
create table if not exists bua.schema_routine (
    position        integer primary key,    -- order of creation; they are dropped from the end
    kind            text not null check (kind in ('function', 'procedure', 'view')),
    name            text not null,          -- as DROP wants it
    definition      text not null           -- checksum of what was installed
);
"""


class File(NamedTuple):
    """One SQL file; name is its path below sql/migrations or sql/procedures."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Routine(NamedTuple):
    """A function, procedure or view of schema bua as it is installed."""

    kind: str
    name: str
    definition: str


@dataclass
class Report:
    """What the runner did."""

    migrations: list[str] = field(default_factory=list)
    procedures: int = 0
    dropped: list[str] = field(default_factory=list)


def run(connection: Connection, folder: Path = ROOT / "sql") -> Report:
    """Bring schema bua to the state of the folder and commit. Raises MigrationRefused, or what a file raises."""
    report = Report()
    try:
        with connection.cursor() as cursor:
            # The lock before the tables: two runners on an empty database would both create them.
            cursor.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
            cursor.execute(_BOOKKEEPING)
            _apply_migrations(cursor, read_files(folder / "migrations"), report)
            _replace_procedures(cursor, read_files(folder / "procedures"), report)
        connection.commit()
    except Exception:
        connection.rollback()
        raise
    return report


def read_files(folder: Path) -> list[File]:
    """All SQL files below a folder, in the order of their paths."""
    paths = sorted(folder.rglob("*.sql"), key=lambda path: path.relative_to(folder).as_posix())
    return [File(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


def _apply_migrations(cursor: Cursor, files: list[File], report: Report) -> None:
    cursor.execute("select name, checksum from bua.schema_migration order by name")
    applied: dict[str, str] = dict(cursor.fetchall())
    _refuse_history(applied, files)
    for file in files:
        if file.name in applied:
            continue
        _execute(cursor, "migrations", file)
        cursor.execute("insert into bua.schema_migration (name, checksum) values (%s, %s)", (file.name, file.checksum))
        report.migrations.append(file.name)


def _refuse_history(applied: dict[str, str], files: list[File]) -> None:
    known = {file.name: file.checksum for file in files}
    for name in known:
        if not MIGRATION_NAME.fullmatch(name):
            raise MigrationRefused(f"migrations/{name}: a migration is called NNNN_words.sql")
    for name, checksum in applied.items():
        if name not in known:
            raise MigrationRefused(
                f"migrations/{name} is applied in this database but its file is missing: restore the file"
            )
        if known[name] != checksum:
            raise MigrationRefused(f"migrations/{name} was changed after it was applied: write a new migration instead")
    newest = max(applied, default="")
    for name in known.keys() - applied.keys():
        if name < newest:
            raise MigrationRefused(f"migrations/{name} comes before {newest}, which is already applied: renumber it")


def _replace_procedures(cursor: Cursor, files: list[File], report: Report) -> None:
    recorded = _recorded(cursor)
    if _recorded_files(cursor) == {file.name: file.checksum for file in files} and set(recorded) <= set(
        _installed(cursor)
    ):
        return
    for routine in reversed(recorded):
        # Without CASCADE: if something else depends on one of them, it is not ours to drop.
        cursor.execute(f"drop {routine.kind} if exists {routine.name}")
    cursor.execute("delete from bua.schema_routine; delete from bua.schema_file")
    not_ours = {routine.name for routine in _installed(cursor)}
    # Routines may call those of later files, so bodies are checked when all of them exist.
    cursor.execute("set local check_function_bodies = off")
    for file in files:
        _execute(cursor, "procedures", file)
        cursor.execute("insert into bua.schema_file (path, checksum) values (%s, %s)", (file.name, file.checksum))
    _check_bodies(cursor)
    made = [routine for routine in _installed(cursor) if routine.name not in not_ours]
    cursor.executemany(
        "insert into bua.schema_routine (position, kind, name, definition) values (%s, %s, %s, %s)",
        [(position, *routine) for position, routine in enumerate(made, start=1)],
    )
    report.procedures = len(made)
    report.dropped = sorted({routine.name for routine in recorded} - {routine.name for routine in made})


def _check_bodies(cursor: Cursor) -> None:
    """Check every body, as CREATE would have; raises for names that do not resolve."""
    cursor.execute("set local check_function_bodies = on")
    cursor.execute(
        "select p.oid::regprocedure::text, l.lanvalidator::regproc::text, p.oid from pg_catalog.pg_proc p"
        " join pg_catalog.pg_language l on l.oid = p.prolang"
        " where p.pronamespace = 'bua'::regnamespace and l.lanname in ('sql', 'plpgsql') order by p.oid"
    )
    for name, validator, oid in cursor.fetchall():
        try:
            cursor.execute(f"select {validator}(%s)", (oid,))
        except psycopg2.Error as error:
            error.add_note(f"in the body of {name}")
            raise


def _recorded_files(cursor: Cursor) -> dict[str, str]:
    cursor.execute("select path, checksum from bua.schema_file")
    return dict(cursor.fetchall())


def _recorded(cursor: Cursor) -> list[Routine]:
    cursor.execute("select kind, name, definition from bua.schema_routine order by position")
    return [Routine(*row) for row in cursor.fetchall()]


def _installed(cursor: Cursor) -> list[Routine]:
    """Functions, procedures and views of schema bua in the order of their creation, as they are now."""
    cursor.execute(
        "select kind, name, md5(definition) from ("
        " select p.oid, case p.prokind when 'p' then 'procedure' else 'function' end as kind,"
        "        p.oid::regprocedure::text as name, pg_get_functiondef(p.oid) as definition"
        " from pg_catalog.pg_proc p where p.pronamespace = 'bua'::regnamespace and p.prokind in ('f', 'p')"
        " union all"
        " select c.oid, 'view', c.oid::regclass::text, pg_get_viewdef(c.oid)"
        " from pg_catalog.pg_class c where c.relnamespace = 'bua'::regnamespace and c.relkind = 'v') r order by oid"
    )
    return [Routine(*row) for row in cursor.fetchall()]


def _execute(cursor: Cursor, folder: str, file: File) -> None:
    try:
        cursor.execute(file.text)
    except psycopg2.Error as error:
        error.add_note(f"in sql/{folder}/{file.name}")
        raise


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; 1 and the reason on standard error when a migration is refused."""
    parser = argparse.ArgumentParser(
        prog="python -m shared.database.migrate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--dsn", required=True, help="connection string of the role that owns schema bua")
    parser.add_argument("--sql", type=Path, default=ROOT / "sql", help="folder of migrations/ and procedures/")
    options = parser.parse_args(arguments)
    connection = psycopg2.connect(options.dsn)
    try:
        report = run(connection, options.sql)
    except (BuaError, psycopg2.Error) as error:
        print(error, *getattr(error, "__notes__", []), sep="\n", file=sys.stderr)
        return 1
    finally:
        connection.close()
    print(f"migrations applied: {', '.join(report.migrations) or 'none'}; routines made: {report.procedures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
