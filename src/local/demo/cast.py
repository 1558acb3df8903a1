"""Who is in the demo portfolio: every awkward case by name, and ordinary customers around them.

Days are counted back from the accrual date: 0 is the accrual date itself, (8, 0) its last nine days.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count, islice

from local.demo.timeline import SIMULATED_MONTHS
from shared.errors import InvalidInput

INTERVAL, BASIC, GAS = "INTERVAL", "BASIC", "GAS"
Ago = tuple[int, int]
NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """An account on a place. What is None is drawn at random."""

    plan: str
    cases: tuple[str, ...] = ()
    opened_ago: int | None = None
    closed_ago: int | None = None
    billing_days: int | None = None
    unbilled_days: int | None = None  # since the last bill; 0 = billed to its end
    due: str = "NOT_DUE"
    never_billed: bool = False
    estimated_last: bool = False  # the last bill was an estimate
    reversed: str = ""  # "hole": an earlier bill was reversed and not replaced; "rebilled": it was replaced
    issued_late: bool = False  # the last bill is issued only after the accrual date
    read_ago: tuple[int, ...] = ()  # actual reads of a basic meter on days of their own
    final_read: bool = True  # of a basic meter, when the account closes


@dataclass(frozen=True, kw_only=True)
class Place:
    """A site with its meter and the accounts that follow each other there."""

    kind: str
    jurisdiction: str = "NSW"
    customer_class: str = "RES"
    tenants: tuple[Tenant, ...]
    streams: tuple[str, ...] = ("PRIMARY",)
    minutes: int = 30  # interval length
    uom: str = "KWH"
    decimals: int = 3
    missing: tuple[Ago, ...] = ()  # market days without any record
    marks: tuple[tuple[Ago, str], ...] = ()  # market days with delivered reads that are not actual: see readings.py
    read_months: int = 14  # how far back interval reads are kept
    never_read: tuple[str, ...] = ()  # streams of which no read ever came
    vacant: bool = False
    size: float = 1.0
    changes: tuple[tuple[int, float], ...] = ()  # since so many days ago, use is this share of the usual
    swap_ago: int | None = None  # a new meter since that day
    rollout: bool = False  # the meter before it was a basic one
    rollover: bool = False
    factor: str = "1"  # kWh per index unit
    packing: str = ".csv.gz"
    checksum: bool = False  # accounts.csv gives the identifier with its 11th character
    cases: tuple[str, ...] = field(default=())


def _one(kind: str, cases: str, plan: str, *, place: Mapping[str, object], **tenant: object) -> Place:
    """Build a place with one account."""
    account = Tenant(plan=plan, cases=tuple(cases.split()), **tenant)  # type: ignore[arg-type]
    return Place(kind=kind, tenants=(account,), **place)  # type: ignore[arg-type]


def awkward() -> list[Place]:
    """Return every awkward case, each on an account of its own."""
    return [*_interval_cases(), *_basic_cases(), *_gas_cases()]


def _interval_cases() -> Iterator[Place]:  # noqa: PLR0915 - a list
    def home(cases: str, plan: str = "HOME-FLAT", tenant: Mapping[str, object] = NOTHING, **place: object) -> Place:
        return _one(INTERVAL, cases, plan, place=place, **tenant)

    solar, both = ("PRIMARY", "SOLAR"), ("PRIMARY", "CONTROL")
    new = {"opened_ago": 70, "never_billed": True}
    yield home("never_billed", tenant=new)
    yield home("never_billed missing_end", "HOME-TOU", new, missing=((4, 0),))
    yield home("closed_unbilled", "HOME-BLOCK", {"closed_ago": 12, "unbilled_days": 33})
    yield home("closed_unbilled missing_end", "HOME-FLAT", {"closed_ago": 9, "unbilled_days": 40}, missing=((13, 0),))
    yield home("closed_billed", tenant={"closed_ago": 45, "unbilled_days": 0})
    yield _movers(INTERVAL, "HOME-TOU", "HOME-FLAT", missing=((5, 0),))
    yield home("overdue", "HOME-TOU", {"due": "OVERDUE"})
    yield home("overdue missing_end", "HOME-FLAT", {"due": "OVERDUE"}, missing=((6, 0),))
    yield home("due", tenant={"due": "DUE"})
    yield home("estimated_bill", "HOME-BLOCK", {"estimated_last": True, "unbilled_days": 41})
    yield home("reversed_hole", "HOME-FLAT", {"reversed": "hole", "billing_days": 61, "unbilled_days": 20})
    yield home("reversed_rebilled", "HOME-TOU", {"reversed": "rebilled"})
    yield home("issued_late", "HOME-FLAT", {"issued_late": True, "billing_days": 30, "unbilled_days": 2})
    yield home("roll_out missing_end", tenant={"unbilled_days": 10}, swap_ago=11, rollout=True, missing=((5, 0),))
    yield home("missing_end", "HOME-TOU", {"unbilled_days": 75, "billing_days": 91}, missing=((59, 0),))
    yield home("missing_middle", "HOME-NIGHT", {"unbilled_days": 50, "billing_days": 91}, missing=((27, 22),))
    yield home("missing_middle missing_end", missing=((20, 16), (1, 0)), tenant={"unbilled_days": 44})
    missing_parts = (((12, 12), "N"), ((7, 7), "V_MISSING"))
    yield home("missing_part_of_day", "HOME-TOU", {"unbilled_days": 30}, marks=missing_parts)
    yield home("never_read", tenant={"unbilled_days": 35}, never_read=("PRIMARY",))
    yield home("never_read solar", "HOME-EXPORT", {"unbilled_days": 35}, streams=solar, never_read=("SOLAR",))
    yield home("five_minute", "HOME-TOU", minutes=5)
    yield home("five_minute missing_end", jurisdiction="VIC", minutes=5, missing=((3, 0),))
    yield home("fifteen_minute", "HOME-NIGHT", minutes=15)
    yield home("five_minute fine_decimals", minutes=5, decimals=5)
    yield home("solar", "HOME-EXPORT", streams=solar)
    yield home("solar missing_end", "HOME-EXPORT", streams=solar, missing=((6, 0),))
    yield home("solar control", "HOME-TOU", streams=("PRIMARY", "CONTROL", "SOLAR"))
    yield home("control", "HOME-BLOCK", streams=both)
    yield home("control missing_end", streams=both, missing=((4, 0),))
    yield home("price_change_in_window", "HOME-NEW", {"unbilled_days": 38})
    yield home("price_change_in_window missing_end", "HOME-NEW", {"unbilled_days": 60}, missing=((3, 0),))
    yield home("vacant missing_end", vacant=True, missing=((9, 0),), tenant={"unbilled_days": 40})
    yield home("meter_change", "HOME-TOU", {"unbilled_days": 50, "billing_days": 91}, swap_ago=24)
    yield home("meter_change missing_middle", "HOME-FLAT", {"unbilled_days": 45}, swap_ago=20, missing=((22, 17),))
    yield home("delivered_estimates", "HOME-TOU", {"unbilled_days": 40}, marks=(((15, 12), "E"),))
    yield home("delivered_substitutes", "HOME-TOU", {"unbilled_days": 40}, marks=(((18, 17), "S"), ((10, 9), "F")))
    yield home("varying_quality", "HOME-NIGHT", {"unbilled_days": 40}, marks=(((14, 13), "V_KNOWN"),))
    yield home("varying_quality delivered_estimates", tenant={"unbilled_days": 40}, marks=(((6, 5), "V_ESTIMATED"),))
    yield home("redelivered", "HOME-TOU", {"unbilled_days": 40}, marks=(((11, 8), "REDELIVERED"),))
    yield home("watt_hours", uom="WH")
    yield home("watt_hours missing_end", uom="WH", missing=((2, 0),))
    yield home("nmi_with_checksum", checksum=True, packing=".csv")
    yield home("opened_recently", "HOME-FLAT", {"opened_ago": 9, "never_billed": True}, missing=((3, 0),))
    yield home("opened_on_accrual_date", "HOME-TOU", {"opened_ago": 0, "never_billed": True})
    yield home("unbilled_before_period", tenant={"opened_ago": 420, "never_billed": True})
    yield home("level_change missing_end", tenant={"unbilled_days": 30}, changes=((75, 1.9),), missing=((5, 0),))
    giant = {"customer_class": "BUS", "size": 70.0, "read_months": SIMULATED_MONTHS}
    yield home("giant missing_end", "BUS-TOU", {"unbilled_days": 30}, missing=((11, 0),), **giant)
    yield home("thin_segment missing_end", jurisdiction="TAS", missing=((6, 0),), tenant={"unbilled_days": 30})
    yield home("thin_segment", "HOME-TOU", jurisdiction="ACT")
    yield home("western_australia", "HOME-TOU", jurisdiction="WA")
    yield home("western_australia missing_end", jurisdiction="WA", missing=((4, 0),))
    yield home("south_australia", "HOME-TOU", {"unbilled_days": 60}, jurisdiction="SA", streams=solar)


def _movers(kind: str, first_plan: str, plan: str, **place: object) -> Place:
    """Three accounts follow each other; the site is empty for a few days between the second and the third."""
    return Place(
        kind=kind,
        tenants=(
            Tenant(plan=first_plan, closed_ago=150, unbilled_days=0, cases=("move_out", "closed_billed")),
            Tenant(
                plan=plan,
                opened_ago=149,
                closed_ago=38,
                unbilled_days=21,
                cases=("move_in", "move_out", "closed_unbilled"),
            ),
            Tenant(plan=plan, opened_ago=33, never_billed=True, cases=("move_in", "never_billed")),
        ),
        **place,  # type: ignore[arg-type]
    )


def _basic_cases() -> Iterator[Place]:
    def home(cases: str, plan: str = "HOME-FLAT", tenant: Mapping[str, object] = NOTHING, **place: object) -> Place:
        return _one(BASIC, cases, plan, place=place, **tenant)

    yield home("never_billed", "HOME-BLOCK", {"opened_ago": 64, "never_billed": True})
    yield home("never_billed read_inside_window", tenant={"opened_ago": 88, "never_billed": True, "read_ago": (20,)})
    yield home("closed_unbilled", "HOME-BLOCK", {"closed_ago": 15, "unbilled_days": 40})
    yield home("closed_unbilled no_final_read", tenant={"closed_ago": 15, "unbilled_days": 40, "final_read": False})
    yield home("closed_billed", tenant={"closed_ago": 61, "unbilled_days": 0})
    yield _movers(BASIC, "HOME-BLOCK", "HOME-FLAT")
    yield home("overdue", tenant={"due": "OVERDUE"})
    yield home("overdue no_profile", "BUS-FLAT", {"due": "OVERDUE"}, jurisdiction="TAS", customer_class="BUS")
    yield home("due", tenant={"due": "DUE"}, jurisdiction="QLD")
    yield home("estimated_bill", tenant={"estimated_last": True})
    yield home("estimated_bill", "HOME-BLOCK", {"estimated_last": True}, jurisdiction="VIC")
    spanning = {"estimated_last": True, "unbilled_days": 55, "billing_days": 91, "read_ago": (30,)}
    yield home("estimated_bill read_spans_billed_days", tenant=spanning)
    yield home("reversed_hole", tenant={"reversed": "hole", "unbilled_days": 25, "billing_days": 91})
    yield home("reversed_rebilled", tenant={"reversed": "rebilled"}, jurisdiction="VIC")
    yield home("vacant", vacant=True)
    yield home("meter_change", "HOME-BLOCK", {"unbilled_days": 50, "billing_days": 91}, swap_ago=22)
    yield home("meter_change_in_history", tenant={"unbilled_days": 30}, swap_ago=170)
    yield home("rollover", rollover=True)
    yield home("rollover read_inside_window", tenant={"unbilled_days": 60, "read_ago": (18,)}, rollover=True)
    yield home("control", streams=("PRIMARY", "CONTROL"))
    yield home("control meter_change", streams=("PRIMARY", "CONTROL"), swap_ago=33, tenant={"unbilled_days": 48})
    yield home("price_change_in_window", "HOME-NEW", {"unbilled_days": 47})
    yield home("price_change_in_window read_inside_window", "HOME-NEW", {"unbilled_days": 66, "read_ago": (28,)})
    yield home("opened_recently", tenant={"opened_ago": 6, "never_billed": True})
    yield home("unbilled_before_period", "HOME-BLOCK", {"opened_ago": 430, "never_billed": True, "read_ago": (200, 60)})
    away = {"unbilled_days": 40, "opened_ago": 900}
    yield home("away", tenant=away, changes=((170, 0.0), (38, 1.0)))
    yield home("level_change", tenant={"unbilled_days": 25}, changes=((120, 1.7),))
    giant = {"customer_class": "BUS", "size": 70.0}
    yield home("giant", "BUS-FLAT", {"unbilled_days": 33, "opened_ago": 1000}, **giant)
    yield home("index_factor", "BUS-BLOCK", customer_class="BUS", factor="10", size=2.0)
    # No interval meter in its segment, no bill, no read but the first: nothing can be worked out.
    nothing = {"opened_ago": 50, "never_billed": True}
    yield home("nothing_known", "BUS-FLAT", nothing, jurisdiction="TAS", customer_class="BUS")


def _gas_cases() -> Iterator[Place]:
    def home(cases: str, plan: str = "GAS-HOME", tenant: Mapping[str, object] = NOTHING, **place: object) -> Place:
        return _one(GAS, cases, plan, place={"jurisdiction": "VIC", **place}, **tenant)

    yield home("never_billed", tenant={"opened_ago": 75, "never_billed": True})
    yield home("never_billed read_inside_window", tenant={"opened_ago": 90, "never_billed": True, "read_ago": (25,)})
    yield home("closed_unbilled", tenant={"closed_ago": 11, "unbilled_days": 45})
    yield home("closed_unbilled no_final_read", tenant={"closed_ago": 11, "unbilled_days": 45, "final_read": False})
    yield home("closed_billed", tenant={"closed_ago": 80, "unbilled_days": 0})
    yield _movers(GAS, "GAS-HOME", "GAS-NEW", jurisdiction="VIC")
    yield home("overdue", tenant={"due": "OVERDUE"})
    yield home("due", tenant={"due": "DUE"})
    yield home("estimated_bill", tenant={"estimated_last": True})
    spanning = {"estimated_last": True, "unbilled_days": 52, "billing_days": 61, "read_ago": (26,)}
    yield home("estimated_bill read_spans_billed_days", tenant=spanning)
    yield home("reversed_hole", tenant={"reversed": "hole", "unbilled_days": 28, "billing_days": 61})
    yield home("reversed_rebilled", tenant={"reversed": "rebilled"})
    yield home("vacant", vacant=True)
    yield home("meter_change", tenant={"unbilled_days": 44}, swap_ago=19)
    yield home("rollover", rollover=True)
    yield home("price_change_in_window", "GAS-NEW", {"unbilled_days": 41})
    yield home("opened_recently", tenant={"opened_ago": 5, "never_billed": True})
    away = {"unbilled_days": 40, "opened_ago": 900}
    yield home("away", tenant=away, changes=((170, 0.0), (38, 1.0)))
    yield home("level_change", tenant={"unbilled_days": 30}, changes=((110, 0.6),))
    yield home("large_business", "GAS-BUS", customer_class="BUS", size=4.0)
    yield home("western_australia", jurisdiction="WA")


# Ordinary customers: kind -> (share, jurisdiction, class, plans, streams of every n-th).
ORDINARY: dict[str, tuple[tuple[float, str, str, tuple[str, ...], dict[str, int]], ...]] = {
    INTERVAL: (
        (0.20, "NSW", "RES", ("HOME-FLAT", "HOME-TOU", "HOME-BLOCK", "HOME-NIGHT"), {"SOLAR": 3, "CONTROL": 4}),
        (0.24, "VIC", "RES", ("HOME-TOU", "HOME-FLAT", "HOME-EXPORT"), {"SOLAR": 3}),
        (0.20, "QLD", "RES", ("HOME-FLAT", "HOME-BLOCK", "HOME-EXPORT"), {"SOLAR": 2, "CONTROL": 2}),
        (0.09, "SA", "RES", ("HOME-TOU", "HOME-EXPORT"), {"SOLAR": 1}),
        (0.13, "NSW", "BUS", ("BUS-TOU", "BUS-FLAT"), {}),
        (0.09, "VIC", "BUS", ("BUS-BLOCK", "BUS-TOU"), {}),
        (0.05, "WA", "RES", ("HOME-FLAT", "HOME-TOU"), {}),
    ),
    BASIC: (
        (0.40, "NSW", "RES", ("HOME-FLAT", "HOME-BLOCK", "HOME-NEW"), {"CONTROL": 4}),
        (0.22, "VIC", "RES", ("HOME-BLOCK", "HOME-FLAT"), {}),
        (0.20, "QLD", "RES", ("HOME-FLAT", "HOME-BLOCK"), {"CONTROL": 3}),
        (0.11, "NSW", "BUS", ("BUS-FLAT", "BUS-BLOCK"), {}),
        (0.07, "VIC", "BUS", ("BUS-BLOCK", "BUS-FLAT"), {}),
    ),
    GAS: (
        (0.45, "VIC", "RES", ("GAS-HOME", "GAS-NEW"), {}),
        (0.25, "NSW", "RES", ("GAS-HOME",), {}),
        (0.10, "SA", "RES", ("GAS-HOME",), {}),
        (0.10, "WA", "RES", ("GAS-NEW",), {}),
        (0.10, "VIC", "BUS", ("GAS-BUS",), {}),
    ),
}


# Segments whose interval reads reach as far back as the simulation, and those of which half came in the last months.
HISTORY = {("NSW", "RES"), ("VIC", "RES"), ("NSW", "BUS"), ("VIC", "BUS")}
GROWING = {("VIC", "RES"), ("NSW", "BUS")}


def cast(accounts: int) -> list[Place]:
    """Return the places of a portfolio with exactly this number of accounts, in about equal thirds by kind.

    Raises InvalidInput when there is no room for every awkward case.
    """
    places = awkward()
    taken = {kind: sum(len(p.tenants) for p in places if p.kind == kind) for kind in (INTERVAL, BASIC, GAS)}
    least = sum(taken.values())
    if accounts < least:
        raise InvalidInput(
            f"a demo portfolio needs at least {least} accounts, one for every special case; got {accounts}"
        )
    wanted = _thirds(accounts, taken)
    for kind, rows in ORDINARY.items():
        places.extend(islice(_ordinary(kind, rows), wanted[kind] - taken[kind]))
    return places


def _thirds(accounts: int, least: dict[str, int]) -> dict[str, int]:
    """Divide the accounts into thirds, each with room for its awkward cases."""
    wanted = dict(least)
    for _ in range(accounts - sum(least.values())):
        poorest = min(wanted, key=lambda kind: wanted[kind])
        wanted[poorest] += 1
    return wanted


def _latecomer(place: Place, number: int) -> Place:
    """The later a customer of a growing segment came, the larger."""
    (tenant,) = place.tenants
    came = replace(tenant, opened_ago=max(168 - 21 * number, 35))
    return replace(place, tenants=(came,), size=min(1.0 + 0.3 * number, 3.0))


def _ordinary(kind: str, rows: tuple[tuple[float, str, str, tuple[str, ...], dict[str, int]], ...]) -> Iterator[Place]:
    """Yield ordinary places without end, always of the group that is furthest behind its share."""
    made = [0] * len(rows)
    for total in count(1):
        index = max(range(len(rows)), key=lambda i: (rows[i][0] * total - made[i], -i))
        _, jurisdiction, customer_class, plans, extra = rows[index]
        number = made[index]
        made[index] += 1
        streams = ("PRIMARY", *(stream for stream, every in extra.items() if number % every == 0))
        tenant = Tenant(plan=plans[number % len(plans)])
        place = Place(
            kind=kind,
            jurisdiction=jurisdiction,
            customer_class=customer_class,
            tenants=(tenant,),
            streams=streams,
            packing=(".csv.gz", ".csv.gz", ".csv.gz", ".zip", ".csv")[total % 5],
        )
        if (jurisdiction, customer_class) in HISTORY and kind == INTERVAL:
            place = replace(place, read_months=SIMULATED_MONTHS)
        if number % 6 == 5:  # a car is charged at home, a child has moved out
            place = replace(place, changes=((40 + 30 * (number % 5), (1.5, 0.65)[number // 6 % 2]),))
        if (jurisdiction, customer_class) in GROWING and kind == INTERVAL and number % 2:
            place = _latecomer(place, number // 2)
        if kind == INTERVAL and number % 5 == 4:  # modems fail now and then
            lost = 1 + number % 9
            place = replace(place, missing=((lost - 1, 0),))
        yield place
