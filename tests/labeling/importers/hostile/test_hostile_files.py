"""Files that are made to do harm end in a sentence at every door, within memory and time."""

import io
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import pytest

from labeling.importers import formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.importers.files import limits
from tests.labeling.data.formats.containers import json_list, jsonl, parquet, table, xlsx
from tests.labeling.importers.hostile import reading
from tests.labeling.importers.hostile.files import FILES, inline, workbook
from tests.labeling.importers.hostile.reading import Outcome
from tests.tooling import times

MOST_MB = 64
"""Memory that a file may take in the process that asks, which parses none of it."""
MOST_S = 60
"""Of processor time. By the clock five times that, as a machine may do other things as well."""


def csv(rows: Sequence[dict[str, str]]) -> bytes:
    return table(rows, delimiter=",", encoding="utf-8")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Sequence[Outcome]]:
    folder = tmp_path_factory.mktemp("hostile")
    for name, content in FILES.items():
        (folder / name).write_bytes(content())
    by_file = defaultdict(list)
    for outcome in reading.outcomes(folder):
        by_file[outcome["file"]].append(outcome)
    return by_file


@pytest.mark.slow
@pytest.mark.xdist_group("hostile files")
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_ends_in_a_sentence(
    name: str, outcomes: Mapping[str, Sequence[Outcome]]
) -> None:
    assert [outcome["door"] for outcome in outcomes[name]] == ["page", "answers page", "worker"]
    for outcome in outcomes[name]:
        assert not outcome["ended"], outcome
        assert outcome["sentence"], outcome
        assert outcome["grown_mb"] < MOST_MB, outcome
        assert outcome["took_s"] < MOST_S * times.slowness([times.yardstick_s()]), outcome
        assert outcome["clock_s"] < 5 * MOST_S, outcome


def test_a_workbook_with_a_stray_cell_says_where_it_ends() -> None:
    [problem] = formats.read(io.BytesIO(FILES["a cell in the last corner of a sheet"]()), "csv")

    assert "reaches to row 1048576 and column 16384" in str(problem)


@pytest.mark.parametrize(
    ("where", "reaches_to"),
    [("A1048576", "row 1048576 and column 10"), ("XFD1", "row 2 and column 16384")],
)
def test_a_cell_far_below_or_far_right_enlarges_the_sheet(where: str, reaches_to: str) -> None:
    rows = ("<row>" + "<c><v>1</v></c>" * 10 + "</row>") * 2

    [problem] = formats.read(io.BytesIO(workbook(rows + inline(where, "stray"))), "csv")

    assert f"reaches to {reaches_to}." in str(problem)


def test_cells_that_are_only_formatted_do_not_count() -> None:
    """Excel writes such cells wherever a whole row or column has a colour."""
    formatted = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
    content = workbook(inline("A1", "prompt") + inline("A2", "Why?") + formatted)

    [draft] = formats.read(io.BytesIO(content), "csv")

    assert isinstance(draft, ImportDraft)
    assert draft.messages[-1]["content"] == "Why?"


@pytest.mark.parametrize("write", [csv, jsonl, json_list, parquet, xlsx])
def test_the_most_columns_are_read_and_one_more_is_not(
    write: Callable[[Sequence[dict[str, str]]], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_COLUMNS", 3)
    usual = {"prompt": "Why?", "category": "chat", "language": "en"}

    [draft] = formats.read(io.BytesIO(write([usual])), "plain")
    [problem, *_others] = formats.read(io.BytesIO(write([usual | {"note": "a"}])), "plain")

    assert isinstance(draft, ImportDraft)
    assert re.search(r"4 columns; the limit is 3|column 4\. The limit is 3", str(problem))


def test_the_deepest_value_is_read_and_one_deeper_is_not() -> None:
    def nested(depth: int) -> object:
        return [nested(depth - 1)] if depth else "a"

    def read(depth: int) -> list[ImportDraft | ImportProblem]:
        row = {"prompt": "Why?", "note": nested(depth)}
        return list(formats.read(io.BytesIO(jsonl([row])), "plain"))

    assert isinstance(read(limits.MAX_DEPTH - 1)[-1], ImportDraft)
    assert "nested too deeply" in str(read(limits.MAX_DEPTH)[-1])
