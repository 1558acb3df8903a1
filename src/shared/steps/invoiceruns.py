"""bua-invoiceruns: the platform's own invoicing, over all accounts."""

from typing import Any

from shared.context import Context
from shared.steps.requests import RunRequest

# Lower runs first: batches that are nearly invoiced are finished before new ones start.
PRIORITIES = {"INVOICEGEN": 10, "RUN_INVOICE_BATCH": 20, "GENERATE_ILI": 30}


def set_priorities(context: Context, request: RunRequest) -> dict[str, Any]:
    """Set the priorities of the invoicing workflows."""
    del request
    with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
        for name, priority in PRIORITIES.items():
            cursor.execute("update core.workflow set priority = %s where workflow_name = %s", (priority, name))
        connection.commit()
    return {"priorities": PRIORITIES}
