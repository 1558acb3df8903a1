"""Whether a text has blanks around its fields is asked once a file: a wrong no would leave them in."""

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from local.platform.text import BLANKS, has_blanks_around, trimmed

TEXTS = st.text(alphabet=st.sampled_from([*"a1,\n\r\"'", *BLANKS]), max_size=12)


@given(text=TEXTS)
@example(text=" a,b\n")
@example(text='"a ",b\n')
@example(text="a,\u00a0b")
@example(text="a\t\r\nb")
def test_no_field_needs_trimming_where_none_has_blanks(text):
    if not has_blanks_around(text):
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert rows == [[trimmed(cell) for cell in row] for row in rows]


def test_blanks_inside_a_field_are_not_around_it():
    assert not has_blanks_around("300,20261001,1.000,S53,1,Meter/Equipment Changed,\r\n900\r\n")
    assert has_blanks_around("300,20261001, 1.000\r\n")
