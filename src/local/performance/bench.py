"""`make bench`: each hot path beside the best way that is known to do the same, in turns, on the same rows.

What is compared is processor time, of the client and of PostgreSQL's backends together: it can be compared on a busy machine.
docs/performance.md gets the ratios with their spread.
"""

import argparse
import contextlib
import io
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
from rich.console import Console

from local.performance import document, peers
from local.performance.counters import Counters, NotMeasurable
from local.performance.month import Month, stages
from local.performance.portfolio import SyntheticStore, Usage, load, usage
from local.performance.server import MASTER, NAME, Sessions, database
from shared import catalogue
from shared.errors import BuaError
from shared.metering.interval_store import Item, Marks, decode_items
from shared.steps import export, utility_profile
from shared.steps.utility_profile import Register, Site
from shared.telemetry import logger
from shared.work import fanout
from shared.work.messages import FanOut, Work

TITLE = "Bench: the hot paths beside their peers"
RUN_DATE, LAST_DAY = date(2026, 11, 1), date(2026, 10, 31)
# Other runs, for rows that the first one must not have: loads, and resets of three sizes.
LOADED, RESETS = date(2026, 10, 1), (date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1))
PATIENCE_SECONDS = 180  # of processor and clock, for a plan that does not end


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    sites: int = 1000
    days: int = 365
    items: int = 1_000_000
    rows: int = 1_000_000
    lines: int = 200_000
    repetitions: int = 5


@dataclass(frozen=True)
class Contest:
    """Ours against a peer. A speed is peer / ours and should be at least the limit; a time is ours / peer and at most the limit."""

    what: str
    peer_name: str
    ours: Callable[[], Any]
    peer: Callable[[], Any]
    limit: float
    is_speed: bool = False
    before: Callable[[], Any] = lambda: None
    in_database: bool = False  # the backends' seconds alone


@dataclass
class Result:
    """A contest's ratios, one per repetition, and the processor seconds of both."""

    contest: Contest
    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Ours to the peer's, repetition by repetition."""
        pairs = zip(self.ours, self.peer, strict=True)
        return [p / o if self.contest.is_speed else o / p for o, p in pairs]

    @property
    def is_met(self) -> bool:
        """Whether the middle ratio keeps the limit."""
        middle = statistics.median(self.ratios)
        return middle >= self.contest.limit if self.contest.is_speed else middle <= self.contest.limit


class Differs(BuaError):  # noqa: N818
    """Ours and the peer's results are not the same: the comparison would mean nothing."""


