"""The check of bua_control that ends (reset-)basicreads."""

from typing import Any

from shared.context import Context
from shared.errors import TooManyFailures
from shared.steps.requests import RunRequest
from shared.work.messages import Tolerance

SHOWN_FAILURES = 3


class CheckFailures(RunRequest, Tolerance):
    """control.check_failures"""

    run_type: str


def check_failures(context: Context, request: CheckFailures) -> dict[str, Any]:
    """Check bua_control for failures of a run type; raises TooManyFailures with the first reasons."""
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(*) filter (where state = 'FAIL') from bua.bua_control"
            " where run_date = %s and run_type = %s",
            (request.run_date, request.run_type),
        )
        planned, failed = cursor.fetchone() or (0, 0)
        cursor.execute(
            "select item_key, reason from bua.bua_control"
            " where run_date = %s and run_type = %s and state = 'FAIL' order by item_key limit %s",
            (request.run_date, request.run_type, SHOWN_FAILURES),
        )
        reasons = "; ".join(f"{item}: {reason}" for item, reason in cursor.fetchall())
    if not request.tolerates(failed, planned):
        raise TooManyFailures(f"{request.run_type}: {failed} of {planned} work items failed: {reasons}")
    return {"planned": planned, "failed": failed, "reasons": reasons}
