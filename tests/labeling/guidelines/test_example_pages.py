"""Examples of good and bad answers: edited by admins, versioned with the guideline, shown to raters
below its text.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Guideline, GuidelineVersion, Pool, Rater, examples
from labeling.models.examples import Example
from labeling.people.onboarding import services as onboarding_services
from tests.html import page_of
from tests.labeling.answers import words
from tests.labeling.desk.posting import start
from tests.labeling.guidelines.test_guideline_pages import SCALE, posted
from tests.tooling.recordings import recorded

SignedIn = Callable[..., Client]

pytestmark = pytest.mark.django_db

GOOD = Example(
    "Cool it, **then** freeze it.",
    is_good=True,
    why="Starts from the answer.",
    prompt="Can I freeze rice?",
)
BAD = Example("Great question!", is_good=False, why="Polite, and no help.")


def rows(*shown: Example, n_empty: int = 0, n_known: int = 0, **more: str) -> dict[str, str]:
    """The page's form with these examples, `n_known` of them existing ones, and empty rows."""
    fields = {
        "examples-TOTAL_FORMS": str(len(shown) + n_empty),
        "examples-INITIAL_FORMS": str(n_known),
    }
    for number, example in enumerate(shown):
        verdict = "good" if example.is_good else "bad"
        row = {
            "verdict": verdict,
            "why": example.why,
            "prompt": example.prompt,
            "answer": example.answer,
        }
        fields |= {f"examples-{number}-{name}": value for name, value in row.items()}
    for number in range(len(shown), len(shown) + n_empty):
        fields[f"examples-{number}-verdict"] = "bad"
    return fields | more


def newest(guideline: Guideline) -> GuidelineVersion:
    return guideline.versions.latest("number")


@pytest.fixture
@recorded
def shown(guideline: Guideline, demonstration_campaign: Campaign) -> GuidelineVersion:
    """The version in force, with an example of either kind."""
    text = newest(guideline).text
    return guidelines_services.new_guideline_version(
        guideline=guideline,
        text=text,
        form=rating_form.default(),
        examples=[GOOD, BAD],
        by=None,
        now=timezone.now(),
    )


def test_a_guideline_is_made_with_its_examples_and_empty_rows_are_none(
    alice: User, signed_in: SignedIn
) -> None:
    signed_in(alice).post(
        "/guidelines/new/", posted(SCALE, name="Kind answers") | rows(GOOD, BAD, n_empty=2)
    )

    assert examples.parse(newest(Guideline.objects.get()).examples) == (GOOD, BAD)


def test_the_next_version_starts_with_the_examples_of_the_last(
    alice: User, guideline: Guideline, shown: GuidelineVersion, signed_in: SignedIn
) -> None:
    page = page_of(signed_in(alice).get(f"/guidelines/{guideline.pk}/edit/"))

    assert 'value="Starts from the answer."' in page
    assert "Great question!" in page


def test_removing_and_adding_makes_a_version_and_leaves_the_one_before_as_it_was(
    alice: User, guideline: Guideline, shown: GuidelineVersion, signed_in: SignedIn
) -> None:
    other = Example("For five years.", is_good=False, why="Made up.")
    form = posted(SCALE) | rows(GOOD, BAD, other, n_known=2) | {"examples-0-DELETE": "on"}

    signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", form)

    assert examples.parse(newest(guideline).examples) == (BAD, other)
    shown.refresh_from_db()
    assert examples.parse(shown.examples) == (GOOD, BAD)


def test_one_more_example_adds_a_row_and_saves_nothing(
    alice: User, guideline: Guideline, shown: GuidelineVersion, signed_in: SignedIn
) -> None:
    form = posted(SCALE) | rows(GOOD, BAD, n_empty=1, n_known=2, more="examples")

    page = page_of(signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", form))

    assert page.count('-answer" ') == 4
    assert 'name="questions-1-kind"' not in page
    assert newest(guideline) == shown


def test_an_example_without_a_why_is_refused_and_nothing_typed_is_lost(
    alice: User, guideline: Guideline, signed_in: SignedIn
) -> None:
    form = posted(SCALE) | rows(Example("Great question!", is_good=False, why=""))

    answer = signed_in(alice).post(f"/guidelines/{guideline.pk}/edit/", form)

    assert "This field is required." in words(answer)
    assert "Great question!" in words(answer)
    assert newest(guideline).number == 1


def test_the_history_shows_examples_and_how_they_changed(
    alice: User, guideline: Guideline, shown: GuidelineVersion, signed_in: SignedIn
) -> None:
    page = page_of(signed_in(alice).get(f"/guidelines/{guideline.pk}/versions/"))

    assert "Cool it, <strong>then</strong> freeze it." in page
    assert "✗ Polite, and no help.</ins>" in page


def test_raters_read_them_in_two_groups_beside_the_work(
    rosa: Rater, demonstration_campaign: Campaign, shown: GuidelineVersion, signed_in: SignedIn
) -> None:
    demonstration_campaign.refresh_from_db()
    client = signed_in(rosa)
    address = start(client, demonstration_campaign) + "guideline"

    panel = page_of(client.get(address, headers={"X-Desk": "fragment"}))

    good, bad = panel.split("Good answers")[1].split("Bad answers")
    assert "Cool it, <strong>then</strong> freeze it." in good
    assert "Starts from the answer." in good
    assert "Can I freeze rice?" in good
    assert "Great question!" in bad
    assert "Polite, and no help." in bad


def test_onboarding_shows_them_with_the_guideline(
    rosa: Rater, day_shift: Pool, guideline: Guideline, shown: GuidelineVersion, signed_in: SignedIn
) -> None:
    quiz = [{"text": "What comes first?", "choices": ["help", "brevity"], "right": 0}]
    named: Any = {"kind": "guideline", "title": "A quiz", "text": ""}
    step = onboarding_services.add_step(
        pool=day_shift, **named, questions=quiz, guideline=guideline, by=None, now=timezone.now()
    )

    page = page_of(signed_in(rosa).get(f"/onboarding/{day_shift.pk}/{step.pk}/"))

    assert "Polite, and no help." in page.split("Bad answers")[1]


def test_a_change_of_examples_is_read_before_the_next_item(
    rosa: Rater, guideline: Guideline, shown: GuidelineVersion, signed_in: SignedIn
) -> None:
    page = page_of(signed_in(rosa).get(f"/guidelines/{guideline.pk}/"))

    assert "✓ Starts from the answer.</ins>" in page
    assert "Great question!" in page


def test_a_guideline_without_examples_says_nothing_of_them(
    rosa: Rater, demonstration_campaign: Campaign, guideline: Guideline, signed_in: SignedIn
) -> None:
    page = page_of(signed_in(rosa).get(f"/guidelines/{guideline.pk}/"))

    assert "desk-example" not in page


def test_what_an_example_holds_is_rendered_as_harmless_as_a_response(
    rosa: Rater, guideline: Guideline, demonstration_campaign: Campaign, signed_in: SignedIn
) -> None:
    hostile = "<script>run()</script>[x](javascript:run())"
    example = Example(hostile, is_good=False, why=hostile, prompt=hostile)
    GuidelineVersion.objects.update(examples=examples.as_json([example]))

    page = page_of(signed_in(rosa).get(f"/guidelines/{guideline.pk}/"))

    assert page.count("&lt;script&gt;run()") == 3
    assert "<script>run()" not in page
    assert 'href="javascript:' not in page
