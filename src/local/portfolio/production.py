"""Loads a portfolio into EARL's production: the billing database, and the interval store that meterdata owns there."""

from contextlib import closing
from typing import Any, Protocol

import psycopg2

from local.aws import names
from local.platform.aggregation import aggregate
from local.portfolio.interval_import import importing
from local.portfolio.load import load_portfolio
from local.portfolio.records import Portfolio
from shared.metering.interval_store import decode_items


class Production(Protocol):
    """What this needs from the stack that production runs on."""

    @property
    def production_dsn(self) -> str: ...

    def client(self, account: str, service: str) -> Any: ...


def load_production(production: Production, portfolio: Portfolio) -> None:
    """Load a portfolio that has been found sound, its meter data with it."""
    items = portfolio.meter_data.items
    dynamodb, s3 = production.client("EARL", "dynamodb"), production.client("EARL", "s3")
    with closing(psycopg2.connect(production.production_dsn)) as connection:
        with importing(dynamodb, s3, bucket=names.IMPORT_BUCKET, table=names.EARL_INTERVAL_TABLE, items=items):
            load_portfolio(connection, portfolio)
            aggregate(connection, decode_items(items))
        connection.commit()
