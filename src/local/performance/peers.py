"""The best ways that are known to do what the hot paths do: each does one thing, knows no rules, and checks nothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from shared.metering.interval_store import Item, Marks, SiteDays
from shared.steps.utility_profile import Site

HALF_HOURS = 48


class Matrix(NamedTuple):
    """Register-days in columns: segment, day, the register's weight, the half-hours left out (bits), 48 values in micro-kWh."""

    segments: list[str]
    segment: npt.NDArray[np.int32]  # position in segments
    day: npt.NDArray[np.datetime64]
    weight: npt.NDArray[np.int64]  # millionths
    excluded: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]


def decode(items: Sequence[Item], marks: Mapping[str, Marks]) -> SiteDays:
    """What decode_items makes of items of one interval length, all at once: in their own order, each believed to be valid.

    marks: what each text of qualities says, worked out before.
    """
    packed = np.frombuffer(b"".join([item["val"]["B"] for item in items]), dtype="<u4")
    parts = packed.reshape(len(items), HALF_HOURS, -1)
    halves = parts[:, :, 0].astype(np.int64)
    for part in range(1, parts.shape[2]):
        halves += parts[:, :, part]
    scales = np.array([int(item["scale"]["N"]) for item in items], dtype=np.int16)
    rows = np.flatnonzero(scales)
    while rows.size:
        smaller = halves[rows] // 10
        whole = (smaller * 10 == halves[rows]).all(axis=1)
        rows = rows[whole]
        halves[rows] = smaller[whole]
        scales[rows] -= 1
        rows = rows[scales[rows] > 0]
    found = [marks[item["q"]["S"]] for item in items]
    return SiteDays(
        nmis=[item["pk"]["S"][13:23] for item in items],
        suffixes=[item["sk"]["S"][11:] for item in items],
        days=np.array([item["sk"]["S"][:10] for item in items], dtype="datetime64[D]"),
        scales=scales,
        half_hours=halves.astype(np.int32),
        qualities=[text for text, _, _ in found],
        excluded=np.array([excluded for _, excluded, _ in found]),
        missing=np.array([missing for _, _, missing in found]),
        totals=halves.sum(axis=1) * np.power(10, 6 - scales, dtype=np.int64),
        items_read=len(items),
        newest_update=None,
    )


def matrix(sites: Sequence[Site], weights: Mapping[tuple[int, str], int]) -> Matrix:
    """The register-days of sites. weights: of each register in its segment, in millionths."""
    members = [(register, site.days, positions) for site in sites for register, positions in site.registers]
    rows = [(register.segment, days, positions) for register, days, positions in members]
    segments = sorted({segment for segment, _, _ in rows})
    place = {segment: position for position, segment in enumerate(segments)}
    factors = [10 ** (6 - days.scales[positions].astype(np.int64)) for _, days, positions in rows]
    return Matrix(
        segments,
        np.concatenate([np.full(len(p), place[s], dtype=np.int32) for s, _, p in rows]),
        np.concatenate([days.days[p] for _, days, p in rows]),
        np.concatenate([np.full(len(p), weights[r.meter_register_id, r.segment]) for r, _, p in members]),
        np.concatenate([days.excluded[p] for _, days, p in rows]),
        np.concatenate([days.half_hours[p] * f[:, np.newaxis] for (_, days, p), f in zip(rows, factors, strict=True)]),
    )


