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
    from collections.abc import Sequence
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

    from shared.report.make import Report
    from shared.report.table import Kind, Table

NAME_LENGTH = 31  # of a sheet
WIDEST, NARROWEST = 46, 9
A4 = 9
ROW_HEIGHT = 15
LEAST_COLUMNS = 8


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
        self._numbers: dict[tuple[int, bool, bool], Format] = {}
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.subtitle = book.add_format({"font_color": "#555555"})
        self.lead = book.add_format({"text_wrap": True, "valign": "top"})
        self.heading = book.add_format({"bold": True, "font_size": 12, "top": 1})
        # Excel and LibreOffice only indent what is explicitly on the left.
        left = {"align": "left", "indent": 1}
        head = {"bold": True, "bottom": 2, "bg_color": "#E8ECEF", "text_wrap": True, "valign": "bottom"}
        self.head = book.add_format(head | left)
        self.number_head = book.add_format(head | {"align": "right"})
        self.text = book.add_format({"valign": "top", "text_wrap": True} | left)
        self.date = book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"} | left)
        self.total = book.add_format({"bold": True, "top": 1, "bottom": 6} | left)

    def number(self, decimals: int, *, zero_as_dash: bool, is_total: bool) -> Format:
        """A number with so many decimals; zero as the page shows it."""
        key = (decimals, zero_as_dash, is_total)
        if key not in self._numbers:
            places = "." + "0" * decimals if decimals else ""
            zero = ';"\N{EN DASH}"' if zero_as_dash else ""
            style: dict[str, Any] = {"num_format": f"#,##0{places};-#,##0{places}{zero}", "valign": "top"}
            self._numbers[key] = self._book.add_format(
                style | ({"bold": True, "top": 1, "bottom": 6} if is_total else {})
            )
        return self._numbers[key]


def _sheet_of_section(book: Workbook, styles: _Styles, report: Report, section: Section) -> None:
    tables = [table for table in section.tables if table.shown is None]
    page = _Page(_new_sheet(book, styles, report, section.title), styles, tables)
    row = 3
    for sentence in section.lead:
        row = page.sentence(row, sentence)
    for table in tables:
        row = page.table(table, row + 1)
    long = [table.title for table in section.tables if table.shown is not None]
    if long:
        row = page.sentence(row + 1, f"On sheets of their own: {', '.join(long)}")
    page.sheet.freeze_panes(3, 0)
    page.sheet.print_area(0, 0, max(row, 3), page.last)


def _sheet_of_table(book: Workbook, styles: _Styles, report: Report, table: Table) -> None:
    """A long table: heads stay in sight and on every printed page, and every column has a filter."""
    page = _Page(_new_sheet(book, styles, report, table.title), styles, [table])
    row = page.table(table, 3, with_title=False)
    page.sheet.freeze_panes(4, 1)
    page.sheet.repeat_rows(3)
    page.sheet.autofilter(3, 0, max(3 + len(table.rows), 4), len(table.columns) - 1)
    page.sheet.print_area(0, 0, max(row, 4), page.last)


def _new_sheet(book: Workbook, styles: _Styles, report: Report, title: str) -> Worksheet:
    sheet = book.add_worksheet(_sheet_name(book, title))
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&RPage &P of &N")
    sheet.write_string(0, 0, title, styles.title)
    period = report.period
    about = f"{report.title}, {period['from']} to {period['to']}, as at {period['as_at']}"
    sheet.write_string(1, 0, about, styles.subtitle)
    return sheet


def _sheet_name(book: Workbook, title: str) -> str:
    name = "".join(" " if one in "[]:*?/\\" else one for one in title)[:NAME_LENGTH].strip()
    taken = {sheet.get_name().lower() for sheet in book.worksheets()}
    number = 2
    while name.lower() in taken:
        name = f"{name[: NAME_LENGTH - 3].strip()} {number}"
        number += 1
    return name


