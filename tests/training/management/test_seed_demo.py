"""The demo: its content, and that a second start adds nothing."""

import json
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.desk.open_campaigns import campaigns_open_to
from labeling.importers.drafts import CATEGORIES
from labeling.models import Campaign, Item, Judgment, Pool, Prompt, Rater, Response, Slot
from tests.trainer.tiny import build_tiny_model
from training.management import demo
from training.management.demo import conversations
from training.models import Suite
from training.registry import services as registry_services

pytestmark = pytest.mark.slow


@pytest.fixture
def seeded(db: None) -> str:
    return seed()


def seed() -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def test_every_use_case_of_instructgpt_has_prompts(seeded: str) -> None:
    counted = Counter(Prompt.objects.values_list("category", flat=True))

    assert set(counted) == set(CATEGORIES)
    assert sum(counted.values()) == 40


def test_there_is_enough_to_train_on_from_the_first_minute(seeded: str) -> None:
    assert Judgment.of_people.filter(kind=Judgment.Kind.DEMONSTRATION).count() == 25


def test_each_role_has_a_login_that_is_printed_and_works(seeded: str) -> None:
    logins = [line.split() for line in seeded.splitlines()[1:]]

    assert [role for role, _email, _password in logins] == ["rater", "admin", "researcher"]
    assert all(User.objects.get(email=email).roles == {role} for role, email, _password in logins)
    assert all(Client().login(email=email, password=password) for _role, email, password in logins)


def test_two_campaigns_are_open_to_the_demos_rater(seeded: str) -> None:
    campaigns = Campaign.objects.filter(
        state=Campaign.State.OPEN, pool__raters__user__is_rater=True
    )

    assert set(campaigns.values_list("kind", "n_responses", "overlap")) == {
        ("demonstration", None, 1),
        ("comparison", 4, 3),
    }
    assert Item.objects.filter(campaign__kind="comparison").count() == 15


def test_a_rater_is_not_asked_to_write_on_a_prompt_that_is_compared(seeded: str) -> None:
    writing, comparing = (
        set(Prompt.objects.filter(items__campaign__kind=kind))
        for kind in ("demonstration", "comparison")
    )

    assert writing & comparing == set()


def test_starting_again_adds_nothing(seeded: str) -> None:
    counted = (User, Pool, Prompt, Response, Judgment, Campaign, Item, Slot)
    before = [model._base_manager.count() for model in counted]

    seed()

    assert [model._base_manager.count() for model in counted] == before


def test_a_production_site_gets_no_accounts_with_known_passwords(
    db: None, settings: LazySettings
) -> None:
    settings.MODE = "production"

    with pytest.raises(CommandError, match="whose passwords everybody knows"):
        seed()

    assert not User.objects.exists()


def test_demonstrations_are_as_long_as_the_guideline_says() -> None:
    rows = [
        json.loads(line) for line in (demo.FOLDER / "demonstrations.jsonl").read_text().splitlines()
    ]
    lengths = [len(row["completion"][0]["content"].split()) for row in rows]

    assert min(lengths) >= 40
    assert max(lengths) <= 150


@pytest.mark.usefixtures("seeded")
def test_the_demo_has_an_open_campaign_of_conversations_once_its_model_is_there(
    tmp_path: Path,
) -> None:
    model = registry_services.register_model(
        name=demo.MODEL_NAME,
        kind="policy",
        location=str(build_tiny_model(tmp_path / "tiny")),
        licence="Apache-2.0",
        by=None,
        now=timezone.now(),
    )
    admin = User.objects.get(is_admin=True)

    for _turn in range(2):
        conversations.begin(model=model, pool=Pool.objects.get(), by=admin, now=timezone.now())

    campaign = Campaign.objects.get(kind=Campaign.Kind.CONVERSATION)
    assert campaign.state == Campaign.State.OPEN
    assert campaign.items.count() == conversations.N_CONVERSATIONS
    assert campaign.conversation_plan.sources.get().source == model.source
    rater = Rater.everyone.get(user__email="rater@demo.example")
    assert campaign in campaigns_open_to(rater=rater)


def test_the_suites_of_the_product_are_there(seeded: str) -> None:
    assert Suite.objects.filter(is_shipped=True).count() == 9
