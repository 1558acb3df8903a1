"""The report as one HTML page that needs nothing else. Whatever comes from a customer is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.report import figures

if TYPE_CHECKING:
    from shared.report.make import Report

TEMPLATE = "page.html.j2"


def write(report: Report, path: Path) -> None:
    """Write the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"text": figures.text, "dollars": figures.dollars, "day": figures.day}
    path.write_text(
        environment.get_template(TEMPLATE).render(report=report, figures=report.figures, verdict=report.verdict),
        "utf-8",
    )
