"""What is saved of a conversation with a model: a prompt, and a demonstration that records whose
answer it was.
"""

from typing import Any

import pytest

from accounts.models import User
from arithmetic.chats import Message
from labeling.data import intake
from labeling.data.exports import streams
from labeling.models import Demonstration, Judgment, Prompt, Rater, Response, Source
from tests.cast import NOON

pytestmark = pytest.mark.django_db

MESSAGES: list[Message] = [{"role": "user", "content": "Why is the sky blue?"}]


@pytest.fixture
def model() -> Source:
    return intake.source_for_model(name="model-1", licence="MIT")


def kept_prompt(noor: User) -> Prompt:
    about = {"category": "open_qa", "language": "en", "split": "train", "licence": "CC-BY-4.0"}
    return intake.save_prompt(messages=MESSAGES, **about, by=noor, now=NOON)


def keep(noor: User, model: Source, text: str, written: str = "Because of the air.") -> None:
    about: dict[str, Any] = {"source": model, "sampling": {"temperature": 0.7}, "is_ended": True}
    intake.save_demonstration(
        prompt=kept_prompt(noor), text=text, written=written, **about, by=noor, now=NOON
    )


def test_the_same_words_are_kept_as_one_prompt(noor: User) -> None:
    one, same = kept_prompt(noor), kept_prompt(noor)

    assert one == same
    assert (one.source.person, one.licence, one.split) == (noor, "CC-BY-4.0", "train")


def test_an_answer_as_it_was_is_a_demonstration_of_its_models_source(
    noor: User, model: Source
) -> None:
    keep(noor, model, "Because of the air.")

    (row,) = streams.demonstrations()
    assert (row.response, row.source_name, row.licence, row.is_edit) == (
        "Because of the air.",
        "model-1",
        "CC-BY-4.0",
        False,
    )
    response = Response.objects.get()
    assert (response.source, response.sampling, response.is_ended) == (
        model,
        {"temperature": 0.7},
        True,
    )


def test_a_mended_answer_stands_beside_the_models_own_words(noor: User, model: Source) -> None:
    keep(noor, model, "Air scatters blue light.")

    (row,) = streams.demonstrations()
    demonstration = Demonstration.objects.get()
    assert (row.response, row.is_edit, row.source_name) == (
        "Air scatters blue light.",
        True,
        "model-1",
    )
    assert demonstration.edit_of is not None
    assert (demonstration.edit_of.text, demonstration.edit_of.source) == (
        "Because of the air.",
        model,
    )
    assert demonstration.response is not None
    assert demonstration.response.source.person == noor


def test_keeping_twice_keeps_once(noor: User, model: Source) -> None:
    for _time in range(2):
        keep(noor, model, "Because of the air.")
        keep(noor, model, "Air scatters blue light.")

    assert (Judgment.of_people.count(), Response.objects.count(), Prompt.objects.count()) == (
        2,
        2,
        1,
    )


def test_who_has_no_desk_is_a_rater_whose_alias_says_nothing(noor: User, model: Source) -> None:
    keep(noor, model, "Because of the air.")

    rater = Rater.everyone.get()
    assert (rater.user, noor.name in rater.alias, noor.email in rater.alias) == (None, False, False)
