"""The pictures, each with the data behind it. They print in black and white: hatched is estimated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from matplotlib.figure import Figure

from shared.report import accounts, ageing
from shared.report.book import ZERO, Book, share
from shared.report.drawing import DARK, HATCH, INK, PALE, SOFT, bare, beside, label, picture, short
from shared.report.figures import day
from shared.report.history import TENTH, Found, errors
from shared.report.table import Picture, Table, columns

SHORT_LINES = {
    "opening": "Opening", "new_month": "Used since", "reopened": "Reopened", "billed": "Billed", "closed_out": "Closed out",
    "left_window": "Left the window", "now_read": "Read now", "revalued": "Revalued", "closing": "Closing",
}  # fmt: skip
TOP = 10
MANY_STATES = 4


_MOVED = """
select line, sum(net_1 - net_0) from movement group by 1
union all select 'opening', sum(net_0) from movement union all select 'closing', sum(net_1) from movement
"""


def waterfall(book: Book) -> Picture:
    """From the opening to the closing balance, in dollars; needs the roll-forward's movements."""
    totals = dict(book.rows(_MOVED))
    rows, level = [], ZERO
    for line, name in SHORT_LINES.items():
        amount = totals.get(line, ZERO)
        start = ZERO if line in ("opening", "closing") else level
        level = start + amount
        rows.append((name, amount, start, level))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, (_, amount, start, end) in enumerate(rows):
            is_balance = place in (0, len(rows) - 1)
            axes.barh(
                place,
                float(amount),
                left=float(start),
                color=DARK if is_balance else "white" if amount < 0 else PALE,
                edgecolor=INK,
                height=0.66,
            )
            beside(
                axes,
                f"{'+' if amount > 0 and not is_balance else ''}{short(amount, '$')}",
                (float(max(start, end)), place),
            )
            if place < len(rows) - 1:
                axes.plot([float(end)] * 2, [place + 0.33, place + 0.67], color=SOFT, linewidth=0.8)
        axes.set_yticks(range(len(rows)), [row[0] for row in rows])
        axes.invert_yaxis()
        axes.margins(x=0.14)
        axes.set_xlim(left=min(0, axes.get_xlim()[0]))
        label(axes.xaxis, "$")
        bare(axes)

    data = Table(
        "picture_waterfall",
        "Data: from opening to closing",
        columns("Line", ("$", "money"), ("From $", "money"), ("To $", "money")),
        rows,
    )
    caption = "Grey adds, white takes away. Each line sums account-days."
    return picture("From the run before to this one", caption, data, draw, height=3.6)


_BY_MONTH_OF_USE = """
select strftime(local_date, '%Y-%m'), sum(net - net_estimated), sum(net_estimated) from now.day group by 1 order by 1
"""
_LIMITS = """
select recoverable_from, months, string_agg(distinct jurisdiction, ', ' order by jurisdiction)
from now.back_billing_limits group by 1, 2 order by 1, 2
"""


def ageing_bars(book: Book) -> Picture:
    """Dollars by how long they wait, and by the month of use with the back-billing limits."""
    waiting = [
        (ageing.AGES.get(row[0], (row[0] or "", False))[0], row[3] - row[4], row[4]) for row in ageing.by_age(book)
    ]
    limits = book.rows(_LIMITS)
    used = _every_month(book.rows(_BY_MONTH_OF_USE), [first for first, *_ in limits])

    def draw(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, height_ratios=(max(len(waiting), 3), max(len(used), 4) * 0.62))
        _stacked(upper, waiting)
        upper.set_title("How long it has waited")
        _stacked(lower, used)
        lower.set_title("When it was used")
        months = [row[0] for row in used]
        for first, name in _named(limits):
            _limit(lower, months.index(f"{first:%Y-%m}") - 0.5 + (first.day - 1) / 31, name)

    rows = [("Waiting", *row) for row in waiting] + [("Used in", *row) for row in used]
    heads = columns("Bars", "Of", ("Read or supply $", "money"), ("Estimated $", "money"))
    data = Table("picture_ageing", "Data: ageing", heads, rows)
    caption = "Hatched is estimated. Dashed: the back-billing limit of a state; what was used before it, above the line, cannot be billed any more."
    return picture("How old it is", caption, data, draw, height=1.6 + 0.26 * (len(waiting) + len(used)))


def _every_month(rows: Sequence[tuple[Any, ...]], limits: Sequence[date]) -> list[tuple[Any, ...]]:
    """The months of use without a gap, from the earliest limit at the latest."""
    found = {row[0]: row for row in rows}
    months = sorted({*found, *(f"{first:%Y-%m}" for first in limits)})
    if not months:
        return []
    year, month = map(int, months[0].split("-"))
    every = []
    while (name := f"{year}-{month:02d}") <= months[-1]:
        every.append(found.get(name, (name, ZERO, ZERO)))
        year, month = year + month // 12, month % 12 + 1
    return every


