"""One account from its last bill to its last cent, from the exported files alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from shared.errors import InvalidInput
from shared.report import ageing, estimation, exports
from shared.report.book import ZERO
from shared.report.figures import day, dollars
from shared.report.table import Section, Table, columns

TOP = 10
_MEAN_DAYS = ("GIANT_DAILY_MEAN", "OWN_DAILY_MEAN")
Step = tuple[str, Any, str]  # what it is called, the figure, what it is


@dataclass(frozen=True)
class Explanation:
    """What an account's accrual is made of: sentences, then tables."""

    account_id: str
    lead: Sequence[str]
    tables: Sequence[Table]


class Files:
    """The exported files of a run, asked for one account at a time."""

    def __init__(self, database: duckdb.DuckDBPyConnection, export: exports.Export) -> None:
        self._database = database
        self.export = export

    def rows(self, statement: str, account_id: str) -> list[tuple[Any, ...]]:
        """The rows of a query with the account as its only parameter, $id."""
        return self._database.execute(statement, {"id": account_id}).fetchall()

    def record(self, statement: str, account_id: str) -> dict[str, Any] | None:
        """The first row of a query by column name."""
        cursor = self._database.execute(statement, {"id": account_id})
        row = cursor.fetchone()
        return None if row is None else dict(zip([one[0] for one in cursor.description], row, strict=True))


def of_folder(folder: Path, account_id: str) -> Explanation:
    """Explain an account of a run's folder; raises InvalidInput for a folder or an account that is not known."""
    export = exports.read(folder)
    with duckdb.connect() as database:
        exports.attach(database, "now", export)
        return of_account(Files(database, export), account_id)


def of_account(files: Files, account_id: str) -> Explanation:
    """Explain an account; raises InvalidInput when the run does not have it."""
    spans = files.rows(_SPANS, account_id)
    if not spans:
        raise InvalidInput(
            f"account {account_id} is not in the run of {files.export.run_date}: no day of it is in the period. Check its number; an account "
            f"that opened after {files.export.day('to')} or closed before {files.export.day('from')} is in no file"
        )
    account = files.record("select * from now.accounts where account_id = $id", account_id)
    lead = [_last_bill(files, account_id, spans), *_outcome(files, account_id, account, spans)]
    tables = [_windows(spans)]
    if account is not None:
        lines = _lines(files, account_id)
        gaps = _gaps(files, account_id)
        estimates = [_estimate(gap, number) for number, gap in enumerate(gaps, 1)]
        estimates += [_days(files, account_id), _reconciled(files, account_id, gaps)]
        tables += [*_reads(files, account_id), *estimates, lines, _sums(lines, account)]
    return Explanation(account_id, lead, [table for table in tables if table.rows])


def section(files: Files, account_ids: Sequence[str]) -> Section:
    """The largest accounts, each with all of its tables."""
    tables = []
    for account_id in account_ids:
        found = of_account(files, account_id)
        for number, table in enumerate(found.tables):
            title = f"Account {account_id}: {table.title}" if number == 0 else table.title
            note = " ".join([*found.lead, table.note]) if number == 0 else table.note
            tables.append(Table(f"{table.key}_{account_id}", title, table.columns, table.rows, table.total, note))
    lead = (
        f"The {len(account_ids)} largest accounts, from the last bill to the last cent. Any other: make explain ACCOUNT= OUT=.",
    )
    return Section("explain", "Explain", lead, tables)


_SPANS = """
select from_date, to_date, days, state, invoice_id, issued_date, is_estimated_bill, ageing, recoverable
from now.account_spans where account_id = $id order by from_date
"""
_LAST_BILL = """
select invoice_id, from_date, to_date, issued_date, is_estimated, sum(net_amount) as net from now.billed_lines where account_id = $id
group by 1, 2, 3, 4, 5 order by to_date desc, invoice_id desc limit 1
"""


def _last_bill(files: Files, account_id: str, spans: list[tuple[Any, ...]]) -> str:
    bill = files.record(_LAST_BILL, account_id)
    if bill is not None:
        kind = "an estimate" if bill["is_estimated"] else "on reads"
        return (
            f"The last bill of the period is {bill['invoice_id']}, {kind}, of {day(bill['from_date'])} to {day(bill['to_date'])}, issued on "
            f"{day(bill['issued_date'])}: {dollars(bill['net'])}."
        )
    billed = [span for span in spans if span[3] == "BILLED"]
    return f"Billed to {day(billed[-1][1])}." if billed else "No day of the period is billed."


