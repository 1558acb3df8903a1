"""Rules of accounts.csv, registers.csv and public_holidays.csv: identity, references, who is where when."""

import re
from collections import defaultdict

from local.portfolio.problems import Problems
from local.portfolio.records import Account, Portfolio, Register
from local.portfolio.spans import overlaps
from shared.metering.nem12 import is_writable

ACCOUNTS = "accounts.csv"
REGISTERS = "registers.csv"
HOLIDAYS = "public_holidays.csv"


def check_accounts(portfolio: Portfolio, problems: Problems) -> None:
    """Report accounts that cannot be, or that stand in each other's way on a site."""
    plan_codes = {item.plan_code for item in portfolio.plans}
    seen: dict[str, Account] = {}
    by_site: dict[str, list[Account]] = defaultdict(list)
    for account in portfolio.accounts:
        if account.account_id in seen:
            reason = f"{account.account_id!r} stands on line {seen[account.account_id].line} already"
            problems.add(ACCOUNTS, account.line, "account_id", reason)
        seen.setdefault(account.account_id, account)
        if account.plan_code not in plan_codes:
            problems.add(ACCOUNTS, account.line, "plan_code", f"{account.plan_code!r} is not in plans.csv")
        _check_account(account, problems)
        by_site[account.site_id].append(account)
    for accounts in by_site.values():
        _check_one_site(accounts, problems)


def _check_account(account: Account, problems: Problems) -> None:
    if account.fuel == "GAS" and not account.site_id.startswith("5"):
        problems.add(ACCOUNTS, account.line, "site_id", f"{account.site_id} is no MIRN, which begins with 5")
    if account.close_date is not None and account.close_date < account.open_date:
        reason = f"{account.close_date} is before open_date {account.open_date}"
        problems.add(ACCOUNTS, account.line, "close_date", reason)
    if account.next_bill_date is None and account.close_date is None:
        reason = "is blank, an account that is open has a next bill"
        problems.add(ACCOUNTS, account.line, "next_bill_date", reason)


def _check_one_site(accounts: list[Account], problems: Problems) -> None:
    first = accounts[0]
    for account in accounts[1:]:
        for name in ("fuel", "jurisdiction", "node"):
            if getattr(account, name) != getattr(first, name):
                reason = (
                    f"{getattr(account, name)!r}, but line {first.line} has {getattr(first, name)!r} for the same site"
                )
                problems.add(ACCOUNTS, account.line, name, reason)
    for later, earlier in overlaps(((account.open_date, account.close_date), account) for account in accounts):
        reason = (
            f"account {later.account_id} overlaps account {earlier.account_id} (line {earlier.line}) on site "
            f"{later.site_id}, close one the day before the other opens"
        )
        problems.add(ACCOUNTS, later.line, "open_date", reason)


def check_registers(portfolio: Portfolio, problems: Problems) -> None:
    """Report registers that do not fit their site, and two that would count the same energy."""
    fuels = {account.site_id: account.fuel for account in portfolio.accounts}
    channels: dict[tuple[str, ...], list[Register]] = defaultdict(list)
    for register in portfolio.registers:
        if register.site_id not in fuels:
            problems.add(REGISTERS, register.line, "site_id", f"{register.site_id} is on no account of accounts.csv")
        elif fuels[register.site_id] == "GAS":
            _check_gas(register, problems)
        else:
            _check_electricity(register, problems)
        if register.end_date is not None and register.end_date < register.start_date:
            reason = f"{register.end_date} is before start_date {register.start_date}"
            problems.add(REGISTERS, register.line, "end_date", reason)
        channels["suffix", register.site_id, register.suffix].append(register)
        channels["register_id", register.site_id, register.meter_serial, register.register_id].append(register)
    for (name, *_), registers in channels.items():
        for later, earlier in overlaps(((register.start_date, register.end_date), register) for register in registers):
            reason = (
                f"{getattr(later, name)!r} of site {later.site_id} overlaps line {earlier.line}, "
                "end the old one the day before the new one starts"
            )
            problems.add(REGISTERS, later.line, name, reason)


def _check_gas(register: Register, problems: Problems) -> None:
    for name, wanted in (("uom", "MJ"), ("read_type", "BASIC"), ("stream_type", "PRIMARY")):
        if getattr(register, name) != wanted:
            reason = f"{getattr(register, name)!r} on a gas site, which has {wanted}"
            problems.add(REGISTERS, register.line, name, reason)


def _check_electricity(register: Register, problems: Problems) -> None:
    if register.uom == "MJ":
        problems.add(REGISTERS, register.line, "uom", "'MJ' on an electricity site, use KWH, WH or MWH")
    if register.read_type == "INTERVAL":
        if register.digits is not None:
            problems.add(REGISTERS, register.line, "digits", "an INTERVAL register has no index, leave it blank")
        if not re.fullmatch(r"[A-Z][A-Z0-9]", register.suffix):
            problems.add(REGISTERS, register.line, "suffix", f"{register.suffix!r} is no NMI suffix like E1 or B1")
        for name in ("meter_serial", "register_id"):
            if not is_writable(getattr(register, name)):
                reason = "an INTERVAL register's goes into meter data files, use ASCII without commas and quotes"
                problems.add(REGISTERS, register.line, name, f"{getattr(register, name)!r} cannot be written, {reason}")
    if register.suffix[0] in "QK":
        reason = f"{register.suffix!r} is reactive and never billed as kWh, leave the register out"
        problems.add(REGISTERS, register.line, "suffix", reason)


def check_public_holidays(portfolio: Portfolio, problems: Problems) -> None:
    """Report days that stand twice."""
    seen: dict[tuple[str, object], int] = {}
    for holiday in portfolio.public_holidays:
        first = seen.setdefault((holiday.jurisdiction, holiday.date), holiday.line)
        if first != holiday.line:
            problems.add(HOLIDAYS, holiday.line, "date", f"{holiday.date} stands on line {first} already")
