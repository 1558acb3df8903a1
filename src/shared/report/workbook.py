"""The report as a workbook: a sheet per section, and one of its own, with filters, for every long table.

Text is written as text, whatever it begins with: no cell of a customer's can become a formula or a link.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter

from shared.report import figures
from shared.report.table import Section

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from shared.report.make import Report
    from shared.report.table import Kind, Table

NAME_LENGTH = 31  # of a sheet
WIDEST, NARROWEST = 46, 9
A4 = 9


def write(report: Report, path: Path) -> None:
    """Write the workbook. The same report makes the same bytes: its date is the run's."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        created = datetime.fromisoformat(report.period["run_date"]).replace(tzinfo=UTC).replace(tzinfo=None)
        book.set_properties({"title": report.title, "created": created})
        styles = _Styles(book)
        for section in report.sections:
            _sheet_of_section(book, styles, report, section)
            for table in section.tables:
                if table.shown is not None:
                    _sheet_of_table(book, styles, report, table)
        data = Section("pictures", "Data of the pictures", (), [picture.data for picture in report.pictures])
        _sheet_of_section(book, styles, report, data)


class _Styles:
    """The formats; a number's depends on how many decimals it has."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._numbers: dict[tuple[int, bool], Format] = {}
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.subtitle = book.add_format({"font_color": "#555555"})
        self.lead = book.add_format({"text_wrap": True, "valign": "top"})
        self.heading = book.add_format({"bold": True, "font_size": 12, "top": 1})
        self.head = book.add_format(
            {"bold": True, "bottom": 2, "bg_color": "#E8ECEF", "text_wrap": True, "valign": "top"}
        )
        self.text = book.add_format({"valign": "top", "text_wrap": True})
        self.date = book.add_format({"num_format": "yyyy-mm-dd", "align": "left", "valign": "top"})
        self.total = book.add_format({"bold": True, "top": 1, "bottom": 6})

    def number(self, decimals: int, *, is_total: bool) -> Format:
        """A number with so many decimals."""
        key = (decimals, is_total)
        if key not in self._numbers:
            places = "." + "0" * decimals if decimals else ""
            style: dict[str, Any] = {"num_format": f"#,##0{places};-#,##0{places}", "valign": "top"}
            self._numbers[key] = self._book.add_format(
                style | ({"bold": True, "top": 1, "bottom": 6} if is_total else {})
            )
        return self._numbers[key]


def _sheet_of_section(book: Workbook, styles: _Styles, report: Report, section: Section) -> None:
    sheet = _new_sheet(book, styles, report, section.title)
    tables = [table for table in section.tables if table.shown is None]
    widest = max((len(table.columns) for table in tables), default=1)
    row = 3
    for sentence in section.lead:
        sheet.merge_range(row, 0, row, max(widest - 1, 7), sentence, styles.lead)
        row += 1
    _set_widths(sheet, tables)
    for table in tables:
        row = _write_table(sheet, styles, table, row + 1)
    long = [table.title for table in section.tables if table.shown is not None]
    if long:
        sheet.write_string(row + 1, 0, f"On sheets of their own: {', '.join(long)}", styles.subtitle)
        row += 1
    sheet.freeze_panes(3, 0)
    sheet.print_area(0, 0, max(row, 3), max(widest - 1, 7))


def _sheet_of_table(book: Workbook, styles: _Styles, report: Report, table: Table) -> None:
    """A long table: heads stay in sight and on every printed page, and every column has a filter."""
    sheet = _new_sheet(book, styles, report, table.title)
    _set_widths(sheet, [table])
    last = _write_table(sheet, styles, table, 3, with_title=False)
    sheet.freeze_panes(4, 1)
    sheet.repeat_rows(3)
    sheet.autofilter(3, 0, max(3 + len(table.rows), 4), len(table.columns) - 1)
    sheet.print_area(0, 0, max(last, 4), len(table.columns) - 1)


def _new_sheet(book: Workbook, styles: _Styles, report: Report, title: str) -> Worksheet:
    sheet = book.add_worksheet(_sheet_name(book, title))
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P of &N")
    sheet.write_string(0, 0, title, styles.title)
    sheet.write_string(
        1,
        0,
        f"{report.title}, {report.period['from']} to {report.period['to']}, as at {report.period['as_at']}",
        styles.subtitle,
    )
    return sheet


def _sheet_name(book: Workbook, title: str) -> str:
    name = "".join(" " if one in "[]:*?/\\" else one for one in title)[:NAME_LENGTH].strip()
    taken = {sheet.get_name().lower() for sheet in book.worksheets()}
    number = 2
    while name.lower() in taken:
        name = f"{name[: NAME_LENGTH - 3].strip()} {number}"
        number += 1
    return name


def _set_widths(sheet: Worksheet, tables: list[Table]) -> None:
    widths: dict[int, int] = {}
    for table in tables:
        for place, column in enumerate(table.columns):
            # Long sentences wrap, so that a column of them does not push the others off the page.
            shown = [
                figures.text(row[place], column.kind) for row in [*table.rows, *([table.total] if table.total else [])]
            ]
            longest = max((len(one) for one in shown), default=0)
            widths[place] = max(widths.get(place, NARROWEST), min(longest, WIDEST) + 2, min(len(column.name), 14) + 2)
    for place, width in widths.items():
        sheet.set_column(place, place, width)


def _write_table(sheet: Worksheet, styles: _Styles, table: Table, row: int, *, with_title: bool = True) -> int:
    """Write a table from a row on; the first free row under it."""
    if with_title:
        for place in range(len(table.columns)):
            sheet.write_blank(row, place, None, styles.heading)
        sheet.write_string(row, 0, table.title, styles.heading)
        row += 1
    for place, column in enumerate(table.columns):
        sheet.write_string(row, place, column.name, styles.head)
    for values in table.rows:
        row += 1
        for place, value in enumerate(values):
            _write_cell(sheet, styles, row, place, value, table.columns[place].kind)
    if table.total:
        row += 1
        for place, value in enumerate(table.total):
            _write_cell(sheet, styles, row, place, value, table.columns[place].kind, is_total=True)
    if table.note:
        row += 1
        sheet.write_string(row, 0, table.note, styles.subtitle)
    return row + 1


def _write_cell(  # noqa: PLR0917 - where, what and how
    sheet: Worksheet, styles: _Styles, row: int, place: int, value: Any, kind: Kind, *, is_total: bool = False
) -> None:
    if figures.is_number(value):
        sheet.write_number(row, place, float(value), styles.number(figures.decimals(value, kind), is_total=is_total))
    elif isinstance(value, date):
        sheet.write_datetime(row, place, datetime(value.year, value.month, value.day), styles.date)  # noqa: DTZ001 - a day, without a clock
    elif value in (None, ""):
        sheet.write_blank(row, place, None, styles.total if is_total else styles.text)
    else:
        sheet.write_string(row, place, str(value), styles.total if is_total else styles.text)
