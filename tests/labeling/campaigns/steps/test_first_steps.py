"""What an admin is led to on an empty site, and what it costs later."""

import pytest
from pytest_django import DjangoAssertNumQueries

from labeling.campaigns.forms import CampaignForm
from labeling.campaigns.pages.first_steps import first_steps
from labeling.models import Campaign, Guideline, Pool, Rater
from tests.cast import NOON, some_prompts

pytestmark = pytest.mark.django_db


def done() -> list[bool]:
    return [step.is_done for step in first_steps()]


def next_label() -> str:
    return next(step.label for step in first_steps() if step.is_next)


def test_the_first_step_that_is_missing_is_the_next() -> None:
    assert done() == [False] * 6
    assert next_label() == "Write a guideline"


def test_a_step_that_was_done_out_of_order_counts(guideline: Guideline, rosa: Rater) -> None:
    some_prompts(1)

    assert done() == [True, True, True, True, False, False]
    assert next_label() == "Create a campaign"


def test_a_site_in_use_is_asked_one_question(
    demonstration_campaign: Campaign, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Campaign.objects.update(opened_at=NOON)

    with django_assert_num_queries(1):
        assert first_steps() == []


@pytest.mark.parametrize(("kind", "overlap"), [("comparison", 3), ("demonstration", 1)])
def test_an_overlap_that_is_left_empty_lets_agreement_be_measured(
    kind: str, overlap: int, day_shift: Pool, guideline: Guideline
) -> None:
    form = CampaignForm({"kind": kind, "overlap": ""})

    form.is_valid()

    assert "overlap" not in form.errors
    assert form.cleaned_data["overlap"] == overlap


def test_the_only_pool_and_guideline_are_chosen(day_shift: Pool, guideline: Guideline) -> None:
    form = CampaignForm()

    assert (form["pool"].initial, form["guideline"].initial) == (day_shift, guideline)
