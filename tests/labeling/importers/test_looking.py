"""A web request looks at the beginning of a file, within a budget, however large the file is."""

import gzip
import io
import zipfile

import pytest

from labeling.importers import formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.importers.files import arrow, lines, rows
from labeling.importers.files.lines import Budget
from tests.labeling.data.formats.containers import json_list, jsonl, parquet, xlsx
from tests.labeling.importers.test_any_input import Repeated

ROWS = [{"prompt": f"What is {n} and {n}?" + " " * 500} for n in range(1_000)]
SMALL = 200_000
"""Bytes; ROWS have three times as many."""


def zipped(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


STREAMED = {
    "lines": jsonl(ROWS),
    "a list": json_list(ROWS),
    "table": b"prompt,other\n" + b'"What is\nit?",x\n' * 40_000,
    "gzip": gzip.compress(jsonl(ROWS)),
    "zip": zipped("a.jsonl", jsonl(ROWS)),
    "parquet": parquet(ROWS),
}


@pytest.mark.parametrize("content", STREAMED.values(), ids=STREAMED)
def test_what_is_read_within_the_budget_has_no_problem_at_its_end(content: bytes) -> None:
    budget = Budget(SMALL)
    file_format = formats.guess_format(io.BytesIO(content), None, Budget())

    found = list(formats.read(io.BytesIO(content), file_format, budget=budget))

    problems = [one.sentence for one in found if isinstance(one, ImportProblem)]
    n = sum(isinstance(one, ImportDraft) for one in found)
    assert budget.is_spent
    assert problems in (
        [],
        ["The field other is not imported. Rename it if it has another name here."],
    )
    assert 50 < n < 20_000


def test_a_look_reads_the_beginning_of_a_file_only() -> None:
    endless = Repeated(10**9, b'{"prompt": "Hi"}\n')

    n = sum(1 for _ in formats.read(endless, "jsonl", budget=Budget(SMALL)))

    assert n <= SMALL // len(endless.piece)
    assert 10**9 - endless.n_left < 3 * SMALL


AS_A_WHOLE = {
    "parquet in gzip": gzip.compress(parquet(ROWS)),
    "parquet in a zip": zipped("a.parquet", parquet(ROWS)),
    "workbook": xlsx(ROWS),
    "workbook in a zip": zipped("a.xlsx", xlsx(ROWS)),
}


@pytest.mark.parametrize("content", AS_A_WHOLE.values(), ids=AS_A_WHOLE)
def test_a_file_that_can_only_be_read_as_a_whole_is_not_looked_at_beyond_the_budget(
    content: bytes,
) -> None:
    look = formats.look(io.BytesIO(content), budget=Budget(10_000))

    assert (look.format, look.names) == ("", ())
    assert formats.look(io.BytesIO(content), budget=Budget()).names == ("prompt",)


def test_what_can_be_read_from_its_end_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(stream: object) -> None:
        raise AssertionError("copied")

    monkeypatch.setattr(arrow, "seekable", refuse)

    for content in (parquet(ROWS), xlsx(ROWS), zipped("a.jsonl", jsonl(ROWS))):
        [(_name, _kind, values)] = rows.files(io.BytesIO(content))
        assert sum(isinstance(one, lines.Value) for one in values) == len(ROWS)
