"""The sentences in the samples, and how their rows are written. BAD is the answer that every file
calls worse, rejects or marks as wrong.
"""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

ASK, GOOD, BAD = "Name a river in Germany.", "The Elbe.", "Find out yourself."
MORE, FAIR = "And one in France?", "The Loire."


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def human(text: str) -> dict[str, str]:
    return {"from": "human", "value": text}


def gpt(text: str) -> dict[str, str]:
    return {"from": "gpt", "value": text}


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def listed(*rows: Any) -> bytes:
    return json.dumps(rows, indent=1).encode()


def table(heading: str, *rows: Sequence[object], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(heading.split(","))
    writer.writerows(rows)
    return text.getvalue().encode()
