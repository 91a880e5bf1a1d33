"""The same rows, written in another way, are the same: with columns in another order, headings in
another case or with spaces, Windows line ends, a byte-order mark.
"""

import csv
import io
import json
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.importers.files import rows as file_rows
from labeling.importers.files.lines import Value
from tests.labeling.importers.peers.line import line_of
from tests.labeling.importers.peers.reading import read_answers, read_file
from tests.labeling.importers.peers.samples import PEERS


def rows_of(content: bytes) -> list[Any]:
    return [
        value.value
        for _name, _kind, values in file_rows.files(io.BytesIO(content))
        for value in values
        if isinstance(value, Value)
    ]


ROWS = {name: rows_of(peer.content) for name, peer in PEERS.items() if peer.file.drafts}
FLAT = {
    name: rows
    for name, rows in ROWS.items()
    if all(isinstance(row, dict) for row in rows)
    and len({tuple(row) for row in rows}) == 1
    and all(isinstance(cell, str) for row in rows for cell in row.values())
}
"""Samples that a table can hold."""


def outcomes(content: bytes) -> tuple[list[str], list[str]]:
    return (
        [line_of(draft) for draft in read_file(content)[0]],
        [line_of(draft) for draft in read_answers(content)[0]],
    )


@cache
def usual_json(name: str) -> tuple[list[str], list[str]]:
    return outcomes(json.dumps(ROWS[name]).encode())


@cache
def usual_table(name: str) -> tuple[list[str], list[str]]:
    return outcomes(PEERS[name].content)


def shuffled(row: dict[str, Any], order: random.Random) -> dict[str, Any]:
    names = list(row)
    order.shuffle(names)
    return {name: row[name] for name in names}


def cased(heading: str, case: str) -> str:
    return {"as is": heading, "upper": heading.upper(), "title": heading.title()}[case]


@settings(max_examples=400)
@given(
    name=st.sampled_from(sorted(ROWS)),
    order=st.randoms(use_true_random=False),
    end=st.sampled_from([b"\n", b"\r\n"]),
    start=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    is_list=st.booleans(),
)
def test_json_says_the_same_however_it_is_written(
    name: str, order: random.Random, end: bytes, start: bytes, is_list: bool
) -> None:
    rows = [shuffled(row, order) if isinstance(row, dict) else row for row in ROWS[name]]
    content = (
        json.dumps(rows).encode() if is_list else end.join(json.dumps(r).encode() for r in rows)
    )

    assert outcomes(start + content + end) == usual_json(name)


@settings(max_examples=300)
@given(
    name=st.sampled_from(sorted(FLAT)),
    order=st.randoms(use_true_random=False),
    case=st.sampled_from(["as is", "upper", "title"]),
    space=st.sampled_from(["", " "]),
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_table_says_the_same_however_it_is_written(
    name: str,
    order: random.Random,
    case: str,
    space: str,
    end: str,
    delimiter: str,
    encoding: str,
) -> None:
    names = list(FLAT[name][0])
    order.shuffle(names)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow([f"{space}{cased(heading, case)}{space}" for heading in names])
    writer.writerows([row[heading] for heading in names] for row in FLAT[name])

    assert outcomes(text.getvalue().encode(encoding)) == usual_table(name)


@pytest.mark.parametrize("case", ["upper", "title"])
@pytest.mark.parametrize("name", sorted(ROWS))
def test_json_headings_are_compared_without_case(name: str, case: str) -> None:
    rows = ROWS[name]
    if not all(isinstance(row, dict) for row in rows):
        pytest.skip("rows without headings")
    known = [{cased(heading, case): cell for heading, cell in row.items()} for row in rows]

    assert outcomes(json.dumps(known).encode())[0] == usual_json(name)[0]