def _outcome(files: Files, account_id: str, account: dict[str, Any] | None, spans: list[tuple[Any, ...]]) -> list[str]:
    reasons = [
        row[0] for row in files.rows("select reason from now.exceptions where account_id = $id order by 1", account_id)
    ]
    said = [f"It is an exception: {reason}." for reason in reasons]
    unbilled = sum(span[2] for span in spans if span[3] in ("ACCRUED", "EXCEPTION"))
    if account is None:
        return said or [
            "It is fully billed: every day of supply in the period is on a bill, and nothing is accrued."
            if not unbilled
            else f"{unbilled} days are not billed, and nothing of them could be accrued."
        ]
    how = estimation.METHODS.get(account["method"])
    guess = f", {dollars(account['net_estimated'])} of it estimated by {account['method']} ({how})" if how else ""
    flags = f" Flags: {account['flags'].replace(';', ', ')}." if account["flags"] else ""
    found = (
        f"{account['unbilled_days']} days are not billed, {day(account['unbilled_from'])} to {day(account['unbilled_to'])}: {dollars(account['net_amount'])} "
        f"are accrued{guess}. Plan {account['plan_code'] or '-'}.{flags}"
    )
    return [*said, found, *_band(account)]


def _band(account: dict[str, Any]) -> list[str]:
    """How sure the account's estimated units are, or why that cannot be said."""
    if account["no_band"]:
        return [f"How far the estimate may be off cannot be said. {account['no_band']}."]
    if account["units_low_80"] is None:
        return []
    limits = [
        f"with {percent} % probability {account[f'units_low_{percent}']:,} to {account[f'units_high_{percent}']:,}"
        for percent in (80, 95)
        if account[f"units_low_{percent}"] is not None
    ]
    return [f"Of its units {account['units_estimated']:,} {account['uom']} are estimated: {', '.join(limits)}."]


def _windows(spans: list[tuple[Any, ...]]) -> Table:
    heads = columns(
        ("From", "date"),
        ("To", "date"),
        ("Days", "count"),
        "State",
        "Bill",
        ("Issued", "date"),
        "Waiting",
        "Can be billed",
    )
    rows = [
        (first, last, days, state.replace("_", " ").lower(), _bill(invoice, is_estimated), issued,
         ageing.AGES.get(age, ("", False))[0] if age else "", ageing.LIMITS.get(limit, "") if limit else "")
        for first, last, days, state, invoice, issued, is_estimated, age, limit in spans
    ]  # fmt: skip
    return Table("spans", "Every day of the period", heads, rows)


def _bill(invoice: str | None, is_estimated: bool | None) -> str:
    return "" if invoice is None else f"{invoice}{' (estimate)' if is_estimated else ''}"


_INDEX_READS = """
select meter_serial, register_id, read_date, quality, origin, index_value, quantity_factor,
       (index_value - lag(index_value) over w) * quantity_factor as used, read_date - lag(read_date) over w as days
from now.basic_reads where account_id = $id window w as (partition by meter_serial, register_id order by read_date, origin)
order by meter_serial, register_id, read_date, origin
"""
_READ_DAYS = """
select coalesce(stream_type, ''), line_state, count(distinct local_date), min(local_date), max(local_date), sum(quantity)
from now.account_days where account_id = $id and item_type <> 'DAILY' group by 1, 2 order by 1, 2
"""


def _reads(files: Files, account_id: str) -> list[Table]:
    heads = columns("Stream", "State", ("Days", "count"), ("From", "date"), ("To", "date"), ("Units", "figure"))
    days = Table(
        "read_days",
        "What is read of the unbilled days, and what is estimated",
        heads,
        files.rows(_READ_DAYS, account_id),
    )
    index = files.rows(_INDEX_READS, account_id)
    if not index:
        return [days]
    heads = columns(
        "Meter", "Register", ("Read on", "date"), "Quality", "From", ("Index", "figure"), ("x factor", "figure"), ("Used since", "figure"), ("Days", "count")
    )  # fmt: skip
    rows = [(*row[:4], "this run" if row[4] == "BUA" else "the meter", *row[5:]) for row in index]
    note = "A read stands at the start of its day. Used since is blank where there is no read before, negative where the dial rolled over."
    return [days, Table("index_reads", "Index reads found", heads, rows, note=note)]


