"""A page with figures begins with its verdict, with one primary button at most in its head."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Rater
from labeling.quality import services as quality_services
from tests.cast import open_comparison_campaign, open_demonstration_campaign
from tests.labeling.campaigns.campaign_work import rank_next, write_next
from tests.training import cast
from tests.training.benchmarks.scorecards import rows

HEAD_ENDS = ('class="card', 'class="split"', 'class="run-grid"', 'class="tabs"')
PRIMARY = 'data-kind="primary"'


def head_of(page: str) -> str:
    """From the title of the page to its first card, with the verdict."""
    main = page[page.index('class="page-header"') :]
    after = main.index('class="verdict"') if 'class="verdict"' in main else 0
    ends = [found for mark in HEAD_ENDS if (found := main.find(mark, after)) != -1]
    return main[: min(ends)]


def _of_a_run(by: User) -> list[str]:
    run, other = cast.a_reward_run(by), cast.a_reward_run(by, name="Reward of December")
    compared = f"/runs/compare/?run={run.pk}&run={other.pk}"
    return [f"/runs/{run.pk}/", f"/models/{run.trained_model.pk}/", compared]


def _of_models(by: User) -> list[str]:
    base, tuned, judge = rows.full_cards(by)
    cards = [f"/models/{model.pk}/scorecard/" for model in (tuned, judge)]
    return [
        *cards,
        "/models/scorecards/",
        f"/models/{tuned.pk}/",
        f"/models/scorecards/compare/?model={base.pk}&model={tuned.pk}",
    ]


def check(pages: list[str], by: User) -> None:
    User.objects.filter(pk=by.pk).update(is_admin=True, is_researcher=True)
    client = Client()
    client.force_login(User.objects.get(pk=by.pk), backend="accounts.login.sessions.Backend")
    for path in pages:
        page = client.get(path).content.decode()
        assert 'class="verdict-sentence"' in page, path
        assert head_of(page).count(PRIMARY) <= 1, path


@pytest.mark.django_db
@pytest.mark.parametrize("pages_of", [_of_a_run, _of_models])
def test_each_page_of_runs_and_models_has_a_verdict_and_one_primary_button_at_most(
    pages_of: Callable[[User], list[str]], noor: User
) -> None:
    check(pages_of(noor), noor)


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["open", "paused", "closed"])
def test_each_page_of_campaigns_has_a_verdict_and_one_primary_button_at_most(
    state: str, alice: User, day_shift: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> None:
    compared = open_comparison_campaign(pool=day_shift, guideline=guideline, n_items=2, overlap=2)
    written = open_demonstration_campaign(pool=day_shift, guideline=guideline, n_items=2)
    for rater in (rosa, rosa, raul, raul):
        rank_next(compared, rater, now=timezone.now())
    write_next(written, rosa, now=timezone.now())
    quality_services.compute_quality(campaign_id=compared.pk, now=timezone.now())
    Campaign.objects.update(state=state)
    firsts = [f"/campaigns/{campaign.pk}/" for campaign in (compared, written)]

    check(["/quality/", *firsts, f"{firsts[0]}quality/"], alice)
