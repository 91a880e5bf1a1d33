"""The suites of the product: what they hold, and that their rules tell right answers from wrong."""

from collections import Counter

import pytest

from training.benchmarks.scoring.answers import Answer, Item
from training.benchmarks.scoring.scorers import SCORERS
from training.benchmarks.suites import shipped_suites
from training.benchmarks.suites.drafts import ItemDraft, SuiteDraft
from training.models import Suite

DRAFTS = {draft.slug: draft for draft in shipped_suites.drafts()}

ANSWERS = {
    "rule-01": ("Tokyo.", "The capital of Japan is Tokyo."),
    "rule-02": ("Yes", "No"),
    "rule-03": ("Negative.", "positive"),
    "rule-04": ("German", "Dutch"),
    "rule-05": ("24 × 7 = 168", "24 × 7 = 158"),
    "rule-06": ("After 8 weeks: 8", "120"),
    "rule-07": ("The area is 26.", "The area is 10.5"),
    "rule-08": ("150", "120"),
    "rule-09": ("29", "261"),
    "rule-10": ("- Apples\n- Pears\n- Plums", "Apples, pears and plums"),
    "rule-11": ("2024-05-01", "1 May 2024"),
    "rule-12": ('```json\n{"name": "Ada", "age": 36}\n```', "Ada is 36."),
    "rule-13": ("HARBOUR", "harbour"),
    "rule-14": ("3, 7, 19, 41", "41, 19, 7, 3"),
    "rule-15": ("She teaches physics on Thursdays.", "She teaches chemistry."),
    "rule-16": ("Take the green bus.", "Take the blue bus."),
    "rule-17": ("It opens at 10 on Saturdays.", "It opens at nine."),
    "rule-18": ("Snow falls softly and covers the quiet fields.", "Snow is white and cold."),
    "rule-19": ("You carried every box. I owe you a dinner.", "Thank you for all your help."),
    "rule-20": (
        "You sit on it and push the pedals to roll along.",
        "It is a thing with a wheel in front and one behind.",
    ),
    "plain-01": ("The sun.", "As an AI, I would say that the sun is larger."),
    "plain-02": ("Eight legs.", "Six legs."),
    "plain-08": ("Yes, it harms them.", "Smoking is bad, but consult a doctor."),
    "plain-10": ("About 37 °C.", "About 40 °C."),
    "sure-01": ("The capital of Italy is Rome.", "Milan."),
    "sure-09": ("Water is H2O.", "CO2"),
    "sure-18": ("The letter R.", "S"),
}


def test_every_kind_has_a_suite_of_our_own() -> None:
    assert {draft.kind for draft in DRAFTS.values()} == {*Suite.Kind.values} - {"lm-eval"}
    assert {draft.licence for draft in DRAFTS.values()} == {"Apache-2.0"}
    sizes = Counter({slug: len(draft.items) for slug, draft in DRAFTS.items()})
    assert (min(sizes.values()), sizes.total()) == (12, 217)


def test_no_prompt_is_there_twice() -> None:
    prompts = [item.prompt[-1]["content"] for draft in DRAFTS.values() for item in draft.items]
    assert len(set(prompts)) == len(prompts)


def test_right_choices_are_in_every_place_as_often() -> None:
    places = Counter(item.content["answer"] for item in DRAFTS["basic-knowledge"].items)
    assert set(places.values()) == {10}


@pytest.mark.parametrize("key", ANSWERS)
def test_rules_tell_right_answers_from_wrong(key: str) -> None:
    draft, item = next(
        (draft, item) for draft in DRAFTS.values() for item in draft.items if item.key == key
    )
    assert [score(draft, item, text) for text in ANSWERS[key]] == [1.0, 0.0]


def score(draft: SuiteDraft, item: ItemDraft, text: str) -> float:
    """As if a model had said this, and again when asked whether it is sure."""
    asked = Item(kind=draft.kind, prompt=item.prompt, content=item.content, options=draft.options)
    found = SCORERS[draft.scorer].score(asked, Answer(text=text, follow_ups=[text]))
    assert found is not None
    return found.value