def _named(limits: Sequence[tuple[Any, ...]]) -> list[tuple[date, str]]:
    """Limits with the states that they are for. Most states may share one: there is no room to name them, they are the others."""
    named = []
    for first, length, states in limits:
        who = "others" if len(limits) > 1 and states.count(",") >= MANY_STATES - 1 else states
        named.append((first, f"{who}: {length} month{'' if length == 1 else 's'} back"))
    return named


def _limit(axes: Any, place: float, text: str) -> None:
    axes.axhline(place, color=INK, linestyle="--", linewidth=1)
    where = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom", "fontsize": 8.5}
    axes.annotate(text, (1, place), **where)


def _stacked(axes: Any, rows: Sequence[tuple[str, Decimal, Decimal]]) -> None:
    places = range(len(rows))
    sure, guessed = [float(row[1]) for row in rows], [float(row[2]) for row in rows]
    axes.barh(places, sure, color=DARK, edgecolor=INK, height=0.66, label="read, and supply")
    axes.barh(places, guessed, left=sure, color="white", edgecolor=INK, hatch=HATCH, height=0.66, label="estimated")
    for place, row in enumerate(rows):
        beside(axes, f"{short(row[1] + row[2], '$')}", (float(max(row[1] + row[2], ZERO)), place))
    axes.set_yticks(places, [row[0].split(":")[0] for row in rows])
    axes.invert_yaxis()
    axes.margins(x=0.16)
    label(axes.xaxis, "$")
    bare(axes)


