"""Every page with figures begins with a verdict: in the first 900 pixels of a wide window stand its
sentence, four figures at most and one primary button at most.
"""

from collections.abc import Callable

from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from labeling.models import Guideline, Pool, Rater
from labeling.quality import services as quality_services
from tests.cast import open_comparison_campaign, open_demonstration_campaign
from tests.labeling.campaigns.campaign_work import rank_next, write_next
from tests.labeling.desk.conversations.red_teaming.attacking import (
    agreed,
    attacked,
    open_red_teaming,
)
from tests.training import cast
from tests.training.benchmarks.scorecards import rows
from training.models import Curation

AT_THE_TOP = """(selector) => [...document.querySelectorAll(`main :is(${selector})`)].filter(el => {
  const box = el.getBoundingClientRect();
  return el.checkVisibility() && box.height > 0 && box.top + scrollY < 900;
}).map(el => el.innerText.trim())"""
FIGURES = ".fact-value, .headlines > div"


def _of_campaigns(
    by: User, pool: Pool, guideline: Guideline, rosa: Rater, raul: Rater
) -> list[str]:
    compared = open_comparison_campaign(pool=pool, guideline=guideline, n_items=2, overlap=2)
    written = open_demonstration_campaign(pool=pool, guideline=guideline, n_items=2)
    for rater in (rosa, rosa, raul, raul):
        rank_next(compared, rater, now=timezone.now())
    write_next(written, rosa, now=timezone.now())
    quality_services.compute_quality(campaign_id=compared.pk, now=timezone.now())
    red = open_red_teaming(pool=pool, guideline=guideline, by=by)
    attacked(red, agreed(rosa, "abuse"))
    firsts = [f"/campaigns/{campaign.pk}/" for campaign in (compared, written)]
    of_red = ["/red-teaming/", f"/red-teaming/?campaign={red.pk}"]
    return ["/quality/", *firsts, f"{firsts[0]}quality/", *of_red, "/operations/"]


def _of_training(by: User) -> list[str]:
    base, tuned, judge = rows.full_cards(by)
    run = cast.a_reward_run(by)
    return [
        f"/runs/{run.pk}/",
        f"/models/{run.trained_model.pk}/",
        f"/models/{tuned.pk}/",
        *(f"/models/{model.pk}/scorecard/" for model in (tuned, judge)),
        f"/models/scorecards/compare/?model={base.pk}&model={tuned.pk}",
        f"/curations/{a_preview(by).pk}/",
    ]


def a_preview(by: User) -> Curation:
    account = {
        "recipe": {"name": "light"},
        "fingerprint": "3fa1c0de",
        "read": 60,
        "kept": 46,
        "changed": 2,
        "removed": 12,
        "rules": {"length": {"removed": 9}, "language": {"removed": 3}},
    }
    return Curation.objects.create(
        name="web text",
        kind="text",
        filters={"recipe": "light"},
        recipe={"name": "light", "restored": []},
        folder="web-text",
        state=Curation.State.READY,
        account=account,
        created_by=by,
        created_at=timezone.now(),
    )


def test_the_top_of_each_page_with_figures_is_its_verdict(
    open_page: Callable[..., Page],
    screenshot: Callable[..., None],
    settled: Callable[[Page], None],
    alice: User,
    day_shift: Pool,
    guideline: Guideline,
    rosa: Rater,
    raul: Rater,
) -> None:
    User.objects.filter(pk=alice.pk).update(is_researcher=True)
    alice.refresh_from_db()
    pages = [*_of_campaigns(alice, day_shift, guideline, rosa, raul), *_of_training(alice)]
    page = open_page("/quality/", alice)

    wrong = {}
    for path in pages:
        page.goto(path)
        settled(page)
        name = path.strip("/").replace("/", "-").replace("?", "-")
        screenshot(page, f"verdict-{name}")
        sentences, figures, buttons = (
            page.evaluate(AT_THE_TOP, selector)
            for selector in (".verdict-sentence", FIGURES, '.button[data-kind="primary"]')
        )
        if len(sentences) != 1 or len(figures) > 4 or len(buttons) > 1:
            wrong[path] = (sentences, figures, buttons)

    assert wrong == {}