_SCALARS = """
with guessed as (   -- a basic meter's missing days are those that were estimated
    select stream_type, list(distinct local_date) as days, min(local_date) as first_day, max(local_date) as last_day
    from now.account_days where account_id = $id and line_state = 'ESTIMATED' and item_type <> 'DAILY' group by 1
),
generated as (   -- an interval meter's are the market days with a half-hour that was estimated
    select meter_serial, register_id, gap, count(*) as days, sum(half_hours) as half_hours, sum(day_units) as day_units, sum(units) as units
    from now.estimated_days where account_id = $id and origin = 'BUA' and half_hours > 0 group by 1, 2, 3
)
select s.* replace (coalesce(s.first_missing, g.first_day) as first_missing, coalesce(s.last_missing, g.last_day) as last_missing),
       coalesce(e.days, s.last_missing - s.first_missing + 1, len(g.days)) as missing_days,
       m.macro as missing_macro, m.days as profile_days, m.degree_days as missing_degree_days, e.half_hours, e.day_units, e.units,
       -- a meter that was replaced has a scalar too, but no day is estimated on it
       case s.read_type when 'BASIC' then exists (
           from now.basic_reads r where r.account_id = s.account_id and r.meter_serial = s.meter_serial
           and r.register_id = s.register_id and r.origin = 'BUA') else e.days is not null end as is_used
from now.scalars s
left join guessed g on g.stream_type = s.stream_type
left join generated e on s.read_type = 'INTERVAL' and (e.meter_serial, e.register_id, e.gap) = (s.meter_serial, s.register_id, s.gap)
left join lateral (
    select sum(p.units) as macro, count(p.units) as days, sum(p.degree_days) as degree_days from now.profiles p where p.profile_key = s.profile_key
    and case when s.first_missing is null then list_contains(g.days, p.profile_date)
             else p.profile_date between s.first_missing and s.last_missing end
) m on true
where account_id = $id order by s.stream_type, gap, meter_serial, register_id
"""


@dataclass(frozen=True)
class Gap:
    """What was estimated of a register: its row of the scalars, and the missing days'."""

    row: dict[str, Any]

    @property
    def unprofiled(self) -> Decimal | None:
        """What stands for the profile on missing days without one: so many mean days of the reference window."""
        row = self.row
        days = (row["missing_days"] or 0) - row["profile_days"]
        if row["read_type"] == "INTERVAL" or days <= 0 or not row["reference_days"] or row["macro_units"] is None:
            return None
        return Decimal(days * row["macro_units"] / row["reference_days"])

    @property
    def by_formula(self) -> Decimal | None:
        """Base x days + scalar x profile + slope x degree-days, of whole days; None where the profile does not cover them."""
        row, stand_in = self.row, self.unprofiled
        if not row["is_used"] or row["missing_days"] is None:
            return None
        if row["method"] in _MEAN_DAYS and row["daily_mean"] is not None:
            return Decimal(row["missing_days"] * row["daily_mean"])
        if row["scalar"] is None:
            return None
        if row["missing_macro"] is None and stand_in is None:
            return None
        macro = (row["missing_macro"] or ZERO) + (stand_in or ZERO)
        by_degrees = (row["degree_slope"] or 0) * (row["missing_degree_days"] or 0)
        return Decimal((row["daily_base"] or 0) * row["missing_days"] + row["scalar"] * macro + by_degrees)

    @property
    def whole_days(self) -> Decimal | None:
        """The estimate of whole days: an interval meter's as it was made, a basic meter's by its formula."""
        return self.row["day_units"] if self.row["read_type"] == "INTERVAL" else self.by_formula

    @property
    def units(self) -> Decimal | None:
        """What of it was missing."""
        return self.row["units"] if self.row["read_type"] == "INTERVAL" else self.by_formula


def _gaps(files: Files, account_id: str) -> list[Gap]:
    names = [
        row[0] for row in files.rows("select column_name from (describe now.scalars) where $id is not null", account_id)
    ]
    names += [
        "missing_days",
        "missing_macro",
        "profile_days",
        "missing_degree_days",
        "half_hours",
        "day_units",
        "units",
        "is_used",
    ]
    return [Gap(dict(zip(names, row, strict=True))) for row in files.rows(_SCALARS, account_id)]


