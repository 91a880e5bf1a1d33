"""The page of judges says whether one is trusted, part by part; an admin turns it on and off."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from labeling.models import Campaign, Rater
from tests.training.judges.conftest import a_judge, a_model
from tests.training.judges.judge_stub import JudgeStub
from tests.training.judges.test_pages import words_of
from tests.training.judges.test_trust import LATER, a_rule, drawn, judge, many, rosa, vote
from training.judges import trust
from training.models import Judge, TrustLook, TrustRule

__all__ = ["judge", "many", "rosa"]
pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def values(judge: Judge, **changed: object) -> dict[str, object]:
    sent = {"split": "none", "target": "80", "error": "10"} | changed
    return {f"trust-{judge.pk}-{name}": value for name, value in sent.items()}


def test_an_admin_begins_looks_and_reads_what_they_came_to(
    judge: Judge, rosa: Rater, alice: User, signed_in: SignedIn
) -> None:
    client, campaign = signed_in(alice), judge.campaign
    assert "It is trusted with nothing: people answer every pair." in words_of(client, campaign)
    set_address = reverse("campaign_judge_trust", args=[campaign.pk, judge.pk])

    assert client.post(set_address, values(judge)).status_code == 302
    rule = TrustRule.objects.get()
    assert (rule.target, rule.error, rule.is_on, rule.slices) == (0.8, 0.1, True, [""])
    page = words_of(client, campaign)
    assert "Not trusted yet: no look has shown that people agree with it in 80 % of pairs." in page
    assert "120 calibration pairs wait for a first answer of people" in page
    assert "0 of 120 drawn" in page
    assert "100 pairs" in page

    vote(rosa, drawn(judge), agrees=lambda: True)
    assert "Not trusted yet" in words_of(client, campaign)
    assert not TrustLook.objects.exists()
    trust.advance(now=LATER)
    page = words_of(client, campaign)
    assert "It is trusted in 1 of 1 part: people agree with what stands in at least 80 %" in page
    assert "all that it decides" in page
    assert "Look 1, at 100: trusted, at least" in page
    assert "Up to date: no pair waits for it" in page
    assert "Looks and audits go on with new answers of people." in page

    switch = reverse("campaign_judge_switch", args=[campaign.pk, judge.pk])
    client.post(switch, {"on": "0"})
    assert "Trust is off: people answer every pair." in words_of(client, campaign)
    late = client.post(switch, {"on": "0"}, follow=True).content.decode()
    assert "This was changed meanwhile. Reload the page." in late
    client.post(switch, {"on": "1"})
    assert "It is trusted in 1 of 1 part" in words_of(client, campaign)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"target": "40"}, "greater than or equal to 51"),
        ({"target": "all"}, "Enter a number."),
        ({"error": ""}, "This field is required."),
        ({"split": "mood"}, "Select a valid choice"),
        ({"target": ""}, "Too few pairs have two answers of people"),
        ({"split": "length"}, ""),
    ],
)
def test_what_cannot_be_wanted_gets_a_sentence(
    judge: Judge,
    alice: User,
    signed_in: SignedIn,
    changed: dict[str, object],
    problem: str,
) -> None:
    address = reverse("campaign_judge_trust", args=[judge.campaign_id, judge.pk])
    answer = signed_in(alice).post(address, values(judge, **changed))
    page = answer.content.decode()

    assert (answer.status_code == 422) == bool(problem)
    assert problem in page
    assert TrustRule.objects.exists() == (not problem)


def test_a_judge_that_was_not_started_has_no_pairs(
    many: Campaign, server: JudgeStub, noor: User, alice: User, signed_in: SignedIn
) -> None:
    judge = a_judge(many, a_model(server.url, noor), alice)
    address = reverse("campaign_judge_trust", args=[many.pk, judge.pk])

    answer = signed_in(alice).post(address, values(judge))

    assert answer.status_code == 422
    assert "Start the judge first" in answer.content.decode()
    assert not TrustRule.objects.exists()


def test_a_target_is_shown_as_it_was_set(judge: Judge, alice: User, signed_in: SignedIn) -> None:
    """A hundred times .57 is less than 57 for a computer."""
    a_rule(judge, alice, target=0.57)

    assert "agree with it in 57 % of pairs." in words_of(signed_in(alice), judge.campaign)
