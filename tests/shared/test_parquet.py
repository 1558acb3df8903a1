"""Rows of PostgreSQL's CSV become Parquet: types, what is empty and what is null, and the same bytes every time."""

import datetime as dt
from decimal import Decimal

import duckdb

from shared import parquet

COLUMNS = {"name": "VARCHAR", "local_date": "DATE", "units": "DECIMAL(18,6)", "number": "BIGINT", "note": "VARCHAR"}


def write(place, text: str) -> parquet.Written:
    (place / "rows.csv").write_text(text)
    return parquet.from_csv(place / "rows.csv", place / "rows.parquet", COLUMNS, ("units",))


def test_values_keep_their_types_and_an_empty_text_is_no_null(tmp_path):
    written = write(tmp_path, 'A,2028-02-29,0.100001,,"one, ""two""\nthree"\n"",,-2.5,9007199254740993,\n')
    assert written == parquet.Written(2, {"units": "-2.399999"})
    assert duckdb.sql(f"select * from '{tmp_path}/rows.parquet'").fetchall() == [
        ("A", dt.date(2028, 2, 29), Decimal("0.100001"), None, 'one, "two"\nthree'),
        ("", None, Decimal("-2.500000"), 9007199254740993, None),
    ]


def test_without_rows_there_are_columns(tmp_path):
    assert write(tmp_path, "") == parquet.Written(0, {"units": "0.000000"})
    assert duckdb.sql(f"select * from '{tmp_path}/rows.parquet'").columns == list(COLUMNS)


def test_the_same_rows_give_the_same_bytes_in_the_same_order(tmp_path):
    rows = "".join(f"A{n % 7},2026-01-01,{n}.5,{n},\n" for n in range(300_000))  # more than a row group
    write(tmp_path, rows)
    first = (tmp_path / "rows.parquet").read_bytes()
    write(tmp_path, rows)
    assert (tmp_path / "rows.parquet").read_bytes() == first
    numbers = duckdb.sql(f"select number from '{tmp_path}/rows.parquet'").fetchnumpy()["number"]
    assert list(numbers) == list(range(300_000))
