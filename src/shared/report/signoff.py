"""The first page: how much, which part is estimated and how sure, what changed, what is stuck, and whether it can be signed.

Nothing is signed while a tie does not hold, an account is in no file, or the band's half-width or the bias of the last
estimates is over performance materiality.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.report import ageing, estimation, exceptions, ties, trueup
from shared.report.book import ZERO, Book, share
from shared.report.figures import dollars
from shared.report.table import Section, Table, columns
from shared.report.ties import Tie

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Materiality:
    """Dollars."""

    overall: Decimal
    performance: Decimal
    trivial: Decimal


@dataclass(frozen=True)
class Verdict:
    """What stands in the way of a signature, what has to be explained first, and what has to be looked at; sentences.

    broken: ties that do not hold. Then there is neither a sign-off nor a journal.
    """

    broken: Sequence[str]
    blocked: Sequence[str]
    explain: Sequence[str]
    review: Sequence[str]

    @property
    def may_post(self) -> bool:
        """Whether the journal is written."""
        return not self.broken and not self.blocked

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        if self.broken:
            return f"Not for signature: {self.broken[0]}"
        if self.blocked:
            return f"Blocked: {self.blocked[0]}"
        if self.explain:
            return f"Ready to sign once {len(self.explain)} {'point is' if len(self.explain) == 1 else 'points are'} explained."
        return "Ready to sign."


@dataclass(frozen=True)
class Headline:
    """The figures of the first page. Dollars are ex GST; None where there is nothing to say."""

    net: Decimal
    gst: Decimal
    kwh: Decimal
    mj: Decimal
    exported: Decimal
    accounts: int
    days: int
    estimated: Decimal
    estimated_percent: Decimal | None
    low: Decimal | None
    high: Decimal | None
    half: Decimal | None
    without_band: Decimal
    before: Decimal | None
    stuck_accounts: int
    stuck: Decimal
    expired_accounts: int
    expired: Decimal
    exceptions: int
    left_behind: Decimal
    bias: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        """Dollars since the run before."""
        return None if self.before is None else self.net - self.before


def materiality(book: Book) -> Materiality:
    """Overall, performance and trivial, in dollars and cents."""
    chosen = book.finance.materiality
    overall = (chosen.overall or abs(book.total) * chosen.overall_percent / 100).quantize(CENT)
    return Materiality(
        overall, (overall * chosen.performance).quantize(CENT), (overall * chosen.trivial).quantize(CENT)
    )


def headline(book: Book) -> Headline:
    """The figures; bias is what the estimates are off by if the last true-up repeats itself."""
    totals = {name: Decimal(str(value)) for name, value in book.now.control["totals"].items()}
    whole, estimated = estimation.energy(book)
    band, level = estimation.book_band(book), book.finance.materiality.band
    low, high, mid = band[f"net_low_{level}"], band[f"net_high_{level}"], band["net_mid"]
    before = None if book.before is None else Decimal(str(book.before.control["totals"]["net_amount"]))
    stuck, expired = ageing.stuck(book), ageing.expired(book)
    counted = book.now.control["accounts"]
    return Headline(
        totals["net_amount"], totals["gst_amount"], totals["kwh"], totals["mj"], totals["kwh_exported"],
        counted["total"] - counted["fully_billed"], book.row("select count(*) from now.day where is_unbilled")[0],
        estimated, share(estimated, whole), low, high,
        None if low is None or high is None or mid is None else max(high - mid, mid - low),
        band["net_without_band"] or ZERO, before, *stuck, *expired, exceptions.unknown_units(book),
        Decimal(str(book.now.control["unbilled_before_period"]["net_amount"])), trueup.bias(book, estimated),
    )  # fmt: skip


def judge(book: Book, figures: Headline, found: Sequence[Tie]) -> Verdict:
    """What stands in the way of a signature."""
    limits = materiality(book)
    blocked = []
    if figures.half is not None and figures.half > limits.performance:
        blocked.append(
            f"The {book.finance.materiality.band} % band of the estimates is +- {dollars(figures.half)}, over performance materiality of "
            f"{dollars(limits.performance)}."
        )
    if figures.bias is not None and abs(figures.bias) > limits.performance:
        blocked.append(
            f"If the last true-up repeats itself, the estimates are off by {dollars(figures.bias)}, over performance materiality of "
            f"{dollars(limits.performance)}."
        )
    return Verdict(
        [str(tie) for tie in ties.broken(found)], blocked, _to_explain(book, figures, limits), _to_review(book, limits)
    )


def section(book: Book, figures: Headline, verdict: Verdict, found: Sequence[Tie]) -> Section:
    """The first sheet; without a sign-off if a tie does not hold."""
    if verdict.broken:
        lead = ("There is no sign-off and no journal, because not everything ties.", *verdict.broken)
        return Section("signoff", "Sign-off", lead, (ties.table(found),))
    tables = [_points(verdict), _figures(figures, book), _limits(book, figures), _signatures()]
    return Section("signoff", "Sign-off", (verdict.headline,), (*tables, ties.table(found)))


def _to_explain(book: Book, figures: Headline, limits: Materiality) -> list[str]:
    found = []
    if figures.without_band > limits.performance:
        found.append(
            f"{dollars(figures.without_band)} of the estimates have no band, over performance materiality. See Estimation for why."
        )
    if book.before is not None:
        least = book.finance.materiality.moved_percent
        for state, fuel, segment, opening, closing in book.rows(_MOVED):
            change = closing - opening
            if abs(change) > max(limits.trivial, abs(opening) * least / 100):
                found.append(
                    f"{state} {fuel.lower()} {segment} moved by {dollars(change)} from {dollars(opening)} to {dollars(closing)}. See Roll-forward."
                )
    return found


_MOVED = """
select jurisdiction, fuel, journal_segment, coalesce(b.net, 0), coalesce(n.net, 0)
from (select jurisdiction, fuel, journal_segment, sum(net_amount) as net from before.accounts group by all) b
full join (select jurisdiction, fuel, journal_segment, sum(net_amount) as net from now.accounts group by all) n
    using (jurisdiction, fuel, journal_segment)
