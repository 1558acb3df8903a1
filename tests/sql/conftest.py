"""One database for all tests of the accrual: each works in a transaction of its own that is rolled back."""

from collections.abc import Iterator

import pytest
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.janitor import DatabaseJanitor
from tests.conftest import Database
from tests.sql.builder import Book

RUN_DATE = "2026-11-01"  # the period is 2025-11-01 to 2026-10-31
WINTER_RUN_DATE = "2026-07-01"  # 2025-07-01 to 2026-06-30: its accrual date is in winter


@pytest.fixture(scope="session")
def accrual_database(bua_template: NoopExecutor) -> Iterator[Database]:
    """Schema bua with the partitions of both runs; core_admin may become either service's role."""
    janitor = DatabaseJanitor(
        user=bua_template.user, password=bua_template.password, host=bua_template.host, port=bua_template.port,
        dbname="accrual_test", template_dbname=bua_template.template_dbname,
    )  # fmt: skip
    with janitor:
        database = Database(bua_template.host, bua_template.port, janitor.dbname)
        with database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("grant lambda, workflow to core_admin with inherit false, set true")
            for run_date in (RUN_DATE, WINTER_RUN_DATE):
                cursor.execute("call bua.prepare_run(%s)", (run_date,))
            connection.commit()
            connection.autocommit = True
            cursor.execute("vacuum analyze")
        yield database


@pytest.fixture
def book(accrual_database: Database) -> Iterator[Book]:
    """The books of the run of 1 November 2026."""
    with accrual_database.connect() as connection:
        yield Book(connection, RUN_DATE)


@pytest.fixture
def town(book: Book) -> Book:
    """The book of a segment whose profile is 4.8 kWh every day."""
    book.plan()
    book.segment()
    book.macro("2024-11-01", "2026-10-31")
    book.profile("2024-11-01", "2026-10-31", 0.1)
    return book


@pytest.fixture
def winter_book(accrual_database: Database) -> Iterator[Book]:
    """The books of the run of 1 July 2026."""
    with accrual_database.connect() as connection:
        yield Book(connection, WINTER_RUN_DATE)
