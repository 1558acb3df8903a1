"""The common errors of the project. A state machine's Retry and Catch match on the class name."""

from pydantic import ValidationError

CAUSE_LENGTH = 500


class BuaError(Exception):
    """Base of every error raised on purpose; its message is written for the engineer on call."""


class RetriableError(BuaError):
    """The same call may succeed later; state machines and queues try again."""


class NotReady(RetriableError):  # noqa: N818 - the name that the state machines wait on
    """Something that a step waits for (a stack, a node group, workflow instances) is not ready yet."""


class RdsNotReady(NotReady):
    """RDS refuses for the moment: what it was just told is not known everywhere yet, or an instance is at work."""


class DatabaseUnavailable(RetriableError):  # noqa: N818
    """The database could not be reached, or has no free connection."""


class PermanentError(BuaError):
    """A retry changes nothing; someone has to look."""


class InvalidInput(PermanentError):  # noqa: N818
    """An event, a file or a portfolio is wrong; the message names the field, file or line and what to do."""


class NoCurrentRun(PermanentError):  # noqa: N818
    """There is no run, or no database, that a step could work on."""


class RunDateRefused(PermanentError):  # noqa: N818
    """A run date contradicts the environment's current run."""


class PeriodRefused(PermanentError):  # noqa: N818
    """Dates contradict the period that the run's database was made for."""


class RunInProgress(PermanentError):  # noqa: N818
    """Another execution is running in this environment; two runs at once would overwrite each other."""


class ResourceFailed(PermanentError):  # noqa: N818
    """A stack, snapshot, node group or instance ended in a state from which it does not recover by itself."""


class ContractBroken(PermanentError):  # noqa: N818
    """The restored database lacks something of the platform's schema that the accrual relies on."""


class MigrationRefused(PermanentError):  # noqa: N818
    """A migration that is already applied was changed or removed."""


class TooManyFailures(PermanentError):  # noqa: N818
    """More work items failed than the step's parameters accept."""


class ControlTotalsRefused(PermanentError):  # noqa: N818
    """What a run is about to hand over does not add up; finance gets nothing."""


class WorkflowsFailed(PermanentError):  # noqa: N818
    """Workflow instances of the run are still failed after they were resubmitted."""


class NobodyServes(PermanentError):  # noqa: N818
    """A step waits for pods, and none are running."""


class StatementFailed(PermanentError):  # noqa: N818
    """The database rejected a statement and would reject it again: something is missing, forbidden or wrong."""


def on_one_line(error: BaseException) -> str:
    """An error's class and message on one line of at most CAUSE_LENGTH characters, for a ledger, a row or a message."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:CAUSE_LENGTH]


def describe(error: ValidationError) -> str:
    """What is wrong with which fields, on one line and without the input, which may hold secrets."""
    return "; ".join(f"{'.'.join(map(str, d['loc'])) or 'message'}: {d['msg']}" for d in error.errors())