def write_parquet(data: Matrix, path: Path) -> None:
    """The matrix as a Parquet file: a column per half-hour, in whole Wh."""
    columns = {
        "segment": data.segment,
        "day": (data.day - np.datetime64("2000-01-01")).astype(np.int32),
        "weight": data.weight,
        "excluded": data.excluded,
        **{f"v{h + 1}": (data.values[:, h] // 1000).astype(np.int32) for h in range(HALF_HOURS)},
    }
    with duckdb.connect() as connection:
        connection.register("register_day", columns)
        connection.execute(f"copy register_day to '{path}' (format parquet)")


def average_in_duckdb(path: Path) -> dict[tuple[int, int], Sequence[Any]]:
    """Weighted averages in kWh by segment and day: clean rows are summed plainly, the others half-hour by half-hour."""
    hours = range(1, HALF_HOURS + 1)
    clean = ", ".join(f"sum(v{h}) as s{h}, sum(weight) as n{h}" for h in hours)
    dirty = ", ".join(
        f"sum(v{h}) filter (where excluded & {1 << (h - 1)} = 0) as s{h}, sum(weight) filter (where excluded & {1 << (h - 1)} = 0) as n{h}"
        for h in hours
    )
    both = ", ".join(f"sum(s{h}) * 1000.0 / nullif(sum(n{h}), 0)" for h in hours)
    with duckdb.connect(config={"threads": 1}) as connection:
        rows = connection.execute(
            f"with part as (select segment, day, {clean} from '{path}' where excluded = 0 group by all"
            f" union all select segment, day, {dirty} from '{path}' where excluded <> 0 group by all)"
            f" select segment, day, {both} from part group by segment, day"
        ).fetchall()
    return {(row[0], row[1]): row[2:] for row in rows}


def average_in_numpy(data: Matrix) -> dict[tuple[int, int], npt.NDArray[np.float64]]:
    """The same from the matrix in memory: sorted by segment and day, summed by runs."""
    days = (data.day - np.datetime64("2000-01-01")).astype(np.int64)
    keys = data.segment.astype(np.int64) << 32 | days
    order = np.argsort(keys, kind="stable")
    runs = np.flatnonzero(np.diff(keys[order], prepend=-1))
    usable = (data.excluded[order, np.newaxis] >> np.arange(HALF_HOURS) & 1) == 0
    totals = np.add.reduceat(np.where(usable, data.values[order], 0), runs)
    weights = np.add.reduceat(np.where(usable, data.weight[order, np.newaxis], 0), runs)
    averages = totals / np.where(weights, weights, np.nan)
    return {(int(key >> 32), int(key & 0xFFFFFFFF)): row for key, row in zip(keys[order][runs], averages, strict=True)}


# The micro scalars of accounts' interval registers and the half-hours of the days after the last read, in one statement.
SCALAR_AND_FILL = """
    with register as materialized (
        select m.meter_register_id, concat_ws('|', s.jurisdiction, a.customer_class, m.stream_type) as segment,
               least(a.close_date, r.accrual_date) as last_day,
               (select max(u.profile_date) from bua.utility_profile u
                where u.run_date = r.run_date and u.meter_register_id = m.meter_register_id) as last_read
        from bua.run r
        join core.account a on a.account_id = any (%(accounts)s)
        join core.account_site o using (account_id)
        join core.site s using (site_id)
        join core.meter_register m using (site_id)
        where r.run_date = %(run_date)s and m.read_type = 'INTERVAL'
    ),
    scalar as materialized (
        select g.*, x.scalar
        from register g
        cross join lateral (
            select sum(u.day_total) / 1e6 / sum(m.daily_total) as scalar
            from bua.utility_profile u
            join bua.macro_profile m on (m.run_date, m.profile_key, m.profile_date) = (u.run_date, g.segment, u.profile_date)
            where u.run_date = %(run_date)s and u.meter_register_id = g.meter_register_id and u.excluded_mask = 0
              and u.profile_date between g.last_read - 90 and g.last_read
        ) x
        where g.last_read < g.last_day
    ),
    filled as (
        select s.meter_register_id, p.profile_date, array(select round(v::numeric * s.scalar, 3) from unnest(p.profile) v) as half_hours
        from scalar s
        join bua.segment_profile p on p.run_date = %(run_date)s and p.segment = s.segment
            and p.profile_date between s.last_read + 1 and s.last_day
        where s.scalar is not null
    )
    select meter_register_id, count(*), sum(half_hours[24]) from filled group by 1 order by 1
"""
