"""Tables as other tools write them: short rows, lists without names, scores beside texts, lone
quotation marks.
"""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.importers import formats
from labeling.importers.annotations import roles
from labeling.importers.drafts import ImportDraft, ImportProblem
from tests.labeling.importers.parsed import answered, assistant, found, rows, user

# --- MTurk ----------------------------------------------------------------------------------------

MTURK = (
    '"HITId","AssignmentId","WorkerId","WorkTimeInSeconds","Input.text","Answer.fluency","Approve"'
    ',"Reject"\n'
)


def mturk(*lines: str) -> bytes:
    return (MTURK + "".join(f"{line}\n" for line in lines)).encode()


def test_the_results_of_mturk_are_read_as_they_come() -> None:
    drafts = answered(
        mturk(
            '"h1","a1","w1","31","A summary of a long text.","4"',
            '"h1","a2","w2","12","A summary of a long text.","2"',
            '"h2","a3","w1","40","Another summary of a text.","1","x"',
            '"h2","a4","w2","40","Another summary of a text.","3","","no"',
        )
    )

    raters = [(one.worker, one.answer) for one in drafts if isinstance(one, ImportDraft)]
    assert [(worker, answer.ratings) for worker, answer in raters if answer] == [
        ("w1", ({"fluency": 4},)),
        ("w2", ({"fluency": 2},)),
        ("w1", ({"fluency": 1},)),
        ("w2", ({"fluency": 3},)),
    ]


def test_a_short_row_that_lacks_more_than_these_is_reported() -> None:
    good = '"h1","a1","w1","31","A summary of a long text.","4"'

    *_drafts, problem = answered(mturk(good, '"h1","a2","w2","31","A summary of a long text."'))

    assert "Line 3: 5 cells, but the header has 8" in str(problem)


# --- lists without names --------------------------------------------------------------------------


def summeval(n: int) -> dict[str, Any]:
    return {
        "id": f"doc-{n}",
        "decoded": f"Summary {n}: the river rose and the town was flooded.",
        "expert_annotations": [
            {"coherence": 1 + (n + k) % 5, "fluency": 1 + (n * k) % 5} for k in range(3)
        ],
        "turker_annotations": [
            {"coherence": 1 + (n + k) % 4, "fluency": 1 + (n * k) % 3} for k in range(2)
        ],
    }


def test_annotators_without_names_are_numbered() -> None:
    drafts = [
        one for one in answered(rows(*map(summeval, range(6)))) if isinstance(one, ImportDraft)
    ]

    assert {draft.worker for draft in drafts} == {
        *("expert 1", "expert 2", "expert 3", "turker 1", "turker 2")
    }
    first = next(draft for draft in drafts if draft.worker == "expert 2")
    assert first.answer is not None
    assert first.answer.ratings == ({"coherence": 2, "fluency": 1},)
    assert first.replies[0].text == summeval(0)["decoded"]


# --- columns --------------------------------------------------------------------------------------


def test_an_instruction_and_its_input_are_one_prompt() -> None:
    lines = [
        {
            "instruction": "Translate the sentence.",
            "input": text,
            "response1": f"The first long translation, {text}",
            "response2": f"The second long translation, {text}",
            "rater": rater,
            "winner": winner,
        }
        for text, rater, winner in (("Guten Tag.", "ann", "1"), ("", "ann", "2"))
    ]

    first, second = answered(rows(*lines), legend={"1": "first", "2": "second"})

    assert isinstance(first, ImportDraft)
    assert isinstance(second, ImportDraft)
    assert first.messages == (user("Translate the sentence.\n\nGuten Tag."),)
    assert second.messages == (user("Translate the sentence."),)


def test_scores_beside_two_texts_are_no_raters() -> None:
    row = {
        "history": "How long do I boil an egg? " * 4,
        "human_ref_A": "Six minutes, and then cold water over it. " * 4,
        "human_ref_B": "It depends on how you like it, my friend. " * 4,
        "labels": 1,
        "score_A": 17,
        "score_B": 3,
    }

    [problem] = answered(rows(row, row | {"score_A": 2}))

    assert "No column says who answered" in str(problem)


def test_scores_with_numbers_are_still_raters() -> None:
    lines = [{"text": f"Text {n}.", "score_1": n, "score_2": 3} for n in range(4)]

    drafts = answered(rows(*lines))

    assert len({one.worker for one in drafts if isinstance(one, ImportDraft)}) == 2


def test_several_columns_can_have_the_prompt() -> None:
    assert roles.PROMPT in roles.MANY


# --- transcripts ----------------------------------------------------------------------------------

