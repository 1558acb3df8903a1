"""Rules of basic_reads.csv, gas_volumes.csv and temperatures.csv: whose index, which day, never backwards."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from local.portfolio.problems import Problems
from local.portfolio.records import LARGEST_QUANTITY, BasicRead, GasVolume, Portfolio, Register, Temperature
from local.portfolio.spans import DAY

if TYPE_CHECKING:
    from datetime import date

READS = "basic_reads.csv"
VOLUMES, TEMPERATURES = "gas_volumes.csv", "temperatures.csv"
RegisterKey = tuple[str, str, str]


def registers_by_key(portfolio: Portfolio) -> dict[RegisterKey, list[Register]]:
    """Return the registers of each (site, meter serial, register id); a meter that came back has several."""
    found: dict[RegisterKey, list[Register]] = defaultdict(list)
    for register in portfolio.registers:
        found[register.site_id, register.meter_serial, register.register_id].append(register)
    return found


def register_of_read(read: BasicRead, registers: list[Register]) -> Register | None:
    """Return the register that was on the wall on the read's day.

    A read stands at the start of its day, so a meter's removal is read on the day after its last.
    """
    inside = [
        r
        for r in registers
        if r.start_date <= read.read_date and (r.end_date is None or read.read_date <= r.end_date + DAY)
    ]
    return max(inside, key=lambda register: register.start_date, default=None)


def check_basic_reads(portfolio: Portfolio, problems: Problems) -> None:
    """Report reads of no basic register, two on one day, and an index that runs backwards."""
    registers = registers_by_key(portfolio)
    by_register: dict[Register, list[BasicRead]] = defaultdict(list)
    for read in portfolio.basic_reads:
        key = (read.site_id, read.meter_serial, read.register_id)
        if key not in registers:
            reason = (
                f"register {read.register_id} of meter {read.meter_serial} at {read.site_id} is not in registers.csv"
            )
            problems.add(READS, read.line, "register_id", reason)
            continue
        register = register_of_read(read, registers[key])
        if register is None:
            reason = f"{read.read_date} is outside the register's dates in registers.csv, line {registers[key][0].line}"
            problems.add(READS, read.line, "read_date", reason)
            continue
        _check_read(read, register, problems)
        by_register[register].append(read)
    for register, reads in by_register.items():
        _check_sequence(register, reads, problems)


def _check_read(read: BasicRead, register: Register, problems: Problems) -> None:
    if register.read_type != "BASIC":
        reason = f"register {read.register_id} is INTERVAL in registers.csv, its reads belong in nem12/"
        problems.add(READS, read.line, "register_id", reason)
    if register.digits is not None and read.index_value >= Decimal(10) ** register.digits:
        reason = f"{read.index_value} has more than the register's {register.digits} digits"
        problems.add(READS, read.line, "index_value", reason)
    if read.index_value * read.quantity_factor > LARGEST_QUANTITY:
        reason = f"times {read.quantity_factor} is more than {LARGEST_QUANTITY} kWh or MJ, correct one of them"
        problems.add(READS, read.line, "index_value", f"{read.index_value} {reason}")
    if read.quantity_factor == 0:
        problems.add(READS, read.line, "quantity_factor", "0 makes every quantity nothing, give kWh or MJ per unit")


def _check_sequence(register: Register, reads: list[BasicRead], problems: Problems) -> None:
    seen: dict[date, int] = {}
    for read in reads:
        first = seen.setdefault(read.read_date, read.line)
        if first != read.line:
            problems.add(READS, read.line, "read_date", f"{read.read_date} stands on line {first} already")
    # An estimate may well have been too high: only what was really read never runs backwards.
    actual = sorted((read for read in reads if read.quality == "A"), key=lambda read: (read.read_date, read.line))
    for before, after in pairwise(actual):
        if after.index_value < before.index_value and register.digits is None:
            reason = (
                f"{after.index_value} is below {before.index_value} of {before.read_date} (line {before.line}); "
                "give the register's digits if the index rolled over"
            )
            problems.add(READS, after.line, "index_value", reason)


def check_gas_volumes(portfolio: Portfolio, problems: Problems) -> None:
    """Report days that stand twice."""
    _check_days_of_zones(VOLUMES, portfolio.gas_volumes, problems)


def check_temperatures(portfolio: Portfolio, problems: Problems) -> None:
    """Report days that stand twice. A zone without gas volumes may have temperatures: nothing uses them."""
    _check_days_of_zones(TEMPERATURES, portfolio.temperatures, problems)


def _check_days_of_zones(name: str, days: Sequence[GasVolume | Temperature], problems: Problems) -> None:
    seen: dict[tuple[str, str, date], int] = {}
    for day in days:
        first = seen.setdefault((day.jurisdiction, day.node, day.date), day.line)
        if first != day.line:
            reason = f"{day.date} of {day.jurisdiction} {day.node} stands on line {first} already"
            problems.add(name, day.line, "date", reason)
