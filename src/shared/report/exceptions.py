"""What is unusual, by code: how many accounts, dollars booked, dollars at risk, and who acts."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from shared.report.book import Book
from shared.report.part import Part
from shared.report.table import Section, Table, columns

READS, BILLING, PRICING, DATA, ON_CALL = (
    "Metering: get a read", "Billing", "Pricing", "Metering: check the data", "On call: mend and rerun",
)  # fmt: skip


@dataclass(frozen=True)
class Code:
    """An exception: which accounts have it (a condition, or a query), what of them is at risk, and who acts."""

    name: str
    acts: str
    where: str
    at_risk: str = "net_estimated"


def _flag(name: str) -> str:
    return f"list_contains(string_split(coalesce(flags, ''), ';'), '{name}')"


CODES = (
    Code("No read for over a cycle", READS, "last_read_date is null or last_read_date < period_to - coalesce(billing_days, 91)"),
    Code("Segment average: nothing of its own is known", READS, "method = 'SEGMENT_AVERAGE'"),
    Code("Delivered estimate", READS, "method = 'DELIVERED_ESTIMATE'"),
    Code("Scalar outside the 1st to 99th percentile of its class", DATA, "account_id in (select account_id from odd_scalar)"),
    Code("Three times its own season of last year, or more", DATA, "account_id in (select account_id from now.scalars where season_ratio >= 3)"),
    Code("Nothing used, after use before", DATA, _flag("ZERO_USE"), "net_amount"),
    Code("Vacant for a year", DATA, _flag("VACANT"), "net_amount"),
    Code("Implausible reading, estimated instead", DATA, _flag("IMPLAUSIBLE_READ")),
    Code("Later reads say something else", DATA, _flag("READS_DIFFER"), "net_amount"),
    Code("No price: units at no dollars", PRICING, _flag("NO_PRICE"), "net_amount"),
    Code("Incomplete: some days have neither read nor estimate", DATA, _flag("INCOMPLETE"), "net_amount"),
    Code("Two accounts on the same site and days", BILLING, _flag("SHARED_SITE"), "net_amount"),
    Code("Units not known: only supply is booked", READS, "account_id in (select account_id from now.exceptions where run_types is null)", "net_amount"),
    Code("Failed work item", ON_CALL, "account_id in (select account_id from now.exceptions where run_types is not null)", "net_amount"),
    Code("Estimated bill, read since: its correction is known", BILLING, "catch_up_amount is not null", "abs(catch_up_amount)"),
)  # fmt: skip

# Percentiles of the scalars by fuel and class, where there are enough of them to have a 1st.
_ODD_SCALAR = """
create or replace temp table odd_scalar as
select account_id from (
    select account_id, scalar, quantile_cont(scalar, 0.01) over w as low, quantile_cont(scalar, 0.99) over w as high, count(*) over w as n
    from now.accounts where scalar is not null window w as (partition by fuel, customer_class)
) where n >= 100 and (scalar < low or scalar > high)
"""
# An account that could not be prepared has no row in BUAAccountSummary.csv: it is here all the same.
_JUDGED = """
create or replace temp table judged as
select account_id, fuel, jurisdiction, journal_segment, net_amount, net_estimated, method, scalar, flags, last_read_date, billing_days,
       catch_up_amount, period_to
from now.accounts
union all by name
select distinct account_id, fuel, jurisdiction, '' as journal_segment, 0.00 as net_amount, 0.00 as net_estimated, period_to as last_read_date,
       period_to
from now.exceptions where account_id is not null and account_id not in (select account_id from now.accounts)
"""
_EACH = """
select account_id, fuel, jurisdiction, journal_segment, net_amount, {at_risk} as at_risk, coalesce(flags, '')
from judged where {where} order by at_risk desc, account_id
"""
_MARKS = """
select fuel, jurisdiction, coalesce(customer_class, ''), coalesce(stream_type, node, ''), reason, count(*), min(profile_date), max(profile_date)
from now.marks where profile_date::date between $1 and $2 group by 1, 2, 3, 4, 5 order by 6 desc, 1, 2, 3, 4, 5
"""
_WITHOUT_A_ROW = """
select coalesce(x.account_id, x.item_key), x.reason, coalesce(x.run_types, ''), x.net_amount from now.exceptions x order by 1, 3, 2
"""
LISTED = 50


def compute(book: Book) -> Part:
    """The exceptions by code, the accounts of each, what failed, and the profile entries that were not trusted."""
    book.database.execute(_ODD_SCALAR)
    book.database.execute(_JUDGED)
    counts, listed = [], []
    for code in CODES:
        rows = book.rows(_EACH.format(where=code.where, at_risk=code.at_risk))
        if rows:
            booked = sum((Decimal(row[4]) for row in rows), Decimal(0))
            counts.append((code.name, len(rows), booked, sum((Decimal(row[5]) for row in rows), Decimal(0)), code.acts))
            listed += [(code.name, *row) for row in rows[:LISTED]]
    failed = book.rows(_WITHOUT_A_ROW)
    lead = (
        f"{len(counts)} kinds of exception. An account can be in several, so the rows do not add up.",
        "At risk is the estimated part of what is booked, unless the whole is in doubt; of a known correction it is the correction.",
    )
    return Part(
        Section("exceptions", "Exceptions", lead, (_codes(counts), _accounts(listed), _failures(failed), _marks(book)))
    )


def unknown_units(book: Book) -> int:
    """Rows of exceptions.csv."""
    (count,) = book.row("select count(*) from now.exceptions")
    return int(count)


def _codes(rows: Sequence[tuple[object, ...]]) -> Table:
    heads = columns("What", ("Accounts", "count"), ("Booked $", "money"), ("At risk $", "money"), "Who acts")
    return Table("exceptions", "By code", heads, rows)


def _accounts(rows: list[tuple[object, ...]]) -> Table:
    heads = columns(
        "What", "Account", "Fuel", "State", "Segment", ("Booked $", "money"), ("At risk $", "money"), "Flags"
    )
    return Table("exception_accounts", f"The accounts, at most {LISTED} of a code", heads, rows, shown=0)


def _failures(rows: list[tuple[object, ...]]) -> Table:
    heads = columns("Account or item", "Reason", "Failed in", ("Booked $", "money"))
    return Table("failures", "Accounts of which only the supply is booked, and what failed", heads, rows, shown=20)


def _marks(book: Book) -> Table:
    heads = columns(
        "Fuel",
        "State",
        "Class",
        "Stream or zone",
        "Not trusted because",
        ("Entries", "count"),
        ("From", "date"),
        ("To", "date"),
    )
    rows = book.rows(_MARKS, (book.now.day("from"), book.now.day("to")))
    note = (
        "Days and half-hours of segment profiles that were replaced by an equivalent day: profile_marks.csv has each."
    )
    return Table("marks", "Profile entries that were not trusted", heads, rows, note=note, shown=10)
