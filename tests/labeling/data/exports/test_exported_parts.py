"""Thinking, tool calls and tools leave in exports, and come back the same."""

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from arithmetic.chats import Message, ToolCall
from labeling.data.exports import archive, files, shapes
from labeling.importers import formats
from labeling.importers.drafts import ImportDraft
from labeling.models import Campaign, Guideline, Judgment, Pool, Prompt, Rater, Response
from labeling.people.own_data.selectors import own_data
from labeling.votes.item_answers import item_answers
from tests.cast import NOON, open_comparison_campaign, open_demonstration_campaign
from tests.labeling.importers.answers.test_round_trip import compare, write

pytestmark = pytest.mark.django_db
Record = dict[str, Any]


def call(**arguments: object) -> ToolCall:
    return {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": arguments},
    }


CHAT: list[Message] = [
    {"role": "user", "content": "What is the weather in Ulm?"},
    {"role": "assistant", "content": "", "tool_calls": [call(city="Ulm", days=2)]},
    {"role": "tool", "content": "Rain", "tool_call_id": "call_1"},
]
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


@pytest.fixture
def compared(day_shift: Pool, guideline: Guideline, rosa: Rater) -> Campaign:
    campaign = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=1)
    Prompt.objects.update(messages=CHAT, tools=[TOOL])
    for place, response in enumerate(Response.objects.order_by("pk")):
        response.reasoning_content = f"Thought {place}."
        response.tool_calls = [call(days=place)] if place else [call(city=["Ulm"])]
        response.save()
    compare(campaign, rosa)
    return campaign


def exported(shape: str, style: str = "", left_out: Counter[str] | None = None) -> list[Record]:
    return list(shapes.records(shape, style=style, left_out=left_out))


def in_parquet(shape: str, to: Path) -> Path:
    with to.open("wb") as stream:
        table = files.ParquetFile(stream, shapes.schema(shape))
        for record in exported(shape):
            table.write(record)
        table.close()
    return to


def in_lines(shape: str, to: Path) -> Path:
    to.write_bytes(b"".join(files.jsonl(exported(shape))))
    return to


def test_a_pair_has_the_parts_of_both_answers_and_the_tools(compared: Campaign) -> None:
    pair = exported("preferences")[0]

    assert pair["prompt"] == CHAT
    assert pair["tools"] == [TOOL]
    for side in ("chosen", "rejected"):
        [turn] = pair[side]
        assert list(turn) == ["role", "content", "reasoning_content", "tool_calls"]


@pytest.mark.parametrize("shape", ["preferences", "implicit", "unpaired", "consensus", "prompts"])
@pytest.mark.parametrize("written", [in_lines, in_parquet])
def test_datasets_reads_what_was_exported(
    compared: Campaign, shape: str, written: Callable[[str, Path], Path], tmp_path: Path
) -> None:
    kind = "json" if written is in_lines else "parquet"
    path = written(shape, tmp_path / f"rows.{kind}")

    rows = load_dataset(kind, data_files=str(path), split="train", cache_dir=str(tmp_path))

    records = exported(shape)
    chats_in = [name for name in records[0] if isinstance(records[0][name], list)]
    assert "tools" in chats_in
    for row, record in zip(rows, records, strict=True):
        assert {name: row[name] for name in chats_in if name != "warnings"} == {
            name: record[name] for name in chats_in if name != "warnings"
        }


def test_plain_rows_have_the_columns_that_they_had(
    comparison_campaign: Campaign, rosa: Rater, tmp_path: Path
) -> None:
    compare(comparison_campaign, rosa)

    path = in_parquet("preferences", tmp_path / "rows.parquet")

    assert pq.read_schema(path).equals(shapes.schema("preferences"))
    assert all("tools" not in record for record in exported("preferences"))


@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
def test_the_card_of_an_archive_explains_the_tools(
    compared: Campaign, file_format: str, tmp_path: Path
) -> None:
    wanted = archive.Wanted(
        name="Weather",
        shape="preferences",
        style="conversational",
        file_format=file_format,
        selection=shapes.Selection(),
    )

    with (tmp_path / "data.zip").open("wb") as file:
        written = archive.write(wanted, to=file, at=NOON, progress=lambda _n: None)

    assert "`tools`" in written.card
    assert written.n_rows == 5


def test_a_text_cannot_hold_parts_so_such_rows_are_counted(compared: Campaign) -> None:
    left_out: Counter[str] = Counter()

    assert exported("preferences", "standard", left_out) == []
    assert left_out["rows with thinking or tool calls, which one text cannot hold"] == 5