class _Page:
    """A sheet that tables are written on, one under the other. A long text at the end of a short row goes on to the right."""

    def __init__(self, sheet: Worksheet, styles: _Styles, tables: list[Table]) -> None:
        self.sheet = sheet
        self._styles = styles
        self.last = max([LEAST_COLUMNS, *(len(table.columns) for table in tables)]) - 1
        self._widths = dict.fromkeys(range(self.last + 1), NARROWEST)
        for table in tables:
            self._make_room(table)
        for place, width in self._widths.items():
            sheet.set_column(place, place, width)

    def sentence(self, row: int, text: str) -> int:
        """A sentence over the whole sheet; the next row."""
        self.sheet.merge_range(row, 0, row, self.last, text, self._styles.lead)
        self.sheet.set_row(row, ROW_HEIGHT * self._lines(text, 0, self.last))
        return row + 1

    def table(self, table: Table, row: int, *, with_title: bool = True) -> int:
        """A table from a row on; the next free row under it."""
        if with_title:
            for place in range(len(table.columns)):
                self.sheet.write_blank(row, place, None, self._styles.heading)
            self.sheet.write_string(row, 0, table.title, self._styles.heading)
            row += 1
        self._heads(table, row)
        for values in table.rows:
            row += 1
            self._row(table, row, values)
        if table.total:
            row += 1
            for place, value in enumerate(table.total):
                self._cell((row, place), value, table.columns[place].kind, is_total=True)
        return self.sentence(row + 1, table.note) if table.note else row + 1

    def _make_room(self, table: Table) -> None:
        for place, column in enumerate(table.columns):
            rows = [*table.rows, *([table.total] if table.total else [])]
            longest = max((len(figures.text(row[place], column.kind)) for row in rows), default=0)
            if longest > WIDEST and self._runs_on(table, place):
                longest = 0
            self._widths[place] = max(self._widths[place], min(longest, WIDEST) + 3, min(len(column.name), 13) + 3)

    def _runs_on(self, table: Table, place: int) -> bool:
        return place == len(table.columns) - 1 < self.last

    def _heads(self, table: Table, row: int) -> None:
        for place, column in enumerate(table.columns):
            is_text = column.kind in ("text", "date")
            self.sheet.write_string(row, place, column.name, self._styles.head if is_text else self._styles.number_head)
        lines = max(self._lines(column.name, place, place) for place, column in enumerate(table.columns))
        self.sheet.set_row(row, ROW_HEIGHT * lines)

    def _row(self, table: Table, row: int, values: Sequence[Any]) -> None:
        lines = 1
        for place, value in enumerate(values):
            end = place
            if isinstance(value, str):
                if len(value) > WIDEST and self._runs_on(table, place):
                    end = self.last
                lines = max(lines, self._lines(value, place, end))
            if end > place:
                self.sheet.merge_range(row, place, row, end, value, self._styles.text)
            else:
                self._cell((row, place), value, table.columns[place].kind)
        if lines > 1:
            self.sheet.set_row(row, ROW_HEIGHT * lines)

    def _lines(self, text: str, first: int, last: int) -> int:
        width = sum(self._widths[place] for place in range(first, last + 1)) - 2
        return max(1, -(-len(text) // width))

    def _cell(self, at: tuple[int, int], value: Any, kind: Kind, *, is_total: bool = False) -> None:
        text = self._styles.total if is_total else self._styles.text
        if figures.is_number(value):
            is_dash = kind in figures.ZERO_AS_DASH
            style = self._styles.number(figures.decimals(value, kind), zero_as_dash=is_dash, is_total=is_total)
            self.sheet.write_number(*at, float(value), style)
        elif isinstance(value, date):
            self.sheet.write_datetime(*at, datetime(value.year, value.month, value.day), self._styles.date)  # noqa: DTZ001 - a day
        elif value in (None, ""):
            self.sheet.write_blank(*at, None, text)
        else:
            self.sheet.write_string(*at, str(value), text)
