"""Tables of answers by several raters: which column is what, and what each row becomes."""

import json
from typing import Any

import pytest

from labeling.importers.drafts import ImportDraft, ImportProblem, Reply
from tests.labeling.importers.parsed import answered


def table(*lines: str) -> bytes:
    return "\n".join(lines).encode() + b"\n"


def drafts(content: bytes, **options: Any) -> list[ImportDraft]:
    return [one for one in answered(content, **options) if isinstance(one, ImportDraft)]


def problems(content: bytes, **options: Any) -> list[str]:
    return [str(one) for one in answered(content, **options) if isinstance(one, ImportProblem)]


def ratings(content: bytes, **options: Any) -> list[tuple[Any, ...]]:
    """(rater, ratings of each reply) of each draft."""
    return [
        (draft.worker, *draft.answer.ratings)
        for draft in drafts(content, **options)
        if draft.answer is not None
    ]


def ranks(content: bytes, **options: Any) -> list[tuple[str, list[int | None]]]:
    return [
        (draft.worker, [reply.rank for reply in draft.replies])
        for draft in drafts(content, **options)
    ]


# --- long and wide --------------------------------------------------------------------------------


@pytest.mark.parametrize("rater", ["rater", "Worker ID", "annotator_id", "Answer.labeler", "judge"])
def test_one_rating_a_line_is_found_by_the_column_of_the_rater(rater: str) -> None:
    content = table(f"item,{rater},rating", "1,ann,3", "1,bob,5", "2,ann,4")

    assert ratings(content) == [
        ("ann", {"rating": 3}),
        ("bob", {"rating": 5}),
        ("ann", {"rating": 4}),
    ]


def test_columns_of_one_rater_each_give_one_answer_each() -> None:
    content = table(
        "prompt,completion,human_score_1,human_score_2,human_score_3",
        "Hi,Hello,0,0.25,",
        "Ho,Hey,1,0.5,0.75",
    )

    assert ratings(content) == [
        ("1", {"human_score": 0}),
        ("2", {"human_score": 0.25}),
        ("1", {"human_score": 1}),
        ("2", {"human_score": 0.5}),
        ("3", {"human_score": 0.75}),
    ]


def test_two_rows_with_the_same_texts_are_two_items_of_a_wide_table() -> None:
    content = table("prompt,response,label_1,label_2", "Hi,Hello,a,b", "Hi,Hello,b,b")

    items = {draft.answer.item for draft in drafts(content) if draft.answer}

    assert len(items) == 2


def test_annotations_inside_a_row_have_their_raters() -> None:
    row = {
        "id": 7,
        "text": "A text.",
        "annotations": [
            {"annotator": "ann", "label": "spam", "id": 1},
            {"annotator": "bob", "label": "fine", "id": 2},
        ],
    }

    found = drafts(json.dumps(row).encode())

    assert [(draft.worker, draft.answer.item) for draft in found if draft.answer] == [
        ("ann", "7"),
        ("bob", "7"),
    ]


def test_an_object_of_raters_and_their_answers_is_read() -> None:
    row = {"text": "A text.", "labels": {"ann": "spam", "bob": "fine"}}

    assert ratings(json.dumps(row).encode()) == [
        ("ann", {"value": "spam"}),
        ("bob", {"value": "fine"}),
    ]


def test_a_named_question_a_line_is_one_answer_of_a_rater() -> None:
    content = table(
        "item,rater,dimension,value",
        "1,ann,fluency,3",
        "1,ann,coherence,4",
        "1,bob,fluency,2",
        "1,ann,fluency,5",
    )

    assert sorted(ratings(content), key=str) == [
        ("ann", {"fluency": 3, "coherence": 4}),
        ("ann", {"fluency": 5}),
        ("bob", {"fluency": 2}),
    ]


# --- kinds of answers -----------------------------------------------------------------------------


def test_numbers_words_and_yes_or_no_keep_their_meaning() -> None:
    content = table(
        "item,rater,quality,topic,toxic",
        "1,ann,3,sports,yes",
        "1,bob,5,news,no",
        "2,ann,1,news,no",
        "2,bob,2,sports,yes",
    )

    assert ratings(content)[0] == ("ann", {"quality": 3, "topic": "sports", "toxic": True})


def test_what_describes_the_item_or_the_rater_is_no_answer() -> None:
    content = table(
        "item,rater,gender,genre,verdictive",
        "1,ann,f,news,x",
        "1,bob,m,news,y",
        "2,ann,f,prose,y",
        "2,bob,m,prose,y",
    )

    assert ratings(content)[0] == ("ann", {"verdictive": "x"})
    assert "gender, genre" in problems(content)[0]


