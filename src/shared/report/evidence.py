"""What the figures rest on: the run, its parameters, its files and their hashes, its work items."""

from typing import Any

from shared.report import exports
from shared.report.book import Book
from shared.report.part import Part
from shared.report.table import Section, Table, columns
from shared.report.ties import Tie

_SPANS = """
with d as (
    select account_id, days, to_date - from_date + 1 as counted, from_date,
           lag(to_date) over (partition by account_id order by from_date) as before
    from now.account_spans
)
select count(distinct account_id), coalesce(sum(days), 0), count(*) filter (where before is not null and from_date <> before + 1),
       count(*) filter (where days <> counted) from d
"""


def compute(book: Book) -> Part:
    """The evidence and the ties of the files with each other and with control.json."""
    tables = (_run(book), _files(book), _parameters(book), _work(book))
    return Part(
        Section("evidence", "Evidence", ("Everything here comes from control.json and the files beside it.",), tables),
        (*_totals(book), *_grain(book), *_accounts(book), *_days(book)),
    )


def _run(book: Book) -> Table:
    control = book.now.control
    facts: list[tuple[str, Any]] = [
        ("Run date", control["run_date"]),
        *((f"Period {name}", control["period"][name]) for name in ("from", "to", "as_at")),
        ("Snapshot", control.get("snapshot") or "-"),
        ("Code (SHA-256 of its SQL)", control.get("code", "-")),
        ("Run before", "none" if book.before is None else str(book.before.run_date)),
    ]
    return Table("run", "The run", columns("What", "Value"), facts)


def _files(book: Book) -> Table:
    changed = {name for name, _, _ in exports.changed_files(book.now)}
    heads = columns("File", ("Rows", "count"), ("Bytes", "count"), "SHA-256", "Unchanged since")
    rows = [
        (name, one.get("rows"), one.get("bytes"), one.get("sha256", ""), "NO" if name in changed else "yes")
        for name, one in sorted(book.now.control.get("files", {}).items())
    ]
    return Table("files", "The files", heads, rows)


def _parameters(book: Book) -> Table:
    chosen = book.finance.materiality.model_dump()
    rows = [(name, str(value)) for name, value in sorted(book.now.control.get("parameters", {}).items())]
    own = [(f"finance: {name}", "-" if value is None else str(value)) for name, value in chosen.items()]
    return Table("parameters", "Parameters", columns("Parameter", "Value"), [*own, *rows], shown=8)


def _work(book: Book) -> Table:
    heads = columns("Kind of work", *((name, "count") for name in ("Planned", "Done", "Skipped", "Failed")))
    rows = [
        (name, *(one[state] for state in ("planned", "done", "skip", "fail")))
        for name, one in sorted(book.now.control.get("work_items", {}).items())
    ]
    return Table("work", "Work items", heads, rows)


def _totals(book: Book) -> tuple[Tie, ...]:
    """Net, GST, discount and units: summary, lines, account-days and control.json say the same."""
    totals = book.now.control["totals"]
    figures = {
        "BUAAccountSummary.csv": book.row(
            "select sum(net_amount), sum(gst_amount), sum(discount_amount) from now.accounts"
        ),
        "InvoiceLineItemMonthly.csv": book.row(
            "select sum(net_amount), sum(gst_amount), sum(discount_net_propensity) from now.lines"
        ),
        "summary.csv": book.row("select sum(net_amount), sum(gst_amount), sum(discount_amount) from now.summary"),
        "account_days": book.row(
            "select sum(net_amount), sum(gst_amount), sum(discount_net_propensity) from now.account_days"
        ),
    }
    ties = [
        Tie(f"{name} of {where}", where, value or 0, "control.json", exports.decimal(totals[key]))
        for where, values in figures.items()
        for name, key, value in zip(
            ("Net", "GST", "Discount"), ("net_amount", "gst_amount", "discount_amount"), values, strict=True
        )
    ]
    return (*ties, *_units(book))


