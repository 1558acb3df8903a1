"""The catalogue of functions, run types and state machines (catalogue.yaml), typed."""

from functools import cache
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import InvalidInput, describe
from shared.paths import ROOT


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Queue(_Entry):
    """The event source of a queue function."""

    batch_size: int
    concurrency: int


class Function(_Entry):
    """One Lambda function."""

    description: str
    timeout_seconds: int
    memory_mb: int
    requirements: tuple[str, ...]
    services: tuple[str, ...]
    include: tuple[str, ...] = ()
    queue: Queue | None = None
    ephemeral_mb: int = 512


class RunType(_Entry):
    """One kind of fan-out: the function that does its work, and the work items per message."""

    function: str
    items_per_message: int


class Calls(_Entry):
    """What a state machine calls. Its placeholders and its permissions are built from this and nothing else."""

    functions: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class StateMachine(_Entry):
    """One state machine, in the order of the pipeline."""

    step: str
    account: Literal["EARL", "ANSTEAD"]
    calls: Calls = Calls()
    needs: tuple[str, ...] = ()
    run_types: dict[str, RunType] = {}


class Runtime(_Entry):
    """What the functions run on."""

    python: str
    architecture: str


class Catalogue(_Entry):
    """The whole file."""

    runtime: Runtime
    functions: dict[str, Function]
    state_machines: tuple[StateMachine, ...] = Field(min_length=1)

    @property
    def run_types(self) -> dict[str, RunType]:
        """Every step's run types, in the order of the pipeline."""
        return {name: run_type for machine in self.state_machines for name, run_type in machine.run_types.items()}

    def run_type(self, name: str) -> RunType:
        """Look a run type up; raises InvalidInput that lists those that exist."""
        try:
            return self.run_types[name]
        except KeyError:
            raise InvalidInput(
                f"run type {name!r} does not exist; the run types are {', '.join(self.run_types)}"
            ) from None

    def pipeline(self) -> dict[str, tuple[str, ...]]:
        """The thirteen steps that `bua` runs, in order, each with the scale-ups that it needs."""
        return {m.step: m.needs for m in self.state_machines if m.account == "ANSTEAD" and m.step != "bua"}


@cache
def load() -> Catalogue:
    """Read the catalogue; raises InvalidInput that names the fields that are wrong."""
    return parse(yaml.safe_load((ROOT / "catalogue.yaml").read_text(encoding="utf-8")))


def parse(content: object) -> Catalogue:
    """Check a catalogue's content; raises InvalidInput that names the fields that are wrong."""
    try:
        return Catalogue.model_validate(content)
    except ValidationError as error:
        raise InvalidInput(f"catalogue.yaml: {describe(error)}") from None
