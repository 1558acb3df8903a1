"""Rules of invoices.csv and invoice_lines.csv, and that what is not billed yet has a price."""

from collections import defaultdict
from collections.abc import Iterable

from local.portfolio.problems import Problems
from local.portfolio.records import ITEM_OF_STREAM, STREAM_OF_ITEM, Account, Invoice, PlanItem, Portfolio, Register
from local.portfolio.rules_plans import plans_by_day, priced_spans
from local.portfolio.spans import Span, common, overlaps, shown, uncovered

INVOICES = "invoices.csv"
LINES = "invoice_lines.csv"


def check_invoices(portfolio: Portfolio, problems: Problems) -> None:
    """Report invoices outside their account's supply, and days that two valid invoices bill."""
    accounts = {account.account_id: account for account in portfolio.accounts}
    seen: dict[str, int] = {}
    valid: dict[str, list[Invoice]] = defaultdict(list)
    for invoice in portfolio.invoices:
        first = seen.setdefault(invoice.invoice_id, invoice.line)
        if first != invoice.line:
            problems.add(INVOICES, invoice.line, "invoice_id", f"{invoice.invoice_id!r} stands on line {first} already")
        account = accounts.get(invoice.account_id)
        if account is None:
            problems.add(INVOICES, invoice.line, "account_id", f"{invoice.account_id!r} is not in accounts.csv")
            continue
        _check_invoice(invoice, account, problems)
        if not invoice.reversed:
            valid[invoice.account_id].append(invoice)
    for invoices in valid.values():
        for later, earlier in overlaps(((invoice.from_date, invoice.to_date), invoice) for invoice in invoices):
            reason = (
                f"invoice {later.invoice_id} bills days that invoice {earlier.invoice_id} (line {earlier.line}) bills "
                f"too, mark the one that was taken back as reversed"
            )
            problems.add(INVOICES, later.line, "from_date", reason)


def _check_invoice(invoice: Invoice, account: Account, problems: Problems) -> None:
    if invoice.to_date < invoice.from_date:
        problems.add(INVOICES, invoice.line, "to_date", f"{invoice.to_date} is before from_date {invoice.from_date}")
    if invoice.from_date < account.open_date:
        reason = f"{invoice.from_date} is before account {account.account_id} opened on {account.open_date}"
        problems.add(INVOICES, invoice.line, "from_date", reason)
    if account.close_date is not None and invoice.to_date > account.close_date:
        reason = f"{invoice.to_date} is after account {account.account_id} closed on {account.close_date}"
        problems.add(INVOICES, invoice.line, "to_date", reason)
    if invoice.issued_date < invoice.from_date:
        reason = f"{invoice.issued_date} is before from_date {invoice.from_date}, bills are in arrears"
        problems.add(INVOICES, invoice.line, "issued_date", reason)


def check_invoice_lines(portfolio: Portfolio, problems: Problems) -> None:
    """Report lines of no invoice, and items on the wrong stream."""
    known = {invoice.invoice_id for invoice in portfolio.invoices}
    for line in portfolio.invoice_lines:
        if line.invoice_id not in known:
            problems.add(LINES, line.line, "invoice_id", f"{line.invoice_id!r} is not in invoices.csv")
        wanted = STREAM_OF_ITEM[line.item_type]
        if line.stream_type != wanted:
            reason = f"{line.stream_type or ''!r} with item_type {line.item_type}, which goes with {wanted or 'blank'}"
            problems.add(LINES, line.line, "stream_type", reason)


def check_prices(portfolio: Portfolio, period: Span, problems: Problems) -> None:
    """Report accounts whose plan has no price for a stream of their site on unbilled days of the period.

    Export on a plan that prices none is worth nothing and needs no price. An index has no time of day: prices of time
    classes share it (docs/arithmetic.md).
    """
    prices: dict[tuple[str, str], list[PlanItem]] = defaultdict(list)
    for item in portfolio.plans:
        prices[item.plan_code, item.item_type].append(item)
    registers: dict[str, list[Register]] = defaultdict(list)
    for register in portfolio.registers:
        registers[register.site_id].append(register)
    billed: dict[str, list[Span]] = defaultdict(list)
    for invoice in portfolio.invoices:
        if not invoice.reversed:
            billed[invoice.account_id].append((invoice.from_date, invoice.to_date))
    known = {item.plan_code for item in portfolio.plans}
    plans = plans_by_day(portfolio)
    for account in portfolio.accounts:
        supply = common((account.open_date, account.close_date), period)
        unbilled = list(uncovered(supply, billed[account.account_id])) if supply else []
        for plan_code, days in plans[account.account_id]:
            if plan_code not in known:  # reported with the accounts
                continue
            own = [both for span in unbilled if (both := common(span, days))]
            for register in registers[account.site_id]:
                item_type = ITEM_OF_STREAM[register.stream_type]
                rows = prices[plan_code, item_type]
                hole = _unpriced(register, own, rows) if rows or item_type != "FEED_IN" else None
                if hole:
                    reason = (
                        f"plan {plan_code} has no {item_type} price for register {register.register_id} of site "
                        f"{register.site_id} on the unbilled days {shown(hole)} (priced: {priced_spans(rows)}), add it"
                    )
                    problems.add("accounts.csv", account.line, "plan_code", reason)


def _unpriced(register: Register, unbilled: Iterable[Span], rows: list[PlanItem]) -> Span | None:
    """Return the first of the register's unbilled days that the prices do not reach."""
    prices = {(row.from_date, row.to_date) for row in rows}
    for span in unbilled:
        wanted = common(span, (register.start_date, register.end_date))
        hole = next(uncovered(wanted, prices), None) if wanted else None
        if hole:
            return hole
    return None
