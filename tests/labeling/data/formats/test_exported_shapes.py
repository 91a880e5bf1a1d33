"""Every shape that leaves: what its rows are, that `datasets` loads it, and what it leaves out."""

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from labeling.data.exports import files, offers, projects, shapes, trl
from labeling.data.exports.judged import TIED_PAIRS, UNRANKED_PAIRS
from labeling.importers import formats
from labeling.importers.drafts import ImportDraft
from labeling.models import Rater
from tests.labeling.data.formats import exported
from tests.labeling.data.formats.exported import LICENCE

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

STYLES = [
    (name, style) for name, shape in shapes.SHAPES.items() if shape.schema for style in shape.styles
]
every_style = pytest.mark.parametrize(("shape", "style"), STYLES, ids=map("-".join, STYLES))


@pytest.fixture(autouse=True)
def _everything(rosa: Rater, raul: Rater) -> None:
    exported.everything(rosa, raul)


def rows(shape: str, style: str = "") -> tuple[list[dict[str, Any]], Counter[str]]:
    left_out: Counter[str] = Counter()
    return list(shapes.records(shape, style=style, left_out=left_out)), +left_out


def texts(messages: Any) -> Any:
    return messages if isinstance(messages, str) else messages[-1]["content"]


@every_style
def test_the_rows_have_the_columns_of_their_schema(shape: str, style: str) -> None:
    found, _left_out = rows(shape, style)

    assert found or shape in ("adjudicated", "consensus", "rating_consensus")
    assert {name for row in found for name in row} <= set(shapes.schema(shape, style).names)


@every_style
def test_parquet_holds_what_json_lines_hold(shape: str, style: str) -> None:
    found, _left_out = rows(shape, style)
    file = io.BytesIO()

    n_rows = files.parquet(found, schema=shapes.schema(shape, style), to=file)

    assert n_rows == len(found)


def test_unpaired_labels_are_the_best_and_the_worst_and_what_an_import_says() -> None:
    found, left_out = rows("unpaired")

    labels = {(texts(row["completion"]), row["label_from"]): row["label"] for row in found}
    assert labels == {
        ("Four!", "ranking"): True,
        ("Five!", "ranking"): False,
        ("Red.", "ranking"): True,
        ("Grey.", "ranking"): False,
        ("Blue.", "all bad"): False,
        ("Red.", "all bad"): False,
        ("Green.", "all bad"): False,
        ("Grey.", "all bad"): False,
        ("An apple.", "import"): True,
        ("A stone.", "import"): False,
    }
    assert left_out == {trl.ALL_TIED: 1, trl.BETWEEN: 2, trl.NO_LABEL: 1}


def test_ties_and_unranked_responses_are_counted_where_they_give_no_pair() -> None:
    pairs, left_out = rows("preferences")

    assert len(pairs) == 1 + 6
    assert left_out == {TIED_PAIRS: 1, UNRANKED_PAIRS: 6}


def test_an_implicit_prompt_begins_both_conversations() -> None:
    explicit, implicit = rows("preferences")[0], rows("implicit")[0]

    assert [row["chosen"] for row in implicit] == [
        [*row["prompt"], *row["chosen"]] for row in explicit
    ]
    assert all("prompt" not in row for row in implicit)


def test_steps_come_with_their_labels_unless_they_cannot_be_told_apart() -> None:
    found, left_out = rows("stepwise")

    assert [(row["prompt"], row["completions"], row["labels"]) for row in found] == [
        ("What is 2 + 2 + 2?", ["2 + 2 = 4", "4 + 2 = 7"], [True, False])
    ]
    assert left_out == {trl.NO_STEPS: 1}


def test_a_conversation_that_one_text_cannot_hold_is_left_out_and_counted() -> None:
    chats, texts_ = rows("demonstrations"), rows("demonstrations", shapes.TEXTS)

    assert len(chats[0]) == 2
    assert [(row["prompt"], row["completion"]) for row in texts_[0]] == [
        ("What is two and two?", "Four.")
    ]
    assert texts_[1] == {trl.SEVERAL_TURNS: 1}


