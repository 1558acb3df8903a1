"""Does the work of a message's items: the work and its outcome in one transaction.

Duplicates, retries and late messages change nothing: only items that are still PENDING in the message's own attempt
are claimed, and their rows stay locked until the transaction that does them ends.
"""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg2

from shared.database.connections import Connection, Cursor
from shared.errors import PermanentError, on_one_line
from shared.telemetry import count_items, logger
from shared.work.messages import Work

Perform = Callable[[Cursor, Work, list[str]], None]


@dataclass(frozen=True)
class Outcome:
    """How many of a message's items were claimed, and how many of them failed."""

    claimed: int = 0
    failed: int = 0


def in_sql(cursor: Cursor, work: Work, items: list[str]) -> None:
    """The work of a run type whose arithmetic is SQL alone: one CALL."""
    cursor.execute("call bua.work_off(%s, %s, %s)", (work.run_date, work.run_type, items))


def work_off(connection: Connection, work: Work, perform: Perform) -> Outcome:
    """Claim, perform and finish the items of a message in one transaction.

    When the batch as a whole raises a data error its items are done one by one, so that one bad account fails alone
    and with its own reason. Connection errors, deadlocks and timeouts are raised, and the queue retries.
    """
    with connection.cursor() as cursor:
        items = claim(cursor, work)
        failed = 0
        if items and not _attempt(cursor, work, items, perform):
            failed = sum(not _attempt(cursor, work, [item], perform, fail=True) for item in items)
    connection.commit()
    outcome = Outcome(claimed=len(items), failed=failed)
    logger.info("items worked off", batch_no=work.batch_no, claimed=outcome.claimed, failed=outcome.failed)
    count_items("ItemsDone", work.run_type, outcome.claimed - outcome.failed)
    count_items("ItemsFailed", work.run_type, outcome.failed)
    return outcome


def claim(cursor: Cursor, work: Work) -> list[str]:
    """Those of the message's items that are still to be done, locked until the transaction ends."""
    cursor.execute(
        "select * from bua.claim_work_items(%s, %s, %s, %s)", (work.run_date, work.run_type, work.attempt, work.items)
    )
    return [row[0] for row in cursor.fetchall()]


def _attempt(cursor: Cursor, work: Work, items: list[str], perform: Perform, *, fail: bool = False) -> bool:
    cursor.execute("savepoint items")
    try:
        perform(cursor, work, items)
        cursor.execute("call bua.finish_work_items(%s, %s, %s)", (work.run_date, work.run_type, items))
    except (psycopg2.OperationalError, psycopg2.InterfaceError):
        raise
    except (psycopg2.Error, PermanentError) as error:
        cursor.execute("rollback to savepoint items")
        logger.warning("items failed", items=len(items), first_item=items[0], reason=on_one_line(error))
        if fail:
            cursor.execute(
                "call bua.fail_work_items(%s, %s, %s, %s, %s)",
                (work.run_date, work.run_type, work.attempt, items, on_one_line(error)),
            )
        return False
    cursor.execute("release savepoint items")
    return True