def test_a_missing_answer_is_not_no() -> None:
    content = table("item,rater,toxic", "1,ann,yes", "1,bob,", "2,ann,no", "2,bob,NA")

    assert ratings(content) == [("ann", {"toxic": True}), ("ann", {"toxic": False})]


def test_an_answer_that_is_no_number_of_the_scale_is_reported_by_line() -> None:
    lines = [f"{n},ann,{1 + n % 5}" for n in range(40)]

    found = problems(table("item,rater,score", *lines, "99,ann,four"))

    assert found == [
        "Line 42: `score` is “four”, which is no answer to this question. Fix or remove this line."
    ]


def test_texts_of_raters_are_demonstrations() -> None:
    long = "The Elbe flows through Hamburg and Dresden and through much else besides as well."
    content = table("prompt,rater,rewrite", f"Name a river.,ann,{long}")

    [draft] = drafts(content)

    assert [(reply.text, reply.is_human) for reply in draft.replies] == [(long, True)]


LONG = "The Elbe flows through Hamburg and Dresden and through much else besides as well."


@pytest.mark.parametrize(
    ("heading", "value", "asked"),
    [("is_safe", "false", {}), ("vote", "-1", {"vote": -1}), ("fluency", "4", {"fluency": 4})],
)
def test_a_text_that_its_row_may_call_bad_is_a_response_and_its_ratings_are_kept(
    heading: str, value: str, asked: dict[str, Any]
) -> None:
    content = table(f"prompt,rater,rewrite,{heading}", f"Name a river.,ann,{LONG},{value}")

    [draft] = drafts(content)

    assert draft.replies[-1] == Reply(LONG, is_typed=True)
    assert draft.answer is not None
    assert draft.answer.ratings == ((asked,) if asked else ())
    assert any(
        f"{heading} may say whether the written text is good" in one for one in problems(content)
    )


def test_a_rating_of_a_response_does_not_make_its_correction_less_than_a_demonstration() -> None:
    content = table("prompt,response,rater,fluency,rewrite", f"Name a river.,Elb,ann,4,{LONG}")

    [draft] = drafts(content)

    assert [(reply.text, reply.is_human) for reply in draft.replies] == [
        ("Elb", False),
        (LONG, True),
    ]
    assert ratings(content) == [("ann", {"fluency": 4})]


@pytest.mark.parametrize(
    ("status", "texts"), [("Approved", [True]), ("Submitted", [True]), ("Rejected", [])]
)
def test_a_text_written_on_mechanical_turk_is_a_demonstration_unless_it_was_rejected(
    status: str, texts: list[bool]
) -> None:
    content = table(
        "HITId,AssignmentId,WorkerId,Reward,AssignmentStatus,AutoApprovalTime,RequesterFeedback,"
        "LifetimeApprovalRate,Input.prompt,Answer.rewrite",
        f"h,a,W1,$0.05,{status},2024-05-01,,1,Name a river.,{LONG}",
    )

    assert [reply.is_human for draft in drafts(content) for reply in draft.replies] == texts


def test_texts_beside_ranks_and_named_questions_stay_with_them() -> None:
    ranked = table(
        "prompt,response,rater,rank,rewrite",
        f"Name a river.,Elb,ann,2,{LONG}",
        "Name a river.,Rhine,ann,1,",
        f"Name a lake.,Como,ann,,{LONG}",
    )
    asked = table(
        "prompt,response,rater,aspect,value,rewrite",
        f"Name a river.,Elb,ann,fluency,4,{LONG}",
        f"Name a river.,Elb,ann,depth,2,{LONG}",
    )

    assert sorted(
        [(reply.text, reply.rank) for reply in draft.replies] for draft in drafts(ranked)
    ) == [[("Elb", 2), ("Rhine", 1), (LONG, None)], [(LONG, None)]]
    assert [[reply.text for reply in draft.replies] for draft in drafts(asked)] == [["Elb", LONG]]
    assert ratings(asked) == [("ann", {"fluency": 4, "depth": 2})]


def test_the_time_the_duration_and_the_reason_come_along() -> None:
    content = table(
        "item,rater,score,timestamp,duration,comment",
        "1,ann,3,2024-05-01T10:00:00+02:00,12.5,Too short",
    )

    [draft] = drafts(content)

    assert draft.answer is not None
    assert draft.answer.at is not None
    assert draft.answer.at.isoformat() == "2024-05-01T10:00:00+02:00"
    assert (draft.answer.active_s, draft.answer.reason) == (12.5, "Too short")


def test_a_date_that_may_be_two_days_is_not_read() -> None:
    found = problems(table("item,rater,score,date", "1,ann,3,03/04/2024"))

    assert "“03/04/2024” can't be read" in found[0]


# --- pairs and rankings ---------------------------------------------------------------------------

PAIR = "prompt,response_a,response_b,rater,winner"


