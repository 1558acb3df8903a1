"""Ties: two figures that must be the same. If one is not, nothing is signed and nothing is posted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared.report.table import Table, columns

Figure = Decimal | int


@dataclass(frozen=True)
class Tie:
    """Two figures that must be the same, and where each comes from."""

    name: str
    left: str
    left_figure: Figure
    right: str
    right_figure: Figure

    @property
    def difference(self) -> Figure:
        """What is on the left only; zero when the tie holds."""
        return self.left_figure - self.right_figure

    def __str__(self) -> str:
        """The broken tie in one sentence."""
        return (
            f"{self.name} does not tie: {self.left} has {self.left_figure:,}, {self.right} has {self.right_figure:,}, "
            f"a difference of {self.difference:,}."
        )


def broken(ties: Iterable[Tie]) -> list[Tie]:
    """The ties that do not hold."""
    return [tie for tie in ties if tie.difference]


def table(ties: Sequence[Tie]) -> Table:
    """Every tie with both figures as values, the broken ones on top."""
    rows = [
        (one.name, one.left, one.left_figure, one.right, one.right_figure, one.difference, "BROKEN" if one.difference else "ties")
        for one in sorted(ties, key=lambda one: not one.difference)
    ]  # fmt: skip
    heads = columns(
        "What", "is in", ("Figure", "figure"), "and in", ("Same figure", "figure"), ("Difference", "figure"), "Result"
    )
    return Table("ties", "Every tie", heads, rows)
