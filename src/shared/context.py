"""What an invocation of a function needs: settings, clients, ledger, database, clock. lambda_handler builds it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from shared.aws import clients
from shared.database.connections import Database
from shared.ledger import Ledger
from shared.settings import Settings, from_environment

ClientFactory = Callable[[str], Any]


@dataclass(frozen=True)
class Context:
    """Everything that is not in the event. remaining_seconds() counts down to the function's limit."""

    settings: Settings
    client: ClientFactory
    ledger: Ledger
    database: Database
    now: datetime
    remaining_seconds: Callable[[], float]


def build(environ: Mapping[str, str], lambda_context: Any) -> Context:
    """The context of one invocation; reuses between warm invocations what can be reused."""
    settings, ledger, database = _lasting(from_environment(environ), lambda_context.function_name)
    return Context(
        settings=settings,
        client=clients.client,
        ledger=ledger,
        database=database,
        now=datetime.now(UTC),
        remaining_seconds=lambda: float(lambda_context.get_remaining_time_in_millis()) / 1000,
    )


# Keyed by the settings, not by the environment: AWS puts a new trace id into the environment at every invocation.
@lru_cache(maxsize=1)
def _lasting(settings: Settings, function_name: str) -> tuple[Settings, Ledger, Database]:
    ledger = Ledger(clients.client("dynamodb"), settings.control_table)
    return settings, ledger, Database(settings, ledger, clients.client("secretsmanager"), function_name)