def test_a_whole_conversation_of_one_question_is_one_text() -> None:
    (row,), _left_out = rows("dialogues", shapes.TEXTS)

    assert row["text"] == "What is two and two?\n\nFour."


def test_every_text_keeps_its_licence() -> None:
    for row in rows("unpaired")[0]:
        assert (row["prompt_licence"], row["response_licence"]) == (LICENCE, "MIT")
    for row in rows("rankings")[0]:
        assert {one["licence"] for one in row["responses"]} == {"MIT"}


def test_prompts_are_each_there_once_with_their_origin() -> None:
    found, _left_out = rows("prompts")

    assert len(found) == 4
    assert {row["prompt_source"] for row in found} == {"our prompts"}


def test_every_shape_has_a_line_in_the_docs_and_words_on_the_page() -> None:
    docs = (Path(__file__).resolve().parents[4] / "docs" / "importing.md").read_text()

    assert [name for name in shapes.SHAPES if f"`{name}`" not in docs] == []
    assert set(offers.BY_SHAPE) == set(shapes.SHAPES)


# --- other tools ----------------------------------------------------------------------------------


def back(records: list[dict[str, Any]]) -> list[ImportDraft]:
    """Our own reader reads a file of them."""
    content = b"".join(files.json_list(records))
    assert json.loads(content) == records
    found = formats.read(io.BytesIO(content), formats.guess_format(io.BytesIO(content)))
    return [one for one in found if isinstance(one, ImportDraft)]


def said(drafts: list[ImportDraft]) -> set[tuple[str, str, tuple[tuple[str, int | None], ...]]]:
    return {
        (
            draft.worker,
            draft.messages[-1]["content"],
            tuple((reply.text, reply.rank) for reply in draft.replies),
        )
        for draft in drafts
    }


def test_label_studio_reads_orders_and_the_ties_it_cannot_hold_are_counted(rosa: Rater) -> None:
    found, left_out = rows("label_studio")

    assert said(back(found)) == {
        (rosa.alias, "What is two and two?", (("Four!", 1), ("Five!", 2))),
        (
            rosa.alias,
            "Which light?",
            (("Blue.", 2), ("Red.", 1), ("Green.", 3), ("Grey.", 4)),
        ),
    }
    assert left_out == {projects.NO_ORDER: 2}


def test_argilla_reads_orders_with_ties(rosa: Rater) -> None:
    found, left_out = rows("argilla")

    orders = {(draft[1], draft[2]) for draft in said(back(found))}
    assert orders == {
        ("What is two and two?", (("Four!", 1), ("Five!", 2))),
        ("What is two and two?", (("Four!", 1), ("Five!", 1))),
        ("Which light?", (("Blue.", 2), ("Red.", 1), ("Green.", 3), ("Grey.", 4))),
    }
    assert len({draft[0] for draft in said(back(found))}) == 2
    assert left_out == {projects.NOT_ALL_RANKED: 1}


@pytest.mark.parametrize("shape", ["label_studio_texts", "argilla_texts"])
def test_demonstrations_go_to_other_tools_as_texts(shape: str) -> None:
    found, _left_out = rows(shape)

    written = {
        (draft.messages[-1]["content"], reply.text)
        for draft in back(found)
        for reply in draft.replies
        if reply.is_human
    }
    assert written == {("What is two and two?", "Four."), ("Which light?", "Blue light.")}


def test_each_shape_is_found_by_our_own_reader_when_it_comes_back(tmp_path: Path) -> None:
    for shape, expected in (
        ("rankings", "rankings"),
        ("label_studio", "label_studio"),
        ("argilla", "argilla"),
        ("preferences", "hf"),
        ("unpaired", "hf"),
        ("stepwise", "hf"),
    ):
        content = b"".join(files.jsonl(rows(shape)[0]))
        assert formats.guess_format(io.BytesIO(content)) == expected
