"""The billing platform's rows, and what site-data makes of interval reads, in a line each.

Rows are written as core_admin, in one transaction that is never committed; the accrual's routines are called as the
role of its functions. Unless said otherwise a site is in Queensland, where local time is market time, all year.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

ALL_DAY = (1 << 48) - 1


def mask(*half_hours: int | tuple[int, int]) -> int:
    """The bits of half-hours 1 to 48; a pair is a range, both ends included."""
    chosen = 0
    for one in half_hours:
        first, last = one if isinstance(one, tuple) else (one, one)
        chosen |= sum(1 << (h - 1) for h in range(first, last + 1))
    return chosen


def day(text: str) -> date:
    """Short for date.fromisoformat."""
    return date.fromisoformat(text)


@dataclass
class Book:
    """One run's books."""

    connection: Any
    run_date: str
    role: str = "lambda"
    invoices: int = field(default=0, init=False)

    # --- asking and calling -------------------------------------------------------------------------------------

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a statement of core_admin returns."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, statement: str, *parameters: Any) -> Any:
        """The one value of the one row."""
        ((value,),) = self.rows(statement, *parameters)
        return value

    @contextlib.contextmanager
    def acting_as(self, role: str) -> Iterator[None]:
        """Inside, statements are the role's."""
        self.rows(f"set local role {role}")
        yield
        self.rows("reset role")

    def call(self, procedure: str, *arguments: Any) -> None:
        """Call a procedure of schema bua for this run, as the functions' role."""
        with self.acting_as(self.role):
            places = ", ".join(["%s", *["%s"] * len(arguments)])
            self.rows(f"call bua.{procedure}({places})", self.run_date, *arguments)

    def ask(self, function: str, *arguments: Any, columns: str = "*", order: str = "1") -> list[tuple[Any, ...]]:
        """What a function of schema bua returns for this run, to the functions' role."""
        with self.acting_as(self.role):
            places = ", ".join(["%s", *["%s"] * len(arguments)])
            return self.rows(
                f"select {columns} from bua.{function}({places}) order by {order}", self.run_date, *arguments
            )

    # --- the platform -------------------------------------------------------------------------------------------

    def plan(self, code: str = "FLAT", *items: tuple[Any, ...]) -> None:
        """items: (item type, time class, rate[, valid from[, valid to]]); a dollar a day and 30 cents a unit if none."""
        self.rows("insert into core.plan values (%s)", code)
        for item_type, time_class, rate, *validity in items or (
            ("DAILY", "ANYTIME", "1.00"),
            ("USAGE", "ANYTIME", "0.30"),
        ):
            valid_from, valid_to = [*validity, "2000-01-01", None][:2] if not validity else [*validity, None][:2]
            self.rows(
                "insert into core.plan_item (plan_code, item_type, time_class, rate, valid_from, valid_to)"
                " values (%s, %s, %s, %s, %s, %s)",
                *(code, item_type, time_class, rate, valid_from, valid_to),
            )

    def account(
        self,
        account_id: str,
        *,
        site: str | None = None,
        state: str = "QLD",
        customer_class: str = "RES",
        fuel: str = "ELECTRICITY",
        plan: str = "FLAT",
        opened: str = "2020-01-01",
        closed: str | None = None,
        next_bill: str | None = None,
        node: str = "ZONE",
    ) -> str:
        """An account and, unless it is there, its site, which is named after the account; returns the site."""
        site = site or f"S-{account_id}"
        self.rows("insert into core.plan values (%s) on conflict do nothing", plan)
        self.rows("insert into core.site values (%s, %s, %s, %s) on conflict do nothing", site, fuel, state, node)
        self.rows(
            "insert into core.account values (%s, %s, %s, %s, 'MASS', %s, %s, %s, 91, %s)",
            *(account_id, fuel, customer_class, state, plan, opened, closed, next_bill),
        )
        self.rows("insert into core.account_site values (%s, %s, %s, %s)", account_id, site, opened, closed)
        return site

    def register(
        self,
        site: str,
        suffix: str = "E1",
        *,
        stream: str = "PRIMARY",
        kind: str = "INTERVAL",
        uom: str = "KWH",
        digits: int | None = None,
        start: str = "2020-01-01",
        end: str | None = None,
        serial: str = "M1",
    ) -> int:
        """A register, its meter if need be; returns its id."""
        self.rows("insert into core.meter values (%s, %s) on conflict do nothing", site, serial)
        found: int = self.value(
            "insert into core.meter_register (site_id, meter_serial, register_id, suffix, stream_type, read_type, uom,"
            " digits, start_date, end_date) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning meter_register_id",
            *(site, serial, suffix, suffix, stream, kind, uom, digits, start, end),
        )
        return found

    def basic(self, site: str, suffix: str = "11", **more: Any) -> int:
        """A basic register."""
        return self.register(site, suffix, kind="BASIC", **more)

    def billed(
        self,
        account_id: str,
        first: str,
        last: str,
        *,
        issued: str | None = None,
        estimated: bool = False,
        reversed_: bool = False,
        units: Mapping[str, Any] | None = None,
    ) -> None:
        """An invoice, issued on its last day unless said otherwise; units by stream type."""
        self.invoices += 1
        invoice_id = f"I-{self.invoices}"
        self.rows(
            "insert into core.invoice (invoice_id, account_id, from_date, to_date, issued_date, is_estimated, is_reversed)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            *(invoice_id, account_id, first, last, issued or last, estimated, reversed_),
        )
        for stream, quantity in (units or {}).items():
            self.rows(
                "insert into core.invoice_line_item (invoice_id, item_type, stream_type, time_class, quantity, net_amount)"
                " values (%s, 'USAGE', %s, 'ANYTIME', %s, 0)",
                *(invoice_id, stream, quantity),
            )

    def read(self, register: int, *reads: tuple[Any, ...]) -> None:
        """Index reads: (date, index[, quality[, factor]])."""
        for read_date, index, *more in reads:
            quality, factor = [*more, *("A", 1)[len(more) :]]
            self.rows(
                "insert into core.meter_read (meter_register_id, read_date, index_value, quantity_factor, quality)"
                " values (%s, %s, %s, %s, %s)",
                *(register, read_date, index, factor, quality),
            )

    def holiday(self, on: str, state: str = "QLD") -> None:
        """A public holiday."""
        self.rows("insert into core.public_holiday values (%s, %s)", state, on)

    def gas_volume(self, first: str, last: str, megajoules: Any, *, state: str = "VIC", node: str = "ZONE") -> None:
        """The market's volume on each of the days."""
        self.rows(
            "insert into core.gas_volume select %s, %s, d, %s from generate_series(%s::timestamp, %s, '1 day') d",
            *(state, node, megajoules, first, last),
        )

    def temperature(self, first: str, last: str, celsius: Any, *, state: str = "VIC", node: str = "ZONE") -> None:
        """The zone's mean temperature on each of the days."""
        self.rows(
            "insert into core.temperature select %s, %s, d, %s from generate_series(%s::timestamp, %s, '1 day') d",
            *(state, node, celsius, first, last),
        )

    def platform_units(self, register: int, first: str, last: str, quantity: Any, state: str = "ACTUAL") -> None:
        """The platform's own billable quantity on each of the days of an interval register."""
        self.rows(
            "insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity)"
            " select %s, d, d, 'ANYTIME', %s, %s from generate_series(%s::timestamp, %s, '1 day') d",
            *(register, state, quantity, first, last),
        )

    # --- what site-data and the segments' step write ------------------------------------------------------------

    def days(
        self,
        register: int,
        first: str,
        last: str,
        watt_hours: int | Sequence[int] = 100,
        *,
        quality: str = "A",
        scale: int = 3,
    ) -> None:
        """Market days of an interval register: units of 10^-scale kWh, the same in every half-hour or 48 of them."""
        values = [watt_hours] * 48 if isinstance(watt_hours, int) else list(watt_hours)
        qualities = quality * 48 if len(quality) == 1 else quality
        missing = mask(*(h for h in range(1, 49) if qualities[h - 1] == "N"))
        excluded = mask(*(h for h in range(1, 49) if qualities[h - 1] in "NE"))
        total = sum(v for v, q in zip(values, qualities, strict=True) if q != "N") * 10 ** (6 - scale)
        self.rows(
            "insert into bua.utility_profile (run_date, site_id, meter_register_id, profile_date, scale, half_hours,"
            " qualities, excluded_mask, missing_mask, day_total)"
            " select %s, site_id, meter_register_id, d, %s, %s, %s, %s, %s, %s"
            " from core.meter_register, generate_series(%s::timestamp, %s, '1 day') d where meter_register_id = %s",
            *(self.run_date, scale, values, qualities, excluded, missing, total, first, last, register),
        )

    def snapshot(self) -> None:
        """The platform's billable quantities of all interval days so far: the snapshot knows what the run's copy knows."""
        self.rows(
            "insert into core.aggregated_read (meter_register_id, from_date, to_date, time_class, read_state, quantity)"
            " select u.meter_register_id, l.local_day, l.local_day, 'ANYTIME',"
            " case substr(u.qualities, l.half_hour, 1) when 'E' then 'ESTIMATED' else 'ACTUAL' end,"
            " sum(u.half_hours[l.half_hour] / 10::numeric ^ u.scale)"
            " from bua.utility_profile u join core.site s using (site_id)"
            " cross join lateral core.local_half_hours(s.jurisdiction, u.profile_date) l"
            " where u.run_date = %s and substr(u.qualities, l.half_hour, 1) <> 'N' group by 1, 2, 3, 5",
            self.run_date,
        )

    def close_profiles(self, batch_no: int = 1) -> None:
        """The summaries and partial sums that site-data leaves beside the days, in one batch."""
        self.rows(
            "insert into bua.utility_profile_summary (run_date, meter_register_id, segment, complete_days, complete_total,"
            " complete) select u.run_date, r.meter_register_id, r.segment,"
            " count(*) filter (where u.excluded_mask = 0), coalesce(sum(u.day_total) filter (where u.excluded_mask = 0), 0),"
            " coalesce(range_agg(daterange(u.profile_date, u.profile_date, '[]')) filter (where u.excluded_mask = 0), '{}')"
            " from bua.bua_list_profile_registers(%s) r join bua.utility_profile u on u.run_date = %s"
            " and u.meter_register_id = r.meter_register_id and u.profile_date between r.from_date and r.to_date"
            " group by 1, 2, 3",
            *(self.run_date, self.run_date),
        )
        self.rows(
            "insert into bua.segment_partial"
            " select %s, %s, min(site_id), segment, profile_date,"
            " array_agg(n order by h), array_agg(total order by h), min(complete_total) from ("
            "  select min(r.site_id) as site_id, r.segment, u.profile_date, v.h,"
            "  coalesce(sum(u.day_total) filter (where u.excluded_mask = 0), 0) as complete_total,"
            "  count(*) filter (where u.excluded_mask >> (v.h - 1)::integer & 1 = 0) as n,"
            "  coalesce(sum(v.value * (10 ^ (6 - u.scale))::bigint)"
            "           filter (where u.excluded_mask >> (v.h - 1)::integer & 1 = 0), 0) as total"
            "  from bua.bua_list_profile_registers(%s) r join bua.utility_profile u on u.run_date = %s"
            "  and u.meter_register_id = r.meter_register_id and u.profile_date between r.from_date and r.to_date"
            "  cross join unnest(u.half_hours) with ordinality as v (value, h) group by 2, 3, 4) x"
            " group by segment, profile_date",
            *(self.run_date, batch_no, self.run_date, self.run_date),
        )
        self.rows(
            "insert into bua.incomplete_day select u.run_date, r.segment, u.profile_date, u.meter_register_id, u.excluded_mask"
            " from bua.bua_list_profile_registers(%s) r join bua.utility_profile u on u.run_date = %s"
            " and u.meter_register_id = r.meter_register_id and u.profile_date between r.from_date and r.to_date"
            " where u.excluded_mask not in (0, %s)",
            *(self.run_date, self.run_date, ALL_DAY),
        )

    def macro(self, first: str, last: str, units: Any = "4.8", key: str = "QLD|RES|PRIMARY") -> None:
        """A macro profile's value on each of the days."""
        self.rows(
            "insert into bua.macro_profile (run_date, profile_key, profile_date, daily_total) select %s, %s, d, %s from generate_series(%s::timestamp, %s, '1 day') d"
            " on conflict (run_date, profile_key, profile_date) do update set daily_total = excluded.daily_total",
            *(self.run_date, key, units, first, last),
        )
        self.total_macro()

    def forget_macro(self, first: str, last: str) -> None:
        """No macro profile has a value on any of the days."""
        self.rows("delete from bua.macro_profile where profile_date between %s and %s", first, last)
        self.total_macro()

    def total_macro(self) -> None:
        """The running totals of the macro profiles."""
        self.rows(
            "update bua.macro_profile m set (days_before, total_before) ="
            " (select count(*), coalesce(sum(e.daily_total), 0) from bua.macro_profile e"
            "  where (e.run_date, e.profile_key) = (m.run_date, m.profile_key) and e.profile_date < m.profile_date)"
        )

    def segment(self, median_daily: Any = "4.8", key: str = "QLD|RES|PRIMARY") -> None:
        """A segment with its median home and, as the average of electricity, scalar 1."""
        self.rows(
            "insert into bua.segment values (%s, %s, '2025-01-01', '2026-10-31', %s)",
            *(self.run_date, key, median_daily),
        )
        self.rows("insert into bua.profile_scalar values (%s, %s, %s, 1)", self.run_date, key, key.split("|")[1])

    def profile(
        self,
        first: str,
        last: str,
        kwh: float | Sequence[float | None] = 0.1,
        *,
        sites: int | Sequence[int] = 9,
        key: str = "QLD|RES|PRIMARY",
    ) -> None:
        """A segment profile's days, as calculated and before they are marked."""
        values = [kwh] * 48 if isinstance(kwh, float) else list(kwh)
        counts = [sites] * 48 if isinstance(sites, int) else list(sites)
        self.rows(
            "insert into bua.segment_profile select %s, %s, d, %s, %s::float[], 0, %s::float[]"
            " from generate_series(%s::timestamp, %s, '1 day') d"
            " on conflict (run_date, segment, profile_date) do update"
            " set site_counts = excluded.site_counts, average = excluded.average, profile = excluded.profile",
            *(self.run_date, key, counts, values, values, first, last),
        )

    def scalar(self, account_id: str, columns: str, register: int | None = None) -> Any:
        """Columns of an account's one micro scalar (of one register), in which its gaps agree."""
        (row,) = self.rows(
            f"select distinct {columns} from bua.micro_scalar where run_date = %s and account_id = %s"
            " and (%s is null or meter_register_id = %s)",
            *(self.run_date, account_id, register, register),
        )
        return row


def dec(text: str) -> Decimal:
    """Short for Decimal."""
    return Decimal(text)