def _estimate(gap: Gap, number: int) -> Table:
    """The steps from the reference window to the units."""
    row = gap.row
    steps = [*_reference_steps(row), *_missing_steps(gap)]
    heads = columns("Step", ("Figure", "figure"), "What it is")
    title = (
        f"Estimate {number}: {row['stream_type'].lower()}, meter {row['meter_serial']}, register {row['register_id']}"
    )
    if not row["is_used"]:
        title += ": not used, no day of this meter is estimated"
    return Table(f"estimate_{number}", title, heads, [_rounded(step) for step in steps if step[1] is not None])


def _reference_steps(row: dict[str, Any]) -> list[Step]:
    own = None if not row["macro_units"] else row["usage_units"] / row["macro_units"]
    return [
        ("Method", row["method"], estimation.METHODS.get(row["method"], "")),
        ("Reference window, days", row["reference_days"], _dates(row["reference_from"], row["reference_to"])),
        ("Used in the reference window", row["usage_units"], "kWh or MJ"),
        ("Profile over the reference window", row["macro_units"], row["profile_key"] or ""),
        ("Used / profile", own, "the scalar before its season, base load and cap" if row["method"] != "RECENT_DAYS" else _UNWEIGHTED),
        ("Own season of last year", row["season_ratio"], _dates(row["season_from"], row["season_to"])),
        ("Daily base", row["daily_base"] or None, "kWh or MJ a day that do not follow the profile"),
        ("Scalar", row["scalar"], ", ".join(name for name in ("giant", "vacant", "capped") if row[f"is_{name}"])),
        ("Own mean day", row["daily_mean"], "where it has no profile, or is a giant"),
        ("Degree slope", row["degree_slope"] or None, "MJ a degree-day, which come on top"),
    ]  # fmt: skip


_UNWEIGHTED = "of all days alike; in the scalar the days nearest to the gap count most"


def _missing_steps(gap: Gap) -> list[Step]:
    row = gap.row
    formula = "Base x days + scalar x profile" + (" + slope x degree-days" if row["degree_slope"] else "")
    if row["method"] in _MEAN_DAYS:
        formula = "Own mean days"
    steps: list[Step] = [
        ("Days missing", row["missing_days"], _dates(row["first_missing"], row["last_missing"])),
        ("Profile over the days missing", row["missing_macro"], "sum of the daily totals"),
        (
            "In place of a profile on the other days",
            gap.unprofiled,
            "their number x the profile's mean day of the reference window",
        ),
        ("Degree-days missing", row["missing_degree_days"] if row["degree_slope"] else None, "degrees below 15.5 C"),
        (formula, gap.whole_days, "the estimate of whole days"),
    ]
    if row["half_hours"]:
        steps.append(
            (
                "Half-hours missing",
                row["half_hours"],
                "of 48 a day; the others were read, or lie in a day that is billed",
            )
        )
        steps.append(("Estimate of these half-hours", gap.units, "as the meter data file of the run has it"))
    return steps


_ESTIMATED_DAYS = """
select e.stream_type, e.meter_serial, e.register_id, e.estimated_date, e.half_hours, p.units, s.scalar, e.day_units, e.units, e.delivered_units
from now.estimated_days e
left join now.scalars s using (account_id, meter_serial, register_id, gap)
left join now.profiles p on p.profile_key = s.profile_key and p.profile_date = e.estimated_date
where account_id = $id order by 1, 2, 3, 4, e.origin
"""


def _days(files: Files, account_id: str) -> Table:
    heads = columns(
        "Stream", "Meter", "Register", ("Day", "date"), ("Half-hours missing", "count"), ("Profile", "figure"), ("Scalar", "figure"),
        ("Whole day", "figure"), ("Estimated", "figure"), ("Delivered estimate", "figure"),
    )  # fmt: skip
    rows = [
        (*row[:6], None if row[6] is None else f"{row[6]:.6g}", *row[7:])
        for row in files.rows(_ESTIMATED_DAYS, account_id)
    ]
    note = (
        "Whole day = scalar x profile; a giant's, or one without a profile, is its own mean day of the day type. Estimated is its part that falls on "
        "the missing half-hours. Our own days are market days (UTC+10 all year, Western Australia UTC+8), the provider's bill days."
    )
    return Table("estimated_days", "What was estimated, day by day", heads, rows, note=note)


