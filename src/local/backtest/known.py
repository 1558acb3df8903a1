"""What of a portfolio was known at the end of an earlier month: everything later is left out, and never loaded."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from local.platform.interval_loader import to_stored
from local.platform.nem12_fields import MeterDataFile
from local.portfolio.records import Account, MeterData, Portfolio, Register
from shared.errors import InvalidInput
from shared.metering.interval_store import encode_day

DAY = timedelta(days=1)
Stream = tuple[str, str]  # NMI and suffix
Item = dict[str, Any]


class NothingKnown(InvalidInput):
    """A month end of which the portfolio knows nothing."""


class Version(NamedTuple):
    """One delivery of a day's reads."""

    updated: datetime
    item: Item


@dataclass(frozen=True)
class Reads:
    """All interval days of the folder, each with all its versions in the order of their update times."""

    versions: Mapping[Stream, Mapping[date, list[Version]]]

    @classmethod
    def of(cls, files: Iterable[MeterDataFile]) -> "Reads":
        """Encode every version of every day once."""
        found: dict[Stream, dict[date, list[Version]]] = defaultdict(lambda: defaultdict(list))
        for file in files:
            for day in file.days:
                version = Version(day.updated, encode_day(to_stored(day, file.name)))
                found[day.nmi, day.suffix][day.day].append(version)
        for days in found.values():
            for versions in days.values():
                versions.sort(key=lambda version: version.updated)  # stable: of one time the first file's is first
        return cls(found)

    @property
    def last_day(self) -> date | None:
        """The last day that any stream has."""
        return max((day for days in self.versions.values() for day in days), default=None)

    def known(self, last_days: Mapping[Stream, date], run_date: date) -> list[Item]:
        """Return each day's newest version that had arrived by the end of the run date, up to its stream's last day."""
        items = []
        for stream, days in sorted(self.versions.items()):
            for day, versions in sorted(days.items()):
                arrived = [version for version in versions if version.updated.date() <= run_date]
                if arrived and day <= last_days[stream]:
                    newest = arrived[-1].updated
                    items.append(next(version.item for version in arrived if version.updated == newest))
        return items


def lags(reads: Reads, registers: Iterable[Register], accounts: Iterable[Account]) -> dict[Stream, int]:
    """How many of the folder's last days each stream lacks, if its register and an account go on to the folder's last day.

    An export is made at some month end, when the last days of some meters have not arrived. An earlier month end would
    have been the same, but the export has the days that arrived since.
    """
    end = reads.last_day
    supplied = {account.site_id for account in accounts if end and (account.close_date or end) >= end}
    going_on = {
        (register.site_id, register.suffix)
        for register in registers
        if end and (register.end_date or end) >= end and register.site_id in supplied
    }
    return {
        stream: (end - max(days)).days if end and stream in going_on else 0 for stream, days in reads.versions.items()
    }


@dataclass(frozen=True)
class History:
    """A portfolio with all versions of its reads, and how many days each meter is behind at a month end."""

    portfolio: Portfolio
    reads: Reads
    behind: Mapping[Stream, int]

    @classmethod
    def of(cls, portfolio: Portfolio, reads: Reads, lag: int | None = None) -> "History":
        """With a lag every interval meter is as many days behind, without one as many as at the folder's end."""
        own = lags(reads, portfolio.registers, portfolio.accounts)
        return cls(portfolio, reads, own if lag is None else dict.fromkeys(reads.versions, lag))

    @property
    def last_day(self) -> date:
        """The last day that has a read."""
        days = [read.read_date for read in self.portfolio.basic_reads]
        return max([*days, self.reads.last_day] if self.reads.last_day else days, default=date.min)

    def at(self, run_date: date) -> Portfolio:
        """Return the portfolio as it was known on the run date, the first of a month. Raises NothingKnown."""
        known = as_known(self.portfolio, self.reads, self.behind, run_date)
        if not known.accounts or not (known.meter_data.items or known.basic_reads):
            raise NothingKnown(
                f"nothing had been read by {run_date - DAY}, or there was no account yet: give a later FROM"
            )
        if run_date - DAY >= self.last_day:
            raise NothingKnown(
                f"nothing was read after {run_date - DAY} that could be compared, the last read is of {self.last_day}: give an earlier TO"
            )
        return known


def as_known(portfolio: Portfolio, reads: Reads, behind: Mapping[Stream, int], run_date: date) -> Portfolio:
    """Return what was known on the run date.

    Nothing that is dated later is in it: invoices by their date of issue, index reads by their date, interval days by
    their own date, less the days that their meter is behind, and by their update time. Plans, prices and public
    holidays stay: they say nothing about anybody's use.
    """
    end = run_date - DAY
    accounts = [_account(account, end) for account in portfolio.accounts if account.open_date <= end]
    account_ids = {account.account_id for account in accounts}
    sites = {account.site_id for account in accounts}
    registers = [
        replace(register, end_date=_past(register.end_date, end))
        for register in portfolio.registers
        if register.start_date <= end and register.site_id in sites
    ]
    invoices = [
        invoice for invoice in portfolio.invoices if invoice.issued_date <= end and invoice.account_id in account_ids
    ]
    invoice_ids = {invoice.invoice_id for invoice in invoices}
    meters = {(register.site_id, register.meter_serial, register.register_id) for register in registers}
    last_days = {stream: end - behind[stream] * DAY for stream in reads.versions}
    return replace(
        portfolio,
        accounts=accounts,
        account_plans=[
            replace(row, to_date=_past(row.to_date, end))
            for row in portfolio.account_plans
            if row.from_date <= end and row.account_id in account_ids
        ],
        registers=registers,
        invoices=invoices,
        invoice_lines=[line for line in portfolio.invoice_lines if line.invoice_id in invoice_ids],
        basic_reads=[
            read
            for read in portfolio.basic_reads
            if read.read_date <= end and (read.site_id, read.meter_serial, read.register_id) in meters
        ],
        gas_volumes=[volume for volume in portfolio.gas_volumes if volume.date <= end],
        temperatures=[day for day in portfolio.temperatures if day.date <= end],
        meter_data=MeterData(
            files=portfolio.meter_data.files, items=reads.known(last_days, run_date), passed_over=portfolio.meter_data.passed_over
        ),
    )  # fmt: skip


def _account(account: Account, end: date) -> Account:
    """What was known of an account: not yet that it would leave, nor when its next bill would really come."""
    return replace(account, close_date=_past(account.close_date, end), next_bill_date=None)


def _past(day: date | None, end: date) -> date | None:
    return day if day is None or day <= end else None