def test_label_studio_and_argilla_have_them_as_json(compared: Campaign) -> None:
    [task] = exported("label_studio")
    [record] = exported("argilla")

    for about in (task["data"], record["metadata"]):
        parts = json.loads(about["parts_of_responses"])
        assert [part["reasoning_content"] for part in parts] == [
            f"Thought {place}." for place in range(4)
        ]
        assert json.loads(about["tools"]) == [TOOL]


@pytest.mark.parametrize("written", [in_lines, in_parquet])
def test_rankings_come_back_with_everything(
    compared: Campaign, written: Callable[[str, Path], Path], tmp_path: Path
) -> None:
    path = written("rankings", tmp_path / "rows")

    [draft] = formats.read(io.BytesIO(path.read_bytes()), "rankings")

    assert isinstance(draft, ImportDraft)
    assert list(draft.messages) == CHAT
    assert draft.tools == (TOOL,)
    stored = Response.objects.order_by("pk").values_list("reasoning_content", "tool_calls")
    assert [(r.reasoning_content, list(r.tool_calls)) for r in draft.replies] == list(stored)


@pytest.mark.parametrize("written", [in_lines, in_parquet])
def test_demonstrations_come_back_with_everything(
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    written: Callable[[str, Path], Path],
    tmp_path: Path,
) -> None:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    Prompt.objects.update(messages=CHAT, tools=[TOOL])
    judgment = write(campaign, rosa, "It rains in Ulm, and will rain tomorrow.")
    judgment.demonstration.reasoning_content = "Two days."
    judgment.demonstration.tool_calls = [call(days=3)]
    judgment.demonstration.save()
    path = written("demonstrations", tmp_path / "rows")

    [draft] = formats.read(io.BytesIO(path.read_bytes()), "written")

    assert isinstance(draft, ImportDraft)
    assert list(draft.messages) == CHAT
    assert draft.tools == (TOOL,)
    [reply] = draft.replies
    assert (reply.reasoning_content, list(reply.tool_calls)) == ("Two days.", [call(days=3)])


DIALOGUE: list[Message] = [
    {"role": "user", "content": "And tomorrow?"},
    {
        "role": "assistant",
        "content": "",
        "reasoning_content": "Look it up.",
        "tool_calls": [call(days=1)],
    },
    {"role": "tool", "content": "Sun", "tool_call_id": "call_1"},
    {"role": "assistant", "content": "Sun.", "reasoning_content": "Sun, so no umbrella."},
]


@pytest.fixture
def dialogue(day_shift: Pool, guideline: Guideline, rosa: Rater) -> Judgment:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=1)
    Prompt.objects.update(messages=CHAT, tools=[TOOL])
    judgment = write(campaign, rosa, "It rains in Ulm, and will rain tomorrow.")
    judgment.demonstration.tool_calls = [call(days=3)]
    judgment.demonstration.further = DIALOGUE
    judgment.demonstration.save()
    return judgment


@pytest.mark.parametrize("written", [in_lines, in_parquet])
def test_a_dialogue_comes_back_with_the_parts_of_every_turn(
    dialogue: Judgment, written: Callable[[str, Path], Path], tmp_path: Path
) -> None:
    path = written("demonstrations", tmp_path / "rows")

    [draft] = formats.read(io.BytesIO(path.read_bytes()), "written")

    assert isinstance(draft, ImportDraft)
    assert list(draft.replies[0].tool_calls) == [call(days=3)]
    assert list(draft.further) == DIALOGUE


def test_the_page_of_an_item_shows_the_calls_and_results_of_a_dialogue(dialogue: Judgment) -> None:
    assert dialogue.item is not None

    [answer] = item_answers(item=dialogue.item).answers

    assert answer.text is not None
    shown = [
        answer.text.find(part) for part in ('"days": 3', "tomorrow?", '"days": 1', "Sun", "Sun.")
    ]
    assert shown == sorted(shown)
    assert -1 not in shown


def test_what_a_rater_gave_has_its_calls(dialogue: Judgment, compared: Campaign) -> None:
    own: list[Record] = list(own_data(rater=dialogue.rater))
    records = [record for record in own if record["type"] == "answer"]

    [written] = [record for record in records if "further_turns" in record]
    [ranked] = [record for record in records if "responses" in record]
    assert written["tool_calls"] == [call(days=3)]
    assert written["further_turns"] == DIALOGUE
    assert [row["tool_calls"] for row in ranked["responses"]].count([call(city=["Ulm"])]) == 1