ASKED = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: Which river?\n\nAssistant:"
TURNS = (user("Hi"), assistant("Hello."), user("Which river?"))


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": ASKED, "response": " The Elbe."},
        {"prompt": ASKED, "chosen": " The Elbe.", "rejected": " No."},
        {"prompt": ASKED, "completion": " The Elbe."},
        {"text": ASKED + " The Elbe."},
        {"prompt": ASKED + " ", "answers": [{"answer": " The Elbe.", "rank": 1}] * 2},
    ],
)
def test_a_transcript_becomes_turns(row: dict[str, Any]) -> None:
    content = rows(row)

    drafts = found(content, formats.guess_format(io.BytesIO(content)))

    [draft] = [one for one in drafts if isinstance(one, ImportDraft)]
    assert draft.messages == TURNS
    assert draft.replies[0].text.strip() == "The Elbe."


def test_a_text_that_mentions_a_human_stays_a_prompt() -> None:
    text = "Human: a being. Explain the word."

    [draft] = found(rows({"prompt": text}))

    assert isinstance(draft, ImportDraft)
    assert draft.messages == (user(text),)


def test_the_ranked_answers_of_several_models_are_a_ranking() -> None:
    row = {
        "prompt": "\n\nHuman: Name a river.\n\nAssistant: ",
        "answers": [
            {"answer": "No.", "model": "alpha", "rank": 3.0},
            {"answer": "The Elbe.", "model": "beta", "rank": 1.0},
            {"answer": "The Po.", "model": "gamma", "rank": 2.0},
        ],
        "turns": 1,
        "num_responses": 3,
        "source": ["made"],
    }

    drafts = [one for one in found(rows(row)) if isinstance(one, ImportDraft)]

    [draft] = drafts
    assert draft.is_compared
    assert {(reply.author, reply.rank) for reply in draft.replies} == {
        *(("alpha", 3), ("beta", 1), ("gamma", 2))
    }


def test_answers_of_another_kind_are_reported() -> None:
    problem, draft = found(rows({"prompt": "Hi", "answers": {"text": ["Hello there."]}}))

    assert "answers" in str(problem)
    assert isinstance(draft, ImportDraft)


# --- lone quotation marks -------------------------------------------------------------------------


def prompts(content: bytes) -> list[str]:
    return [
        one.messages[0]["content"] for one in found(content, "csv") if isinstance(one, ImportDraft)
    ]


@pytest.mark.parametrize(
    "cell", ['"', '"5 inches', 'He said "no', '"a" or b', '5" and 6"', '""', '"""', "plain"]
)
def test_a_lone_quotation_mark_in_tsv_is_a_character(cell: str) -> None:
    content = f"prompt\tresponse\nOne\tx\n{cell}\ty\nThree\tz\nFour\t{cell}\n".encode()

    assert len(prompts(content)) == (4 if cell != '""' else 3)
    if cell != '""':
        assert prompts(content)[1] == cell


def test_quoted_cells_of_tsv_may_go_over_several_lines() -> None:
    content = b'prompt\tresponse\n"a\nb"\tx\nTwo\t"y\nand ""z"""\nThree\tw\n'

    drafts = [one for one in found(content, "csv") if isinstance(one, ImportDraft)]

    assert [draft.messages[0]["content"] for draft in drafts] == ["a\nb", "Two", "Three"]
    assert drafts[1].replies[0].text == 'y\nand "z"'


@given(
    st.lists(
        st.tuples(*[st.text("ab\"\n ,'", min_size=1).filter(str.strip)] * 2), min_size=1, max_size=5
    )
)
def test_whatever_python_writes_as_tsv_is_read_again(cells: list[tuple[str, str]]) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter="\t", lineterminator="\n").writerows(
        [("prompt", "response"), *cells]
    )

    drafts = list(found(file.getvalue().encode(), "csv"))

    assert [one for one in drafts if isinstance(one, ImportProblem)] == []
    assert [
        (one.messages[0]["content"], one.replies[0].text)
        for one in drafts
        if isinstance(one, ImportDraft)
    ] == cells


def test_the_user_and_the_system_of_a_conversation_are_no_rater_and_no_model() -> None:
    row = {"system": "Be brief.", "user": "Name a river.", "assistant": "The Elbe.", "score": 3}

    [problem] = answered(rows(row, row | {"score": 4}))
    drafts = answered(rows(row | {"rater": "ann"}, row | {"rater": "bob", "score": 4}))

    assert "No column says who answered" in str(problem)
    first = next(one for one in drafts if isinstance(one, ImportDraft))
    assert (first.worker, first.messages) == ("ann", (user("Name a river."),))
    assert [(reply.text, reply.author) for reply in first.replies] == [("The Elbe.", "")]
