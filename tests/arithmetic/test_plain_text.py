"""Text that a database can store."""

import pytest

from arithmetic import plain_text


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\0b", "a\ufffdb"),
        ("half \ud800 a pair", "half \ufffd a pair"),
        ("both\0\udfff", "both\ufffd\ufffd"),
        ("a whole pair 🙂\n\ttab", "a whole pair 🙂\n\ttab"),
    ],
)
def test_what_cannot_be_stored_is_replaced_where_it_stood(text: str, stored: str) -> None:
    assert plain_text.storable(text) == stored
    plain_text.storable(text).encode()
