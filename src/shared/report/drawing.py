"""How pictures are drawn: narrow enough for a phone, without colours that matter, the same bytes for the same data."""

import io
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from shared.report.table import Picture, Table

WIDTH = 4.9  # inches: ten points stay readable when the page shrinks it to a phone
INK, SOFT, PALE, DARK = "#1b1f23", "#8a949e", "#cfd6dc", "#4a5a68"
HATCH = "////"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "font.size": 9.5, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": SOFT, "xtick.color": INK, "ytick.color": INK,
    "text.color": INK, "hatch.linewidth": 0.8, "legend.frameon": False, "legend.fontsize": 9, "figure.dpi": 72, "text.parse_math": False,
}  # fmt: skip
FONTS = "system-ui,-apple-system,'Segoe UI',Roboto,'Liberation Sans',Arial,sans-serif"


def picture(title: str, caption: str, data: Table, draw: Callable[[Figure], None], *, height: float) -> Picture:
    """Draw a picture; draw gets the empty figure. height is in inches."""
    with mpl.rc_context(cast("Any", STYLE | {"svg.hashsalt": data.key})):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure)
        target = io.StringIO()
        figure.savefig(
            target,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
            transparent=True,
        )
    return Picture(data.key, title, caption, _embedded(target.getvalue(), title), data)


def label(axis: Axis, unit: str = "") -> None:
    """Label an axis in thousands or millions of a unit."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value, unit)))


def short(value: float | Decimal, unit: str = "") -> str:
    """A number of two or three digits: $12.3k, 4.5M."""
    size = abs(float(value))
    sign = "\N{MINUS SIGN}" if value < 0 else ""
    for limit, letter in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= limit:
            return f"{sign}{unit}{size / limit:.3g}{letter}"
    return f"{sign}{unit}{size:.3g}"


def beside(axes: Axes, text: str, end: tuple[float, float]) -> None:
    """Write beside the end of a bar."""
    axes.annotate(text, end, xytext=(4, 0), textcoords="offset points", va="center")


def bare(axes: Axes) -> None:
    """No axis on the left: the labels are enough."""
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _embedded(svg: str, title: str) -> str:
    """Only the svg element, with a name for readers that cannot see it, and the page's fonts."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r' id="[A-Za-z0-9]+_\d+"', "", svg)
    svg = re.sub(r"font: ([^;\"]*?)([\d.]+px) [^;\"]*", rf"font: \1\2 {FONTS}", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
