"""Reads the folder's meter data files and judges them against registers.csv, as a whole, like everything else."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from local.platform.interval_loader import to_items
from local.platform.nem12_fields import Fault, MeterDataFile, MeterDataRefused
from local.platform.nem12_reader import read_bytes
from local.platform.text import printable
from local.portfolio.folder import NEM12, content_of
from local.portfolio.problems import Problems
from local.portfolio.records import MeterData, Register

REACTIVE = ("Q", "K")  # never billed as kWh; files of large meters hold them without anybody asking

Registers = dict[str, dict[str, list[Register]]]  # by NMI and suffix


def read_meter_data(
    paths: Iterable[Path], registers: list[Register] | None, remarks: list[str], problems: Problems
) -> MeterData:
    """Read the files of nem12/ and report all that is wrong in and between them; what is odd is remarked.

    registers are those of registers.csv, None when it could not be read. Days outside a register's dates are taken:
    the store holds them, and nothing that is billed looks at them.
    """
    files: list[MeterDataFile] = []
    for path in paths:
        content = content_of(path, f"{NEM12}/{path.name}", problems)
        if content is None:
            continue
        try:
            files.extend(read_bytes(printable(path.name), content))
        except MeterDataRefused as refused:
            _report(refused.faults, problems)
    items = []
    try:
        items = to_items(files)
    except MeterDataRefused as refused:
        _report(refused.faults, problems)
    if registers is not None:
        _check_against(registers, files, remarks, problems)
    remarks.extend(f"{NEM12}/{warning}" for file in files for warning in file.warnings)
    return MeterData(
        files=len(files),
        items=items,
        passed_over=Counter(unit for _, _, unit in {channel for file in files for channel in file.passed_over}),
    )


def _report(faults: Iterable[Fault], problems: Problems) -> None:
    for fault in faults:
        problems.add(f"{NEM12}/{fault.file}", fault.line, "record" if fault.line else "file", fault.reason)


def _check_against(
    registers: list[Register], files: list[MeterDataFile], remarks: list[str], problems: Problems
) -> None:
    known: Registers = defaultdict(lambda: defaultdict(list))
    for register in registers:
        known[register.site_id][register.suffix].append(register)
    for file in files:
        _check(file, known, problems)
    read = {(day.nmi, day.suffix) for file in files for day in file.days}
    metered = {
        (register.site_id, register.suffix): register for register in registers if register.read_type == "INTERVAL"
    }
    unread = [register for stream, register in metered.items() if stream not in read]
    if unread:
        first = f"{unread[0].suffix} of {unread[0].site_id}, line {unread[0].line}"
        remarks.append(f"registers.csv: {len(unread)} INTERVAL register(s) have no reads in {NEM12}/, first {first}")


def _check(file: MeterDataFile, registers: Registers, problems: Problems) -> None:
    name = f"{NEM12}/{file.name}"
    if file.accumulations:
        line = file.accumulations[0].line
        problems.add(name, line, "record", "NEM13 holds reads of basic meters, which belong in basic_reads.csv")
    checked = set()
    for day in file.days:
        stream = (day.nmi, day.suffix)
        if stream not in checked:
            checked.add(stream)
            _check_stream(name, day.line, stream, registers, problems)
    for (nmi, suffix, unit), line in file.passed_over.items():
        own = registers.get(nmi, {}).get(suffix)
        if own:
            reason = f"{unit} for {suffix} of {nmi} is not energy, but registers.csv has it, line {own[0].line}"
            problems.add(name, line, "UOM", f"{reason}; one of them is wrong")


def _check_stream(name: str, line: int, stream: tuple[str, str], registers: Registers, problems: Problems) -> None:
    nmi, suffix = stream
    if nmi not in registers:
        problems.add(name, line, "NMI", f"{nmi} has no register in registers.csv, add it or remove the file")
        return
    own = registers[nmi].get(suffix, [])
    if not own and not suffix.startswith(REACTIVE):
        reason = "add the register, or remove the channel from the file if it is a check meter's"
        problems.add(name, line, "NMISuffix", f"{suffix} of {nmi} is not in registers.csv, {reason}")
    elif own and all(register.read_type != "INTERVAL" for register in own):
        reason = f"{suffix} of {nmi} is BASIC in registers.csv, line {own[0].line}, but here are interval reads of it"
        problems.add(name, line, "NMISuffix", reason)
