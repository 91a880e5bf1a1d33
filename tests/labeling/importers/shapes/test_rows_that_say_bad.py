"""A row that says bad never becomes good: what is labeled, rated or written by an assistant comes
in as what it is.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from labeling.importers.drafts import ImportDraft, ImportProblem
from labeling.models import Demonstration, Import, Prompt, Response
from tests.labeling.importers.parsed import assistant, found, only_draft, rows, user

Bring = Callable[..., Import]


def drafts_of(content: bytes, file_format: str) -> list[ImportDraft]:
    return [one for one in found(content, file_format) if isinstance(one, ImportDraft)]


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [False, 0, "false", "bad", "-1", 0.0])
@pytest.mark.parametrize(
    ("row", "file_format"),
    [
        ({"prompt": "Hi", "completion": "Google it."}, "hf"),
        ({"prompt": [user("Hi")], "completion": [assistant("Google it.")]}, "hf"),
        ({"prompt": "Hi", "response": "Google it."}, "jsonl"),
        ({"messages": [user("Hi"), assistant("Google it.")]}, "jsonl"),
        (
            {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "x"}]},
            "sharegpt",
        ),
        ({"instruction": "Hi", "output": "Google it."}, "alpaca"),
    ],
)
def test_an_answer_labeled_bad_is_no_demonstration(
    row: dict[str, Any], file_format: str, label: Any
) -> None:
    draft = only_draft(rows(row | {"label": label}), file_format)

    [reply] = draft.replies
    assert not reply.is_human
    assert reply.marks == {"label": False}


def test_an_answer_labeled_good_is_a_demonstration() -> None:
    [reply] = only_draft(rows({"prompt": "Hi", "completion": "Hello", "label": True}), "hf").replies

    assert reply.is_human
    assert reply.marks == {"label": True}


def test_an_answer_with_a_label_that_nobody_can_read_is_no_demonstration() -> None:
    [reply] = only_draft(rows({"prompt": "Hi", "response": "Hello", "label": "meh"})).replies

    assert not reply.is_human
    assert reply.marks == {"label": "meh"}


def test_a_label_of_a_prompt_without_an_answer_is_reported() -> None:
    problem, draft = found(rows({"prompt": "Hi", "label": "unsafe"}))

    assert "The field label is not imported" in str(problem)
    assert isinstance(draft, ImportDraft)


def test_a_reply_that_openai_gives_no_weight_is_no_demonstration() -> None:
    ignored = assistant("Bad") | {"weight": 0}

    [reply] = only_draft(rows({"messages": [user("Hi"), ignored]}), "hf").replies

    assert not reply.is_human


@pytest.mark.django_db
def test_a_bad_answer_is_stored_as_a_response_with_its_mark(bring: Bring) -> None:
    bring(
        {"prompt": "What is bread?", "completion": "Google it.", "label": False},
        {"prompt": "What is bread?", "completion": "Baked dough.", "label": True},
        with_judgments=True,
    )

    assert list(Demonstration.objects.values_list("text", flat=True)) == ["Baked dough."]
    bad = Response.objects.get(text="Google it.")
    assert bad.marks == {"label": False}
    assert bad.marks_words == [("label", "false")]


# --- scores ---------------------------------------------------------------------------------------

HELPSTEER = {
    "prompt": "Name a river.",
    "response": "No.",
    "helpfulness": 0,
    "correctness": 1,
    "coherence": 4,
    "complexity": 0,
    "verbosity": 0,
}


def test_a_rated_answer_keeps_its_scores_and_is_no_demonstration() -> None:
    [reply] = only_draft(rows(HELPSTEER)).replies

    assert not reply.is_human
    assert reply.marks == {name: HELPSTEER[name] for name in list(HELPSTEER)[2:]}


def test_scores_in_a_csv_are_numbers() -> None:
    [reply] = only_draft(b"prompt,response,score\nHi,Hello,4.5\n", "csv").replies

    assert reply.marks == {"score": 4.5}


@pytest.mark.parametrize(
    ("preference", "ranks"), [(-3, [1, 2]), (2, [2, 1]), (0, [1, 1]), ("-1", [1, 2])]
)
def test_helpsteer_3_preferences_rank_two_responses(preference: Any, ranks: list[int]) -> None:
    row = {
        "domain": "code",
        "language": "python",
        "context": [user("Sort a list.")],
        "response1": "sorted(x)",
        "response2": "x",
        "overall_preference": preference,
        "individual_preference": [{"score": -2, "reasoning": "…"}],
    }

    problem, draft = found(rows(row), "helpsteer")

    assert isinstance(draft, ImportDraft)
    assert "domain, individual_preference are not imported" in str(problem)
    assert (draft.is_compared, draft.language) == (True, "")
    assert [reply.rank for reply in draft.replies] == ranks


# --- flat trees -----------------------------------------------------------------------------------


def flat(name: str, parent: str | None, role: str, text: str, **more: Any) -> dict[str, Any]:
    about = {"message_id": name, "parent_id": parent, "role": role, "text": text}
    return about | {"message_tree_id": "t", "lang": "en"} | more


FLAT = (
    flat("d", "b", "prompter", "And the largest?"),
    flat("a", None, "prompter", "Name a moon."),
    flat("b", "a", "assistant", "Titan.", rank=0, review_result=True),
    flat("c", "a", "assistant", "No.", rank=1, review_result=False),
    flat("e", "d", "assistant", "Ganymede.", synthetic=True),
)


def test_assistants_turns_of_flat_trees_are_replies_and_never_prompts() -> None:
    first, second = drafts_of(rows(*FLAT), "oasst_flat")

    assert first.messages == (user("Name a moon."),)
    assert [(reply.text, reply.rank) for reply in first.replies] == [("Titan.", 1), ("No.", 2)]
    assert second.messages == (user("Name a moon."), assistant("Titan."), user("And the largest?"))
    assert [reply.text for reply in second.replies] == ["Ganymede."]
    assert (first.line, second.line, first.group, second.group) == (2, 1, "t", "t")


def test_replies_that_reviewers_rejected_or_machines_wrote_are_no_demonstrations() -> None:
    first, second = drafts_of(rows(*FLAT), "oasst_flat")

    assert [reply.is_human for reply in (*first.replies, *second.replies)] == [True, False, False]


def test_a_message_whose_parent_is_missing_is_reported_with_its_line() -> None:
    problem, draft = found(rows(flat("x", "gone", "assistant", "Hi"), FLAT[1]), "oasst_flat")

    assert str(problem).startswith("Line 1: The message it answers, “gone”, is not in the file")
    assert isinstance(draft, ImportDraft)
    assert draft.replies == ()


def test_messages_that_answer_each_other_do_not_hang_the_reader() -> None:
    circle = (flat("x", "y", "prompter", "Hi"), flat("y", "x", "assistant", "Ho"))

    [problem] = found(rows(*circle), "oasst_flat")

    assert "answer each other" in str(problem)


@pytest.mark.django_db
def test_a_flat_file_is_recognised_and_stored_as_trees(bring: Bring) -> None:
    batch = bring(*FLAT, with_judgments=True)

    assert batch.format == "oasst_flat"
    assert {prompt.messages[-1]["content"] for prompt in Prompt.objects.all()} == {
        "Name a moon.",
        "And the largest?",
    }
    assert list(Demonstration.objects.values_list("text", flat=True)) == ["Titan."]


# --- one text with everything in it ---------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n",
        "<s><|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello",
        "### Human: Hi### Assistant: Hello".replace("### A", "\n### A"),
    ],
)
@pytest.mark.parametrize("name", ["text", "prompt"])
def test_a_templated_text_is_split_into_its_turns(text: str, name: str) -> None:
    draft = only_draft(rows({name: text}))

    assert draft.messages == (user("Hi"),)
    assert [reply.text for reply in draft.replies] == ["Hello"]


def test_a_text_in_another_chat_template_is_refused() -> None:
    [problem] = found(rows({"text": "<s>[INST] Hi [/INST] Hello </s>"}))

    assert isinstance(problem, ImportProblem)
    assert "written in a model's chat template" in problem.sentence


def test_a_text_that_only_mentions_a_template_is_a_prompt() -> None:
    text = "What does <|im_start|> mean?"

    assert only_draft(rows({"text": text})).messages == (user(text),)


# --- steps ----------------------------------------------------------------------------------------


def test_steps_are_one_response_with_their_labels() -> None:
    row = {"prompt": "1+1+1?", "completions": ["1+1=2", "2+1=4"], "labels": [True, False]}

    [reply] = only_draft(rows(row), "hf").replies

    assert (reply.text, reply.is_human) == ("1+1=2\n2+1=4", False)
    assert reply.marks == {"labels": [True, False]}


@pytest.mark.parametrize(
    ("labels", "says"),
    [([True], "one per step"), (None, "one per step"), ([True, "meh"], "A label is “meh”")],
)
def test_steps_whose_labels_do_not_fit_say_why(labels: Any, says: str) -> None:
    row = {"prompt": "1+1?", "completions": ["a", "b"], "labels": labels}

    [problem] = found(rows(row), "hf")

    assert says in str(problem)


# --- nothing in silence ---------------------------------------------------------------------------


def test_fields_inside_messages_and_responses_are_reported_too() -> None:
    content = rows(
        {"messages": [user("a") | {"name": "x"}]},
        {"prompt": "b", "responses": [{"text": "c", "critique": "d"}]},
    )

    problems = [str(one) for one in found(content) if isinstance(one, ImportProblem)]

    assert "messages[].name is not imported" in problems[0]
    assert "responses[].critique is not imported" in problems[1]


def test_a_category_of_somebody_elses_is_reported_once() -> None:
    content = rows(*({"prompt": f"{n}", "category": "poetry"} for n in range(3)))

    assert len([one for one in found(content) if isinstance(one, ImportProblem)]) == 1


@pytest.mark.django_db
def test_the_report_of_an_import_lists_what_was_not_imported(bring: Bring) -> None:
    batch = bring({"prompt": "a", "chosen": "b", "rejected": "c", "margin": 3})

    assert "margin is not imported" in json.dumps(batch.problems)
