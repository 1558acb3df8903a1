"""Compare what `make explain` prints of every account with the second opinion, line by line.

The reading never sees the code: it works from the portfolio and docs/arithmetic.md, in floats. So units may differ by what rounding to
watt-hours leaves, and a line's cent may fall to the other side.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from tests.independent.accrual import Reading, Result

from shared.report.explain import Explanation
from shared.report.table import Table

UNITS, RELATIVE, DOLLARS = 0.006, 1e-6, Decimal("0.01")


def differences(reading: Reading, found: Explanation) -> Iterator[str]:
    """Sentences, one for each figure that is not the reading's."""
    tables = {table.key: table for table in found.tables}
    result = reading.results.get(found.account_id)
    if result is None:
        if "rated" in tables:
            yield "lines, and the reading has none"
        return
    yield from _spans(result, tables["spans"])
    yield from _units(result, tables.get("read_days"))
    yield from _scalars(reading, result, found)
    yield from _lines(result, tables["rated"])


def _close(theirs: float, ours: float) -> bool:
    return abs(theirs - ours) <= UNITS + RELATIVE * abs(ours)


def _spans(result: Result, table: Table) -> Iterator[str]:
    days = sum(row[2] for row in table.rows if row[3] in ("accrued", "exception"))
    if days != result.unbilled.sum():
        yield f"{days} unbilled days, not {result.unbilled.sum()}"


def _units(result: Result, table: Table | None) -> Iterator[str]:
    ours: dict[tuple[str, str], float] = defaultdict(float)
    for (stream, _, state), by_day in result.quantities.items():
        ours[stream, state] += float(by_day.sum())
    theirs = {} if table is None else {(row[0], row[1]): float(row[5]) for row in table.rows}
    for key in sorted({*ours, *theirs}):
        if not _close(theirs.get(key, 0), ours.get(key, 0)):
            yield f"{' '.join(key)}: {theirs.get(key, 0):.3f} units, not {ours.get(key, 0):.3f}"


def _scalars(reading: Reading, result: Result, found: Explanation) -> Iterator[str]:
    """Of registers with one gap; the reading keeps the scalar of the last one."""
    suffixes = {(one.serial, one.register_id): one.suffix for one in reading.folder.registers[result.account.site]}
    steps: dict[str, list[dict[str, object]]] = defaultdict(list)
    for table in found.tables:
        if table.key.startswith("estimate_") and "not used" not in table.title:
            serial, register = table.title.split("meter ")[1].split(", register ")
            key = f"{serial}/{suffixes.get((serial, register), register)}"
            steps[key].append({name: value for name, value, _ in table.rows})
    for key, (first, *more) in steps.items():
        ours = result.scalars.get(key)
        if more or ours is None or "Scalar" not in first or first["Method"] in ("GIANT_DAILY_MEAN", "OWN_DAILY_MEAN"):
            continue
        theirs = float(str(first["Scalar"]).replace(",", ""))
        if abs(theirs - ours) > 1e-5 * max(abs(ours), abs(theirs)):
            yield f"{key} {first['Method']}: scalar {theirs}, not {ours:.6g}"
        if first["Method"] not in result.methods:
            yield f"{key}: {first['Method']}, not {', '.join(sorted(result.methods))}"


def _lines(result: Result, table: Table) -> Iterator[str]:
    """By item and time class, quantity and net: which units of a day fill its blocks first, read or estimated ones, is not said anywhere."""
    ours: dict[tuple[str, str], Amounts] = defaultdict(_nothing)
    theirs: dict[tuple[str, str], Amounts] = defaultdict(_nothing)
    cents: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for item, time_class, _, quantity, net, _ in result.lines:
        ours[item, time_class] = _plus(ours[item, time_class], (quantity, net))
        cents[item, time_class] += DOLLARS
    for row in table.rows:
        theirs[row[1], row[3]] = _plus(theirs[row[1], row[3]], (row[6], row[12]))
    for key in sorted({*ours, *theirs}):
        (quantity, net), (their_quantity, their_net) = ours[key], theirs[key]
        if not _close(float(their_quantity), float(quantity)) or abs(their_net - net) > cents[key]:
            yield f"{' '.join(key)}: {their_quantity:.3f} for {their_net}, not {quantity:.3f} for {net}"


Amounts = tuple[Decimal, Decimal]


def _nothing() -> Amounts:
    return Decimal(0), Decimal(0)


def _plus(one: Amounts, other: Amounts) -> Amounts:
    return one[0] + other[0], one[1] + other[1]
