"""Every error of the project. The class name is what a state machine's Retry and Catch match on."""


class BuaError(Exception):
    """Base of every error raised on purpose; its message is written for the person who reads it at 3 a.m."""


class RetriableError(BuaError):
    """The same call may succeed later; state machines and queues try again."""


class NotReady(RetriableError):  # noqa: N818 - the name that the state machines wait on
    """Something that is being waited for (a stack, a node group, workflow instances) has not arrived yet."""


class DatabaseUnavailable(RetriableError):  # noqa: N818
    """The database could not be reached, or has no connection to spare."""


class PermanentError(BuaError):
    """Trying again changes nothing; somebody has to look."""


class InvalidInput(PermanentError):  # noqa: N818
    """An event, a file or a portfolio is wrong; the message names the field, file or line and what to do."""
