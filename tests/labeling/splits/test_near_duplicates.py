"""Duplicate and near-duplicate prompts, which share a side of the split."""

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from arithmetic import chats
from arithmetic.chats import Message, ToolCall
from arithmetic.similarity import jaccard, shingles, skeleton
from labeling.models import Prompt
from labeling.splits import near_duplicates
from labeling.splits.near_duplicates import (
    Cluster,
    Member,
    Neighbourhood,
    fingerprint,
    sketches,
    split_of,
)

BEGINNINGS, ENDS = "ba co du fe gi lo mu ne", "ran tel vis kon mar pud"
WORDS = [a + b for a, b in itertools.product(BEGINNINGS.split(), ENDS.split())]


def chat(*texts: str) -> list[Message]:
    return [
        {"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)
    ]


def sentence(rng: random.Random, n: int) -> list[str]:
    return [rng.choice(WORDS) for _ in range(n)]


def placed(*conversations: list[Message], groups: list[str] | None = None) -> list[Cluster]:
    neighbourhood = Neighbourhood()
    placements = [
        neighbourhood.place(sketch, fingerprint(messages)[:16])
        for messages, sketch in zip(conversations, sketches(conversations, groups), strict=True)
    ]
    return [placement.cluster.root() for placement in placements if placement.cluster]


def test_white_space_and_unicode_form_do_not_change_a_fingerprint() -> None:
    assert fingerprint(chat("caf\u00e9  au\nlait ")) == fingerprint(chat("cafe\u0301 au lait"))


def test_letters_and_roles_change_a_fingerprint() -> None:
    prints = {
        fingerprint(chat("Polish this")),
        fingerprint(chat("polish this")),
        fingerprint(chat("Polish", "this")),
    }

    assert len(prints) == 3


def test_plain_conversations_keep_the_fingerprint_they_were_stored_with() -> None:
    stored = "1369006bb8552a69dda5ce829304e132a4136a38f0e8166340403a4bb9996842"

    assert fingerprint(chat("Polish this")) == stored


def test_thinking_calls_results_and_tools_change_a_fingerprint() -> None:
    asked: list[Message] = [{"role": "user", "content": "How is the weather?"}]
    call: ToolCall = {
        "id": "1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": {"city": "Ulm"}},
    }
    elsewhere: ToolCall = {
        **call,
        "function": {"name": "get_weather", "arguments": {"city": "Bonn"}},
    }
    tool: dict[str, object] = {"type": "function", "function": {"name": "get_weather"}}

    prints = {
        fingerprint([*asked, chats.answer("")]),
        fingerprint([*asked, chats.answer("", "Look it up.")]),
        fingerprint([*asked, chats.answer("", "", [call])]),
        fingerprint([*asked, chats.answer("", "", [elsewhere])]),
        fingerprint(asked),
        fingerprint(asked, [tool]),
    }

    assert len(prints) == 6


def test_a_signature_separates_unlike_prompts_without_reading_them() -> None:
    rng = random.Random(9)
    words = sentence(rng, 60)
    near = [rng.choice(WORDS) if rng.random() < 0.05 else word for word in words]

    one, like, unlike = sketches(
        [chat(" ".join(text)) for text in (words, near, sentence(rng, 60))]
    )

    assert one.may_be_near(like.signature)
    assert not one.may_be_near(unlike.signature)
    assert one.may_be_near(b"")


def test_splits_come_out_at_about_80_10_10() -> None:
    n = dict.fromkeys(("train", "validation", "test"), 0)
    for i in range(10_000):
        n[split_of(f"cluster {i}")] += 1

    assert 7_850 < n["train"] < 8_150
    assert 900 < n["validation"] < 1_100
    assert 900 < n["test"] < 1_100


def test_pairs_at_the_threshold_are_found_and_unlike_ones_are_not() -> None:
    rng = random.Random(5)
    n_near = n_found = n_wrong = 0
    for _ in range(300):
        words = sentence(rng, 40)
        other = [rng.choice(WORDS) if rng.random() < 0.06 else word for word in words]
        a, b = chat(" ".join(words)), chat(" ".join(other))
        likeness = jaccard(shingles(skeleton(" ".join(words))), shingles(skeleton(" ".join(other))))
        is_together = len({id(cluster) for cluster in placed(a, b)}) == 1
        n_near += likeness >= near_duplicates.NEAR
        n_found += likeness >= near_duplicates.NEAR and is_together
        n_wrong += likeness < near_duplicates.JOIN and is_together

    assert n_near > 50
    assert n_found >= 0.99 * n_near
    assert n_wrong == 0


