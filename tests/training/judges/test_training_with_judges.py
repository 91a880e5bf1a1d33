"""Verdicts of judges in what a campaign or a schedule trains: chosen, counted, and in the snapshot
that the chain freezes.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import User
from labeling.models import Campaign, Prompt
from tests.html import text_of
from tests.training.judges.test_learning import LATER, others
from tests.training.judges.test_sparing import trusted
from tests.training.judges.test_trust import judge, many, rosa
from tests.training.train_on_campaign.conftest import node, ready
from tests.training.train_on_campaign.test_train_page import both, sent
from training.models import Chain, Judge, Schedule, Snapshot, TrainedModel
from training.schedules import chains as schedules_chains
from training.schedules.plans.chain_plans import TEMPLATES
from training.train_on_campaign import answers

pytestmark = pytest.mark.django_db
__all__ = ["both", "judge", "many", "node", "ready", "rosa", "trusted"]
SignIn = Callable[[User], Client]


@pytest.fixture
def with_judge(trusted: Judge, ready: TrainedModel) -> Judge:
    """A judge whose verdicts stand where no person has answered."""
    Prompt.objects.filter(items__campaign=trusted.campaign).update(split="train")
    return trusted


def chosen(client: Client, campaign: Campaign, **changes: Any) -> dict[str, Any]:
    return sent(client, campaign, what="reward", ending="nothing", **changes)


def test_people_only_is_what_the_page_starts_with_and_what_an_older_page_sends(
    signed_in: SignIn, both: User, with_judge: Judge
) -> None:
    client, campaign = signed_in(both), with_judge.campaign
    values = chosen(client, campaign)
    assert values.pop("judges") == "none"

    client.post(f"/train/{campaign.pk}/", values)
    client.post(f"/train/{campaign.pk}/", chosen(client, campaign))

    older, newer = Schedule.objects.order_by("pk")
    assert older.plan == newer.plan
    assert older.plan["filters"] == {"campaigns": [campaign.pk], "includes_imports": False}


@pytest.mark.parametrize(
    ("judges", "n_read"), [("trusted", 300), ("trusted", 20), ("weighted", 300)]
)
def test_the_chosen_verdicts_are_counted_before_and_frozen_by_the_chain(
    signed_in: SignIn,
    both: User,
    with_judge: Judge,
    judges: str,
    n_read: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answers, "N_ROWS_READ", n_read)
    client, campaign = signed_in(both), with_judge.campaign
    page = f"/train/{campaign.pk}/"
    alone = client.get(page, chosen(client, campaign)).context["data"]
    asked = client.get(page, chosen(client, campaign, judges=judges)).context["data"]

    client.post(page, chosen(client, campaign, judges=judges))
    chain = Chain.objects.get()
    schedules_chains.advance_chain(chain_id=chain.pk, now=LATER)

    snapshot = Snapshot.objects.get()
    n_people = snapshot.card["verdicts"]["people"]["rows"]
    assert snapshot.filters["judges"] == judges
    assert snapshot.n_rows - n_people == len(others(with_judge))
    assert alone.snapshot.n_rows == n_people
    assert asked.snapshot.n_rows == pytest.approx(snapshot.n_rows, rel=0.05)


def test_the_long_form_opens_with_the_choice_and_keeps_it_when_it_is_edited(
    signed_in: SignIn, both: User, with_judge: Judge
) -> None:
    client, campaign = signed_in(both), with_judge.campaign
    choices = chosen(client, campaign, judges="trusted", advanced="1")
    link = client.post(f"/train/{campaign.pk}/", choices).headers["Location"]
    assert parse_qs(urlsplit(link).query)["judges"] == ["trusted"]

    for path in (link, None):
        address = path or f"/schedules/{Schedule.objects.get().pk}/edit/"
        page = client.get(address)
        form = page.context["form"]
        assert form["judges"].value() == "trusted"
        values = {one.name: one.value() for one in form if one.value() not in (None, False, "")}
        client.post(urlsplit(address).path, values | {"name": "long"})
        assert Schedule.objects.get().plan["filters"]["judges"] == "trusted"
    shown = text_of(client, f"/schedules/{Schedule.objects.get().pk}/")
    assert "It learns from: people, and judges where they are trusted." in shown


def test_a_campaign_without_a_judge_and_a_site_without_one_are_not_asked(
    signed_in: SignIn, both: User, ready: TrainedModel, many: Campaign
) -> None:
    client = signed_in(both)

    assert "judges" not in client.get(f"/train/{many.pk}/").context["form"].fields
    assert "judges" not in client.get("/schedules/new/dpo/").context["form"].fields


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_only_chains_that_learn_from_raters_choices_offer_verdicts(
    signed_in: SignIn, both: User, with_judge: Judge, template: str
) -> None:
    form = signed_in(both).get(f"/schedules/new/{template}/").context["form"]

    names = {step.name for step in TEMPLATES[template].steps}
    assert ("judges" in form.fields) == bool(names & {"comparisons", "unpaired"})


def test_a_choice_that_does_not_exist_is_refused_with_a_sentence(
    signed_in: SignIn, both: User, with_judge: Judge
) -> None:
    client, campaign = signed_in(both), with_judge.campaign

    response = client.post(f"/train/{campaign.pk}/", chosen(client, campaign, judges="everybody"))

    assert response.status_code == 422
    assert "everybody" in str(response.context["form"].errors["judges"])
    assert not Chain.objects.exists()
