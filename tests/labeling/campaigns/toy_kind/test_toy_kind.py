"""A new kind of campaign is its class and its template: here one goes from the form through claim,
answer and submit to an export. Its migration would add its name to the constraint on the number of
responses, which these tests drop.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.desk.judgments import submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer
from labeling.desk.judgments.rows import UnableToSubmit
from labeling.kinds import registry
from labeling.models import Campaign, Guideline, Judgment, Pool, Rater
from tests.cast import lease_of, login_of, some_prompts
from tests.labeling.answers import words
from tests.labeling.campaigns.toy_kind.titles import TitleSettings
from tests.labeling.data.exports.exporting import exported_rows
from tests.labeling.desk.posting import slot_of, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_installed")]
SignedIn = Callable[..., Client]


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    monkeypatch.setitem(registry.KINDS, TitleSettings.kind, TitleSettings)
    templates: list[Any] = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"].append(Path(__file__).parent / "templates")
    settings.TEMPLATES = templates
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE labeling_campaign DROP CONSTRAINT campaign_responses_fit_kind")


@pytest.fixture
def admin(signed_in: SignedIn, alice: User) -> Client:
    return signed_in(alice)


def form(pool: Pool, guideline: Guideline, **changes: Any) -> dict[str, Any]:
    values = {
        "name": "Titles",
        "kind": "title",
        "pool": pool.pk,
        "guideline": guideline.pk,
        "order": "finish_first",
        "lease_minutes": 30,
        "max_words": 40,
    }
    return values | changes


@pytest.fixture
def campaign(admin: Client, day_shift: Pool, guideline: Guideline) -> Campaign:
    some_prompts(1)
    admin.post("/campaigns/new/", form(day_shift, guideline))
    campaign = Campaign.objects.get()
    admin.post(f"/campaigns/{campaign.pk}/open")
    return campaign


def test_the_form_offers_it(admin: Client) -> None:
    assert "Write titles" in words(admin.get("/campaigns/new/"))


def test_the_form_sets_what_it_has_and_leaves_other_settings_alone(
    admin: Client, day_shift: Pool, guideline: Guideline
) -> None:
    some_prompts(1)

    admin.post("/campaigns/new/", form(day_shift, guideline, gold_share=9, asks_strength="on"))

    made = Campaign.objects.get()
    assert (made.kind, made.overlap, made.max_words) == ("title", 2, 40)
    assert (made.min_words, made.gold_share, made.asks_strength) == (1, 0, False)


def test_an_answer_goes_from_the_form_through_the_desk_to_an_export(
    admin: Client, signed_in: SignedIn, campaign: Campaign, rosa: Rater
) -> None:
    rater = signed_in(login_of(rosa))

    address = start(rater, campaign)
    page = words(rater.get(address))
    rater.post(f"{address}submit", {"step": "submit", "text": "Of blue skies"})

    judgment = Judgment.of_people.get()
    assert "Title of this prompt" in page
    assert (judgment.kind, judgment.demonstration.text) == ("demonstration", "Of blue skies")
    (row,) = exported_rows(admin, campaign, shape="demonstrations")
    assert row["completion"] == [{"role": "assistant", "content": "Of blue skies"}]


def test_the_change_form_has_its_settings_only(admin: Client, campaign: Campaign) -> None:
    fields = admin.get(f"/campaigns/{campaign.pk}/set-up/change/").context["form"].fields

    assert "max_words" in fields
    assert fields.keys().isdisjoint({"asks_strength", "max_overlap", "overlap_rule"})


def test_the_pages_call_it_by_its_label(admin: Client, campaign: Campaign) -> None:
    assert "Write titles" in words(admin.get("/campaigns/"))
    assert "Write titles" in words(admin.get(f"/campaigns/{campaign.pk}/set-up/"))


def test_its_items_take_no_other_answer(
    signed_in: SignedIn, campaign: Campaign, rosa: Rater
) -> None:
    start(signed_in(login_of(rosa)), campaign)
    lease, now = lease_of(slot_of(rosa)), timezone.now()

    with pytest.raises(UnableToSubmit, match="different kind of answer"):
        submit.submit(lease=lease, rater=rosa, answer=ComparisonAnswer(ranks={0: 1}), now=now)
    submit.submit(lease=lease, rater=rosa, answer=DemonstrationAnswer(text="Skies"), now=now)
