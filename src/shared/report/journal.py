"""The journal of the accrual, reversed on the first day of the next month. It is balanced, or it is not written."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from shared.errors import PermanentError
from shared.report.book import ZERO, Book
from shared.report.finance import LedgerAccount
from shared.report.part import Part
from shared.report.table import Section, Table, columns
from shared.report.ties import Tie

COLUMNS = (
    "run_date", "posting_date", "reversal_date", "line", "jurisdiction", "fuel", "journal_segment", "cost_centre",
    "ledger_account", "ledger_name", "debit", "credit", "text",
)  # fmt: skip
GST_COLUMNS = ("run_date", "due_state", "jurisdiction", "fuel", "journal_segment", "gst_amount", "note")
NOTHING = Decimal("0.00")
UNPOSTED = "memo, not posted"

# Gross is what the customer is charged before the discount that is expected.
_AMOUNTS = """
select a.jurisdiction, a.fuel, a.journal_segment,
       coalesce(sum(l.net_amount) filter (where l.item_type <> 'FEED_IN'), 0) as income,
       coalesce(sum(l.discount_net_propensity) filter (where l.item_type <> 'FEED_IN'), 0) as discounts,
       coalesce(sum(l.net_amount + l.discount_net_propensity) filter (where l.item_type = 'USAGE'), 0) as usage,
       coalesce(sum(l.net_amount + l.discount_net_propensity) filter (where l.item_type = 'DAILY'), 0) as supply,
       coalesce(sum(l.net_amount + l.discount_net_propensity) filter (where l.item_type = 'CONTROL'), 0) as controlled_load,
       -coalesce(sum(l.net_amount) filter (where l.item_type = 'FEED_IN'), 0) as feed_in
from now.lines l join now.accounts a using (account_id)
group by 1, 2, 3 order by 1, 2, 3
"""
_GST = """
select a.due_state, a.jurisdiction, a.fuel, a.journal_segment, sum(l.gst_amount)
from now.lines l join now.accounts a using (account_id) group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
# Ledger account, the amount's column in _AMOUNTS, whether it is debited.
_SIDES = (
    ("accrued_income", "income", True), ("discounts", "discounts", True), ("usage", "usage", False),
    ("supply", "supply", False), ("controlled_load", "controlled_load", False), ("feed_in_cost", "feed_in", True),
    ("feed_in_accrual", "feed_in", False),
)  # fmt: skip
_NAMES = ("income", "discounts", "usage", "supply", "controlled_load", "feed_in")


@dataclass(frozen=True)
class Entry:
    """A line of the journal; one of debit and credit is zero, dollars."""

    jurisdiction: str
    fuel: str
    segment: str
    cost_centre: str
    account: LedgerAccount
    debit: Decimal
    credit: Decimal


def entries(book: Book) -> list[Entry]:
    """The journal's lines, without those of zero. A negative amount is on the other side."""
    found = []
    for jurisdiction, fuel, segment, *values in book.rows(_AMOUNTS):
        amounts = dict(zip(_NAMES, values, strict=True))
        centre = book.finance.cost_centre(segment)
        for account, name, is_debit in _SIDES:
            amount = amounts[name] if is_debit else -amounts[name]
            if amount:
                ledger = getattr(book.finance.accounts, account)
                found.append(
                    Entry(jurisdiction, fuel, segment, centre, ledger, max(amount, NOTHING), max(-amount, NOTHING))
                )
    return found


