"""The named people, prompts and campaigns of the tests. conftest makes the fixtures available
everywhere.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from accounts.models import User
from accounts.people import services as people_services
from labeling.campaigns import services as campaigns_services
from labeling.guidelines import services as guidelines_services
from labeling.kinds.comparison import ComparisonSettings
from labeling.kinds.demonstration import DemonstrationSettings
from labeling.kinds.settings import CampaignSettings
from labeling.models import (
    Campaign,
    Guideline,
    Judgment,
    Pool,
    Prompt,
    Rater,
    Response,
    Slot,
    Source,
)
from labeling.people.accounts import services as accounts_services
from labeling.people.pools import services as pools_services
from tests.tooling.recordings import recorded

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
@recorded
def alice(db: None) -> User:
    """An admin."""
    return person_called("Alice", role="admin")


@pytest.fixture
@recorded
def noor(db: None) -> User:
    """A researcher."""
    return person_called("Noor", role="researcher")


def person_called(name: str, *, role: str) -> User:
    """Somebody who has ended the tour of the site, as most people have on most days."""
    email = f"{name.lower().replace(' ', '.')}@example.org"
    user = accounts_services.create_person(
        email=email, name=name, roles=[role], password=PASSWORD, by=None, now=NOON
    )
    people_services.end_tour(user=user, role=role)
    return user


@pytest.fixture
@recorded
def day_shift(db: None) -> Pool:
    return pools_services.create_pool(name="Day shift", by=None, now=NOON)


@recorded
def rater_called(name: str, *, pool: Pool) -> Rater:
    """A rater with a login who works in `pool`."""
    rater = person_called(name, role="rater").rater
    pools_services.add_raters(pool=pool, raters=[rater], by=None, now=NOON)
    return rater


@pytest.fixture
def rosa(day_shift: Pool) -> Rater:
    return rater_called("Rosa", pool=day_shift)


@pytest.fixture
def raul(day_shift: Pool) -> Rater:
    return rater_called("Raul", pool=day_shift)


@pytest.fixture
def rita(day_shift: Pool) -> Rater:
    return rater_called("Rita", pool=day_shift)


@pytest.fixture
@recorded
def guideline(db: None) -> Guideline:
    """Version 1 asks InstructGPT's questions."""
    return guidelines_services.create_guideline(
        name="Helpful answers", text="# Be helpful\n\nThen be honest.", by=None, now=NOON
    )


@recorded
def some_prompts(n: int, *, source_name: str = "the cast's prompts") -> list[Prompt]:
    source, _ = Source.objects.get_or_create(
        name=source_name, defaults={"kind": Source.Kind.IMPORT, "licence": "CC0-1.0"}
    )
    start = Prompt.objects.filter(source=source).count()
    return Prompt.objects.bulk_create(
        Prompt(
            messages=[
                {"role": "user", "content": f"Question {number}: what is {number} plus {number}?"}
            ],
            messages_sha256=f"{source_name}-{number}",
            source=source,
            licence="CC0-1.0",
            language="en",
            cluster=f"{source.pk}-{number}",
        )
        for number in range(start, start + n)
    )


def responses_to(prompts: list[Prompt], *, n: int, source_name: str = "a model") -> list[Response]:
    """`n` responses of one model to each of `prompts`."""
    source, _ = Source.objects.get_or_create(name=source_name, defaults={"kind": Source.Kind.MODEL})
    return Response.objects.bulk_create(
        Response(
            prompt=prompt,
            source=source,
            number=number,
            text=f"Answer {number} of {source_name} to prompt {prompt.pk}.",
        )
        for prompt in prompts
        for number in range(n)
    )


def settings_in(values: dict[str, Any], kind: type[CampaignSettings]) -> CampaignSettings:
    """Takes the settings of this kind out of `values`."""
    return kind(**{name: values.pop(name) for name in kind.names() if name in values})


@recorded
def open_demonstration_campaign(
    *, pool: Pool, guideline: Guideline, n_items: int = 5, **fields: Any
) -> Campaign:
    values: dict[str, Any] = {"name": "Write", "overlap": 1} | fields
    settings = settings_in(values, DemonstrationSettings)
    prompts = some_prompts(n_items)
    campaign = campaigns_services.create_campaign(
        settings=settings,
        pool=pool,
        guideline=guideline,
        prompts=prompts,
        by=None,
        now=NOON,
        **values,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOON)
    return campaign


@recorded
def open_comparison_campaign(
    *, pool: Pool, guideline: Guideline, n_items: int = 5, **fields: Any
) -> Campaign:
    values: dict[str, Any] = {
        "name": "Compare",
        "overlap": 3,
        "n_responses": 4,
    } | fields
    prompts = some_prompts(n_items)
    responses_to(prompts, n=int(str(values["n_responses"])))
    settings = settings_in(values, ComparisonSettings)
    campaign = campaigns_services.create_campaign(
        settings=settings,
        pool=pool,
        guideline=guideline,
        prompts=prompts,
        by=None,
        now=NOON,
        **values,
    )
    campaigns_services.open_campaign(campaign=campaign, by=None, now=NOON)
    return campaign


@pytest.fixture
def demonstration_campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open, 5 items, overlap 1."""
    return open_demonstration_campaign(pool=day_shift, guideline=guideline)


@pytest.fixture
def comparison_campaign(day_shift: Pool, guideline: Guideline) -> Campaign:
    """Open, 5 items of 4 responses, overlap 3."""
    return open_comparison_campaign(pool=day_shift, guideline=guideline)


def lease_of(work: Slot | Judgment | None) -> UUID:
    """The lease of a held slot, or of the answer submitted under it."""
    assert work is not None
    assert work.lease is not None
    return work.lease


def login_of(rater: Rater) -> User:
    """Of a rater who signs in with an account."""
    assert rater.user is not None
    return rater.user


@pytest.fixture
def signed_in() -> Callable[..., Client]:
    """signed_in(alice) and signed_in(rosa) are browsers with these people in front of them."""

    def client_of(person: User | Rater, **options: Any) -> Client:
        client = Client(**options)
        client.cookies = cookies_of(login_of(person) if isinstance(person, Rater) else person)
        return client

    return client_of


@recorded
def cookies_of(user: User) -> SimpleCookie:
    """Those of a browser in which `user` has signed in."""
    client = Client()
    client.force_login(user, backend="accounts.login.sessions.Backend")
    return client.cookies
