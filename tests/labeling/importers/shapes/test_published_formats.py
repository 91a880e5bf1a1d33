"""Open-Assistant trees, transcripts, training rows and votes: what importers make of each, and what
they cannot use.
"""

from typing import Any

import pytest

from labeling.importers.drafts import ImportDraft
from tests.labeling.importers.parsed import (
    PAIR,
    assistant,
    found,
    node,
    only_draft,
    only_problem,
    rows,
    tree,
    user,
    voted,
)

# --- Open-Assistant trees -------------------------------------------------------------------------


def test_each_user_turn_of_a_tree_is_a_prompt_in_its_history() -> None:
    root = node(
        "prompter", "a", node("assistant", "b", node("prompter", "c")), node("assistant", "d")
    )

    prompts = [
        draft.messages
        for draft in found(tree(root), "openassistant")
        if isinstance(draft, ImportDraft)
    ]

    assert prompts == [(user("a"),), (user("a"), assistant("b"), user("c"))]


def test_all_prompts_of_a_tree_belong_together() -> None:
    root = node("prompter", "a", node("assistant", "b", node("prompter", "c")))

    assert {
        draft.group
        for draft in found(tree(root), "openassistant")
        if isinstance(draft, ImportDraft)
    } == {"t"}


def test_ranks_are_counted_from_one_with_ties_and_gaps() -> None:
    replies = [
        node("assistant", text, rank=rank)
        for text, rank in (("w", 3), ("x", 0), ("y", 3), ("z", None))
    ]

    draft = only_draft(tree(node("prompter", "a", *replies)), "openassistant")

    assert draft.is_compared
    assert [(reply.text, reply.rank) for reply in draft.replies] == [
        ("w", 2),
        ("x", 1),
        ("y", 2),
        ("z", None),
    ]


def test_one_ranked_reply_is_no_comparison() -> None:
    replies = [node("assistant", "x", rank=0), node("assistant", "y")]

    assert not only_draft(tree(node("prompter", "a", *replies)), "openassistant").is_compared


def test_deleted_replies_and_what_hangs_below_them_are_left_out() -> None:
    root = node("prompter", "a", node("assistant", "b", node("prompter", "c"), deleted=True))

    draft, problem = found(tree(root), "openassistant")

    assert isinstance(draft, ImportDraft)
    assert draft.replies == ()
    assert "Deleted messages are left out" in str(problem)


def test_a_machines_reply_is_no_demonstration() -> None:
    draft = only_draft(
        tree(node("prompter", "a", node("assistant", "b", synthetic=True))), "openassistant"
    )

    assert [reply.is_human for reply in draft.replies] == [False]


def test_two_siblings_with_the_same_text_are_one() -> None:
    root = node("prompter", "a", node("assistant", "b", rank=0), node("assistant", " b", rank=1))

    assert len(only_draft(tree(root), "openassistant").replies) == 1


@pytest.mark.parametrize(
    ("root", "says"),
    [
        (node("assistant", "a"), "starts with a reply that has no prompt"),
        (node("moderator", "a"), "Unknown role “moderator”"),
        (node("prompter", ""), "`text` is empty"),
        (node("prompter", "a", replies="none"), "`replies` is not a list"),
    ],
)
def test_a_tree_that_cannot_be_used_says_why(root: dict[str, Any], says: str) -> None:
    assert says in only_problem(tree(root), "openassistant").sentence


def test_a_bad_reply_costs_itself_and_not_the_tree() -> None:
    problems = found(
        tree(
            node(
                "prompter",
                "a",
                node("assistant", ""),
                node("prompter", "b"),
                "c",
                node("assistant", "d"),
            )
        ),
        "openassistant",
    )

    assert [type(one).__name__ for one in problems] == [
        "ImportDraft",
        "ImportProblem",
        "ImportProblem",
        "ImportProblem",
    ]


def test_a_rank_that_is_no_number_leaves_the_replies_unranked() -> None:
    root = node("prompter", "a", node("assistant", "b", rank=True), node("assistant", "c", rank=1))

    problem, draft = found(tree(root), "openassistant")

    assert isinstance(draft, ImportDraft)
    assert not draft.is_compared
    assert "A `rank` is not a whole number" in str(problem)


# --- chosen and rejected --------------------------------------------------------------------------


