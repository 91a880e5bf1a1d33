"""A crowd link, an account on the stub of Prolific, and a study that connects them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import User
from labeling.models import CrowdLink, CrowdVisit, Guideline, Pool, ProlificStudy
from labeling.people.crowd import services as crowd_services
from labeling.people.prolific import polling, services
from labeling.people.prolific.services import StudyPlan
from tests.cast import NOON, open_demonstration_campaign
from tests.labeling.people.prolific.prolific_stub import TOKEN, Prolific, prolific_stub

PLAN = StudyPlan(
    description="Write answers.",
    eligibility="Fluent in English.",
    reward=300,
    minutes=20,
    n_places=5,
    screen_out_reward=50,
    screen_out_places=10,
)
PAGE = "https://site.example/crowd/token/"


@pytest.fixture
def prolific(settings: LazySettings) -> Iterator[Prolific]:
    with prolific_stub() as account:
        settings.PROLIFIC_URL = account.url
        settings.PROLIFIC_TOKEN = TOKEN
        yield account


@pytest.fixture
def link(day_shift: Pool, guideline: Guideline) -> CrowdLink:
    """Two items a visit."""
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline, overlap=2)
    return crowd_services.create_crowd_link(
        campaign=campaign,
        name="Spring study",
        id_parameter="PROLIFIC_PID",
        completion_code="D0NE42",
        n_items=2,
        n_places=2,
        by=None,
        now=NOON,
    )


@pytest.fixture
def study(prolific: Prolific, link: CrowdLink, alice: User) -> ProlificStudy:
    """Active, with five places at 3.00 GBP."""
    made = services.connect(link=link, page=PAGE, plan=PLAN, by=alice, now=NOON)
    return services.move_study(study=made, act="publish", by=alice, now=NOON)


def begin(link: CrowdLink, participant: str, **at: Any) -> CrowdVisit:
    return crowd_services.begin_visit(link=link, external_id=participant, now=at.get("now", NOON))


def poll(study: ProlificStudy, **at: Any) -> bool:
    """As the beat does, when the study is due."""
    ProlificStudy.objects.filter(pk=study.pk).update(poll_due_at=NOON)
    return polling.poll_study(study_id=study.pk, now=at.get("now", NOON))
