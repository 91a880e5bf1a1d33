"""A researcher clicks from a model back to a judgment in Chromium; every page on the way is
accessible and fits.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.models import Campaign, Judgment, Prompt, Rater, Response, Source
from tests.api.test_labeling import ranked
from tests.training import cast
from training.models import Run, Snapshot, TrainedModel
from training.runs import run_queue
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.snapshots import services as snapshots_services
from training.snapshots.services import Filters

Opener = Callable[..., Page]


@pytest.fixture
def judge(
    noor: User,
    rosa: Rater,
    raul: Rater,
    comparison_campaign: Campaign,
    settings: LazySettings,
    tmp_path: Path,
) -> TrainedModel:
    """A reward model that learned from six comparisons."""
    settings.SNAPSHOTS_DIR = tmp_path
    Prompt.objects.update(split="train")
    for response in Response.objects.all():
        response.text = (
            f"**Answer {response.number}.** The sun lights one half of the moon, and we see more or"
            " less of it. " * 3
        )
        response.save(update_fields=["text"])
    for rater in (rosa, raul):
        for _item in range(3):
            ranked(comparison_campaign, rater)
    base = cast.a_model(noor)
    TrainedModel.objects.filter(pk=base.pk).update(source=Source.objects.get(name="a model"))
    now = timezone.now()
    snapshot = snapshots_services.create_snapshot(
        kind="comparisons", name="Comparisons of November", filters=Filters(), by=noor, now=now
    )
    run = run_queue.queue_run(
        kind="reward", name="First", config={}, snapshot=snapshot, base_model=base, by=noor, now=now
    )
    runs_services.claim_run(run_id=run.pk, node="gpu-2", now=now)
    runs_services.finish_run(
        run_id=run.pk,
        attempt=1,
        result=AttemptResult(Run.Outcome.SUCCEEDED, model="/models/judge"),
        now=now,
    )
    return TrainedModel.objects.get(run=run)


def test_a_researcher_reaches_a_judgment_from_a_model(
    open_page: Opener, noor: User, judge: TrainedModel, comparison_campaign: Campaign
) -> None:
    page = open_page(f"/models/{judge.pk}/", noor)
    lineage = page.get_by_role("region", name="Lineage")

    lineage.get_by_role("link", name=comparison_campaign.name).click()
    expect(page.get_by_role("heading", name="What raters were asked")).to_be_visible()
    page.get_by_role("link", name="Rows of Comparisons of November").click()
    judgment = Judgment.of_people.earliest("pk")
    row = page.locator(f"#comparison-{judgment.pk}")
    expect(row.get_by_text("rank 1")).to_be_visible()
    row.get_by_role("link", name=f"prompt {judgment.prompt_id}").click()
    expect(page.get_by_role("heading", name="4 responses")).to_be_visible()
    page.get_by_role("link", name="SmolLM2-135M-Instruct").first.click()

    expect(page.get_by_role("heading", name="Derived from this")).to_be_visible()


def test_the_pages_behind_a_lineage_pass_axe_and_fit(
    open_page: Opener,
    noor: User,
    judge: TrainedModel,
    comparison_campaign: Campaign,
    look_over_each: Callable[..., None],
) -> None:
    paths = {
        "lineage-campaign": f"/lineage/campaigns/{comparison_campaign.pk}/",
        "lineage-prompt": f"/lineage/prompts/{Judgment.of_people.earliest('pk').prompt_id}/",
        "lineage-rows": f"/snapshots/{Snapshot.objects.get().pk}/rows/",
        "lineage-snapshot": f"/snapshots/{Snapshot.objects.get().pk}/",
        "lineage-model": f"/models/{judge.pk}/",
    }
    look_over_each(open_page("/runs/", noor), paths, widths=(1440, 360))
