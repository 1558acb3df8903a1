"""Loads a portfolio into EARL's production: the billing database, and the interval store that meterdata owns there."""

from contextlib import closing
from typing import Any, Protocol

import psycopg2

from local.aws import names
from local.platform.aggregation import aggregate
from local.platform.interval_loader import to_items
from local.portfolio.interval_import import importing
from local.portfolio.load import load_portfolio
from local.portfolio.meter_data import read_meter_data
from local.portfolio.records import Portfolio
from shared.metering.interval_store import decode_items


class Production(Protocol):
    """What this needs from the stack that production runs on."""

    @property
    def production_dsn(self) -> str: ...

    def client(self, account: str, service: str) -> Any: ...


def load_production(production: Production, portfolio: Portfolio) -> None:
    """Load a portfolio that has been found sound, and its meter data files.

    Everything is read and checked before anything is written. Raises InvalidPortfolio for meter data files that are
    refused, naming file and line, or that registers.csv does not know.
    """
    items = to_items(read_meter_data(portfolio))
    dynamodb, s3 = production.client("EARL", "dynamodb"), production.client("EARL", "s3")
    with closing(psycopg2.connect(production.production_dsn)) as connection:
        with importing(dynamodb, s3, bucket=names.IMPORT_BUCKET, table=names.EARL_INTERVAL_TABLE, items=items):
            load_portfolio(connection, portfolio)
            aggregate(connection, decode_items(items))
        connection.commit()
