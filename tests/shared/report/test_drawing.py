"""Pictures are embedded in the page as they are: nothing that they name may be markup, and the same data draws the same bytes."""

from xml.etree import ElementTree as ET

import pytest
from matplotlib.figure import Figure

from shared.report.drawing import picture, short
from shared.report.table import Picture, Table, columns


def _drawn(name: str) -> Picture:
    def draw(figure: Figure) -> None:
        figure.add_subplot().set_yticks([0], [name])

    return picture("A title", "", Table("key", "", columns("Account"), [(name,)]), draw, height=2)


def test_a_name_is_text() -> None:
    svg = _drawn("<script>alert(1)</script> & $x$").svg
    assert "<script>" not in svg
    texts = ["".join(one.itertext()).strip() for one in ET.fromstring(svg).iter() if one.tag.endswith("text")]
    assert "<script>alert(1)</script> & $x$" in texts


def test_the_same_data_draws_the_same_bytes() -> None:
    assert _drawn("one").svg == _drawn("one").svg


def test_no_id_is_twice_on_a_page() -> None:
    ids = [one.attrib["id"] for one in ET.fromstring(_drawn("one").svg).iter() if "id" in one.attrib]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("value", "text"),
    [(138964.53, "$139k"), (0, "$0"), (-408.67, "\N{MINUS SIGN}$409"), (1234567, "$1.23M"), (2.5e9, "$2.5bn")],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value, "$") == text