def compute(book: Book) -> Part:
    """The journal, with its ties: balanced, and as much as was accrued."""
    lines, gst = entries(book), book.rows(_GST)
    debit, credit = (sum((getattr(line, side) for line in lines), ZERO) for side in ("debit", "credit"))
    accounts = book.finance.accounts
    income = _balance(lines, accounts.accrued_income)
    feed_in = _balance(lines, accounts.feed_in_accrual)
    (gst_total,) = book.row("select coalesce(sum(gst_amount), 0.00) from now.accounts")
    ties = (
        Tie("The journal", "debit", debit, "credit", credit),
        Tie(
            "Net by journal",
            "accrued income less feed-in accrual",
            income + feed_in,
            "BUAAccountSummary.csv",
            book.total,
        ),
        Tie("GST by due state", "the memo", sum((row[-1] for row in gst), ZERO), "BUAAccountSummary.csv", gst_total),
    )
    lead = (
        f"Posted on {book.now.day('to')}, reversed on {reversal_date(book.now.day('to'))}. GST is a memo and not posted: the liability "
        "arises with the invoice. It is split by due state, because under a payment arrangement it can arise when an "
        "invoice would have been issued."
    )
    tables = (_by_account(lines), _by_segment(lines), _gst_table(gst))
    return Part(Section("journal", "Journal", (lead,), tables), ties)


def reversal_date(posting: date) -> date:
    """The first day of the month after."""
    return (posting.replace(day=1) + timedelta(days=31)).replace(day=1)


def write(book: Book, folder: Path) -> None:
    """Write journal.csv and journal_gst_memo.csv; raises PermanentError rather than write what is not balanced."""
    lines = entries(book)
    if sum((line.debit - line.credit for line in lines), ZERO):
        raise PermanentError("the journal is not balanced and was not written")
    run, posting = book.now.run_date.isoformat(), book.now.day("to")
    dates = [run, posting.isoformat(), reversal_date(posting).isoformat()]
    text = f"Accrued revenue to {posting}"
    _write(folder / "journal.csv", COLUMNS, (
        [*dates, str(number), one.jurisdiction, one.fuel, one.segment, one.cost_centre, one.account.code, one.account.name,
         str(one.debit), str(one.credit), text] for number, one in enumerate(lines, 1)))  # fmt: skip
    _write(folder / "journal_gst_memo.csv", GST_COLUMNS, ([run, *map(str, row), UNPOSTED] for row in book.rows(_GST)))


def _balance(lines: Iterable[Entry], account: LedgerAccount) -> Decimal:
    return sum((line.debit - line.credit for line in lines if line.account == account), ZERO)


def _by_account(lines: list[Entry]) -> Table:
    sums: dict[tuple[str, str], list[Decimal]] = {}
    for line in lines:
        found = sums.setdefault((line.account.code, line.account.name), [ZERO, ZERO])
        found[0] += line.debit
        found[1] += line.credit
    heads = columns("Account", "Name", ("Debit $", "money"), ("Credit $", "money"))
    total = ("Total", "", *(sum((one[side] for one in sums.values()), ZERO) for side in (0, 1)))
    return Table("journal_accounts", "By ledger account", heads, [(*key, *found) for key, found in sums.items()], total)


def _by_segment(lines: list[Entry]) -> Table:
    heads = columns(
        "State", "Fuel", "Segment", "Cost centre", "Account", "Name", ("Debit $", "money"), ("Credit $", "money")
    )
    rows = [
        (
            one.jurisdiction,
            one.fuel,
            one.segment,
            one.cost_centre,
            one.account.code,
            one.account.name,
            one.debit,
            one.credit,
        )
        for one in lines
    ]
    total = ("Total", *[""] * 5, *(sum((row[side] for row in rows), ZERO) for side in (-2, -1)))
    return Table("journal", "Journal lines, as in journal.csv", heads, rows, total)


def _gst_table(rows: list[tuple[str, str, str, str, Decimal]]) -> Table:
    heads = columns("Due state", "State", "Fuel", "Segment", ("GST $", "money"))
    total = ("Total", "", "", "", sum((row[-1] for row in rows), ZERO))
    return Table("journal_gst", "GST memo, not posted", heads, rows, total)


def _write(path: Path, names: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_harmless(cell) for cell in row] for row in rows)


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        Decimal(cell)
    except ArithmeticError:
        return False
    return True
