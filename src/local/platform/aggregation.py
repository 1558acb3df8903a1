"""From decoded interval reads to the platform's billable quantities: staged by COPY, aggregated by SQL."""

import io
from datetime import date

from local.platform.engine import Connection
from shared.database import binary_copy
from shared.metering.interval_store import BUA, SiteDays

COLUMNS = "site_id, suffix, profile_date, scale, half_hours, qualities"


def aggregate(connection: Connection, days: SiteDays, *, run_date: date | None = None) -> None:
    """Write core.aggregated_read from all the days of some streams, in the transaction that is open.

    A stream is an NMI's suffix; its earlier rows of the same origin are replaced, so its days come in one call. Without
    a run_date the reads are the platform's own; with one they are what that run's files hold.
    """
    if not len(days):
        return
    rows = [
        binary_copy.text(days.nmis, len(days)),
        binary_copy.text(days.suffixes, len(days)),
        binary_copy.date(days.days),
        binary_copy.int2(days.scales),
        binary_copy.int4_array(days.half_hours),
        binary_copy.text(days.qualities, len(days)),
    ]
    stream = io.BytesIO(b"".join((binary_copy.HEADER, binary_copy.rows(rows), binary_copy.TRAILER)))
    with connection.cursor() as cursor:
        cursor.execute("call core.stage_interval_days()")
        cursor.copy_expert(f"copy pg_temp.interval_day ({COLUMNS}) from stdin with (format binary)", stream)
        origin = "PLATFORM" if run_date is None else BUA
        cursor.execute("call core.aggregate_interval_reads(%s, %s)", (origin, run_date))
