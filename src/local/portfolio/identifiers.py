"""Site identifiers: NMI, and MIRN of gas, which is built the same way."""

from local.platform.text import upper
from shared.errors import InvalidInput
from shared.metering.nmi import parse_nmi


def site_identifier(text: str) -> str:
    """Return the ten characters of an NMI or MIRN given with or without its checksum; ValueError says what is wrong."""
    try:
        return parse_nmi(upper(text))
    except InvalidInput as error:
        raise ValueError(f"{error}; correct it, or leave the 11th character out") from error
