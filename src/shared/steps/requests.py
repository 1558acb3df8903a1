"""The base of every action's request."""

from datetime import date

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """What a state machine sends to an action; unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunRequest(Request):
    """A request that needs nothing but the run."""

    run_date: date
