"""The book error and the WAPE of every way by month, as a PNG. The same figures make the same bytes."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from local.backtest.report import ALL, UNITS, Line

# Of the palette of Okabe and Ito, which the colour-blind can tell apart.
COLOURS = {"product": "#0072B2", "last bill": "#D55E00", "last year": "#009E73"}
DPI = 120
INCHES = (10.0, 3.6)  # of a fuel


def draw(found: Sequence[Line], path: Path) -> None:
    """Draw a row of two panels for each fuel; ways that are restricted to another way's accounts are left out."""
    shown = [line for line in found if line.group == ALL and line.on is None]
    fuels = list(dict.fromkeys(line.fuel for line in shown))
    figure = Figure(figsize=(INCHES[0], INCHES[1] * max(len(fuels), 1)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    for row, fuel in enumerate(fuels):
        for column, (name, title) in enumerate((("book", "book error"), ("wape", "WAPE"))):
            axes = figure.add_subplot(len(fuels), 2, 2 * row + column + 1)
            for line in shown:
                if line.fuel == fuel:
                    months = [f"{month.run_date - timedelta(days=1):%Y-%m}" for month in line.score.months]
                    values = [getattr(month, name) for month in line.score.months]
                    axes.plot(months, values, marker="o", label=line.way, color=COLOURS[line.way])
            axes.axhline(0, color="black", linewidth=0.8)
            axes.set_title(f"{fuel.lower()}: {title}, % of the missing {UNITS[fuel]}")
            axes.tick_params(axis="x", rotation=60)
            axes.grid(axis="y", linewidth=0.4)
            if column == 0:
                axes.legend()
    figure.savefig(path, format="png", metadata={"Software": None})
