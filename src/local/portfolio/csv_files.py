"""One CSV file of the folder into records: encoding, header, field count, every field parsed."""

import csv
import dataclasses
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar, get_type_hints

from local.platform.text import SHOWN, shown, trimmed
from local.portfolio.fields import OrBlank, Parser
from local.portfolio.folder import content_of
from local.portfolio.problems import Problems

Record = TypeVar("Record")


@cache
def columns_of(record_type: type) -> dict[str, Parser[object]]:
    """Return column name -> parser, from the record's annotations."""
    hints = get_type_hints(record_type, include_extras=True)
    names = [field.name for field in dataclasses.fields(record_type) if field.name != "line"]
    return {name: hints[name].__metadata__[0] for name in names}


def read_records(path: Path, record_type: type[Record], problems: Problems) -> list[Record]:
    """Read every sound row of the file; each unsound one is reported with all of its faults and left out."""
    text = _decoded(path, problems)
    if text is None:
        return []
    rows = _numbered_rows(path.name, text, problems)
    header_line, header = next(rows, (1, []))
    header = [name.lower() for name in header]
    columns = columns_of(record_type)  # type: ignore[arg-type]  # a class is hashable
    if not _header_is_sound(path.name, header_line, header, list(columns), problems):
        return []
    columns = {name: columns[name] for name in header}
    parsed = (_values(path.name, line, columns, row, problems) for line, row in rows)
    return [record_type(**values) for values in parsed if values is not None]


def _decoded(path: Path, problems: Problems) -> str | None:
    content = content_of(path, path.name, problems)
    if content is None:
        return None
    fault = content.find(0)
    if fault < 0:
        try:
            return content.decode("utf-8-sig")  # spreadsheets put a byte order mark before UTF-8
        except UnicodeDecodeError as error:
            fault = error.start
    line = content.count(b"\n", 0, fault) + 1
    problems.add(path.name, line, "encoding", "is not UTF-8, save the file as CSV UTF-8")
    return None


def _numbered_rows(file: str, text: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which the row begins, stripped fields); blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            values = [trimmed(value) for value in row]
            if any(values):
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        problems.add(file, line, "row", f"is no CSV ({error}), check its quotes")


def _header_is_sound(file: str, line: int, header: list[str], wanted: list[str], problems: Problems) -> bool:
    if len(header) == 1 and (separator := next((c for c in ";\t|" if c in header[0]), None)):
        problems.add(file, line, "header", f"its columns are parted by {separator!r}, save the file with commas")
        return False
    missing = [name for name in wanted if name not in header]
    unknown = [name for name in header if name not in wanted]
    repeated = sorted({name for name in header if header.count(name) > 1})
    for name in missing:
        problems.add(file, line, name, f"column is missing, the header is {','.join(wanted)}")
    for name in unknown:
        problems.add(
            file,
            line,
            shown(name) if len(name) > SHOWN else name or "header",
            f"column is not known, the header is {','.join(wanted)}",
        )
    for name in repeated:
        problems.add(file, line, name, "column stands twice in the header, remove one")
    return not (missing or unknown or repeated)


def _values(
    file: str, line: int, columns: dict[str, Parser[object]], row: list[str], problems: Problems
) -> dict[str, object] | None:
    """Return the row's parsed fields, or None when one of them was reported."""
    if len(row) != len(columns):
        problems.add(file, line, "row", f"has {len(row)} fields where the header has {len(columns)}")
        return None
    values: dict[str, object] = {"line": line}
    for (name, parse), text in zip(columns.items(), row, strict=True):
        if not text and not isinstance(parse, OrBlank):
            problems.add(file, line, name, "is blank, fill it in")
            continue
        try:
            values[name] = parse(text)
        except ValueError as error:
            problems.add(file, line, name, str(error))
    return values if len(values) == len(columns) + 1 else None
