"""National Metering Identifiers: ten characters, and an eleventh that is their checksum."""

import re

from shared.errors import InvalidInput

NMI_LENGTH = 10
_NMI = re.compile(r"[0-9A-HJ-NP-Z]{10}")  # letters O and I are never used


def nmi_checksum(nmi: str) -> int:
    """Calculate the checksum digit of an NMI's ten characters (AEMO, National Metering Identifier procedure, appendix).

    Each character's ASCII code, from the right, the 1st, 3rd, 5th... doubled; all their digits summed.
    """
    digits = 0
    for position, character in enumerate(reversed(nmi)):
        code = ord(character) * (2 if position % 2 == 0 else 1)
        digits += sum(map(int, str(code)))
    return -digits % 10


def parse_nmi(text: str) -> str:
    """Return the ten characters of an NMI given with or without its checksum.

    Raises InvalidInput when it is not an NMI, or when the eleventh character is not its checksum.
    """
    nmi, checksum = text[:NMI_LENGTH], text[NMI_LENGTH:]
    if not _NMI.fullmatch(nmi) or len(text) > NMI_LENGTH + 1:
        raise InvalidInput(
            f"{text[:20]!r} is not an NMI: give 10 digits or capital letters (not O or I), and optionally the checksum"
        )
    if checksum and checksum != str(nmi_checksum(nmi)):
        raise InvalidInput(f"NMI {nmi} has checksum {nmi_checksum(nmi)}, not {checksum}")
    return nmi