def test_transcripts_split_into_the_shared_prompt_and_two_responses() -> None:
    start = "\n\nHuman: One?\n\nAssistant: Two.\n\nHuman: Three?\n\nAssistant:"

    draft = only_draft(
        rows({"chosen": start + " Good.\n\nMore.", "rejected": start + " Bad."}), "hh"
    )

    assert draft.messages == (user("One?"), assistant("Two."), user("Three?"))
    assert [(reply.text, reply.rank) for reply in draft.replies] == [
        ("Good.\n\nMore.", 1),
        ("Bad.", 2),
    ]


@pytest.mark.parametrize(
    ("chosen", "rejected", "says"),
    [
        ("\n\nHuman: a\n\nAssistant: b", "\n\nHuman: a\n\nAssistant: b", "are the same text"),
        (
            "\n\nHuman: a\n\nAssistant: b",
            "\n\nHuman: c\n\nAssistant: d",
            "differ before the last reply",
        ),
        (
            "\n\nHuman: a\n\nAssistant:",
            "\n\nHuman: a\n\nAssistant: d",
            "`chosen` is empty. Add a response",
        ),
        ("\n\nHuman: a", "\n\nHuman: a\n\nAssistant: d", "does not end with a reply"),
        ("\n\nAssistant: a", "\n\nAssistant: b", "starts with a reply that has no prompt"),
        ("hello", "\n\nHuman: a\n\nAssistant: d", "must start with “Human:”"),
        (True, "\n\nHuman: a\n\nAssistant: d", "`chosen` is a yes/no value"),
    ],
)
def test_transcripts_that_cannot_be_compared_say_why(chosen: Any, rejected: Any, says: str) -> None:
    assert says in only_problem(rows({"chosen": chosen, "rejected": rejected}), "hh").sentence


# --- Hugging Face shapes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [user("Hi"), assistant("Hello")]},
        {"prompt": "Hi", "completion": "Hello"},
        {"prompt": [user("Hi")], "completion": [assistant("Hello")]},
    ],
)
def test_a_completion_is_a_demonstration_in_each_shape(value: Any) -> None:
    draft = only_draft(rows(value), "hf")

    assert (draft.messages, draft.replies[0].text, draft.replies[0].is_human) == (
        (user("Hi"),),
        "Hello",
        True,
    )


@pytest.mark.parametrize(
    "value",
    [
        {"prompt": "Hi", "chosen": "Good", "rejected": "Bad"},
        {"prompt": [user("Hi")], "chosen": [assistant("Good")], "rejected": [assistant("Bad")]},
        {"chosen": [user("Hi"), assistant("Good")], "rejected": [user("Hi"), assistant("Bad")]},
    ],
)
def test_a_preference_is_a_comparison_in_each_shape(value: Any) -> None:
    draft = only_draft(rows(value), "hf")

    assert draft.is_compared
    assert draft.messages == (user("Hi"),)
    assert [(reply.text, reply.rank) for reply in draft.replies] == [("Good", 1), ("Bad", 2)]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"chosen": "a", "rejected": "b"}, "`prompt` is missing"),
        ({"prompt": "Hi", "chosen": "a"}, "`rejected` is missing"),
        ({"prompt": "Hi", "completion": [user("a")]}, "must be a single assistant message"),
        (
            {"prompt": [user("a"), assistant("b")], "completion": "c"},
            "does not end with a user message",
        ),
        (
            {"chosen": [user("a"), assistant("b")], "rejected": [user("c"), assistant("d")]},
            "differ before the last reply",
        ),
        ("Hi", "not a JSON object"),
    ],
)
def test_a_training_row_that_cannot_be_used_says_why(value: Any, says: str) -> None:
    assert says in only_problem(rows(value), "hf").sentence


# --- votes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("winner", "ranks"), [("left", [1, 2]), ("right", [2, 1]), ("tie", [1, 1])]
)
def test_a_vote_ranks_two_responses(winner: str, ranks: list[int]) -> None:
    [draft] = voted(f"id,worker,winner\n4,58,{winner}\n".encode(), PAIR)

    assert isinstance(draft, ImportDraft)
    assert (draft.worker, [reply.rank for reply in draft.replies]) == ("58", ranks)


@pytest.mark.parametrize(
    ("vote", "says"),
    [
        ("5,58,left", "No pair has the ID “5”"),
        ("4,58,both", "`winner` is “both”"),
        ("4,,left", "`worker` is empty"),
    ],
)
def test_a_vote_that_cannot_be_used_says_why(vote: str, says: str) -> None:
    [problem] = voted(f"id,worker,winner\n{vote}\n".encode(), PAIR)

    assert says in str(problem)
