"""bua-segments, step 1: interval reads from DynamoDB to UtilityProfile (run type UtilityProfile, function site-data).

Eight hundred of these run at once, so each connects to the database twice, briefly: to list the registers, and to
write. In between the reads are fetched and decoded without a connection.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from psycopg2.extras import execute_values

from shared.context import Context
from shared.database import binary_copy
from shared.database.connections import Cursor
from shared.errors import PermanentError
from shared.metering.interval_store import SiteDays, read_site
from shared.metering.plausibility import Implausible, Limits, judge, without
from shared.steps import intervals
from shared.work.items import Perform, work_off
from shared.work.messages import Work

HALF_HOURS = np.arange(48)
ALL_DAY = (1 << 48) - 1


class Register(NamedTuple):
    """A row of bua_list_profile_registers: a register on the market days of one occupant, both ends included."""

    site_id: str
    meter_register_id: int
    suffix: str
    segment: str
    from_date: date
    to_date: date
    account_id: str


class Reading(NamedTuple):
    """The table that a message's sites were read from, and when."""

    table: str
    read_from: datetime
    read_to: datetime


@dataclass(frozen=True)
class Site:
    """A site's decoded days, and which of them (positions in days) belong to which register and occupant.

    implausible are the reads that were not believed; in days they are missing.
    """

    site_id: str
    days: SiteDays
    registers: list[tuple[Register, npt.NDArray[np.intp]]]
    implausible: list[tuple[Register, Implausible]] = field(default_factory=list)

    @property
    def days_written(self) -> int:
        """The site's rows of utility_profile."""
        return sum(len(positions) for _, positions in self.registers)


@dataclass
class Partial:
    """Sums of one segment over the sites of a transaction: by market day, 48 counts and 48 totals in micro-kWh.

    complete_totals are the micro-kWh of the registers whose day is complete.
    """

    first: np.datetime64
    counts: npt.NDArray[np.int32]
    totals: npt.NDArray[np.int64]
    complete_totals: npt.NDArray[np.int64]
    present: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        """No day is present yet."""
        self.present = np.zeros(len(self.counts), dtype=np.bool_)


def extract(context: Context, work: Work) -> None:
    """Work a message off: list its registers, read their days, write profiles and partial sums in one transaction."""
    source = intervals.source(context, work.run_date)
    registers, limits = _ask(context, work)
    began = datetime.now(UTC)
    sites = read_sites(source, registers, limits)
    reading = Reading(source.table, began, datetime.now(UTC))
    with context.database.brief_session(context.remaining_seconds()) as connection:
        work_off(connection, work, write(sites, reading))


def read_sites(
    source: intervals.Source, registers: Mapping[str, list[Register]], limits: Limits
) -> dict[str, Site | PermanentError]:
    """Read each site's days from the run's interval reads, at the function's share of what the table can give.

    A site with invalid items fails alone.
    """
    sites: dict[str, Site | PermanentError] = {}
    for site_id, wanted in registers.items():
        first, last = min(r.from_date for r in wanted), max(r.to_date for r in wanted)
        try:
            days = read_site(source.client, source.table, site_id, first, last, pace=source.pace)
            sites[site_id] = believe(assign(site_id, days, wanted), limits)
        except PermanentError as error:
            sites[site_id] = error
    return sites


def assign(site_id: str, days: SiteDays, registers: Iterable[Register]) -> Site:
    """Assign each day to its register and occupant; a day without an occupant is dropped."""
    suffixes = np.array(days.suffixes, dtype=np.str_)
    assigned: list[tuple[Register, npt.NDArray[np.intp]]] = []
    taken = np.zeros(len(days), dtype=np.bool_)
    for register in sorted(registers):
        belongs = (
            (suffixes == register.suffix)
            & (days.days >= np.datetime64(register.from_date))
            & (days.days <= np.datetime64(register.to_date))
            & ~taken
        )
        taken |= belongs
        positions = np.flatnonzero(belongs)
        if positions.size:
            assigned.append((register, positions))
    return Site(site_id, days, assigned)


def believe(site: Site, limits: Limits) -> Site:
    """Take the reads that cannot be as missing."""
    found = [
        (register, one)
        for register, positions in site.registers
        for one in judge(site.days, positions, limits, register.segment.split("|")[1])
    ]
    if not found:
        return site
    return replace(site, days=without(site.days, (one for _, one in found)), implausible=found)


