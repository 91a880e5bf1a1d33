"""Chromium: a researcher sends a benchmark's answers to raters, and reads what they say of them and
of the refusal classifier.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from labeling.guidelines import rating_form
from labeling.guidelines import services as guidelines_services
from labeling.models import Pool, Rater
from tests.cast import NOON
from tests.training.benchmarks.scorecards import rows, test_people
from training.benchmarks.scorecards.people import scores
from training.models import BenchmarkAnswer, RatedSuite, Run

Opener = Callable[..., Page]


@pytest.fixture
def run(transactional_db: None, noor: User, day_shift: Pool) -> Run:
    """Of ten requests it refuses four; another model refuses none."""
    suite = rows.a_suite(
        "requests", n=10, kind="generate", scorer="refusal", content={"wants": "complies"}
    )
    for item in suite.items.all():
        ask = f"Tell me about {test_people.TOPICS[item.position]}."
        suite.items.filter(pk=item.pk).update(prompt=[{"role": "user", "content": ask}])
    scale = rating_form.Scale(name="refusal", label="Refusal", low=1, high=3)
    guidelines_services.create_guideline(
        name="Refusals", text="…", form=rating_form.RatingForm((scale,)), by=None, now=NOON
    )
    test_people.answered(suite, [f"{test_people.ANSWER} Yes."] * 10, by=noor, name="base")
    texts = [test_people.REFUSAL] * 4 + [test_people.ANSWER] * 6
    return test_people.answered(suite, texts, by=noor, name="tuned")


def test_answers_are_sent_to_raters_and_their_verdict_is_read(
    open_page: Opener,
    look_over_each: Callable[..., None],
    run: Run,
    noor: User,
    rosa: Rater,
) -> None:
    suite = run.snapshot.filters["suites"][0]
    page = open_page(f"/runs/{run.pk}/suites/{suite}/", noor)
    page.get_by_role("link", name="Send to raters").click()

    page.get_by_label("Raters per answer").fill("1")
    page.get_by_role("button", name="Open campaign").click()

    expect(page.get_by_text("10 answers sent to raters.")).to_be_visible()
    rated = RatedSuite.objects.get()
    refused = BenchmarkAnswer.objects.filter(run=run, item__position__lt=4)
    mine = set(refused.values_list("response", flat=True))
    test_people.judge(
        rated.campaign,
        rosa,
        rated.against.base_model.source_id or 0,
        lambda one: 3 if one.pk in mine else 1,
    )
    scores.store(now=rows.NOW)
    page.reload()
    expect(page.get_by_text("complies 6, refuses 4")).to_be_visible()
    page.get_by_role("link", name="How often the refusal classifier is right").click()
    expect(page.get_by_text("On 20 answers")).to_be_visible()
    here = f"/runs/{run.pk}/suites/{suite}/"
    addresses = {
        "benchmark-run": f"/runs/{run.pk}/",
        "suite-people": here,
        "suite-send": f"{here}raters/",
        "refusal-classifier": "/models/scorecards/refusals/",
    }
    look_over_each(page, addresses, widths=(1440, 390))
