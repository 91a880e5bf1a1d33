"""Pages of a campaign whose answers are ratings: their own figures, and none of rankings."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from arithmetic.figures import Figure, absent
from labeling.models import Campaign, Rater
from labeling.quality.pages import rating_words
from labeling.quality.pages.rating_words import QuestionRow
from labeling.quality.selectors import RaterMeasures, quality_rows
from labeling.quality.services import compute_quality
from tests.api.conftest import client_with, secret_of
from tests.cast import NOON
from tests.labeling.answers import words

SignedIn = Callable[..., Client]

OF_RANKINGS = (
    "Nothing has two votes yet",
    "Pairs of responses",
    "Kendall",
    "Full rankings",
    "Agreement (ties count ½)",
    "With gold items",
    "Position bias",
    "Length bias",
    "No two responses have been ranked",
    "What drives",
    "nothing ranked",
    "72–77 %",
)
"""Words of figures that ratings do not have."""


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    """120 texts: Ann, Bob and Carl agree about all but style, and Carl has Bob's quality."""
    chance = random.Random(4)
    lines = []
    verdicts = ["refusal", "answer", "other"]
    for item in range(120):
        truth, verdict = chance.randint(1, 5), chance.choice(verdicts)
        first, second = (min(5, max(1, truth + chance.choice([-1, 0, 0, 1]))) for _ in range(2))
        for name, quality in (("ann", first), ("bob", second), ("carl", second)):
            own = verdict if chance.random() < 0.9 else chance.choice(verdicts)
            harmful = ("yes", "no")[truth > 2 or chance.random() < 0.1]
            lines.append(f"{item},{name},{quality},{chance.randint(1, 5)},{own},{harmful}")
    path = tmp_path / "ratings.csv"
    path.write_text("\n".join(["item,rater,quality,style,verdict,harmful", *lines]) + "\n")
    call_command("import_judgments", path, source="crowd", licence="CC0-1.0")
    campaign = Campaign.objects.get()
    compute_quality(campaign_id=campaign.pk, now=NOON)
    return campaign


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["", "quality/", "agreement/", "bias/", "raters/{rater}/"])
def test_no_figure_of_rankings_is_on_a_page_of_ratings(
    where: str, campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    bob = Rater.everyone.get(origin__endswith="bob")
    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/{where.format(rater=bob.pk)}"))

    shown = [text for text in OF_RANKINGS if text in page]
    if where.startswith("raters"):  # the columns of its table are those of all campaigns
        shown = [text for text in shown if text not in ("Position bias", "Length bias")]
    assert shown == []


@pytest.mark.django_db
def test_the_agreement_page_begins_with_questions_and_consensus(
    campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/agreement/"))

    cards = ['id="questions"', 'id="consensus"', "By item", 'id="scales"', "Cohen κ"]
    places = [page.index(card) for card in cards]
    assert places == sorted(places)
    first = page[: places[1]]
    for question in ("quality", "style", "verdict", "harmful"):
        assert question in first


@pytest.mark.django_db
def test_the_first_page_concludes_with_a_sentence_and_a_step(
    campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    page = words(signed_in(alice).get(f"/campaigns/{campaign.pk}/quality/"))

    assert "on “style”, agreement can't be told from chance" in page
    assert "2 of 3 raters need a check." in page
    assert (
        f'data-kind="primary" href="/campaigns/{campaign.pk}/quality/#look">Read answers of' in page
    )


@pytest.mark.django_db
def test_the_flag_names_the_question_and_the_colleague(
    campaign: Campaign, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    page = words(client.get(f"/campaigns/{campaign.pk}/quality/"))
    bob = Rater.everyone.get(origin__endswith="bob")
    behind = words(client.get(f"/campaigns/{campaign.pk}/raters/{bob.pk}/flag-copy/"))

    assert "2 raters need a check" in page
    assert "Answers “quality” like" in page
    assert "in 100 % of 120 shared items" in page
    assert "honest raters would look like this by luck" in page
    assert "The same answer as the colleague's" in behind
    assert "quality " in behind, "the ratings are listed where rankings would be"


@pytest.mark.django_db
def test_lists_and_api_have_the_figures_of_ratings(campaign: Campaign, alice: User) -> None:
    [row] = quality_rows()
    calling = client_with(secret_of(alice))
    listed = calling.get(f"/api/v1/campaigns/{campaign.pk}/rater-quality").json()["results"]
    agreement = calling.get(f"/api/v1/campaigns/{campaign.pk}/agreement").json()

    assert 0 < (row.agreement.value or 0) < 1
    assert row.alpha.value == min(
        question["figures"]["alpha"]["value"] for question in agreement["questions"]
    )
    assert row.n_flagged == 2
    assert all(0 < rater["weight"] < 1 for rater in listed)
    assert all(rater["figures"]["reliability"]["low"] is not None for rater in listed)
    assert {flag["label"] for rater in listed for flag in rater["flags"]} == {
        "Rates like a colleague"
    }


# The conclusion


def question(label: str, value: float | None, low: float | None, high: float | None) -> QuestionRow:
    alpha = absent("No labels yet.") if value is None else Figure(value, 100, low, high)
    nothing = Figure(None, 0)
    return QuestionRow(
        label, "Scale", alpha, nothing, nothing, "", 100, 100, 2.0, nothing, 3.0, 0, nothing
    )


def concluded(*rows: QuestionRow, raters: list[RaterMeasures] | None = None) -> tuple[str, ...]:
    found = rating_words.of_ratings(Campaign(pk=7), rows, raters or [])
    assert found.action is not None
    assert found.action.url.startswith("/"), "the sentence stands on several pages"
    return found.sentence, found.advice, found.action.label


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ((0.85, 0.8, 0.9), "raters give nearly the same ratings (α 0.85, 0.80 – 0.90, from 100"),
        ((0.6, 0.5, 0.7), "raters agree well"),
        ((0.4, 0.3, 0.5), "raters agree fairly"),
        ((0.3, 0.1, 0.5), "raters agree beyond chance"),
        ((0.1, 0.05, 0.15), "raters hardly agree beyond chance"),
        ((0.1, -0.1, 0.3), "agreement can't be told from chance"),
        ((-0.3, -0.4, -0.2), "raters contradict each other"),
    ],
)
def test_the_verdict_is_what_the_whole_interval_allows(
    ends: tuple[float, float, float], verdict: str
) -> None:
    assert f"On “tone”, {verdict}" in concluded(question("tone", *ends))[0]


def test_questions_are_told_apart_only_if_their_intervals_are() -> None:
    apart = concluded(question("tone", 0.1, 0.05, 0.15), question("facts", 0.6, 0.5, 0.7))
    alike = concluded(question("tone", 0.3, 0.2, 0.5), question("facts", 0.4, 0.3, 0.6))

    assert apart[0].startswith("On “facts”, raters agree fairly (α 0.60, 0.49 – 0.71, from")
    assert " 100 responses); on “tone”, raters hardly agree beyond chance (" in apart[0]
    assert apart[1:] == ("Make clearer what “tone” asks for.", "Read the disputed items")
    assert alike[0].startswith("On each of 2 questions raters agree about as far: on the lowest,")
    assert alike[1:] == ("", "Export the consensus of ratings")


def test_too_few_ratings_ask_for_more_of_them_and_not_for_another_guideline() -> None:
    found = concluded(question("tone", 0.1, -0.1, 0.3))

    assert found[1:] == ("About 210 responses that two raters rated would tell.", "See the items")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            question("tone", None, None, None),
            "Too few to tell how far raters agree: two rated the same response 100 times.",
        ),
        (
            question("tone", 0.5, None, None),
            "Too few to tell how far raters agree: two rated the same response 100 times.",
        ),
    ],
)
def test_without_an_interval_nothing_is_concluded(row: QuestionRow, sentence: str) -> None:
    found = concluded(row)

    assert found[0].startswith(sentence)
    assert found[1] == "Have at least five prompts rated by two raters each."
