"""What a part of the report hands over: its section, the ties that it rests on, the data of its pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.report.table import Section
from shared.report.ties import Tie


@dataclass(frozen=True)
class Part:
    """A section with its ties."""

    section: Section
    ties: Sequence[Tie] = ()
