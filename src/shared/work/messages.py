"""The messages on the queues, typed."""

from datetime import date, datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import InvalidInput, describe

M = TypeVar("M", bound=BaseModel)


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    run_date: date
    run_type: str


class Tolerance(BaseModel):
    """How many failed work items a step accepts: max_errors, or acceptable_error_rate of all, whichever is more."""

    max_errors: int = Field(ge=0)
    acceptable_error_rate: float = Field(ge=0, le=1)

    def tolerates(self, failed: int, planned: int) -> bool:
        """Whether the step may continue with this number of failed items."""
        return failed <= max(self.max_errors, self.acceptable_error_rate * planned)


class FanOut(_Message, Tolerance):
    """One fan-out of a step: to site-initiate, which plans it, then round and round the next queue until it is done.

    attempt names one entry into the state of the state machine, so that a redelivered message resumes and a rerun
    starts afresh. idle_since is the clock's: since when it has found no message waiting in the function's queue.
    """

    attempt: str = Field(min_length=1)
    task_token: str = Field(min_length=1)
    step: str
    idle_since: datetime | None = None


class Work(_Message):
    """One batch of work items, to a site queue."""

    attempt: str
    batch_no: int
    items: list[str] = Field(min_length=1)


class IntervalExport(BaseModel):
    """EARL's export of production's interval store: the table as it was at a moment (ISO 8601, UTC), in a bucket."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    arn: str = Field(pattern=r"^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/[^/]+/export/[^/]+$")
    bucket: str = Field(min_length=3)
    prefix: str = Field(min_length=1)
    moment: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

    @property
    def export_id(self) -> str:
        """DynamoDB's name for the export, of which its folder in the bucket has the name too."""
        return self.arn.rsplit("/", 1)[1]


class Announcement(BaseModel):
    """EARL's announcement of a shared snapshot, with the export of the interval reads or why there is none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run_date: date
    snapshot_arn: str = Field(pattern=r"^arn:aws[a-z-]*:rds:[a-z0-9-]+:\d{12}:snapshot:.+$")
    interval_export: IntervalExport | None = None
    no_interval_export: str | None = None


def parse(model: type[M], text: str) -> M:
    """Parse a message's JSON; raises InvalidInput naming every field that is absent or wrong."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise InvalidInput(f"{model.__name__}: {describe(error)}") from error
