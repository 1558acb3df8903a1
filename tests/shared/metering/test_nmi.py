"""NMI checksums against AEMO's published examples (aemo-mdff-reader 2.2.1 doubles the wrong characters)."""

import pytest

from shared.errors import InvalidInput
from shared.metering.nmi import nmi_checksum, parse_nmi


@pytest.mark.parametrize(("nmi", "checksum"), [("2001985732", 8), ("7102000001", 7), ("QAAAVZZZZZ", 3)])
def test_checksum_of_published_examples(nmi, checksum):
    assert nmi_checksum(nmi) == checksum


def test_the_eleventh_character_is_verified_and_dropped():
    assert parse_nmi("20019857328") == "2001985732"
    assert parse_nmi("2001985732") == "2001985732"
    with pytest.raises(InvalidInput, match="has checksum 8, not 7"):
        parse_nmi("20019857327")


@pytest.mark.parametrize("text", ["", "123", "200198573O", "20019857I2", "2001985732888", "2001985 32", "2001985732X"])
def test_what_is_no_nmi_is_refused(text):
    with pytest.raises(InvalidInput):
        parse_nmi(text)