class Bench:
    """The database, its rows and the clock that all contests share."""

    def __init__(self, sessions: Sessions, sizes: Sizes, counters: Counters, place: Path) -> None:
        self.sizes, self.sessions, self.counters, self.place = sizes, sessions, counters, place
        self.connection = sessions.connect(MASTER)
        made_of: Usage = usage(LAST_DAY - timedelta(days=sizes.days - 1), LAST_DAY)
        with closing(sessions.connect(MASTER)) as connection:
            self.store = SyntheticStore(load(connection, 2 * sizes.sites, made_of), made_of)
        self.month = Month(sessions, self.store, RUN_DATE, counters)
        self.segments = [stage for stage in stages() if stage.step == "segments"]
        for stage in self.segments:
            for _ in self.month.run(stage, lambda *_: None):
                pass
        for run_date in (LOADED, *RESETS):
            self.execute("call bua.prepare_run(%s)", run_date)
        self.connection.commit()

    def execute(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a statement returns; the transaction stays open."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def seconds(self, perform: Callable[[], Any], *, in_database: bool = False) -> float:
        """Processor seconds of the backends and, unless only they count, of this process."""
        before = 0.0 if in_database else time.process_time()
        before += self.counters.server_seconds()[0]
        perform()
        return (0.0 if in_database else time.process_time()) + self.counters.server_seconds()[0] - before

    def compete(self, contest: Contest) -> Result:
        """Each in turn, once to warm up and then as often as wanted; who begins alternates."""
        result = Result(contest)
        for repetition in range(-1, self.sizes.repetitions):
            sides = [(contest.ours, result.ours), (contest.peer, result.peer)]
            for perform, times in sides if repetition % 2 else sides[::-1]:
                contest.before()
                taken = self.seconds(perform, in_database=contest.in_database)
                if repetition >= 0:
                    times.append(taken)
        return result

    # --- reads ---------------------------------------------------------------------------------------------------

    def items(self, site_id: str) -> list[Item]:
        """A site's items, as a query gives them."""
        keys = {":pk": f"NEM|DATA|NMI|{site_id}|ACT", ":first": "2000-01-01", ":last": "2100-01-01"}
        (page,) = self.store.paginate(ExpressionAttributeValues={name: {"S": text} for name, text in keys.items()})
        found: list[Item] = page["Items"]
        return found

    def sites(self) -> dict[str, Site]:
        """All sites, decoded, their days given to their registers."""
        registers: dict[str, list[Register]] = {}
        for row in self.execute(
            "select site_id, meter_register_id, suffix, segment, from_date, to_date, account_id"
            " from bua.bua_list_profile_registers(%s)",
            RUN_DATE,
        ):
            registers.setdefault(row[0], []).append(Register(*row))
        self.connection.commit()
        return {
            site_id: utility_profile.assign(site_id, decode_items(self.items(site_id)), wanted)
            for site_id, wanted in sorted(registers.items())
        }

    def decoding(self, minutes: int) -> Contest:
        """Items of the store to half-hours."""
        chosen = [s for s, streams in sorted(self.store.streams.items()) if streams[0].minutes == minutes]
        # The store's days share their texts and bytes. What botocore hands over has its own memory, item by item.
        by_site = [
            [pickle.loads(pickle.dumps(item)) for item in self.items(site_id)]  # noqa: S301 - its own rows
            for site_id in chosen
        ]
        together = [item for items in by_site for item in items]
        marks: dict[str, Marks] = {}
        for item in together:
            if item["q"]["S"] not in marks:
                days = decode_items([item])
                marks[item["q"]["S"]] = days.qualities[0], int(days.excluded[0]), int(days.missing[0])
        mine, theirs = [decode_items(items) for items in by_site], peers.decode(together, marks)
        for name in ("nmis", "suffixes", "days", "scales", "half_hours", "qualities", "excluded", "missing", "totals"):
            # Ours are sorted by suffix and day within a site; so are the items of a site with one suffix.
            one = np.concatenate(
                [getattr(days, name) for days, items in zip(mine, by_site, strict=True) if _one_stream(items)]
            )
            only = np.concatenate([[_one_stream(items)] * len(items) for items in by_site])
            _same(f"{name} of {minutes}-minute days", np.array_equal(one, np.asarray(getattr(theirs, name))[only]))
        return Contest(
            f"decode and standardise {len(together):,} stored {minutes}-minute days, site by site",
            "numpy, the same columns of all of them in bulk, without order, checks or newest update",
            lambda: [decode_items(items) for items in by_site],
            lambda: peers.decode(together, marks),
            1.5,
        )

    def messages(self) -> list[list[str]]:
        """site-data's messages, as they were planned: sites of one segment travel together."""
        found = self.execute(
            "select array_agg(item_key order by item_key) from bua.bua_control"
            " where run_date = %s and run_type = 'UtilityProfile' group by batch_no order by batch_no",
            RUN_DATE,
        )
        return [items for (items,) in found]

    # --- the database ---------------------------------------------------------------------------------------------

    def loading(self, sites: dict[str, Site]) -> Iterator[Contest]:
        """site-data's transaction for a message of sites."""
        names = self.messages()[0]
        work = Work(run_date=LOADED, run_type="UtilityProfile", attempt="bench", batch_no=1, items=names)
        now = datetime.now(UTC)
        write = utility_profile.write(sites, utility_profile.Reading("bench", now, now))

        def ours() -> None:
            with self.connection.cursor() as cursor:
                write(cursor, work, names)
            self.connection.commit()

        ours()
        rows = io.BytesIO()
        with self.connection.cursor() as cursor:
            cursor.copy_expert(f"copy bua.utility_profile_{LOADED:%Y_%m_%d} to stdout (format binary)", rows)
            cursor.execute("select count(*) from bua.utility_profile where run_date = %s", (LOADED,))
            ((count,),) = cursor.fetchall()
        self.connection.commit()

        def peer() -> None:
            rows.seek(0)
            with self.connection.cursor() as cursor:
                cursor.copy_expert("copy bua.utility_profile from stdin (format binary)", rows)
            self.connection.commit()

        for what, in_database in (("with building the rows and the sums", False), ("in the database alone", True)):
            yield Contest(
                f"load {count:,} days of {len(names)} sites, their log, summaries and partial sums: {what}",
                "one binary COPY of the same rows, built before",
                ours, peer, 0.8, is_speed=True, before=lambda: self.reset("UtilityProfile", LOADED), in_database=in_database,
            )  # fmt: skip

    def reset(self, run_type: str, run_date: date) -> None:
        """A run type's reset, committed."""
        self.execute("call bua.reset_run_type(%s, %s)", run_date, run_type)
        self.connection.commit()

    def filling(self) -> Contest:
        """Micro scalars of interval accounts, and the days that they lack."""
        accounts = [
            account
            for (account,) in self.execute(
                "select distinct account_id from bua.bua_list_unbilled_accounts(%s)"
                " where account_id in (select account_id from core.account_site join core.meter_register using (site_id)"
                " where read_type = 'INTERVAL') order by 1 limit 300",
                RUN_DATE,
            )
        ]
        entries = catalogue.load()
        each, each_file = (entries.run_type(name).items_per_message for name in ("MicroScalar", "NEM12"))
        self.reset("MicroScalar", RUN_DATE)

        def ours() -> dict[int, Any]:
            filled: dict[int, Any] = {}
            for part in _parts(accounts, each):
                self.execute("call bua.bua_create_invoice_scalar(%s, %s)", RUN_DATE, part)
            sites = [site for (site,) in self.execute("select * from bua.bua_list_profile_nmis(%s)", RUN_DATE)]
            for part in _parts(sites, each_file):
                filled |= {
                    register: (days, value)
                    for register, days, value in self.execute(
                        "select m.meter_register_id, count(*), sum(d.half_hours[24]) from bua.generate_nem12_days(%s, %s) d"
                        " join core.meter_register m using (site_id, suffix) where substr(d.qualities, 24, 1) = 'E' group by 1",
                        RUN_DATE, part,
                    )
                }  # fmt: skip
            self.connection.rollback()
            return filled

        def peer() -> dict[int, Any]:
            with self.connection.cursor() as cursor:
                cursor.execute(peers.SCALAR_AND_FILL, {"run_date": RUN_DATE, "accounts": accounts})
                found = cursor.fetchall()
            self.connection.rollback()
            return {register: (days, value) for register, days, value in found}

        mine, theirs = ours(), peer()
        # A half-hour of a segment of few sites may be unknown to the profile: the rules then have other ways.
        both = [(mine[key][1], theirs[key][1]) for key in mine.keys() & theirs.keys()]
        near = [abs(own - other) <= other / 20 for own, other in both if other is not None]
        _same("scalars and filled days", bool(near) and sum(near) >= 0.9 * len(near))
        return Contest(
            f"micro scalars and missing days of {len(accounts)} interval accounts, by the rules, a CALL per message",
            "one statement for all: usage / macro profile, times the profile",
            ours, peer, 0.8, is_speed=True,
        )  # fmt: skip

    def averaging(self, sites: dict[str, Site]) -> Iterator[Contest]:
        """Segment averages without estimates: the sums that loading makes, and the run type that adds them up."""
        batches = [[sites[site_id] for site_id in message] for message in self.messages()]
        run_type = "SegmentJurisdictionAvgExclEst"
        months = [
            key
            for (key,) in self.execute(
                "select item_key from bua.list_work_items(%s, %s) order by 1", RUN_DATE, run_type
            )
        ]
        messages = list(_parts(months, catalogue.load().run_type(run_type).items_per_message))

        def ours() -> None:
            for batch in batches:
                utility_profile.add_up(batch)
            for message in messages:
                self.execute("call bua.calculate_segment_averages(%s, %s)", RUN_DATE, message)
            self.connection.commit()

        weights = {
            (register, segment): weight
            for register, segment, weight in self.execute(
                "select meter_register_id, segment, weight from bua.utility_profile_summary where run_date = %s",
                RUN_DATE,
            )
        }
        data = peers.matrix(list(sites.values()), weights)
        path = self.place / "register_days.parquet"
        peers.write_parquet(data, path)
        ours()
        expected, in_numpy = peers.average_in_duckdb(path), peers.average_in_numpy(data)
        for segment, day, average in self.execute(
            "select segment, profile_date - date '2000-01-01', average from bua.segment_profile where run_date = %s and site_counts[1] > 0",
            RUN_DATE,
        ):
            key = (data.segments.index(segment), day)
            for other in (expected[key], in_numpy[key]):
                _same(
                    f"averages of {segment}",
                    np.allclose(np.array(average, float), np.array(other, float), equal_nan=True),
                )
        self.connection.commit()
        what = f"averages of {len(data.day):,} register-days by segment, day and half-hour: partial sums, then SQL"
        before = lambda: self.reset(run_type, RUN_DATE)  # noqa: E731 - used twice, here
        yield Contest(
            what,
            "DuckDB on Parquet, clean rows summed plainly",
            ours,
            lambda: peers.average_in_duckdb(path),
            1.0,
            before=before,
        )
        yield Contest(
            what,
            "numpy on the same rows in memory",
            ours,
            lambda: peers.average_in_numpy(data),
            float("inf"),
            before=before,
        )

    def resetting(self) -> Iterator[Contest]:
        """A reset of the largest table, with one row and with many. Rolled back, so that it can be repeated."""
        counts = (1, self.sizes.rows, 2 * self.sizes.rows)
        for run_date, count in zip(RESETS, counts, strict=True):
            self.execute(
                "insert into bua.utility_profile select %s, 'S', g, '2026-01-01', 0, '{}', '', 0, 0, 0 from generate_series(1, %s) g",
                run_date, count,
            )  # fmt: skip
            self.connection.commit()

        def reset(run_date: date) -> None:
            for _ in range(10):
                self.execute("call bua.reset_run_type(%s, 'UtilityProfile')", run_date)
                self.connection.rollback()

        for run_date, count in list(zip(RESETS, counts, strict=True))[1:]:
            yield Contest(
                f"reset of UtilityProfile, {count:,} rows, ten times", "the same with one row",
                lambda chosen=run_date: reset(chosen), lambda: reset(RESETS[0]), 1.2,  # type: ignore[misc]
            )  # fmt: skip

    def exporting(self) -> Iterator[Contest]:
        """The two large files."""
        lines = self.sizes.lines
        self.execute(
            "insert into bua.account_summary (run_date, account_id, site_id, fuel, jurisdiction, customer_class, journal_segment,"
            " unbilled_from, unbilled_to, unbilled_days, due_state, uom, units_actual, units_estimated, units_total, net_amount,"
            " gst_amount, discount_amount, method, scalar, flags)"
            " select %s, 'A' || lpad((g * 7919::bigint %% %s)::text, 8, '0'), '4000000001', 'ELECTRICITY', 'NSW', 'RES', 'MASS',"
            " '2026-10-01', '2026-10-31', 31, 'NOT_DUE', 'KWH', g %% 997 * 1.037, 11.111, g %% 997 * 1.037 + 11.111, g %% 997 * 0.31,"
            " g %% 997 * 0.031, 0, 'READS', 1.234567890123456, '' from generate_series(0, %s - 1) g on conflict do nothing",
            RUN_DATE, lines, lines,
        )  # fmt: skip
        self.execute(
            "insert into bua.invoice_line_item_monthly"
            " select run_date, account_id, n, '2026-10', case n when 1 then 'DAILY' else 'USAGE' end, case n when 2 then 'PRIMARY' end,"
            " 'ANYTIME', units_total, 31, 0.31, net_amount, gst_amount, 0, 0, 'ACTUAL' from bua.account_summary, generate_series(1, 2) n"
            " where run_date = %s",
            RUN_DATE,
        )
        self.connection.commit()
        self.execute("analyze bua.account_summary; analyze bua.invoice_line_item_monthly")
        self.connection.commit()
        fan_out = self._fan_out("Export")
        for number, (name, count) in enumerate(
            [("BUAAccountSummary", lines), ("InvoiceLineItemMonthly", 2 * lines)], start=1
        ):
            work = Work(run_date=RUN_DATE, run_type="Export", attempt="bench", batch_no=number, items=[name])
            statement = f"copy (select * from bua.{export.EXPORTS[name][0]} where run_date = '{RUN_DATE}') to stdout (format csv, header)"

            def peer(statement: str = statement) -> None:
                with self.connection.cursor() as cursor:
                    cursor.copy_expert(statement, io.BytesIO())
                self.connection.commit()

            def plan_again() -> None:
                self.execute("delete from bua.fan_out where run_date = %s and run_type = 'Export'", RUN_DATE)
                self.connection.commit()
                fanout.plan(self.connection, fan_out, 1)

            yield Contest(
                f"export {name}, {count:,} rows in order, with claim and upload", "COPY of the same rows in any order",
                lambda work=work: export.export(self.month.context, work), peer, 0.8, is_speed=True, before=plan_again,  # type: ignore[misc]
            )  # fmt: skip

    def _fan_out(self, run_type: str) -> FanOut:
        return FanOut(
            run_date=RUN_DATE, run_type=run_type, step="export", attempt="bench", task_token="token",  # noqa: S106
            max_errors=0, acceptable_error_rate=0,
        )  # fmt: skip

    def planning(self) -> tuple[int, float | None]:
        """Items, and processor seconds to plan and enqueue them; None when it does not end."""
        with closing(self.sessions.server.connect(NAME)) as connection, connection.cursor() as cursor:
            cursor.execute("set session_replication_role = replica")  # no foreign keys, which take longer than the rows
            cursor.execute(
                "insert into core.account (account_id, fuel, customer_class, jurisdiction, journal_segment, plan_code, open_date,"
                " billing_days) select 'B' || lpad(g::text, 8, '0'), 'GAS', 'RES', 'VIC', 'MASS', 'P1', '2020-01-01', 91"
                " from generate_series(1, %s) g",
                (self.sizes.items - 2 * self.sizes.sites,),
            )
            cursor.execute("analyze core.account")
        with self.sessions.session(1) as connection, connection.cursor() as cursor:
            cursor.execute("set statement_timeout = %s", (PATIENCE_SECONDS * 1000,))
            connection.commit()
        try:
            taken = self.seconds(lambda: fanout.initiate(self.month.context, self._fan_out("PrepareExport")))
        except psycopg2.errors.QueryCanceled:
            return self.sizes.items, None
        return self.sizes.items, taken


def contests(bench: Bench) -> Iterator[Contest]:
    """All of them; each is prepared when it is its turn."""
    yield bench.decoding(30)
    yield bench.decoding(5)
    sites = bench.sites()
    yield from bench.loading(sites)
    yield bench.filling()
    yield from bench.averaging(sites)
    yield from bench.resetting()
    yield from bench.exporting()


def report(results: Sequence[Result], planned: tuple[int, float | None], sizes: Sizes, version: str) -> str:
    """The section of docs/performance.md."""
    rows = []
    for result in results:
        contest, ratios = result.contest, result.ratios
        sign = ">=" if contest.is_speed else "<="
        rows.append(
            [
                contest.what, contest.peer_name, f"{statistics.median(result.ours):.3f}", f"{statistics.median(result.peer):.3f}",
                f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}",
                "" if contest.limit == float("inf") else f"{sign} {contest.limit}",
                "" if contest.limit == float("inf") else "yes" if result.is_met else "**no**",
            ]
        )  # fmt: skip
    items, taken = planned
    rows.append(
        [
            f"plan and enqueue {items:,} items", "", f"more than {PATIENCE_SECONDS}" if taken is None else f"{taken:.1f}", "", "", "",
            "<= 60 s a million", "yes" if taken is not None and taken * 1e6 / items <= 60 else "**no**",
        ]
    )  # fmt: skip
    header = ["what", "peer", "ours s", "peer s", "ratio", "spread", "limit", "kept"]
    asked = " ".join(f"--{name} {getattr(sizes, name)}" for name in sizes.__dataclass_fields__)
    return (
        f'Written by `make bench ARGS="{asked}"`, {document.today()}: {document.machine(version)}.\n\n'
        f"Seconds are processor seconds, of the client and of PostgreSQL's backends together unless it says otherwise, the middle one of {sizes.repetitions} repetitions; ours "
        f"and the peer take turns. The ratio of a limit with >= is a speed (the peer's time / ours), otherwise a time (ours / the peer's); its "
        f"spread is the smallest and largest. Where the results can be compared they were, before anything was measured.\n\n"
        f"{document.table(header, rows)}"
    )


