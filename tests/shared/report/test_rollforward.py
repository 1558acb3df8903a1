"""The roll-forward of two hand-made months.

Account 1: 10 days at $2.00 are billed since (-20.00); October, 31 days at 1.60 + 0.50 - 0.10, is new (+62.00).
Account 2: 4 days at $1.00 left the window (-4.00); 26 days estimated at 1.00 are read now at 1.10 (+2.60, 26 x 4 MJ);
October, 31 days at 1.20, is new (+37.20).
Account 3: of 5 days at $3.00 two were billed (-6.00); the account had closed before the other three (-9.00).
Account 4: its bill of 10 days was reversed, $1.50 a day (+15.00).
Account 5: a day at $5.00 is worth 6.00 now (+1.00), in another segment (5.00 moved); October, 31 x 6.00, is new (+186.00).
"""

from decimal import Decimal

from shared.report import rollforward
from shared.report.book import Book
from shared.report.ties import broken


def _d(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


def test_every_line_is_what_it_is_on_paper(book: Book) -> None:
    rows = {}
    table = rollforward.compute(book).section.tables[0]
    for text, *values in [*table.rows, table.total or ()]:
        rows[text.split(":")[0]] = tuple(values)
    # net, days, kWh used, MJ, kWh exported
    assert rows["Opening"] == _d("70.00", "46", "145", "1200", "0")
    assert rows["+ days used since"] == _d("285.20", "93", "930", "1488", "62")
    assert rows["+ days reopened"] == _d("15.00", "10", "70", "0", "0")
    assert rows["\N{MINUS SIGN} days billed since"] == _d("-26.00", "-12", "-110", "0", "0")
    assert rows["\N{MINUS SIGN} days closed out"] == _d("-9.00", "-3", "-15", "0", "0")
    assert rows["\N{MINUS SIGN} days that left the window, still unbilled"] == _d("-4.00", "-4", "0", "-160", "0")
    assert table.rows[6][1:] == _d("2.60", "0", "0", "104", "0")
    assert table.rows[7][1:] == _d("1.00", "0", "0", "0", "0")
    assert table.rows[8][1:] == _d("0.00", "0", "0", "0", "0")
    assert rows["Closing"] == _d("334.80", "130", "1020", "2632", "62")


def test_the_lines_of_an_account_that_changed_its_segment(book: Book) -> None:
    assert book.before is not None
    found = rollforward.flows(book, book.before)
    old, new = found["NSW", "ELECTRICITY", "MASS_MARKET"], found["NSW", "ELECTRICITY", "SMALL_BUSINESS"]
    assert old["moved"][1] == Decimal("-5.00")
    assert {line: flow[1] for line, flow in new.items()} == {
        "moved": Decimal("5.00"), "revalued": Decimal("1.00"), "new_month": Decimal("186.00"), "closing": Decimal("192.00"),
    }  # fmt: skip


def test_opening_and_closing_tie_to_both_runs(book: Book) -> None:
    part = rollforward.compute(book)
    assert {tie.name: (tie.left_figure, tie.right_figure) for tie in part.ties[:2]} == {
        "Opening": _d("70.00", "70.00"), "Closing": _d("334.80", "334.80"),
    }  # fmt: skip
    assert broken(part.ties) == []


def test_the_first_run_says_that_there_is_none_before(first_book: Book) -> None:
    part = rollforward.compute(first_book)
    assert "There is no run before this one" in part.section.lead[0]
    assert part.section.tables == ()


def test_what_is_issued_after_the_cut_off_is_a_line_of_its_own(book: Book) -> None:
    book.database.execute("update now.day set ageing = 'ISSUED_LATE' where account_id = '4'")
    late = next(table for table in rollforward.compute(book).section.tables if table.key == "rollforward_late")
    assert [(name, days, str(net)) for name, days, net in late.rows] == [
        ("Opening", 0, "0.00"),
        ("Closing", 10, "15.00"),
    ]
