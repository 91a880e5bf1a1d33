"""Two responses and which is better: strength and “both bad” are kept, and an unclear verdict is
refused.
"""

import io
from collections.abc import Callable
from typing import Any

import pytest

from labeling.importers import formats
from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.models import Comparison, Import, RankedResponse
from tests.labeling.importers.parsed import answered, assistant, found, rows, user

Bring = Callable[..., Import]
PAIR = {"prompt": "Name a river.", "response_0": "The Rhine.", "response_1": "The Elbe."}


def ranks(row: dict[str, Any]) -> list[int | None]:
    [draft] = [one for one in found(rows(row), "pairs") if isinstance(one, ImportDraft)]
    return [reply.rank for reply in draft.replies]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ({"better_response_id": 0}, [1, 2]),
        ({"better_response_id": 1}, [2, 1]),
        ({"winner": "response_0"}, [1, 2]),
        ({"winner": "response_1"}, [2, 1]),
        ({"preferred": "tie"}, [1, 1]),
        ({"winner": "both bad"}, [None, None]),
        ({"winner": "m2", "model_0": "m1", "model_1": "m2"}, [2, 1]),
        ({"label": "A>B"}, [1, 2]),
        ({"chosen": "The Elbe."}, [2, 1]),
        ({}, [None, None]),
    ],
)
def test_a_verdict_ranks_the_two(verdict: dict[str, Any], expected: list[int | None]) -> None:
    assert ranks(PAIR | verdict) == expected


@pytest.mark.parametrize("value", [0, 1, "1", "perhaps", "3"])
def test_a_winner_that_nobody_can_understand_is_refused(value: Any) -> None:
    [problem] = found(rows(PAIR | {"winner": value}), "pairs")

    assert isinstance(problem, ImportProblem)
    assert f"`winner` is “{value}”, which does not say which response is better" in str(problem)


def test_a_number_for_a_prompt_is_no_pair_and_numbers_of_models_are_names() -> None:
    row = {"prompt": "Hi", "result_x": "a", "result_y": "b", "model_x": 97, "model_y": 98}

    [draft] = found(rows(row), formats.guess_format(io.BytesIO(rows(row))))

    assert isinstance(draft, ImportDraft)
    assert [reply.author for reply in draft.replies] == ["97", "98"]
    assert formats.guess_format(io.BytesIO(rows(row | {"prompt": 8, "text": "Hi"}))) == "jsonl"


def test_predictions_of_label_studio_are_named() -> None:
    task = {"id": 1, "data": {"prompt": "Hi"}, "annotations": [], "predictions": [{"result": []}]}

    problem, _draft = found(rows(task), "label_studio")

    assert "The field predictions is not imported" in str(problem)


def test_one_and_two_are_the_responses_with_these_numbers() -> None:
    row = {"prompt": "Hi", "response_1": "x", "response_2": "y"}

    assert (ranks(row | {"winner": 1}), ranks(row | {"winner": "2"})) == ([1, 2], [2, 1])


def test_the_second_of_answer_0_and_answer_1_is_not_the_first_in_a_table_either() -> None:
    votes = [
        {"prompt": "Hi", "answer_0": "x", "answer_1": "y", "rater": rater, "winner": winner}
        for rater, winner in (("ann", "answer_1"), ("bob", "answer_0"))
    ]

    drafts = [one for one in answered(rows(*votes)) if isinstance(one, ImportDraft)]

    assert [[reply.rank for reply in draft.replies] for draft in drafts] == [[2, 1], [1, 2]]


def test_a_pair_of_models_in_one_column_names_the_sources() -> None:
    votes = [
        {
            "instruction": "Hi",
            "response1": "x",
            "response2": "y",
            "annotator1": 1,
            "annotator2": 2,
            "cmp_key": "bloom-7b_llama-7b",
        }
    ]

    drafts = [
        one
        for one in answered(rows(*votes), legend={"1": "first", "2": "second"})
        if isinstance(one, ImportDraft)
    ]

    assert {tuple(reply.author for reply in draft.replies) for draft in drafts} == {
        ("bloom-7b", "llama-7b")
    }


def test_a_column_that_is_no_pair_of_models_in_one_line_is_reported_there() -> None:
    vote = {
        "prompt": "Hi",
        "response_a": "x",
        "response_b": "y",
        "rater": "ann",
        "winner": "A",
        "cmp_key": "one_two",
    }
    kinds = {
        "prompt": "prompt",
        "response_a": "left",
        "response_b": "right",
        "rater": "rater",
        "winner": "winner",
        "cmp_key": "models",
    }

    draft, problem = answered(rows(vote, vote | {"cmp_key": "a_b_c"}), roles=kinds)

    assert isinstance(draft, ImportDraft)
    assert "Line 2: `cmp_key` is “a_b_c”, which is no pair of two names" in str(problem)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("preference", "strength"), [(-3, 4), (-1, 2), (0, None), (2, 3), (1.5, 3), ("3", 4)]
)
def test_the_strength_of_helpsteer_is_stored(
    bring: Bring, preference: Any, strength: int | None
) -> None:
    bring(
        {
            "prompt": "Name a river.",
            "response_1": "The Rhine.",
            "response_2": "The Elbe.",
            "preference_strength": preference,
        },
        with_judgments=True,
    )

    assert Comparison.objects.get().strength == strength


@pytest.mark.parametrize("preference", [4, -7, "much", None])
def test_a_strength_outside_its_scale_is_refused(preference: Any) -> None:
    row = {
        "prompt": "Hi",
        "response_1": "x",
        "response_2": "y",
        "preference_strength": preference,
    }

    [problem] = found(rows(row), "helpsteer")

    assert "`preference_strength` must be a number from −3 to 3" in str(problem)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("winner", "is_all_bad", "expected"),
    [("tie", False, {1}), ("tie (bothbad)", True, {None}), ("both_bad", True, {None})],
)
def test_both_bad_is_kept_apart_from_a_tie(
    bring: Bring, winner: str, is_all_bad: bool, expected: set[int | None]
) -> None:
    bring(
        {
            "model_a": "m1",
            "model_b": "m2",
            "winner": winner,
            "conversation_a": [user("Hi"), assistant("x")],
            "conversation_b": [user("Hi"), assistant("y")],
        },
        with_judgments=True,
    )

    assert Comparison.objects.get().is_all_bad == is_all_bad
    assert set(RankedResponse.objects.values_list("rank", flat=True)) == expected