_EXPORTED = """
select coalesce(d.stream_type, e.stream_type), coalesce(d.quantity, 0), coalesce(e.delivered, 0) from (
    select stream_type, sum(quantity) as quantity from now.account_days
    where account_id = $id and line_state = 'ESTIMATED' and item_type <> 'DAILY' group by 1
) d full join (
    select stream_type, sum(delivered_units) as delivered from now.estimated_days where account_id = $id group by 1
) e using (stream_type) order by 1
"""


def _reconciled(files: Files, account_id: str, gaps: Sequence[Gap]) -> Table:
    """From the estimates of whole days to the estimated units that are exported, stream by stream."""
    heads = columns(
        "Stream", ("Whole days", "figure"), ("of it read, or of billed days", "figure"), ("Delivered as an estimate", "figure"), ("Rounding", "figure"),
        ("Estimated, as exported", "figure"),
    )  # fmt: skip
    rows = []
    for stream, exported, delivered in files.rows(_EXPORTED, account_id):
        own = [gap for gap in gaps if gap.row["stream_type"] == stream and gap.units is not None]
        whole, units = (sum((getattr(gap, name) for gap in own), ZERO) for name in ("whole_days", "units"))
        parts = [round(part, 3) for part in (whole, units - whole, delivered)]
        rows.append((stream, *parts, round(exported, 3) - sum(parts, ZERO), round(exported, 3)))
    return Table("reconciled", "From the estimates to the exported units", heads, rows)


_FACTORS = ("Used / profile", "Own season of last year", "Scalar", "Degree slope")


def _rounded(step: Step) -> Step:
    """Six figures of what multiplies, so that it can be recomputed: 0.00007 is no 0.000. Three decimals of what is added."""
    name, value, what = step
    if isinstance(value, Decimal):
        value = f"{value:.6g}" if name in _FACTORS else f"{value:,.3f}"
    return name, value, what


def _dates(first: date | None, last: date | None) -> str:
    return f"{day(first)} to {day(last)}" if first and last else ""


# The cent of a line is rounded once; what the quantity shows is rounded to 3 decimals, cumulatively over an account's lines.
_RATED = """
select line_no, item_type, coalesce(stream_type, ''), time_class, line_state, min(year_month) || case when count(distinct year_month) > 1 then ' to ' || max(year_month) else '' end,
       sum(quantity), max(rate), sum(net_amount) + sum(discount_net_propensity), sum(discount_net_propensity), sum(net_amount), sum(gst_amount)
from now.lines where account_id = $id group by 1, 2, 3, 4, 5 order by 1
"""


def _lines(files: Files, account_id: str) -> Table:
    heads = columns(
        ("Line", "count"), "Item", "Stream", "Time class", "State", "Months", ("Quantity", "figure"), ("Rate", "figure"), ("Quantity x rate", "figure"),
        ("Rounding", "figure"), ("Gross $", "money"), ("Expected discount $", "money"), ("Net $", "money"), ("GST $", "money"),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for row in files.rows(_RATED, account_id):
        exact = row[6] * row[7] * (-1 if row[1] == "FEED_IN" else 1)
        rows.append((*row[:7], f"{row[7].normalize():f}", round(exact, 4), round(row[8] - exact, 4), *row[8:]))
    sums = [sum((row[place] for row in rows), ZERO) for place in range(10, 14)]
    note = (
        "A line's net and its discount are each rounded to the cent once. Quantities are shown to 3 decimals, rounded as they run up over the "
        "account's lines."
    )
    return Table("rated", "Every rated line", heads, rows, ("", "Total", *[""] * 8, *sums), note)


def _sums(lines: Table, account: dict[str, Any]) -> Table:
    total = lines.total or ()
    heads = columns("Sum", ("of the lines", "figure"), ("BUAAccountSummary.csv", "figure"), ("Difference", "figure"))
    units = sum((row[6] for row in lines.rows if row[1] != "DAILY" and row[2] != "SOLAR"), Decimal("0.000"))
    pairs = (
        ("Net $", total[12], account["net_amount"]), ("GST $", total[13], account["gst_amount"]),
        ("Expected discount $", total[11], account["discount_amount"]), (account["uom"], units, account["units_total"]),
    )  # fmt: skip
    return Table("sums", "To the last cent", heads, [(name, one, other, one - other) for name, one, other in pairs])
