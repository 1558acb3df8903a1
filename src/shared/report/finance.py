"""What finance decides about the report: materiality, the ledger's accounts and cost centres, kept in a YAML file."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import InvalidInput

DEFAULT = Path(__file__).with_name("finance.yaml")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Materiality(_Entry):
    """Dollars and shares, see finance.yaml."""

    overall: Annotated[Decimal, Field(gt=0)] | None = None
    overall_percent: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(5)
    performance: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.75")
    trivial: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.05")
    moved_percent: Annotated[Decimal, Field(gt=0)] = Decimal(10)
    band: Literal[80, 95] = 95


class LedgerAccount(_Entry):
    """An account of the general ledger."""

    code: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]


class LedgerAccounts(_Entry):
    """The accounts that the journal posts to."""

    accrued_income: LedgerAccount
    discounts: LedgerAccount
    usage: LedgerAccount
    supply: LedgerAccount
    controlled_load: LedgerAccount
    feed_in_cost: LedgerAccount
    feed_in_accrual: LedgerAccount


class Finance(_Entry):
    """The whole file."""

    materiality: Materiality = Materiality()
    accounts: LedgerAccounts
    cost_centres: dict[str, Annotated[str, Field(min_length=1)]] = {}

    def cost_centre(self, segment: str) -> str:
        """The cost centre of a journal segment, blank if none are kept; raises InvalidInput for one that is missing."""
        if not self.cost_centres:
            return ""
        if segment not in self.cost_centres:
            raise InvalidInput(f"cost_centres: the run has the journal segment {segment}, add it with its cost centre")
        return self.cost_centres[segment]


def read(path: Path = DEFAULT) -> Finance:
    """Read and check a file of finance's parameters; raises InvalidInput that names the field and what to do."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise InvalidInput(f"{path}: has to hold materiality, accounts and cost_centres, as {DEFAULT.name} does")
    try:
        return Finance.model_validate(content)
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {_advice(one['type'], one['msg'])}" for one in error.errors()
        )
        raise InvalidInput(f"{path}: {found}") from error


def _advice(kind: str, message: str) -> str:
    if kind == "missing":
        return "is missing, add it"
    if kind == "extra_forbidden":
        return "is not known, remove it or correct its spelling"
    if kind == "string_type":
        return "has to be text, write it in quotes"
    return f"{message[0].lower()}{message[1:]}, correct it"
