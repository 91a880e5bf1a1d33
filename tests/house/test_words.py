"""No page shows the name of a column, a metric or a setting: people read words."""

import re
from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from config.roles import Role
from tests.html import words_of
from tests.training import cast
from tests.upgrades import pages
from training.configs import kinds
from training.models import Run, Snapshot, TrainedModel
from training.schedules.plans import chain_plans

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

IDENTIFIER = re.compile(r"(?<![\w/.@-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/.@-])")
# Code is code, and what a person wrote or a file is called may hold anything.
NO_WORDS = ("api", "help", "styleguide", "log", "archive")


@pytest.fixture
def site() -> None:
    """The demo, and a run of each kind that has something to show, in each state."""
    call_command("seed_demo", stdout=StringIO())
    sam = User.objects.get(email="researcher@demo.example")
    for kind in Snapshot.Kind.values:
        if kind != Snapshot.Kind.TEXT:
            cast.a_snapshot(sam, kind=kind, name=f"{kind} of November")
    cast.a_run(sam)
    cast.a_run(sam, state="running", n_points=120)
    cast.finished(cast.a_run(sam, state="running", n_points=20), "failed", "Memory ran out.")
    cast.a_reward_run(sam)
    cast.a_ppo_run(sam)
    cast.a_ppo_run(sam, is_measured=False, name="PPO 32", outcome="stopped", of_steps=900)
    cast.a_sampling_run(sam)


def paths(role: Role) -> Iterator[str]:
    for name in pages.names(role):
        if not any(word in name for word in NO_WORDS):
            yield from pages.addresses(name)
    if role == Role.RESEARCHER:
        yield from (f"/runs/new/{kind}/" for kind in kinds.KINDS)
        yield from (f"/runs/{run.pk}/" for run in Run.objects.all())
        yield from (f"/models/{model.pk}/" for model in TrainedModel.objects.all())
        yield from (f"/schedules/new/{name}/" for name in chain_plans.TEMPLATES)
        everything = "&".join(f"run={run.pk}" for run in Run.objects.all()[:6])
        yield f"/runs/compare/?{everything}"


@pytest.mark.parametrize("role", [Role.RATER, Role.ADMIN, Role.RESEARCHER])
def test_no_page_shows_an_internal_name(site: None, role: Role) -> None:
    client = Client(raise_request_exception=False)
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
    assert n_pages > 5
