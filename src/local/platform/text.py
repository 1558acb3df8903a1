"""Text from outside: what is trimmed from it, how it is counted, and how a message shows it."""

import re

# Spaces of every width, and tabs, may stand around a value. str.strip() would take control characters with them.
SPACES = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
BLANKS = SPACES + "\t"
SHOWN = 60

# A field of a CSV text ends at a comma, a quote or the end of its line.
_BLANK_AROUND = re.compile(rf"[{BLANKS}](?:[,\"\r\n]|\Z)|(?:\A|[,\"\r\n])[{BLANKS}]")
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


def trimmed(text: str) -> str:
    """Return the text without the blanks around it."""
    return text.strip(BLANKS)


def has_blanks_around(text: str) -> bool:
    """Whether a field of a CSV text may have blanks around it; finding none here spares trimming field by field."""
    return not (text.isascii() and " " not in text and "\t" not in text) and bool(_BLANK_AROUND.search(text))


def upper(text: str) -> str:
    """Return the text in capitals; other letters than ASCII's stay, some of them would turn into ASCII's."""
    return text.upper() if text.isascii() else text


def whole(text: str) -> int | None:
    """Return a whole number of at most nine digits, or None. int() takes underscores, signs and other scripts too."""
    return int(text) if _WHOLE.fullmatch(text) else None


def shown(text: str) -> str:
    """Quote a value for a message: what cannot be printed is escaped, what is long is cut."""
    return repr(text) if len(text) <= SHOWN else f"{text[:SHOWN]!r}... ({len(text)} characters)"


def printable(text: str) -> str:
    """Return the text with everything escaped that cannot be printed, as names of files may hold it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
