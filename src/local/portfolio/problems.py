"""What is wrong with a portfolio folder, collected so that one reading shows (nearly) everything there is to mend."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from local.platform.text import printable
from shared.errors import InvalidInput

SHOWN = 20


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault: where it stands, and what to do about it."""

    file: str
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return printable(f"{place}: {self.field}: {self.reason}")


class InvalidPortfolio(InvalidInput):
    """The portfolio folder was refused as a whole; nothing of it was loaded."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        lines = [str(problem) for problem in problems[:SHOWN]]
        if len(problems) > SHOWN:
            lines.append(f"... and {len(problems) - SHOWN} more")
        super().__init__(f"{len(problems)} problem(s) in the portfolio, nothing was loaded:\n" + "\n".join(lines))


@dataclass(slots=True)
class Problems:
    """Collects problems; reading goes on until raise_if_any()."""

    found: list[Problem] = field(default_factory=list)

    def add(self, file: str, line: int, field_name: str, reason: str) -> None:
        self.found.append(Problem(file, line, field_name, reason))

    def free_of(self, files: Iterable[str]) -> bool:
        """Tell whether nothing was found in any of the files: then a rule between their rows is worth judging."""
        spoilt = {problem.file for problem in self.found}
        return spoilt.isdisjoint(files)

    def raise_if_any(self) -> None:
        """Raise InvalidPortfolio with what was found, ordered by file and line."""
        if self.found:
            raise InvalidPortfolio(sorted(self.found))
