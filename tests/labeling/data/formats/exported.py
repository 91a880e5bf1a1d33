"""Judgments of every kind, for tests of exports."""

from typing import Any

from labeling.models import (
    Comparison,
    Demonstration,
    Judgment,
    Prompt,
    RankedResponse,
    Rater,
    Response,
    Source,
)
from tests.cast import NOON

LICENCE = "CC-BY-4.0"
CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Why is the sky blue?"},
    {"role": "assistant", "content": "It scatters light."},
    {"role": "user", "content": "Which light?"},
]


def prompt(messages: list[dict[str, str]] | str, split: str = "train") -> Prompt:
    source, _is_new = Source.objects.get_or_create(name="our prompts", kind="import")
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    return Prompt.objects.create(
        messages=turns, source=source, licence=LICENCE, language="en", split=split
    )


def responses(to: Prompt, texts: list[str], **fields: Any) -> list[Response]:
    source, _is_new = Source.objects.get_or_create(name="a model", kind="model", licence="MIT")
    first = to.responses.count()
    return [
        Response.objects.create(
            prompt=to, source=source, text=text, number=first + number, **fields
        )
        for number, text in enumerate(texts)
    ]


def ranking(
    shown: list[Response], ranks: list[int | None], rater: Rater, **fields: Any
) -> Judgment:
    judgment = Judgment.of_people.create(
        kind="comparison", rater=rater, prompt=shown[0].prompt, submitted_at=NOON
    )
    comparison = Comparison.objects.create(judgment=judgment, **fields)
    for position, (response, rank) in enumerate(zip(shown, ranks, strict=True)):
        RankedResponse.objects.create(
            comparison=comparison, response=response, position=position, rank=rank
        )
    return judgment


def demonstration(to: Prompt, text: str, rater: Rater) -> Judgment:
    judgment = Judgment.of_people.create(
        kind="demonstration", rater=rater, prompt=to, submitted_at=NOON
    )
    Demonstration.objects.create(judgment=judgment, text=text)
    return judgment


def everything(rosa: Rater, raul: Rater) -> None:
    """Two demonstrations, rankings of two and of four responses, one with a tie, one in which
    everything is bad, and imported labels; on single turns and on a chat.
    """
    plain, chat = prompt("What is two and two?"), prompt(CHAT)
    demonstration(plain, "Four.", rosa)
    demonstration(chat, "Blue light.", raul)
    two = responses(plain, ["Four!", "Five!"])
    ranking(two, [1, 2], rosa, strength=3, reason="Five is wrong.")
    ranking(two, [1, 1], raul)
    four = responses(chat, ["Blue.", "Red.", "Green.", "Grey."])
    ranking(four, [2, 1, 3, 4], rosa)
    ranking(four, [None] * 4, raul, is_all_bad=True, reason="None says why.")
    labeled = prompt("Name a fruit.", split="test")
    responses(labeled, ["An apple."], marks={"label": True})
    responses(labeled, ["A stone."], marks={"label": False})
    responses(labeled, ["A pear?"], marks={"label": "perhaps"})
    sums = prompt("What is 2 + 2 + 2?")
    responses(sums, ["2 + 2 = 4\n4 + 2 = 7"], marks={"labels": [True, False]})
    responses(sums, ["2 + 2\n= 4\n4 + 2 = 6"], marks={"labels": [True, True]})