def write(sites: Mapping[str, Site | PermanentError], reading: Reading) -> Perform:
    """Work that writes the claimed sites' rows."""

    def perform(cursor: Cursor, work: Work, items: list[str]) -> None:
        chosen: list[Site] = []
        for item in items:
            site = sites.get(item)
            if isinstance(site, PermanentError):
                raise site
            if site is not None:
                chosen.append(site)
        _copy(cursor, "utility_profile", (_profile_rows(work.run_date, site) for site in chosen))
        _insert_log(cursor, work.run_date, chosen, reading)
        _insert_summary(cursor, work.run_date, chosen)
        _insert_implausible(cursor, work.run_date, chosen)
        _copy(cursor, "incomplete_day", (_incomplete_rows(work.run_date, site) for site in chosen))
        partials = add_up(chosen)
        rows = (_partial_rows(work, items[0], key, partial) for key, partial in sorted(partials.items()))
        _copy(cursor, "segment_partial", rows)

    return perform


def add_up(sites: Iterable[Site]) -> dict[str, Partial]:
    """Sums and counts of non-excluded half-hours, per segment and market day."""
    parts: dict[str, list[tuple[SiteDays, npt.NDArray[np.intp]]]] = defaultdict(list)
    for site in sites:
        for register, positions in site.registers:
            parts[register.segment].append((site.days, positions))
    return {segment: _add_up_segment(members) for segment, members in parts.items()}


def _add_up_segment(members: list[tuple[SiteDays, npt.NDArray[np.intp]]]) -> Partial:
    first = min(days.days[positions].min() for days, positions in members)
    last = max(days.days[positions].max() for days, positions in members)
    length = int((last - first).astype(int)) + 1
    partial = Partial(
        first,
        counts=np.zeros((length, 48), dtype=np.int32),
        totals=np.zeros((length, 48), dtype=np.int64),
        complete_totals=np.zeros(length, dtype=np.int64),
    )
    registers = np.zeros((length, 1), dtype=np.int32)  # by day, as if every half-hour were usable
    for days, positions in members:
        row = (days.days[positions] - first).astype(int)
        # A register has a day once, in order, so no row occurs twice in one addition.
        rows = slice(row[0], row[-1] + 1) if row[-1] - row[0] + 1 == len(row) else row
        excluded = days.excluded[positions]
        dirty = np.flatnonzero(excluded)  # few days: only they are looked at half-hour by half-hour
        usable = (excluded[dirty, np.newaxis] >> HALF_HOURS & 1) == 0
        micro = _micro_kwh(days, positions)
        micro[dirty] *= usable
        registers[rows] += 1
        partial.counts[row[dirty]] -= ~usable
        partial.totals[rows] += micro
        partial.complete_totals[rows] += np.where(excluded == 0, days.totals[positions], 0)
        partial.present[rows] = True
    partial.counts += registers
    return partial