def concentration(book: Book) -> Picture:
    """The cumulative share of the largest accounts, the first ten named."""
    amounts = book.rows("select account_id, net_amount from now.accounts order by net_amount desc, account_id")
    top, total = accounts.concentration(book, TOP), book.total
    curve, running = [ZERO], ZERO
    for _, net in amounts:
        running += net
        curve.append(running)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        steps = range(0, len(curve), max(1, len(curve) // 500))
        axes.plot(
            [100 * one / max(len(amounts), 1) for one in steps],
            [float(share(curve[one], total) or 0) for one in steps],
            color=INK,
        )
        axes.plot([0, 100], [0, 100], color=SOFT, linestyle=":")
        axes.set(xlabel="% of the accounts, the largest first", ylabel="% of the book", xlim=(0, 100), ylim=(0, 105))
        named = "\n".join(
            f"{number}  {who}  {share(net, total) or 0:.1f} %" for number, (who, net) in enumerate(top, 1)
        )
        axes.text(0.98, 0.04, named, transform=axes.transAxes, ha="right", va="bottom", fontsize=8.5)

    running, rows = ZERO, []
    for who, net in top:
        running += net
        rows.append((who, net, share(net, total), share(running, total)))
    heads = columns("Account", ("Net $", "money"), ("Share %", "percent"), ("Cumulative %", "percent"))
    data = Table("picture_concentration", "Data: concentration", heads, rows)
    half = next((place for place, value in enumerate(curve) if value * 2 >= total), 0)
    caption = f"{half} of {len(amounts)} accounts are half of the book. The ten largest are named."
    return picture("How concentrated it is", caption, data, draw, height=3.6)


# What was billed is spread evenly over the days of its invoice; only the days of the period count.
_BILLED = """
select strftime(d.local_date, '%Y-%m'), a.fuel, sum((l.quantity / (l.to_date - l.from_date + 1))::decimal(18,6))
from now.billed_lines l join now.account a using (account_id),
     lateral (select unnest(generate_series(greatest(l.from_date, $from), least(l.to_date, $to), interval 1 day))::date as local_date) d
where l.item_type in ('USAGE', 'CONTROL') group by 1, 2
"""
_UNBILLED = """
select strftime(d.local_date, '%Y-%m'), a.fuel, sum(d.units - d.units_estimated), sum(d.units_estimated)
from now.day d join now.account a using (account_id) group by 1, 2
"""


def units_by_month(book: Book) -> Picture:
    """Used = billed + unbilled read + unbilled estimated, by month."""
    found: dict[tuple[str, str], list[Decimal]] = {}
    for month, fuel, units in book.rows(_BILLED, {"from": book.now.day("from"), "to": book.now.day("to")}):
        found.setdefault((fuel, month), [ZERO] * 3)[0] = Decimal(str(units)).quantize(Decimal("0.1"))
    for month, fuel, read, estimated in book.rows(_UNBILLED):
        found.setdefault((fuel, month), [ZERO] * 3)[1:] = [read, estimated]
    rows: list[tuple[Any, ...]] = [(*key, *values) for key, values in sorted(found.items())]
    fuels: list[str] = sorted({row[0] for row in rows})

    def draw(figure: Figure) -> None:
        panels = figure.subplots(max(len(fuels), 1), 1, squeeze=False)[:, 0]
        for axes, fuel in zip(panels, fuels, strict=False):
            _months(axes, fuel, [row for row in rows if row[0] == fuel])
        if fuels:
            figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)

    heads = columns("Fuel", "Month", ("Billed", "units"), ("Unbilled, read", "units"), ("Unbilled, estimated", "units"))
    data = Table("picture_units", "Data: units by month", heads, rows)
    caption = (
        "White is billed (spread evenly over the days of each bill), grey is read and not billed, hatched is estimated."
    )
    return picture(
        "What was used, and what is billed of it",
        caption,
        data,
        draw,
        height=0.6 + 1.75 * max(len(fuels), 1),
    )


def _months(axes: Any, fuel: str, rows: Sequence[tuple[Any, ...]]) -> None:
    places, bottom = range(len(rows)), [0.0] * len(rows)
    kinds: tuple[tuple[str, dict[str, Any]], ...] = (
        ("billed", {"color": "white"}), ("read", {"color": DARK}), ("estimated", {"color": "white", "hatch": HATCH}),
    )  # fmt: skip
    for column, (name, look) in enumerate(kinds, 2):
        values = [float(row[column]) for row in rows]
        axes.bar(places, values, bottom=bottom, edgecolor=INK, linewidth=0.8, label=name, **look)
        bottom = [one + other for one, other in zip(bottom, values, strict=True)]
    axes.set_xticks(places, [row[1][2:].replace("-", "/") for row in rows], rotation=60, fontsize=8.5)
    label(axes.yaxis)
    axes.set_title(f"{fuel.lower()}, {'MJ' if fuel == 'GAS' else 'kWh'}")


@dataclass(frozen=True)
class Stratum:
    """A band in % of its estimate of so many dollars, and by how many percent the estimates of past accruals were too low."""

    name: str
    estimated: Decimal
    low: Decimal
    high: Decimal
    past: Sequence[tuple[date, Decimal]]


def forest(strata: Sequence[Stratum], band: int) -> Picture:
    """The band of each stratum, with the errors of past true-ups as dots: the last one filled, those before it hollow."""

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, one in enumerate(strata):
            axes.plot(
                [float(one.low), float(one.high)], [place, place], color=INK, linewidth=2, marker="|", markersize=9
            )
            axes.plot(0, place, marker="s", color="white", markeredgecolor=INK, markersize=6, linestyle="none")
            for age, (_, error) in enumerate(reversed(one.past)):
                inside = "white" if age else INK
                axes.plot(
                    float(error),
                    place,
                    marker="o",
                    color=inside,
                    markeredgecolor=INK,
                    markersize=6,
                    linestyle="none",
                    zorder=4 - age / 100,
                )
        axes.axvline(0, color=SOFT, linewidth=0.8)
        axes.set_yticks(range(len(strata)), [f"{one.name}\n{short(one.estimated, '$')}" for one in strata])
        axes.invert_yaxis()
        axes.margins(y=0.12)
        axes.set_xlabel("% of the estimate")
        bare(axes)

    runs = sorted({run for one in strata for run, _ in one.past})
    heads = columns(
        "Stratum", ("Estimated $", "money"), ("Low %", "percent"), ("High %", "percent"),
        *((f"True-up of {run} %", "percent") for run in runs),
    )  # fmt: skip
    rows = [(one.name, one.estimated, one.low, one.high, *map(dict(one.past).get, runs)) for one in strata]
    data = Table("picture_forest", "Data: bands, and what true-ups found", heads, rows)
    return picture(
        "How far the estimates may be off", _past(runs, band), data, draw, height=1.1 + 0.42 * max(len(strata), 1)
    )


def _past(runs: Sequence[date], band: int) -> str:
    found = (
        "No run before has been trued up yet."
        if not runs
        else f"Dots are what true-ups found of the accruals of the runs of {', '.join(map(day, runs))}; the last one is filled."
    )
    return f"The line is the {band} % band, the square the estimate. {found} Strata without a band are not drawn."


_STRATA = """
select case level when 'BOOK' then 'Book' when 'FUEL' then fuel else fuel || ' ' || segment end, net_mid,
       100 * (net_low_{band} - net_mid) / abs(net_mid), 100 * (net_high_{band} - net_mid) / abs(net_mid), coalesce(fuel, ''), coalesce(segment, '')
from now.bands where net_mid <> 0 and net_low_{band} is not null
order by case level when 'BOOK' then 1 when 'FUEL' then 2 else 3 end, net_mid desc
"""


def bands(book: Book, found: Sequence[Found]) -> Picture:
    """The forest of this run's bands; found is what past true-ups found."""
    strata = [
        Stratum(
            name.replace("ELECTRICITY", "El.").replace("GAS", "Gas").replace("|", " "), mid, Decimal(str(low)).quantize(TENTH),
            Decimal(str(high)).quantize(TENTH), errors(found, fuel, segment),
        )
        for name, mid, low, high, fuel, segment in book.rows(_STRATA.format(band=book.finance.materiality.band))
    ]  # fmt: skip
    return forest(strata, book.finance.materiality.band)
