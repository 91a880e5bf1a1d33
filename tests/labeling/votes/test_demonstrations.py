"""How raters write demonstrations: who is far faster, or pastes far more, than others."""

from collections.abc import Callable

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import DemonstrationAnswer, Recorded
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from labeling.people.pools import services as pools_services
from labeling.queue.claiming import claim
from labeling.votes.demonstrations import far_above, writers
from tests.cast import NOON, some_prompts
from tests.html import page_of
from tests.tooling.recordings import recorded

N_EACH = 5


def test_one_far_above_the_others_is_found() -> None:
    """A gross error among seven readings: median 2.1, MAD 0.1, so z = 0.6745 * 7.9 / 0.1 = 53."""
    values = dict(enumerate([2.0, 2.1, 2.2, 2.1, 2.0, 2.2, 10.0]))

    assert far_above(values) == {6}
    assert far_above(dict(enumerate([2.0, 2.1, 2.2, 10.0]))) == set()


@given(st.lists(st.floats(0, 1e6), min_size=5, max_size=12))
def test_the_marked_are_those_a_slow_twin_marks(values: list[float]) -> None:
    def middle(numbers: list[float]) -> float:
        ordered = sorted(numbers)
        return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2

    centre = middle(values)
    spread = middle([abs(value - centre) for value in values])
    marked = {
        place for place, value in enumerate(values) if 0.6745 * (value - centre) > 3.5 * spread
    }

    assert far_above(dict(enumerate(values))) == marked


@pytest.fixture
@recorded
def campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Six writers with five demonstrations each: the fifth writes ten times as fast, the sixth
    pastes what the others type.
    """
    prompts = some_prompts(N_EACH)
    campaign = campaigns_services.create_campaign(
        name="Write",
        settings=DemonstrationSettings(overlap=6),
        pool=day_shift,
        guideline=guideline,
        prompts=prompts,
        by=None,
        now=NOON,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOON)
    raters = [Rater.everyone.create(alias=f"W{number}") for number in range(1, 7)]
    pools_services.add_raters(pool=day_shift, raters=raters, by=None, now=NOON)
    for number, rater in enumerate(raters):
        for _item in range(N_EACH):
            slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
            assert slot is not None
            assert slot.lease is not None
            typing = (
                {"typed": 10, "pasted": 290}
                if number == 5
                else {"typed": 300 - number, "pasted": number}
            )
            submit.submit(
                lease=slot.lease,
                rater=rater,
                answer=DemonstrationAnswer(text="word " * 60),
                recorded=Recorded(
                    presentation={"typing": typing}, active_s=12 if number == 4 else 120 + number
                ),
                now=NOON,
            )
    return campaign


@pytest.mark.django_db
def test_writers_are_compared_by_pace_and_by_what_they_pasted(campaign: Campaign) -> None:
    found = {
        Rater.everyone.get(pk=rater_id).alias: writer
        for rater_id, writer in writers(campaign=campaign).items()
    }

    assert [alias for alias, writer in found.items() if writer.is_fast] == ["W5"]
    assert [alias for alias, writer in found.items() if writer.pastes] == ["W6"]
    n_characters = len(Judgment.of_people.latest("pk").demonstration.text)
    assert found["W1"].per_minute == pytest.approx(n_characters / 2)
    assert found["W6"].pasted_share == pytest.approx(290 / 300)
    assert found["W1"].n == N_EACH


@pytest.mark.django_db
def test_writers_with_the_same_texts_are_marked_with_the_count(
    campaign: Campaign, alice: User, signed_in: Callable[..., Client]
) -> None:
    for alias in ("W1", "W2"):
        written = Judgment.of_people.filter(rater__alias=alias).order_by("pk")
        for number, judgment in enumerate(written):
            judgment.demonstration.text = f"{'An own text of this writer. ' * 4} {alias} {number}"
            judgment.demonstration.save(update_fields=["text"])

    found = {
        Rater.everyone.get(pk=rater_id).alias: writer.same
        for rater_id, writer in writers(campaign=campaign).items()
    }
    page = page_of(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))

    assert [alias for alias, same in sorted(found.items()) if same] == ["W3", "W4", "W5", "W6"]
    assert page.count(f"Same text as another writer: {N_EACH} of {N_EACH}") == 4


@pytest.mark.django_db
def test_the_campaigns_page_marks_them_and_says_what_it_proves(
    campaign: Campaign, alice: User, signed_in: Callable[..., Client]
) -> None:
    page = page_of(signed_in(alice).get(f"/campaigns/{campaign.pk}/"))

    assert page.count("Writes fast") == 1
    assert page.count("Pastes most of the text") == 1
    assert "This proves nothing" in page


def test_too_few_answers_mark_nobody(db: None, campaign: Campaign) -> None:
    Judgment.of_people.filter(rater__alias="W6").order_by("pk").first().delete()

    assert not any(writer.pastes for writer in writers(campaign=campaign).values())
