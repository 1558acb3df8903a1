"""Actions that are one CALL of schema bua with the run date."""

from collections.abc import Callable
from typing import Any

from psycopg2 import sql

from shared.context import Context
from shared.steps.requests import RunRequest

Action = Callable[[Context, RunRequest], dict[str, Any]]


def call(*procedures: str) -> Action:
    """An action that calls the procedures in order, in one transaction."""

    def action(context: Context, request: RunRequest) -> dict[str, Any]:
        with context.database.session(context.remaining_seconds()) as connection, connection.cursor() as cursor:
            for name in procedures:
                cursor.execute(sql.SQL("call bua.{}(%s)").format(sql.Identifier(name)), (request.run_date,))
            connection.commit()
        return {"called": list(procedures)}

    return action
