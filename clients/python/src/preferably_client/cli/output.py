"""What the command prints: lines for people, or with --json an object per line for programs.
Messages about errors go to standard error.
"""

import dataclasses
import json
import sys
from datetime import datetime


class Output:
    def __init__(self, *, is_json: bool) -> None:
        self.is_json = is_json

    def show(self, line: str, **values: object) -> None:
        """`line` for a person, `values` for a program."""
        sys.stdout.write((json_of(values) if self.is_json else line) + "\n")
        sys.stdout.flush()  # a program that reads along gets each line at once

    def error(self, sentence: str, *, code: int) -> int:
        found = json_of({"error": sentence, "code": code}) if self.is_json else sentence
        sys.stderr.write(found + "\n")
        return code


def json_of(value: object) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
    raise TypeError(f"{value!r} is not JSON.")
