"""What a field of a CSV file may hold: the value it reads as, or a refusal that says why."""

from datetime import date
from decimal import Decimal

import pytest

from local.portfolio.fields import (
    MAX_TEXT,
    Number,
    OneOf,
    Whole,
    boolean,
    code,
    half_hour_of_clock,
    iso_date,
    part_of_key,
    text,
)
from local.portfolio.identifiers import site_identifier

NUMBER = Number(Decimal(-1000), Decimal(10**12))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1234.560000000000000000", "1234.56"),  # a NUMERIC(38, 18), with its zeros
        ("0.123456789012", "0.123456789012"),
        ("0.3000", "0.3000"),  # zeros within the allowed decimals are kept, they are exported
        ("000000000000000000012", "12"),
        ("1.", "1"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("+1", "1"),
        ("-0.00", "0.00"),
        ("0" * 5000, "0"),
    ],
)
def test_numbers_as_databases_and_spreadsheets_write_them(written, value):
    assert str(NUMBER(written)) == value


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2234.5600000000004", "has 13 decimals, 12 are allowed: round it"),
        ("9" * 5000, "has 5000 digits before the point, 15 are allowed"),
        ("1234567890123456", "has 16 digits before the point"),
        *((written, "is no plain decimal number") for written in (
            "", ".", "-", "1e5", "1E-7", "nan", "Infinity", "-inf", "1_000", "1,000", "1.000,5", "0,5", "0x10", "--1", "1 2",
            "\u0661\u0662", "\uff11", "1\u00b2", "1\x1f", "1\n", "$1", "1%", "(1)", "\u22121", "[/]",
        )),
        ("1000000000000.1", "is above 1000000000000"),
        ("-1000.0001", "is below -1000"),
    ],
)  # fmt: skip
def test_what_is_no_number_says_why(written, reason):
    with pytest.raises(ValueError, match=reason) as refused:
        NUMBER(written)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("\\.", "\\."),
        ("Z\u00fcrich \u2603 \U0001f600", "Z\u00fcrich \u2603 \U0001f600"),
        ("Zu\u0308rich", "Z\u00fcrich"),  # u and two dots are one letter
        ("Mass\u00a0Market", "Mass Market"),
        ('a "b", c', 'a "b", c'),
        ("A" * MAX_TEXT, "A" * MAX_TEXT),
    ],
)
def test_texts(written, value):
    assert text(written) == value


@pytest.mark.parametrize(
    "hidden", ["\x00", "\x1f", "\n", "\x7f", "\x85", "\u200b", "\u2028", "\ufeff", "\ud800", "\U0010ffff"]
)
def test_texts_with_characters_that_nobody_sees(hidden):
    with pytest.raises(ValueError, match=f"U\\+{ord(hidden):04X}"):
        text(f"A{hidden}B")


def test_a_node_cannot_look_like_another_key():
    """A gas zone RES|PRIMARY in VIC would share its profile with the homes of VIC."""
    with pytest.raises(ValueError, match=r"'RES\|PRIMARY' has a \| in it"):
        part_of_key("RES|PRIMARY")
    assert part_of_key("Zone\u00a07") == "Zone 7"


def test_texts_that_no_index_can_hold():
    with pytest.raises(ValueError, match=r"\(3000 characters\) is too long, 100 characters are allowed"):
        text("A" * 3000)


def test_case_does_not_matter_where_the_values_are_known():
    one = OneOf(("RES", "BUS"))
    assert [one("res"), one("Bus"), code("e1"), site_identifier("qaaavzzzzz3")] == ["RES", "BUS", "E1", "QAAAVZZZZZ"]
    assert (boolean("True"), boolean("FALSE")) == (True, False)


@pytest.mark.parametrize("written", ["RE\u017f", "\uff32\uff25\uff33", "RES.", "R ES"])
def test_other_scripts_letters_are_not_taken_for_ours(written):
    """The long s becomes an S in capitals."""
    with pytest.raises(ValueError, match="is not known, use one of RES, BUS"):
        OneOf(("RES", "BUS"))(written)


@pytest.mark.parametrize(
    ("parse", "written"),
    [
        *((iso_date, day) for day in ("0000-00-00", "2026-02-30", "0001-01-01", "9999-12-31", "20260230", "2026-W01-1",
                                      "2026-1-1", "\u0662026-01-01", "2026-01-01T00:00", "01/02/2026")),
        *((half_hour_of_clock, clock) for clock in ("9:00", "24:30", "25:00", "12:15", "1\u0662:00", "12:00:00")),
        *((Whole(1, 400), number) for number in ("1.0", "+1", "1_0", "\u0661", "401", "0", "9" * 5000)),
        *((site_identifier, nmi) for nmi in ("6305017788\u00a0x", "630501778O", "63050177880123", "6" * 3000, "\uff16305017788")),
        *((boolean, flag) for flag in ("1", "yes", "t", "\u0131")),
    ],
)  # fmt: skip
def test_what_is_neither_date_nor_time_nor_identifier_says_so_in_short(parse, written):
    with pytest.raises(ValueError, match=r".{10}") as refused:
        parse(written)
    assert len(str(refused.value)) < 200


def test_dates():
    assert [iso_date("2028-02-29"), iso_date("1970-01-01")] == [date(2028, 2, 29), date(1970, 1, 1)]