def _one_stream(items: Sequence[Item]) -> bool:
    return len({item["sk"]["S"][11:] for item in items}) == 1


def _parts(whole: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(whole), size):
        yield list(whole[start : start + size])


def _same(what: str, is_same: bool) -> None:
    if not is_same:
        raise Differs(f"{what}: ours and the peer's are not the same")


def run(sizes: Sizes, out: Path, place: Path, console: Console) -> tuple[list[Result], tuple[int, float | None]]:
    """Run everything and write the section."""
    results: list[Result] = []
    with (
        database(place / "database", RUN_DATE) as sessions,
        closing(Counters(sessions.server)) as counters,
        console.status("rows") as status,
    ):
        bench = Bench(sessions, sizes, counters, place)
        with closing(bench.connection):
            version = str(bench.connection.info.parameter_status("server_version"))
            for contest in contests(bench):
                status.update(contest.what)
                results.append(bench.compete(contest))
                console.print(
                    f"{contest.what}: {statistics.median(results[-1].ratios):.2f} x {contest.peer_name}", markup=False
                )
            status.update("planning")
            planned = bench.planning()
    document.write_section(out, TITLE, report(results, planned, sizes, version))
    return results, planned


def main() -> int:
    """Parse, compare, say where the report is."""
    parser = argparse.ArgumentParser(prog="make bench", description="The hot paths beside their peers.")
    for name in Sizes.__dataclass_fields__:
        parser.add_argument(f"--{name}", type=int, default=getattr(Sizes, name))
    parser.add_argument("--out", type=Path, default=document.DOCUMENT)
    wanted = vars(parser.parse_args())
    out = wanted.pop("out")
    console = Console(stderr=True)
    logger.setLevel("ERROR")
    with tempfile.TemporaryDirectory(prefix="bua-bench-") as place:
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # the functions' metrics
                run(Sizes(**wanted), out, Path(place), console)
        except (BuaError, NotMeasurable) as error:
            console.print(f"{type(error).__name__}: {error}", markup=False)
            return 1
    console.print(f"Written to {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