order by 1, 2, 3
"""


def _to_review(book: Book, limits: Materiality) -> list[str]:
    above, together = book.row(
        "select count(*), coalesce(sum(net_amount), 0) from now.accounts where abs(net_amount) > ?", [limits.trivial]
    )
    found = ["The ten largest accounts, always. See Top accounts."]
    if above:
        found.append(
            f"{above} accounts above the trivial limit of {dollars(limits.trivial)}, {dollars(together)} together."
        )
    return found


def _figures(figures: Headline, book: Book) -> Table:
    level = book.finance.materiality.band
    rows: list[tuple[str, Any, str]] = [
        ("Accrued revenue, ex GST", figures.net, "$"),
        ("GST, a memo", figures.gst, "$"),
        ("Electricity used and not billed", figures.kwh, "kWh"),
        ("Gas used and not billed", figures.mj, "MJ"),
        ("Exported to the grid and not credited", figures.exported, "kWh"),
        ("Accounts with unbilled days", figures.accounts, "accounts"),
        ("Unbilled account-days", figures.days, "days"),
        ("Estimated energy", figures.estimated, "$"),
        ("Estimated share of the energy dollars", figures.estimated_percent, "%"),
        (f"Estimates with a band, low ({level} %)", figures.low, "$"),
        (f"Estimates with a band, high ({level} %)", figures.high, "$"),
        ("Estimates without a band", figures.without_band, "$"),
        ("Booked by the run before", figures.before, "$"),
        ("Change", figures.change, "$"),
        ("Stuck: not billed unless somebody acts", figures.stuck, "$"),
        ("Past the back-billing limit, a memo", figures.expired, "$"),
        ("Left the window unbilled, not accrued", figures.left_behind, "$"),
        ("Exceptions", figures.exceptions, "rows"),
    ]
    heads = columns("What", ("Figure", "figure"), "Unit")
    return Table("figures", "The figures", heads, [row for row in rows if row[1] is not None])


def _limits(book: Book, figures: Headline) -> Table:
    limits = materiality(book)
    rows = [
        ("Overall materiality", limits.overall, "finance's own parameter"),
        ("Performance materiality", limits.performance, "above it nothing is signed"),
        ("Trivial", limits.trivial, "below it nothing is explained"),
        (f"Half-width of the {book.finance.materiality.band} % band", figures.half, "must not be above performance"),
        ("Bias, if the last true-up repeats itself", figures.bias, "must not be above performance"),
    ]
    return Table("limits_signoff", "Measured against materiality", columns("What", ("$", "money"), "Rule"), rows)


def _points(verdict: Verdict) -> Table:
    rows = [
        *(("Blocks the signature", one) for one in verdict.blocked), *(("To be explained", one) for one in verdict.explain),
        *(("To be reviewed", one) for one in verdict.review),
    ]  # fmt: skip
    return Table("points", "Before you sign", columns("What to do", "Point"), rows)


def _signatures() -> Table:
    rows = [(who, "", "", "") for who in ("Prepared by", "Reviewed by", "Approved by")]
    return Table("signatures", "Signatures", columns("", "Name", "Signature", "Date"), rows)
