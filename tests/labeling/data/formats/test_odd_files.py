"""Odd but legal files: what is in them comes in right, or is reported."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from labeling.guidelines.rating_form import Scale
from labeling.importers import formats
from labeling.importers.annotations import tables
from labeling.importers.drafts import ImportDraft, ImportProblem
from tests.labeling.data.formats.containers import jsonl

WHOLE = '{"prompt": "Name a river.", "response": "Elbe"}\n'


def read(content: bytes) -> tuple[list[ImportDraft], list[str]]:
    file_format = formats.guess_format(io.BytesIO(content))
    found = list(formats.read(io.BytesIO(content), file_format))
    problems = [one.sentence for one in found if isinstance(one, ImportProblem)]
    return [one for one in found if isinstance(one, ImportDraft)], problems


def only(*rows: Any) -> ImportDraft:
    [draft], problems = read(jsonl(rows))
    assert problems == []
    return draft


def table(content: str, folder: Path) -> tables.Table:
    path = folder / "table.csv"
    path.write_text(content, encoding="utf-8")
    return tables.look(path=path)


def answers(content: str, folder: Path) -> list[ImportDraft | ImportProblem]:
    plan = table(content, folder).plan
    return tables.first_drafts(folder / "table.csv", None, plan, 100)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("content", [WHOLE, "prompt;response\r\nName a river.;Elbe\r\n"])
def test_a_file_in_another_encoding_is_read(encoding: str, content: str) -> None:
    [draft], problems = read(content.encode(encoding))

    assert (draft.messages[0]["content"], draft.replies[0].text) == ("Name a river.", "Elbe")
    assert problems == []


def test_files_that_were_joined_may_have_byte_order_marks_inside() -> None:
    drafts, problems = read(2 * WHOLE.encode("utf-8-sig"))

    assert (len(drafts), problems) == (2, [])


def test_excels_line_that_names_the_separator_is_no_heading() -> None:
    [draft], problems = read(b"sep=;\r\nprompt;a, b, c\r\nx, y;z\r\n")

    assert (draft.line, draft.messages[0]["content"]) == (3, "x, y")
    assert ["a, b, c" in problem for problem in problems] == [True]


@pytest.mark.parametrize("score", ["NaN", "Infinity", '"N/A"', "[3]"])
def test_an_unreadable_score_is_reported_and_makes_no_demonstration(score: str) -> None:
    row = f'{{"prompt": "a", "response": "b", "score": {score}}}\n'

    [draft], problems = read(row.encode())

    assert not draft.replies[0].is_human
    assert ["is no number" in problem for problem in problems] == [True]


@pytest.mark.parametrize("name", ["messages", "conversations"])
def test_a_reply_of_weight_0_is_no_demonstration_in_any_shape(name: str) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}]

    [reply] = only({name: turns}).replies

    assert (reply.is_human, reply.marks) == (False, {"weight": 0})


@pytest.mark.parametrize(
    "turns",
    [
        [{"role": "User", "content": "a"}, {"role": "Assistant", "content": "b"}],
        [{"role": "human", "content": "a"}, {"role": "gpt", "content": "b"}],
        [{"from": "human", "value": "a"}, {"from": "model", "value": "b"}],
    ],
)
def test_messages_may_name_the_sides_as_other_tools_do(turns: list[dict[str, str]]) -> None:
    draft = only({"messages": turns})

    assert draft.messages == ({"role": "user", "content": "a"},)
    assert draft.replies[0].text == "b"


def test_scores_on_different_scales_make_no_ranking() -> None:
    mixed = {
        "instruction": "a",
        "completions": [
            {"model": "x", "response": "b", "fine-grained_score": 4.5, "overall_score": "N/A"},
            {"model": "y", "response": "c", "fine-grained_score": None, "overall_score": 9},
        ],
    }

    assert not only(mixed).is_compared


def test_one_score_that_all_answers_have_ranks_them() -> None:
    rated = {
        "instruction": "a",
        "completions": [
            {"model": "x", "response": "b", "fine-grained_score": None, "overall_score": 8},
            {"model": "y", "response": "c", "fine-grained_score": 4, "overall_score": 9},
        ],
    }

    assert [reply.rank for reply in only(rated).replies] == [2, 1]


def test_noinput_is_no_part_of_a_prompt() -> None:
    draft = only({"instruction": "a", "input": "<noinput>", "output": "b"})

    assert draft.messages[0]["content"] == "a"


def test_transcripts_with_windows_line_ends_are_split_into_turns() -> None:
    said = "\r\n\r\nHuman: a\r\n\r\nAssistant: "

    draft = only({"chosen": f"{said}b", "rejected": f"{said}c"})

    assert [reply.text for reply in draft.replies] == ["b", "c"]


def test_deleted_messages_and_what_answers_them_are_reported() -> None:
    tree = [
        {"message_id": "1", "parent_id": None, "role": "prompter", "text": "a"},
        {"message_id": "2", "parent_id": "1", "role": "assistant", "text": "b", "deleted": True},
        {"message_id": "3", "parent_id": "2", "role": "prompter", "text": "c"},
    ]

    [draft], problems = read(jsonl(tree))

    assert draft.replies == ()
    assert problems == ["Deleted messages are left out, with the replies to them."]


def label_studio(*selected: str) -> dict[str, Any]:
    """A task that one annotator answered several times."""
    return {
        "id": 7,
        "data": {"prompt": "a", "answer1": "b", "answer2": "c"},
        "annotations": [
            {
                "completed_by": 3,
                "result": [{"type": "pairwise", "from_name": "p", "value": {"selected": side}}],
            }
            for side in selected
        ],
    }


def test_an_annotator_who_answered_a_task_twice_has_two_answers() -> None:
    drafts, _problems = read(json.dumps([label_studio("left", "right")]).encode())

    assert [[reply.rank for reply in draft.replies] for draft in drafts] == [[1, 2], [2, 1]]
    assert {draft.worker for draft in drafts} == {"annotator 3"}


def test_a_user_who_answered_a_question_twice_has_two_answers() -> None:
    given = [{"value": 5, "user_id": "u1"}, {"value": 3, "user_id": "u1"}]
    record = {"id": "r", "fields": {"text": "a"}, "responses": {"q": given}}

    drafts, _problems = read(jsonl([record]))

    assert [draft.answer.ratings for draft in drafts if draft.answer] == [({"q": 5},), ({"q": 3},)]


def test_records_of_a_hub_have_the_answers_of_each_user() -> None:
    record = {
        "id": "r",
        "text": "a",
        "quality.responses": [4, 5, 1],
        "quality.responses.users": ["u1", "u2", "u3"],
        "quality.responses.status": ["submitted", "submitted", "discarded"],
        "quality.suggestion": 3,
    }

    drafts, _problems = read(jsonl([record]))

    found = {draft.worker: draft.answer.ratings[0]["quality"] for draft in drafts if draft.answer}
    assert found == {"u1": 4, "u2": 5}


def test_answers_of_a_hub_that_are_no_lists_are_reported() -> None:
    record = {"text": "a", "quality.responses": "[4 5]", "quality.responses.users": "['u' 'v']"}

    [draft], problems = read(jsonl([record]))

    assert draft.messages[0]["content"] == "a"
    assert [name in problems[0] for name in record] == [False, True, True]


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        (("3,5", "1,5", "4"), [3.5, 1.5, 4]),
        (("\N{MINUS SIGN}1", "2", "0"), [-1, 2, 0]),
        (("40%", "15 %", "100%"), [40, 15, 100]),
    ],
)
def test_numbers_as_people_write_them_are_a_scale(
    tmp_path: Path, written: tuple[str, ...], numbers: list[float]
) -> None:
    lines = "".join(f"{n};ann;{value}\n{n};bob;{value}\n" for n, value in enumerate(written))

    found = answers(f"item;rater;rating\n{lines}", tmp_path)

    given = [
        one.answer.ratings[0]["rating"]
        for one in found
        if isinstance(one, ImportDraft) and one.answer
    ]
    assert given[::2] == numbers


def test_a_comma_that_may_separate_thousands_makes_no_number(tmp_path: Path) -> None:
    content = 'item,rater,rating\n1,ann,"1,500"\n1,bob,"2,000"\n2,ann,"3,000"\n2,bob,"1,500"\n'

    [question] = table(content, tmp_path).plan.questions.values()

    assert isinstance(question, Scale)
    assert question.labels == ("1,500", "2,000", "3,000")


@pytest.mark.parametrize(
    ("words", "role", "is_ordered"),
    [
        (("2/10", "5/10", "10/10"), "answer", True),
        (("2 - bad", "5 - fair", "10 - good"), "scale", True),
        (("1_complied", "2_refused", "3_partly"), "answer", False),
    ],
)
def test_numbers_before_words_order_them_only_as_points_or_if_somebody_says_so(
    tmp_path: Path, words: tuple[str, ...], role: str, is_ordered: bool
) -> None:
    lines = "".join(f"{n},{rater},{word}\n" for n, word in enumerate(words) for rater in "ab")
    path = tmp_path / "table.csv"
    path.write_text(f"item,rater,rating\n{lines}")

    given = {"item": "item", "rater": "rater", "rating": role}
    [question] = tables.look(path=path, chosen=given).plan.questions.values()

    assert isinstance(question, Scale)
    assert (question.labels, question.is_ordered) == (words, is_ordered)


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-02 03:04:05.250000 UTC",
        "2024-01-02 3:04:05 AM",
        "Tue, 02 Jan 2024 03:04:05 GMT",
        "Tue, 02 Jan 2024 04:04:05 +0100",
        "02-Jan-2024 03:04:05",
    ],
)
def test_times_in_many_formats_are_read(tmp_path: Path, written: str) -> None:
    content = f'item,rater,rating,submitted_at\n1,ann,3,"{written}"\n2,bob,4,1704164645\n'

    first, second = answers(content, tmp_path)

    assert isinstance(first, ImportDraft)
    assert isinstance(second, ImportDraft)
    assert first.answer is not None
    assert second.answer is not None
    assert first.answer.at is not None
    assert second.answer.at == first.answer.at.replace(microsecond=0)


def test_a_heading_that_is_there_twice_is_named_before_the_import(tmp_path: Path) -> None:
    assert (
        "the column rating twice" in table("item,rater,rating,rating\n1,a,3,4\n", tmp_path).missing
    )


def test_more_columns_than_anybody_reads_are_no_hindrance(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(600))
    cells = ",".join("x" for _n in range(600))
    lines = "".join(f"{n % 2},r{n},{n},{cells}\n" for n in range(4))

    found = answers(f"item,rater,rating,{names}\n{lines}", tmp_path)

    assert sum(isinstance(one, ImportDraft) for one in found) == 4
