"""Hostile files of plain text: long, wide, deep, or in no encoding."""

from collections.abc import Callable

from tests.labeling.data.formats.containers import jsonl


def of_row(**row: object) -> bytes:
    return jsonl([row])


TEXTS: dict[str, Callable[[], bytes]] = {
    "a line of 200 MB in json lines": lambda: b'{"prompt": "' + b"a" * 200_000_000 + b'"}\n',
    "a row of five million empty lists": lambda: (
        b'{"prompt": "a", "note": [' + b"[]," * 5_000_000 + b"0]}\n"
    ),
    "a row with two million responses": lambda: of_row(prompt="a", responses=["b"] * 2_000_000),
    "a row with 300,000 messages": lambda: of_row(
        messages=[{"role": "user", "content": "a"}] * 300_000
    ),
    "a row with 400,000 ratings": lambda: of_row(
        item="a", annotations=[{"rater": "a", "score": 1}] * 400_000
    ),
    "an object with a key twice": lambda: b'{"prompt": "a", "prompt": "b"}\n',
    "numbers that are none": lambda: b'{"prompt": NaN}\n{"prompt": Infinity}\n{"prompt": 1e999}\n',
    "half a surrogate pair": lambda: b'{"prompt": "\\ud800"}\n',
    "NULs in json": lambda: b'{"prompt": "a\\u0000b"}\n' + b"\0" * 5000,
    "NULs in a table": lambda: b"prompt,note\n" + b"\0" * 100_000,
    "json that never ends": lambda: b'[{"prompt": "a"},' * 100_000,
    "200,000 lines that are no json": lambda: b"{\n" * 200_000,
    "a csv of one line of 200 MB": lambda: b"prompt\n" + b"a" * 200_000_000,
    "a csv with a quotation mark that is never closed": lambda: (
        b'prompt,note\n"a' + b",b\n" * 300_000
    ),
    "a csv with a cell of 2 MB": lambda: b"prompt\n" + b"a" * 2_000_000 + b"\n",
    "a csv of a million quotation marks": lambda: b"prompt,note\n" + b'"' * 1_000_001,
    "a tsv of 5,000 lone quotation marks": lambda: b"prompt\tnote\n" + b'"\ta\n' * 5_000,
    "a csv of separators": lambda: b"prompt\n" + b";,\t|" * 500_000,
    "a csv with broken utf-8": lambda: b"prompt\n" + "ä".encode() + b"\n" + b"\xff\xfe\xc3\n" * 99,
    "a csv in no encoding": lambda: b"prompt\n" + bytes(range(128, 256)) * 1_000,
    "utf-16 that is cut off": lambda: "prompt\nWhy?\n".encode("utf-16")[:-1],
    "utf-16 of halves": lambda: b"\xff\xfe" + b"\x00\xd8" * 100_000,
    "utf-32 beyond unicode": lambda: b"\xff\xfe\0\0" + b"\xff\xff\xff\x7f" * 1_000,
    "lines of carriage returns": lambda: b"prompt\ra\rb\r",
    "three million blank lines": lambda: b"\n" * 3_000_000,
    "a byte": lambda: b"[",
}