def _micro_kwh(days: SiteDays, positions: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    factors: npt.NDArray[np.int64] = 10 ** (6 - days.scales[positions].astype(np.int64))
    return days.half_hours[positions] * factors[:, np.newaxis]


def _ask(context: Context, work: Work) -> tuple[dict[str, list[Register]], Limits]:
    registers: dict[str, list[Register]] = defaultdict(list)
    with (
        context.database.brief_session(context.remaining_seconds()) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "select site_id, meter_register_id, suffix, segment, from_date, to_date, account_id"
            " from bua.bua_list_profile_registers(%s, %s)",
            (work.run_date, work.items),
        )
        for row in cursor.fetchall():
            registers[row[0]].append(Register(*row))
        names = [f"implausible_{name}" for name in Limits._fields]
        cursor.execute("select bua.parameter(n) from unnest(%s) with ordinality p (n, i) order by i", (names,))
        return registers, Limits(*(value for (value,) in cursor.fetchall()))


def _profile_rows(run_date: date, site: Site) -> bytes:
    chunks = []
    for register, positions in site.registers:
        days, count = site.days, len(positions)
        qualities = [days.qualities[position] for position in positions]
        chunks.append(
            binary_copy.rows(
                [
                    binary_copy.date(np.full(count, np.datetime64(run_date))),
                    binary_copy.text(site.site_id, count),
                    binary_copy.int8(np.full(count, register.meter_register_id)),
                    binary_copy.date(days.days[positions]),
                    binary_copy.int2(days.scales[positions]),
                    binary_copy.int4_array(days.half_hours[positions]),
                    binary_copy.text(qualities, count),
                    binary_copy.int8(days.excluded[positions]),
                    binary_copy.int8(days.missing[positions]),
                    binary_copy.int8(days.totals[positions]),
                ]
            )
        )
    return b"".join(chunks)


def _incomplete_rows(run_date: date, site: Site) -> bytes:
    chunks = []
    for register, positions in site.registers:
        excluded = site.days.excluded[positions]
        some = positions[(excluded != 0) & (excluded != ALL_DAY)]
        count = len(some)
        chunks.append(
            binary_copy.rows(
                [
                    binary_copy.date(np.full(count, np.datetime64(run_date))),
                    binary_copy.text(register.segment, count),
                    binary_copy.date(site.days.days[some]),
                    binary_copy.int8(np.full(count, register.meter_register_id)),
                    binary_copy.int8(site.days.excluded[some]),
                ]
            )
            if count
            else b""
        )
    return b"".join(chunks)


def _partial_rows(work: Work, first_item: str, segment: str, partial: Partial) -> bytes:
    days = np.flatnonzero(partial.present)
    count = len(days)
    constants = [binary_copy.text(value, count) for value in (first_item, segment)]
    return binary_copy.rows(
        [
            binary_copy.date(np.full(count, np.datetime64(work.run_date))),
            binary_copy.int4(np.full(count, work.batch_no)),
            *constants,
            binary_copy.date(partial.first + days),
            binary_copy.int4_array(partial.counts[days]),
            binary_copy.int8_array(partial.totals[days]),
            binary_copy.int8(partial.complete_totals[days]),
        ]
    )


def _copy(cursor: Cursor, table: str, rows: Iterable[bytes]) -> None:
    stream = io.BytesIO(b"".join([binary_copy.HEADER, *rows, binary_copy.TRAILER]))
    cursor.copy_expert(f"copy bua.{table} from stdin (format binary)", stream)


def _insert_log(cursor: Cursor, run_date: date, sites: list[Site], reading: Reading) -> None:
    rows = [(run_date, s.site_id, s.days.items_read, s.days_written, s.days.newest_update, *reading) for s in sites]
    execute_values(
        cursor,
        "insert into bua.utility_profile_log (run_date, site_id, items_read, days_written, newest_update, interval_table,"
        " read_from, read_to) values %s",
        rows,
    )


def _insert_summary(cursor: Cursor, run_date: date, sites: list[Site]) -> None:
    rows = []
    for site in sites:
        complete: dict[tuple[int, str], list[npt.NDArray[np.intp]]] = defaultdict(list)
        for register, positions in site.registers:
            key = (register.meter_register_id, register.segment)
            complete[key].append(positions[site.days.excluded[positions] == 0])
        for key, parts in complete.items():
            chosen = np.concatenate(parts)
            total = int(site.days.totals[chosen].sum())
            rows.append((run_date, *key, len(chosen), total, datemultirange(site.days.days[chosen])))
    execute_values(
        cursor,
        "insert into bua.utility_profile_summary (run_date, meter_register_id, segment, complete_days, complete_total,"
        " complete) values %s",
        rows,
    )


def datemultirange(days: npt.NDArray[np.datetime64]) -> str:
    """Days, in any order, as PostgreSQL writes them: one range for those that follow each other."""
    ordered = np.sort(days)
    starts = np.flatnonzero(np.diff(ordered, prepend=np.datetime64("0001-01-01", "D")) > np.timedelta64(1, "D"))
    ends = np.append(starts[1:], len(ordered)) - 1 if len(ordered) else starts
    ranges = (f"[{ordered[start]},{ordered[end]}]" for start, end in zip(starts, ends, strict=True))
    return "{" + ",".join(ranges) + "}"


def _insert_implausible(cursor: Cursor, run_date: date, sites: list[Site]) -> None:
    rows = [
        (run_date, register.account_id, site.site_id, register.meter_register_id,
         site.days.days[one.position].item(), one.half_hours, one.kwh, one.qualities, one.value, one.limit, one.reason)
        for site in sites
        for register, one in site.implausible
    ]  # fmt: skip
    execute_values(
        cursor,
        "insert into bua.implausible_read (run_date, account_id, site_id, meter_register_id, read_date, half_hours, kwh,"
        " qualities, value, limit_value, reason) values %s",
        rows,
    )
