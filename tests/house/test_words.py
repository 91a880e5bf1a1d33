"""No page shows the name of a column, a metric or a setting: people read words."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from config.roles import Role
from labeling.models import Pool
from tests.html import words_of
from tests.pages.stale.scenes.training import curated, started
from tests.training import cast
from tests.training.benchmarks.attacks import rows as attack_rows
from tests.training.snapshots.test_rule_ratings import rule_of, web_pages
from tests.upgrades import pages
from training.configs import kinds
from training.models import Curation, Run, Snapshot, SuiteScore, TrainedModel
from training.schedules.plans import chain_plans
from training.snapshots.curation import ratings, recipes, rule_words

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

IDENTIFIER = re.compile(r"(?<![\w/.@-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/.@-])")
KEY = re.compile(
    r"(?<![\w/.@-])(?:"
    + "|".join(re.escape(key) for key in rule_words.PARTS)
    + r"|[a-z]+(?:_[a-z]+)*\.[a-z0-9]+(?:_[a-z0-9]+)+)(?![\w/@-])"
)
"""A rule of curation, or another key of parts, such as repetition.5_grams"""
HASH_AS_TITLE = re.compile(r"<(?:h[1-6]|th)\b[^>]*>\s*(?:<[^>]*>\s*)*([0-9a-f]{12,})\b")
# Code is code, and what a person wrote or a file is called may hold anything.
NO_WORDS = ("api", "help", "styleguide", "log", "archive")


@pytest.fixture
def site(settings: LazySettings, tmp_path: Path) -> None:
    """The demo, and a run of each kind that has something to show, in each state."""
    settings.SNAPSHOTS_DIR, settings.UPLOADS_DIR = tmp_path / "snapshots", tmp_path / "uploads"
    settings.SNAPSHOTS_DIR.mkdir()
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
    curated(makes_snapshot=False)
    curated(makes_snapshot=True)
    preview = started(*web_pages(), recipe="text", makes_snapshot=False)
    ratings.send_to_raters(
        curation=preview,
        rule=rule_of(preview),
        pool=Pool.objects.order_by("pk")[0],
        n=3,
        by=sam,
        now=timezone.now(),
    )
    goals = attack_rows.goals()
    attack_rows.attacked(goals, sam, attack_rows.lines(goals, attack_rows.a_third))


def paths(role: Role) -> Iterator[str]:
    for name in pages.names(role):
        if not any(word in name for word in NO_WORDS):
            yield from pages.addresses(name)
    if role == Role.RESEARCHER:
        yield from (f"/runs/new/{kind}/" for kind in kinds.KINDS)
        yield from (f"/runs/{run.pk}/" for run in Run.objects.all())
        yield from (f"/models/{model.pk}/" for model in TrainedModel.objects.all())
        yield from (f"/schedules/new/{name}/" for name in chain_plans.TEMPLATES)
        for curation in Curation.objects.all():
            yield f"/curations/{curation.pk}/"
            yield f"/curations/{curation.pk}/rate/?rule=repetition.top_2_gram"
        for snapshot in Snapshot.objects.filter(curations__isnull=False):
            yield f"/snapshots/{snapshot.pk}/ledger/"
        yield from (f"/recipes/{name}/" for name in recipes.NAMES)
        for score in SuiteScore.objects.filter(run__kind="attack"):
            yield f"/runs/{score.run_id}/suites/{score.suite_id}/"
            yield f"/runs/{score.run_id}/suites/{score.suite_id}/raters/"
            yield f"/runs/{score.run_id}/attacks/"
            yield f"/runs/{score.run_id}/attacks/raters/"
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
            content = answer.content.decode()
            found |= {f"{path}: {one}" for one in HASH_AS_TITLE.findall(content)}
            for text in words_of(content):
                found |= {f"{path}: {one}" for one in IDENTIFIER.findall(text)}
                found |= {f"{path}: {one}" for one in KEY.findall(text)}

    assert sorted(found) == []
    assert n_pages > 5
