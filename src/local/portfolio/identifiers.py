"""NMI and MIRN: ten characters, and an optional eleventh that is their checksum (AEMO, NMI Procedure)."""

import re

# The letters O and I are not used, so that nobody reads them as digits.
IDENTIFIER = re.compile(r"[A-HJ-NP-Z0-9]{10}")


def checksum(identifier: str) -> str:
    """Return the check digit of a ten-character NMI or MIRN.

    Every second ASCII code, beginning with the last character, is doubled; the digits of all of them are summed.
    """
    total = 0
    for position, character in enumerate(reversed(identifier)):
        code = ord(character) * (2 if position % 2 == 0 else 1)
        total += sum(int(digit) for digit in str(code))
    return str(-total % 10)


def site_identifier(text: str) -> str:
    """Return the ten-character form of an NMI or MIRN given with or without its checksum.

    Raises ValueError with the reason when it is neither.
    """
    if not IDENTIFIER.fullmatch(text[:10]) or len(text) > 11:
        raise ValueError(f"{text!r} is no NMI or MIRN, give its 10 characters (digits, capitals without O and I)")
    if len(text) == 11 and text[10] != checksum(text[:10]):
        reason = f"{text!r} has checksum {text[10]} where {checksum(text[:10])} is right"
        raise ValueError(f"{reason}, correct the identifier or leave the 11th character out")
    return text[:10]
