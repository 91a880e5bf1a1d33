"""A step of chains that is not in the product: its declaration and its place in a template are all
that a chain, the form and the page need.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.html import text_of
from tests.training.schedules.chain_steps import again, run_ends, run_of
from training.configs.sft import SftConfig
from training.models import Chain, TrainedModel
from training.schedules.plans import chain_plans, steps
from training.schedules.plans.step import RunStep, Template

pytestmark = pytest.mark.django_db

TWICE = RunStep(
    "sft_twice",
    "fine-tuning once more",  # type: ignore[arg-type]  # nothing to translate
    SftConfig.kind,
    reads=steps.DEMONSTRATIONS,
    own_settings=lambda plan, config: {"n_epochs": config["n_epochs"] + plan.n_responses},
    fields=("n_responses",),
)


@pytest.fixture(autouse=True)
def _added(monkeypatch: pytest.MonkeyPatch) -> None:
    fine_tune: Any = chain_plans.TEMPLATES["fine-tune"]
    twice = Template(
        fine_tune.name, fine_tune.about, (*fine_tune.steps, TWICE), steps.DEMONSTRATIONS
    )
    monkeypatch.setitem(chain_plans.TEMPLATES, "twice", twice)
    monkeypatch.setitem(steps.STEPS, TWICE.name, TWICE)


def test_its_run_reads_what_the_steps_before_it_have_left(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    chain = begin("twice", configs={"sft": {"n_epochs": 2}}, n_responses=3)
    run_ends(chain, "sft")

    run, first = run_of(chain, "sft_twice"), run_of(chain, "sft")
    assert (run.kind, run.snapshot, run.config["n_epochs"]) == ("sft", first.snapshot, 5)
    assert run.base_model == TrainedModel.objects.get(run=first)
    run_ends(chain, "sft_twice")
    assert again(chain).state == "finished"


def test_it_can_wait_for_a_person(begin: Callable[..., Chain], demonstrated: None) -> None:
    chain = begin("twice", approvals=("sft_twice",))

    run_ends(chain, "sft")

    assert again(chain).state == "approval"


def test_the_form_offers_it_and_the_field_that_it_brings(
    signed_in: Callable[..., Client], noor: User, base_model: TrainedModel
) -> None:
    client = signed_in(noor)

    with_it = client.get("/schedules/new/twice/").context["form"]
    without = client.get("/schedules/new/fine-tune/").context["form"]

    assert ("sft_twice", "Fine-tuning once more") in with_it.fields["approvals"].choices
    assert "n_responses" in with_it.fields
    assert "n_responses" not in without.fields
    assert "fine-tuning once more" in text_of(client, "/schedules/new/twice/").lower()