def test_unrelated_prompts_found_clusters_of_their_own() -> None:
    rng = random.Random(6)

    clusters = placed(*(chat(" ".join(sentence(rng, 30))) for _ in range(200)))

    assert len({id(cluster) for cluster in clusters}) == 200


def test_short_texts_are_near_only_when_equal_but_for_case_and_signs() -> None:
    a, b, c = placed(chat("What is 2 + 2?"), chat("what is 2+2"), chat("What is 2 + 3?"))

    assert a is b
    assert c is not a


def test_conversations_with_one_telling_opening_stay_together() -> None:
    opening = "Explain to me at length how a sewing machine makes its stitches."
    a, b = placed(chat(opening), chat(opening, "With two threads.", "And what drives it?"))

    assert a is b


def test_a_greeting_does_not_tie_conversations_together() -> None:
    a, b = placed(
        chat("Hello!", "Hi.", "Which moons has Saturn?"),
        chat("Hello!", "Hi.", "Sort these seven names by length."),
    )

    assert a is not b


def test_a_group_stays_together_whatever_its_texts() -> None:
    a, b, c = placed(
        chat("Which moons has Saturn?"),
        chat("Sort these names."),
        chat("Write a limerick."),
        groups=["t", "t", ""],
    )

    assert a is b
    assert c is not a


def test_a_prompt_between_two_clusters_ties_them_together() -> None:
    rng = random.Random(7)
    words = sentence(rng, 60)
    left, right = list(words), list(words)
    left[:6] = sentence(rng, 6)
    right[-6:] = sentence(rng, 6)

    a, b, between = placed(chat(" ".join(left)), chat(" ".join(right)), chat(" ".join(words)))

    assert a is b is between


def test_a_new_prompt_joins_a_fixed_cluster_and_its_side() -> None:
    text = chat("Explain how a sewing machine makes its stitches.")
    [sketch] = sketches([text])
    neighbourhood = Neighbourhood()
    neighbourhood.add(
        Member(near_duplicates.remembered(text), Cluster("old", True, "test")), sketch.keys
    )

    placement = neighbourhood.place(sketch, "new")

    assert placement.cluster is not None
    assert (placement.cluster.name, placement.cluster.split) == ("old", "test")


def test_a_prompt_near_two_sides_is_placed_on_neither() -> None:
    text = chat("Explain how a sewing machine makes its stitches.")
    [sketch] = sketches([text])
    neighbourhood = Neighbourhood()
    for side in ("train", "test"):
        neighbourhood.add(
            Member(near_duplicates.remembered(text), Cluster(side, True, side)), sketch.keys
        )

    placement = neighbourhood.place(sketch, "new")

    assert placement.cluster is None
    assert placement.sides == ("test", "train")


def test_a_crowded_key_is_stored_no_more() -> None:
    rng = random.Random(8)
    template = " ".join(sentence(rng, 40))
    neighbourhood = Neighbourhood()
    for sketch in sketches([chat(f"{template} {' '.join(sentence(rng, 25))}") for _ in range(200)]):
        neighbourhood.place(sketch, "x")

    assert max(map(len, neighbourhood.by_key.values())) <= near_duplicates.CROWDED


@settings(deadline=None)
@given(texts=st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=4))
def test_any_conversation_can_be_sketched_and_found_again(texts: list[str]) -> None:
    [first, again] = sketches([chat(*texts), chat(*texts)])

    assert first.keys == again.keys
    assert all(-(2**63) <= key < 2**63 for key in first.keys)
    assert near_duplicates.likeness(first, again) == 1


def test_a_long_prompt_is_named_by_its_beginning_and_says_that_it_goes_on() -> None:
    prompt = Prompt(messages=[{"role": "user", "content": "Tell me more. " * 40}])

    assert str(prompt) == "Tell me more. " * 21 + "Tell …"
