"""Every address of the site in German, for each role, on a site that has everything: axe finds
nothing, and the words fit a phone. Colours do not depend on the language, and are checked by the
tests of the pages.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User
from config.roles import Role
from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.quality import services as quality_services
from tests.browser import conftest
from tests.cast import NOON
from tests.house import test_words
from tests.labeling.desk.conversations.red_teaming import attacking
from tests.labeling.desk.conversations.talking import conversation_with_a_failure
from tests.training.judges.conftest import a_judge, a_model
from tests.upgrades import pages
from training.models import Curation

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
site = test_words.site
OPTIONS = {"runOnly": conftest.AXE_TAGS, "rules": conftest.NO_COLORS}


@pytest.fixture
def whole_site(
    settings: LazySettings,
    site: None,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
) -> None:
    """With conversations, attacks, a judge, and the quality of the campaigns."""
    alice, noor = (pages.person_of(role) for role in (Role.ADMIN, Role.RESEARCHER))
    conversation_with_a_failure(pool=day_shift, guideline=guideline, rater=rosa)
    red = attacking.open_red_teaming(pool=day_shift, guideline=guideline, by=alice)
    attacking.attacked(red, attacking.agreed(raul, "abuse"))
    pairs = Campaign.objects.filter(kind="comparison", n_responses=2, state="open")[0]
    settings.ENDPOINT_HOSTS = ["127.0.0.1:9"]
    a_judge(pairs, a_model("http://127.0.0.1:9/v1", noor), alice)
    for campaign in Campaign.objects.exclude(state="draft"):
        quality_services.compute_quality(campaign_id=campaign.pk, now=NOON)
    User.objects.update(language="de")


def addresses(role: Role) -> Iterator[str]:
    """One of each kind, and of a campaign's pages one of each kind of campaign."""
    seen = set()
    if role == Role.RATER:
        yield from ("/help/raters/", "/help/recorded/")
    for path in test_words.paths(role):
        kind = re.sub(r"\d+|[0-9a-f-]{36}|(?<=/new/)[\w-]+", "N", path)
        if kind not in seen and not re.search(r"/N/(log|archive)", kind):
            seen.add(kind)
            yield path
    if role == Role.ADMIN:
        for campaign in Campaign.objects.filter(kind="conversation"):
            parts = ("", "conversations/", "quality/", "agreement/", "bias/", "red-teaming/")
            yield from (f"/campaigns/{campaign.pk}/{part}" for part in parts)
        for campaign in Campaign.objects.filter(judges__isnull=False):
            yield from (f"/campaigns/{campaign.pk}/judges/{part}" for part in ("", "new/"))
    if role == Role.RESEARCHER:
        for curation in Curation.objects.all():
            yield f"/curations/{curation.pk}/"


def test_every_address_in_german_passes_axe_and_fits_a_phone(
    whole_site: None, open_page: Callable[..., Page], signed_in: Callable[[User], Client]
) -> None:
    found, n_pages = [], 0
    for role in (Role.RATER, Role.ADMIN, Role.RESEARCHER):
        person = pages.person_of(role)
        client, page = signed_in(person), open_page("/", person, width=390, height=844)
        for path in dict.fromkeys(addresses(role)):
            answer = client.get(path)
            is_page = answer.status_code == 200 and not answer.streaming
            if not is_page or b"<html" not in answer.content[:500]:
                continue  # a file, or a part of a page
            n_pages += 1
            page.goto(path)
            assert page.get_attribute("html", "lang") == "de", path
            if page.evaluate("document.documentElement.scrollWidth") > 390:
                found.append(f"{path} is too wide")
            found += [f"{path}: {one}" for one in conftest._violations(page, "light", {**OPTIONS})]

    assert found == [], "\n".join(found)
    assert n_pages > 100
