"""Puts a portfolio into EARL's production: the billing database and the interval store that meterdata owns there."""

from contextlib import closing
from typing import Any, Protocol

import psycopg2

from local import names
from local.platform.aggregation import aggregate
from local.platform.interval_loader import to_items, write_items
from local.platform.nem12_fields import MeterDataFile
from local.platform.nem12_reader import read_path
from local.portfolio.load import load_portfolio
from local.portfolio.records import Portfolio
from shared.errors import InvalidInput
from shared.interval_store import decode_items


class Production(Protocol):
    """What is needed of the stack that production runs on."""

    @property
    def production_dsn(self) -> str: ...

    def client(self, account: str, service: str) -> Any: ...


def load_production(production: Production, portfolio: Portfolio) -> None:
    """Load a portfolio that has been found sound, and its meter data files.

    Everything is read and judged before anything is written. Raises InvalidInput for a meter data file that is refused,
    naming file and line, or that holds a site which registers.csv does not know.
    """
    items = to_items(_read(portfolio))
    with closing(psycopg2.connect(production.production_dsn)) as connection:
        load_portfolio(connection, portfolio)
        write_items(production.client("EARL", "dynamodb"), names.EARL_INTERVAL_TABLE, items)
        aggregate(connection, decode_items(items))
        connection.commit()


def _read(portfolio: Portfolio) -> list[MeterDataFile]:
    sites = {register.site_id for register in portfolio.registers}
    files = [file for path in portfolio.nem12_files for file in read_path(path)]
    for file in files:
        for day in file.days:
            if day.nmi not in sites:
                raise InvalidInput(f"nem12/{file.name}:{day.line}: NMI {day.nmi} has no register in registers.csv")
    return files
