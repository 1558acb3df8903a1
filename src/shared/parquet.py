"""Parquet files from rows of PostgreSQL: the same rows give the same bytes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

# Beside the rows that DuckDB reads at a time, a function's memory holds the interpreter and its clients.
MEMORY_LIMIT = "1GB"


@dataclass(frozen=True)
class Written:
    """A Parquet file: its rows, and the sums of some columns as they are in the file."""

    rows: int
    sums: dict[str, str]


def from_csv(source: Path, target: Path, columns: dict[str, str], added_up: tuple[str, ...]) -> Written:
    """Write a CSV file without a header, as COPY makes it, as Parquet.

    columns: the name of each column and its type in DuckDB. added_up: those whose sums are returned. One thread keeps the rows' order, and so the bytes.
    """
    with connect(target.parent) as database:
        rows = database.sql(
            "select * from read_csv(?, header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
            " nullstr = '', allow_quoted_nulls = false, columns = ?)",
            params=[str(source), columns],
        )
        rows.write_parquet(str(target), compression="zstd")
        return _written(database, target, added_up)


def connect(temporary: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory, of one thread, that spills into a folder and fetches no extension."""
    settings: dict[str, Any] = {
        "threads": 1, "memory_limit": MEMORY_LIMIT, "temp_directory": str(temporary / "spilled"),
        "autoinstall_known_extensions": False, "autoload_known_extensions": False,
    }  # fmt: skip
    return duckdb.connect(config=settings)


def _written(database: duckdb.DuckDBPyConnection, path: Path, added_up: tuple[str, ...]) -> Written:
    sums = "".join(f", coalesce(sum({name}), 0)::varchar" for name in added_up)
    found = database.execute(f"select count(*){sums} from read_parquet(?)", [str(path)]).fetchone() or (0,)
    return Written(int(found[0]), dict(zip(added_up, found[1:], strict=True)))
