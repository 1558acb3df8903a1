"""bua-terminate: the stack, the snapshot's copy, and the ledger's word that nothing is left."""

from typing import Any

from shared.context import Context
from shared.steps import restore
from shared.steps.control import TERMINATED
from shared.steps.requests import RunRequest


def delete_copy(context: Context, request: RunRequest) -> dict[str, Any]:
    """Delete the snapshot's copy and record that the run's database is gone."""
    deleted = restore.delete_copy(context, request)
    if context.ledger.current().run_date == request.run_date:
        context.ledger.set_current({"state": TERMINATED}, remove=("db_host", "db_port"))
    return deleted
