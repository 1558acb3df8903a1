"""Reads the folder's meter data files and judges them against registers.csv, as a whole, like everything else."""

from collections import defaultdict
from collections.abc import Iterable

from local.platform.nem12_fields import MeterDataFile
from local.platform.nem12_reader import read_path
from local.portfolio.problems import Problems
from local.portfolio.records import Portfolio, Register
from shared.errors import InvalidInput

REACTIVE = ("Q", "K")  # never billed as kWh; files of large meters hold them without anybody asking


def read_meter_data(portfolio: Portfolio) -> list[MeterDataFile]:
    """Return every file of nem12/, in the order of their names.

    Raises InvalidPortfolio with each file's first fault. Days outside a register's dates are taken: the store holds
    them, and nothing that is billed looks at them.
    """
    problems = Problems()
    registers: dict[str, dict[str, list[Register]]] = defaultdict(lambda: defaultdict(list))
    for register in portfolio.registers:
        registers[register.site_id][register.suffix].append(register)
    files: list[MeterDataFile] = []
    for path in portfolio.nem12_files:
        try:
            files.extend(read_path(path))
        except InvalidInput as error:
            _refused(path.name, str(error), problems)
    for file in files:
        _check(file, registers, problems)
    problems.raise_if_any()
    return files


def _refused(name: str, message: str, problems: Problems) -> None:
    """The reader says `name:line: reason`, of a zip's members too."""
    place, _, reason = message.partition(": ")
    file, _, line = place.rpartition(":")
    if line.isdigit():
        problems.add(f"nem12/{file}", int(line), "record", reason)
    else:
        problems.add(f"nem12/{name}", 0, "file", message)


def _check(file: MeterDataFile, registers: dict[str, dict[str, list[Register]]], problems: Problems) -> None:
    name = f"nem12/{file.name}"
    if file.accumulations:
        line = file.accumulations[0].line
        problems.add(name, line, "record", "NEM13 holds reads of basic meters, which belong in basic_reads.csv")
    checked = set()
    for day in file.days:
        stream = (day.nmi, day.suffix, day.uom)
        if stream in checked:
            continue
        checked.add(stream)
        if day.nmi not in registers:
            problems.add(
                name, day.line, "NMI", f"{day.nmi} has no register in registers.csv, add it or remove the file"
            )
        elif not day.suffix.startswith(REACTIVE):
            _check_stream(name, day.line, stream, registers[day.nmi].get(day.suffix, ()), problems)


def _check_stream(
    name: str, line: int, stream: tuple[str, str, str], registers: Iterable[Register], problems: Problems
) -> None:
    nmi, suffix, uom = stream
    own = list(registers)
    if not own:
        problems.add(name, line, "NMISuffix", f"{suffix} of {nmi} is not in registers.csv, add the register")
    elif own[0].read_type != "INTERVAL":
        reason = f"{suffix} of {nmi} is BASIC in registers.csv, line {own[0].line}, but here are interval reads of it"
        problems.add(name, line, "NMISuffix", reason)
    elif uom not in {register.uom for register in own}:
        reason = (
            f"{uom} for {suffix} of {nmi}, but {own[0].uom} in registers.csv, line {own[0].line}; one of them is wrong"
        )
        problems.add(name, line, "UOM", reason)
