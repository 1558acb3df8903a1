"""PostgreSQL's binary COPY format, built by numpy: one record type per call, no Python per row.

https://www.postgresql.org/docs/17/sql-copy.html, section "Binary Format". Every value of a text column must have the
same length within one call, which makes a row a fixed record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"

_EPOCH = np.datetime64("2000-01-01", "D")
_INT4_OID, _INT8_OID = 23, 20


@dataclass(frozen=True)
class Column:
    """Values of one column, one per row, in the wire format."""

    values: npt.NDArray[Any]

    @property
    def size(self) -> int:
        """Bytes of one value."""
        return self.values.dtype.itemsize


def int2(values: npt.ArrayLike) -> Column:
    """A smallint column."""
    return Column(np.asarray(values).astype(">i2"))


def int4(values: npt.ArrayLike) -> Column:
    """An integer column."""
    return Column(np.asarray(values).astype(">i4"))


def int8(values: npt.ArrayLike) -> Column:
    """A bigint column."""
    return Column(np.asarray(values).astype(">i8"))


def date(values: npt.ArrayLike) -> Column:
    """A date column of numpy dates."""
    days = np.asarray(values, dtype="datetime64[D]") - _EPOCH
    return Column(days.astype(np.int64).astype(">i4"))


def text(values: Sequence[str] | str, rows: int) -> Column:
    """A text column of ASCII values of one length, or of one constant."""
    encoded = np.array([values] * rows if isinstance(values, str) else values, dtype=np.bytes_)
    return Column(encoded)


def int4_array(values: npt.NDArray[Any]) -> Column:
    """An integer[] column, one row of a matrix each."""
    return _array(values, ">i4", _INT4_OID)


def int8_array(values: npt.NDArray[Any]) -> Column:
    """A bigint[] column, one row of a matrix each."""
    return _array(values, ">i8", _INT8_OID)


def rows(columns: Iterable[Column]) -> bytes:
    """The rows of a table, to be sent between HEADER and TRAILER."""
    chosen = list(columns)
    fields: list[tuple[str, Any]] = [("count", ">i2")]
    for position, column in enumerate(chosen):
        fields += [(f"size{position}", ">i4"), (f"value{position}", column.values.dtype)]
    record = np.empty(len(chosen[0].values), dtype=np.dtype(fields))
    record["count"] = len(chosen)
    for position, column in enumerate(chosen):
        record[f"size{position}"] = column.size
        record[f"value{position}"] = column.values
    return record.tobytes()


def _array(values: npt.NDArray[Any], element: str, oid: int) -> Column:
    count, width = values.shape
    header = [("dimensions", ">i4"), ("flags", ">i4"), ("oid", ">i4"), ("length", ">i4"), ("lower_bound", ">i4")]
    dtype = np.dtype([*header, ("elements", [("size", ">i4"), ("value", element)], (width,))])
    column = np.empty(count, dtype=dtype)
    column["dimensions"], column["flags"], column["oid"] = 1, 0, oid
    column["length"], column["lower_bound"] = width, 1
    column["elements"]["size"] = np.dtype(element).itemsize
    column["elements"]["value"] = values
    return Column(column.view(f"V{dtype.itemsize}"))  # plain bytes: numpy copies a record field by field
