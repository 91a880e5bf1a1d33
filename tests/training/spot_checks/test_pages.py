"""Spot checks in the form of a run, on its page and in the API."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from labeling.models import Guideline, Pool, Prompt, Rater
from tests.training.conftest import NOW
from tests.training.spot_checks.conftest import (
    N_PROMPTS,
    advance,
    campaign_of,
    check_of,
    judge,
    writes,
)
from training.configs import kinds
from training.models import Run, RunPoint, Snapshot, SpotCheck, TrainedModel
from training.results import curves
from training.spot_checks import chart, over_optimisation
from training.spot_checks.over_optimisation import Compared

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled_in(
    make_snapshot: Callable[..., Snapshot],
    base_model: TrainedModel,
    reward_model: TrainedModel,
    day_shift: Pool,
    guideline: Guideline,
) -> dict[str, object]:
    snapshot = make_snapshot("prompts")
    snapshot.card = {"splits": {"train": 100, "validation": 30, "test": 0}}
    snapshot.n_rows = 130
    snapshot.save()
    settings = {
        name: value
        for name, value in kinds.as_json(kinds.PRESETS["ppo"]["balanced"]).items()
        if value is not None and value is not False
    }
    return settings | {
        "name": "PPO",
        "snapshot": snapshot.pk,
        "base_model": base_model.pk,
        "reward_model": reward_model.pk,
        "spot_pool": day_shift.pk,
        "spot_guideline": guideline.pk,
        "n_spot_checks": 8,
    }


def test_the_form_says_how_many_answers_it_will_take(
    signed_in: Callable[..., Client], noor: User, filled_in: dict[str, object]
) -> None:
    """8 checks on each of the 30 validation prompts, though 40 pairs are wanted."""
    page = signed_in(noor).post(reverse("run_cost", args=["ppo"]), filled_in).content.decode()

    assert "Answers by raters" in page
    assert "<strong>240</strong>" in page


def test_the_form_starts_a_run_with_its_raters(
    signed_in: Callable[..., Client], noor: User, filled_in: dict[str, object], day_shift: Pool
) -> None:
    answer = signed_in(noor).post(reverse("run_new", args=["ppo"]), filled_in)

    assert answer.status_code == 302, answer.content.decode()[:3000]
    run = Run.objects.get()
    assert run.spot_pool == day_shift
    assert run.config["n_spot_checks"] == 8


@pytest.mark.parametrize("missing", ["spot_pool", "spot_guideline"])
def test_the_form_names_what_is_missing_and_opens_its_part(
    signed_in: Callable[..., Client], noor: User, filled_in: dict[str, object], missing: str
) -> None:
    answer = signed_in(noor).post(reverse("run_new", args=["ppo"]), filled_in | {missing: ""})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Spot checks need it." in page
    assert re.search(r"closed-group\" open>\s*<summary>Spot checks by raters", page)
    assert not Run.objects.exists()


def test_the_form_asks_first_how_often_raters_are_asked(
    signed_in: Callable[..., Client], noor: User, filled_in: dict[str, object]
) -> None:
    page = signed_in(noor).get(reverse("run_new", args=["ppo"])).content.decode()

    part = page.partition("<summary>Spot checks by raters")[2].partition("</details>")[0]
    assert re.findall(r'name="(\w+)"', part) == [
        "n_spot_checks",
        "spot_pool",
        "spot_guideline",
        "spot_pairs",
        "spot_waits",
        "spot_wait_h",
    ]
    assert 'Pairs per spot check <span class="unit">' not in part


def test_a_kind_without_spot_checks_does_not_offer_them(
    signed_in: Callable[..., Client],
    noor: User,
    filled_in: dict[str, object],
    make_snapshot: Callable[..., Snapshot],
) -> None:
    make_snapshot("demonstrations")

    page = signed_in(noor).get(reverse("run_new", args=["sft"])).content.decode()

    assert "Spot checks" not in page


def test_the_page_shows_each_check_and_links_its_campaign(
    signed_in: Callable[..., Client], noor: User, run: Run, prompts: list[Prompt], rosa: Rater
) -> None:
    writes(run, prompts, 0, 10, 20)
    advance()
    judge(campaign_of(run, 10), rosa, n=N_PROMPTS, likes_new=True)
    advance()

    client = signed_in(noor)
    page = client.get(reverse("run", args=[run.pk])).content.decode()

    assert "Raters keep step 10 so far." in page
    linked = reverse("lineage_campaign", args=[campaign_of(run, 10).pk])
    assert f'href="{linked}"' in page
    assert client.get(linked).status_code == 200
    assert "it is kept now" in page


def with_kl(run: Run, *steps: int) -> None:
    RunPoint.objects.bulk_create(
        RunPoint(run=run, attempt=1, step=step, at=NOW, values={"kl": (step / 10) ** 2})
        for step in steps
    )


def decided(run: Run, prompts: list[Prompt], *shares: float) -> None:
    """A check every ten steps, each against the one before it."""
    steps = [10 * number for number in range(len(shares) + 1)]
    writes(run, prompts[:1], *steps)
    for step, share in zip(steps[1:], shares, strict=True):
        SpotCheck.objects.filter(run=run, step=step).update(
            against=check_of(run, step - 10),
            share=share,
            low=share - 0.1,
            high=share + 0.1,
            n=40,
            is_better=share > 0.6,
            decided_at=NOW + timedelta(minutes=step),
        )


def test_the_chart_places_checks_by_drift_with_their_intervals(
    run: Run, prompts: list[Prompt]
) -> None:
    with_kl(run, 10, 20)
    decided(run, prompts, 0.7, 0.4)

    drawn = chart.chart(run=run, curves=curves.curves(run=run))

    assert drawn is not None
    assert drawn.title == "Raters keep step 10"
    assert [row[:2] for row in drawn.table.rows] == [("1", "0.7"), ("2", "0.4")]
    assert drawn.curves[0].path.count("M") == 2  # a whisker each
    assert "from 8 checkpoints with an interval; there are 2" in drawn.note


def test_the_peak_is_marked_from_eight_checkpoints(run: Run, prompts: list[Prompt]) -> None:
    with_kl(run, *range(10, 91, 10))
    decided(run, prompts, 0.9, 0.8, 0.65, 0.5, 0.4, 0.3, 0.22)
    seven = chart.chart(run=run, curves=curves.curves(run=run))
    SpotCheck.objects.filter(run=run).delete()
    decided(run, prompts, 0.9, 0.8, 0.65, 0.5, 0.4, 0.3, 0.22, 0.2)

    eight = chart.chart(run=run, curves=curves.curves(run=run))

    assert seven is not None
    assert "there are 7" in seven.note
    assert [curve.name for curve in seven.curves] == ["raters"]
    assert eight is not None
    assert "is highest at √KL" in eight.note
    assert [curve.name for curve in eight.curves] == ["raters", "fitted peak"]
    assert eight.table.columns == ("√KL", "raters")


@pytest.mark.parametrize("made_as", ["", Run.MadeAs.EXTENSION])
def test_the_curve_is_fitted_through_what_was_stored(
    run: Run, prompts: list[Prompt], made_as: str
) -> None:
    """An extension does not begin at its reference: its start is where KL was measured first."""
    run.made_as = made_as
    with_kl(run, *range(10, 91, 10))
    shares = (0.9, 0.8, 0.65, 0.5, 0.4, 0.3, 0.22, 0.2)
    decided(run, prompts, *shares)

    drawn = chart.chart(run=run, curves=curves.curves(run=run))

    variance = (0.1 / 1.959964) ** 2  # of an interval that reaches 0.1 to each side
    places = [1.0 if made_as else 0.0, *map(float, range(1, 9))]
    expected = over_optimisation.fitted(
        [
            Compared(d, against, share, variance)
            for (against, d), share in zip(pairwise(places), shares, strict=True)
        ]
    )
    assert drawn is not None
    assert expected is not None
    assert expected.peak is not None
    assert (
        f"√KL {expected.peak.d:.1f} (95 % interval {expected.peak.low:.1f}–{expected.peak.high:.1f}"
        in drawn.note
    )


def test_without_a_measured_kl_there_is_no_chart(run: Run, prompts: list[Prompt]) -> None:
    decided(run, prompts, 0.7)

    assert chart.chart(run=run, curves=curves.curves(run=run)) is None