@pytest.mark.parametrize(
    ("first", "second", "tie"),
    [
        ("A", "B", "tie"),
        ("left", "right", "Tie"),
        ("model_a", "model_b", "equal"),
        ("1", "2", "same"),
        ("[[A]]", "[[B]]", "draw"),
        ("Response A", "Response B", "no preference"),
        ("A>B", "B>A", "A=B"),
        ("A is better", "B is better", "about the same"),
    ],
)
def test_the_usual_words_for_the_better_response_are_known(
    first: str, second: str, tie: str
) -> None:
    content = table(PAIR, f"Hi,x,y,ann,{first}", f"Hi,x,y,bob,{second}", f"Hi,x,y,cem,{tie}")

    assert ranks(content) == [("ann", [1, 2]), ("bob", [2, 1]), ("cem", [1, 1])]


def test_a_model_that_won_is_known_by_its_name() -> None:
    content = table(
        "prompt,response_a,response_b,model_a,model_b,rater,winner",
        "Hi,x,y,gpt,llama,ann,llama",
        "Hi,y,x,llama,gpt,bob,llama",
    )

    assert ranks(content) == [("ann", [2, 1]), ("bob", [1, 2])]


def test_zero_and_one_mean_nothing_until_somebody_says_so() -> None:
    content = table(PAIR, "Hi,x,y,ann,0", "Hi,x,y,bob,1")

    assert ranks(content) == []
    assert "Say what it means" in problems(content)[0]
    assert ranks(content, legend={"0": "second", "1": "first"}) == [
        ("ann", [2, 1]),
        ("bob", [1, 2]),
    ]


def test_both_bad_is_an_answer_without_ranks() -> None:
    content = table(PAIR, "Hi,x,y,ann,tie (bothbad)", "Hi,x,y,bob,A")

    [bad, _better] = drafts(content)

    assert bad.answer is not None
    assert (bad.answer.is_all_bad, [reply.rank for reply in bad.replies]) == (True, [None, None])


def test_each_side_of_a_pair_can_have_ratings() -> None:
    content = table(
        "prompt,response_a,response_b,rater,winner,helpful_a,helpful_b", "Hi,x,y,ann,A,5,2"
    )

    assert ratings(content) == [("ann", {"helpful": 5}, {"helpful": 2})]


def test_votes_in_columns_of_one_rater_each_are_votes() -> None:
    content = table("prompt,response_a,response_b,rater_1,rater_2", "Hi,x,y,A,tie", "Ho,x,y,B,A")

    assert ranks(content) == [("1", [1, 2]), ("2", [1, 1]), ("1", [2, 1]), ("2", [1, 2])]


def test_ranks_on_several_lines_are_one_ranking() -> None:
    content = table(
        "item,prompt,rater,model,response,rank",
        "1,Hi,ann,m1,x,2",
        "1,Hi,ann,m2,y,1",
        "1,Hi,bob,m1,x,1",
        "1,Hi,ann,m3,z,4",
        "1,Hi,bob,m2,y,1",
    )

    assert ranks(content) == [("ann", [2, 1, 3]), ("bob", [1, 1])]


def test_texts_may_come_from_a_second_file() -> None:
    texts = {"4": {"id": "4", "text": "Hi", "result_x": "x", "result_y": "y"}}

    [draft] = drafts(table("id,worker,winner", "4,ann,left"), texts=texts)

    assert draft.messages == ({"role": "user", "content": "Hi"},)
    assert [(reply.text, reply.rank) for reply in draft.replies] == [("x", 1), ("y", 2)]


# --- what cannot be read --------------------------------------------------------------------------


def test_a_table_without_raters_says_what_to_do() -> None:
    assert problems(table("item,score", "1,3", "2,4")) == [
        "No column says who answered. Choose the column with the rater, or the columns that have"
        " one rater's answers each."
    ]


def test_a_table_without_answers_says_what_to_do() -> None:
    assert "No column holds an answer" in problems(table("item,rater", "1,ann"))[0]


def test_a_comment_above_the_heading_is_not_data() -> None:
    content = table("# dataset_version=1.0, by=us,", "item,rater,score", "1,ann,3", "1,,4")

    assert ratings(content) == [("ann", {"score": 3})]
    assert problems(content)[0].startswith("Line 4: `rater` is empty")


def test_roles_that_somebody_chose_come_first() -> None:
    content = table("item,ann,bob,cem", "1,yes,no,no", "2,no,no,yes")
    roles = {"item": "item", "ann": "by_rater", "bob": "by_rater"}

    assert ratings(content, roles=roles) == [
        ("ann", {"label": True}),
        ("bob", {"label": False}),
        ("ann", {"label": False}),
        ("bob", {"label": False}),
    ]