def _units(book: Book) -> list[Tie]:
    statement = """
        select coalesce(sum(quantity) filter (where a.uom = 'KWH' and stream_type <> 'SOLAR'), 0),
               coalesce(sum(quantity) filter (where a.uom = 'MJ' and stream_type <> 'SOLAR'), 0),
               coalesce(sum(quantity) filter (where stream_type = 'SOLAR'), 0)
        from now.{table} join now.accounts a using (account_id) where item_type <> 'DAILY'
    """
    return [
        Tie(f"{name} of {where}", where, value, "control.json", exports.decimal(book.now.control["totals"][key]))
        for table, where in (("lines", "InvoiceLineItemMonthly.csv"), ("account_days", "account_days"))
        for name, key, value in zip(
            ("kWh", "MJ", "kWh exported"),
            ("kwh", "mj", "kwh_exported"),
            book.row(statement.format(table=table)),
            strict=True,
        )
    ]


# Every line's month, and every month of control.json, down to the grain: how many differ.
_GRAIN = """
with day as (
    select account_id, line_no, strftime(local_date, '%Y-%m') as year_month, sum(quantity) as quantity, sum(net_amount) as net,
           sum(gst_amount) as gst, sum(discount_net_propensity) as discount
    from now.account_days group by 1, 2, 3
)
select count(*) from day full join now.lines l using (account_id, line_no, year_month)
where (day.quantity, net, gst, discount) is distinct from (l.quantity, l.net_amount, l.gst_amount, l.discount_net_propensity)
"""
_MONTHS = "select year_month, sum(net_amount) from now.lines group by 1"


def _grain(book: Book) -> tuple[Tie, ...]:
    (lines,) = book.row(_GRAIN)
    months = {month: one["net_amount"] for month, one in book.now.control.get("months", {}).items()}
    added = dict(book.rows(_MONTHS))
    odd = [month for month, net in months.items() if exports.decimal(net) != added.get(month, 0)]
    return (
        Tie(
            "Lines and months whose account-days do not add up to them",
            "account_days",
            lines,
            "InvoiceLineItemMonthly.csv",
            0,
        ),
        Tie(
            "Months whose net is not control.json's",
            ", ".join(odd) or "InvoiceLineItemMonthly.csv",
            len(odd),
            "control.json",
            0,
        ),
    )


def _accounts(book: Book) -> tuple[Tie, ...]:
    """Every account is in exactly one of accrued, exception, fully billed, failed work item; every file is the one that was hashed."""
    counted = book.now.control["accounts"]
    parts = sum(counted[name] for name in ("accrued", "exceptions", "failed_items", "fully_billed"))
    (spans,) = book.row("select count(*) from now.account")
    changed = exports.changed_files(book.now)
    return (
        Tie("Accounts by what became of them", "control.json's parts", parts, "its total", counted["total"]),
        Tie("Accounts with spans", "account_spans", spans, "control.json", counted["total"]),
        Tie(
            "Files that are not as control.json says",
            ", ".join(name for name, _, _ in changed) or "the folder",
            len(changed),
            "a whole export",
            0,
        ),
    )


def _days(book: Book) -> tuple[Tie, ...]:
    """Every account-day is exactly one of billed, accrued, outside supply."""
    days = book.now.control["account_days"]
    _, total, gaps, odd = book.row(_SPANS)
    found = dict(book.rows("select state, sum(days) from now.account_spans group by 1"))
    (outside,) = book.row("select count(*) from now.day where not is_unbilled")
    states = {"BILLED": "billed", "ACCRUED": "accrued", "EXCEPTION": "exceptions", "OUTSIDE_SUPPLY": "outside_supply"}
    return (
        Tie("Account-days", "account_spans", total, "control.json", days["total"]),
        *(
            Tie(f"Account-days, {key}", "account_spans", found.get(state, 0), "control.json", days[key])
            for state, key in states.items()
        ),
        Tie("Spans that leave a gap or overlap", "account_spans", gaps + odd, "a whole period", 0),
        Tie("Account-days with money that are not unbilled", "account_days", outside, "account_spans", 0),
    )
