"""Revising answers by principles in Chromium: the guideline's principles, the form of a run, the
run that has ended, and the snapshot of its revisions.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.data.intake import NewResponse
from labeling.guidelines import constitution, rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Guideline, Pool, Rater
from tests.cast import some_prompts
from tests.labeling.campaigns.judging import judge_one
from tests.training import cast
from training.models import Run, Snapshot
from training.registry import services as registry_services
from training.runs import run_queue
from training.runs import services as runs_services
from training.snapshots import response_numbers

Opener = Callable[..., Page]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def guideline(noor: User) -> Guideline:
    form = rating_form.RatingForm(constitution.PRINCIPLES)
    return guidelines_services.create_guideline(
        name="Answering", text="Be kind.", form=form, by=noor, now=timezone.now()
    )


@pytest.fixture
def revised(noor: User, guideline: Guideline, settings: LazySettings, tmp_path: Path) -> Run:
    """A run that has ended: of thirty answers, every third was revised twice."""
    settings.SNAPSHOTS_DIR = tmp_path
    now = timezone.now()
    run = run_queue.queue_run(
        kind="revise",
        name="Revised in November",
        config={"constitution": guideline.versions.get().pk},
        snapshot=cast.a_snapshot(noor, "prompts", name="Prompts of November"),
        base_model=cast.a_model(noor),
        by=noor,
        now=now,
    )
    runs_services.claim_run(run_id=run.pk, node="gpu-2", now=now)
    first = response_numbers.response_number(run_id=run.pk, number=0)
    written = [
        NewResponse(
            prompt.pk,
            f"Answer {number} to {prompt.pk}.",
            first + number,
            {"round": number, "principle": "honest", "guideline": "Answering v1"},
            is_ended=True,
        )
        for place, prompt in enumerate(some_prompts(30))
        for number in range(1 if place % 3 else 3)
    ]
    registry_services.store_responses(run_id=run.pk, attempt=1, rows=written, now=now)
    metrics = {
        "n_prompts": 30,
        "n_responses": len(written),
        "n_revised": 10,
        "share_revised": 1 / 3,
        "n_same": 4,
        "n_empty": 0,
        "n_cut": 36,
        "mean_tokens": 81.5,
        "seconds": 312.0,
    }
    runs_services.finish_run(
        run_id=run.pk,
        attempt=1,
        result=runs_services.AttemptResult(Run.Outcome.SUCCEEDED, metrics=metrics, n_steps=2),
        now=now,
    )
    return run


@pytest.mark.parametrize("width", [1440, 390])
def test_one_press_adds_the_principles_to_a_guideline(
    width: int, alice: User, open_page: Opener, look_over: Callable[..., None]
) -> None:
    page = open_page("/guidelines/new/", alice, width=width)
    page.locator("#id_name").fill("Kind answers")
    page.locator("#id_text").fill("Be kind.")

    page.get_by_role("button", name="Add principles").click()

    expect(page.locator("#questions summary [data-label]").last).to_have_text("Clear")
    expect(page.locator("#id_text")).to_have_value("Be kind.")
    page.locator("#questions summary").last.click()
    last = page.locator(".question").last
    expect(last.get_by_label("Principle")).to_be_checked()
    look_over(page, f"principles-{width}")

    page.get_by_role("button", name="Create guideline").click()
    expect(page.get_by_role("heading", name="Kind answers")).to_be_visible()
    look_over(page, f"principles-version-{width}")
    form = rating_form.parse(Guideline.objects.get().versions.get().form)
    assert form.principles == constitution.PRINCIPLES


@pytest.mark.parametrize("width", [1440, 390])
def test_a_researcher_goes_from_the_form_of_a_run_to_the_snapshot_of_its_revisions(
    width: int, revised: Run, noor: User, open_page: Opener, look_over: Callable[..., None]
) -> None:
    page = open_page("/runs/new/revise/", noor, width=width)
    expect(page.locator("#id_constitution option:checked")).to_have_text("Answering v1")
    look_over(page, f"revise-form-{width}")

    page.goto(f"/runs/{revised.pk}/")
    look_over(page, f"revise-run-{width}")
    page.get_by_role("link", name="Train on the revisions").click()
    expect(page.get_by_label("Revised in November")).to_be_checked()
    look_over(page, f"revise-snapshot-form-{width}")
    page.locator("#id_name").fill("Revisions of November")
    page.get_by_role("button", name="Create snapshot").click()

    expect(page.get_by_text("Revised in November (Answering v1)")).to_be_visible()
    look_over(page, f"revise-snapshot-{width}")
    assert Snapshot.objects.get(name="Revisions of November").n_rows == 10


@pytest.mark.parametrize("width", [1440, 390])
def test_a_researcher_has_revisions_compared_and_reads_what_people_say(
    width: int,
    revised: Run,
    noor: User,
    day_shift: Pool,
    rosa: Rater,
    open_page: Opener,
    look_over: Callable[..., None],
) -> None:
    guidelines_services.create_guideline(
        name="Comparing", text="Which is better?", by=noor, now=timezone.now()
    )
    page = open_page(f"/runs/{revised.pk}/", noor, width=width)
    page.get_by_role("link", name="Have revisions compared, blind").click()
    page.get_by_label("Guideline").select_option(label="Comparing")
    look_over(page, f"revisions-ask-{width}")
    page.get_by_role("button", name="Open campaign").click()

    card = page.locator("#revisions-by-raters")
    expect(card).to_contain_text("Raters compare 10 revisions with the answers before them, blind.")
    campaign = Campaign.objects.get()
    newest = response_numbers.response_number(run_id=revised.pk, number=2)
    for place in range(10):
        judge_one(campaign, rosa, number=newest if place else None, now=timezone.now())
    page.reload()

    expect(card).to_contain_text("People preferred the revision in 95 %")
    expect(card).to_contain_text("The revisions are better.")
    expect(card).to_contain_text("Too few to tell: about ")
    look_over(page, f"revisions-run-{width}")
