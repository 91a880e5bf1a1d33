"""Text that a database can hold. No Django: the training process reads it too."""

import re
import unicodedata

REPLACEMENT = "\ufffd"
MOST_DIGITS = 18
NOT_TEXT = re.compile("[\0\ud800-\udfff]")
"""What PostgreSQL or UTF-8 cannot hold: NUL, and half of a surrogate pair."""


def whole_number(text: str) -> int | None:
    """The number that `text` is, without a sign; None if it is none, or too long for a database's
    id.
    """
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def one_line(text: str) -> str:
    """`text` on one line, as the subject of a mail must be."""
    return " ".join(text.split())


def mail_address(text: str) -> str:
    """An e-mail address as we store and compare it: exactly, never by a database's own idea of
    upper and lower case, to which “ſ” is “s”. NFKC makes one character of those that look alike.
    """
    return unicodedata.normalize("NFKC", text.strip()).lower()


def storable(text: str) -> str:
    """`text` with U+FFFD (�) for every character that cannot be stored.

    Replaced rather than removed, as Unicode advises: the reader sees that something stood here,
    and two halves of a word never join into another one.
    """
    return NOT_TEXT.sub(REPLACEMENT, text)
