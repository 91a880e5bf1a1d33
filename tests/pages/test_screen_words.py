"""No labeling page shows the name of a column, a warning or a setting: people read words."""

import re
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from config.roles import Role
from labeling.desk.judgments import warnings
from labeling.models import Campaign, Judgment, Rater
from labeling.models.judgments import WARNING_LABELS
from labeling.quality import services as quality_services
from labeling.queue import slots
from labeling.queue.claiming import claim
from tests.cast import NOON, lease_of
from tests.html import words_of
from tests.labeling.queue.gold.scene import RIGHT, WRONG, rank_by
from tests.upgrades import pages

IDENTIFIER = re.compile(r"(?<![\w/.@-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/.@-])")
# Code is code; a text field holds what a person typed.
OTHERS = ("api", "styleguide", "archive")
WARNINGS = sorted(
    value for name, value in vars(warnings).items() if name.isupper() and isinstance(value, str)
)


@pytest.fixture
def demo(db: None) -> Campaign:
    """The demo with ratings, every warning overruled, a skip, and a report."""
    call_command("seed_demo", stdout=StringIO())
    campaign = Campaign.objects.filter(kind="comparison", opened_at__isnull=False)[0]
    rater = Rater.everyone.get(user__email="rater@demo.example")
    for order in (RIGHT, WRONG):
        slot = claim.claim(campaign=campaign, rater=rater, now=NOON)
        assert slot is not None
        numbers = slot.item.responses.values_list("number", flat=True)
        rank_by(slot, [number for number in order if number in set(numbers)], rater=rater)
    Judgment.of_people.update(warnings=WARNINGS)
    skipped = claim.claim(campaign=campaign, rater=rater, now=NOON)
    slots.skip(lease=lease_of(skipped), rater=rater, reason="offensive", now=NOON)
    claim.claim(campaign=campaign, rater=rater, now=NOON)
    quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    return campaign


def paths(role: Role) -> Iterator[str]:
    for name in pages.names(role):
        if not any(word in name for word in OTHERS):
            yield from pages.addresses(name)
    yield from ("/help/raters/", "/help/recorded/")
    if role == Role.ADMIN:
        for judgment in Judgment.of_people.exclude(item=None):
            yield f"/campaigns/{judgment.campaign_id}/review/{judgment.item_id}/"


@pytest.mark.slow
@pytest.mark.parametrize("role", [Role.RATER, Role.ADMIN])
def test_no_labeling_page_shows_an_internal_name(demo: Campaign, role: Role) -> None:
    client = Client()
    client.force_login(
        User.objects.get(email=f"{role}@demo.example"), backend="accounts.login.sessions.Backend"
    )

    found, n_pages = set(), 0
    for path in paths(role):
        answer = client.get(path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            n_pages += 1
            for text in words_of(answer.content.decode()):
                found |= {f"{path}: {one}" for one in IDENTIFIER.findall(text)}

    assert sorted(found) == []
    assert n_pages > 8


def test_every_warning_has_words() -> None:
    assert set(WARNINGS) == set(WARNING_LABELS)
    shown = Judgment(warnings=["faster_than_reading", "from_elsewhere"]).warning_labels

    assert shown == ["Faster than the texts can be read", "from elsewhere"]
