"""What follows the training: a gate, a request to the admins, or nothing; and the templates that
learn from answers which people have given already.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import Notice, User
from labeling.models import Campaign, Guideline, Pool, Rater
from tests.cast import open_comparison_campaign
from tests.training.conftest import NOW
from tests.training.schedules.chain_steps import again, link, run_ends, run_of
from tests.training.schedules.steps.test_best_of_n import rank
from tests.training.schedules.test_chain_plans import answer
from tests.training.schedules.test_schedule_pages import form_data
from tests.training.snapshots.test_freezing import compare, on_split, rows
from training.models import Chain, Schedule, TrainedModel
from training.schedules import selectors as schedules_selectors
from training.schedules.plans.chain_plans import TEMPLATES, Plan

pytestmark = pytest.mark.django_db
GATED = [name for name, template in TEMPLATES.items() if template.has_gate]


def sampled(chain: Chain) -> Chain:
    """DPO has ended, and both models have answered the test prompts."""
    run_ends(chain, "dpo")
    drawn = link(chain, "held_out").snapshot
    assert drawn is not None
    prompts = list(drawn.drawn.values_list("prompt_id", flat=True))
    for step in ("sample", "sample_before"):
        answer(chain, step, prompts, n=1)
        run_ends(chain, step, responses=1)
    return again(chain)


@pytest.fixture
def compared(rosa: Rater) -> None:
    compare(on_split("train")[0], rosa, [1, 2])
    on_split("test", 2)


# --- what follows the training --------------------------------------------------------------------


@pytest.mark.parametrize("template", GATED)
def test_of_every_gated_template_the_ending_only_changes_what_follows_the_training(
    template: str,
) -> None:
    ends = {
        ending: [step.name for step in Plan(template, 1, ending=ending).shape.steps]
        for ending in ("compare", "request", "nothing")
    }

    trained = ends["nothing"]
    asks = {"held_out", "sample", "sample_before", "campaign", "gate", "request"}
    assert not asks & set(trained)
    assert ends["compare"][: len(trained)] == trained
    assert ends["request"][: len(trained)] == trained
    assert ends["compare"][-2:] == ["campaign", "gate"]
    assert ends["request"][-3:] == ["sample", "sample_before", "request"]


def test_a_plan_of_an_earlier_version_ends_with_its_gate() -> None:
    assert Plan.from_json({"template": "dpo", "base_model": 1}).shape.has_gate


def test_admins_are_asked_once_for_a_comparison_of_both_models(
    begin: Callable[..., Chain], compared: None, noor: User, alice: User, base_model: TrainedModel
) -> None:
    chain = sampled(begin("dpo", ending="request"))

    new = TrainedModel.objects.get(run=run_of(chain, "dpo"))
    base_model.refresh_from_db()
    asked = Notice.objects.get(person=alice)
    assert (chain.state, Campaign.objects.count()) == ("finished", 0)
    assert asked.sentence.startswith(f"{noor} asks for a blind comparison")
    assert asked.path == (
        f"/campaigns/new/?response_source={new.source_id}&response_source={base_model.source_id}"
    )


def test_without_an_admin_the_chain_says_that_nobody_can_be_asked(
    begin: Callable[..., Chain], compared: None
) -> None:
    chain = sampled(begin("dpo", ending="request"))

    assert (chain.state, chain.error) == (
        "failed",
        "Nobody here is an admin, so nobody can be asked.",
    )


def test_with_nothing_more_the_chain_ends_with_the_model(
    begin: Callable[..., Chain], compared: None
) -> None:
    chain = begin("dpo", ending="nothing")
    run_ends(chain, "dpo")

    assert (again(chain).state, chain.links.count()) == ("finished", 2)
    second = begin("dpo", ending="nothing")
    assert second.base_model == TrainedModel.objects.get(run=run_of(chain, "dpo"))


# --- the form -------------------------------------------------------------------------------------


def sent(noor_model: TrainedModel, **changes: Any) -> dict[str, Any]:
    own = {"base_model": noor_model.pk, "config_dpo": "preset:small", "n_responses": "4"}
    return form_data(config_sample="preset:small", overlap="2", **own) | changes


def test_only_a_chain_that_compares_needs_raters_and_a_guideline(
    signed_in: Callable[..., Client], noor: User, base_model: TrainedModel
) -> None:
    client = signed_in(noor)

    refused = client.post("/schedules/new/dpo/", sent(base_model, ending="compare"))
    assert set(refused.context["form"].errors) == {"pool", "guideline"}
    assert client.post("/schedules/new/dpo/", sent(base_model)).status_code == 422
    assert not Schedule.objects.exists()

    for ending in ("request", "nothing"):
        client.post("/schedules/new/dpo/", sent(base_model, ending=ending, name=ending))
        assert Schedule.objects.get(name=ending).plan["ending"] == ending


def test_a_link_fills_the_form_in_and_sending_it_is_no_conflict(
    signed_in: Callable[..., Client], noor: User, base_model: TrainedModel
) -> None:
    client = signed_in(noor)
    link_to = f"/schedules/new/dpo/?base_model={base_model.pk}&ending=nothing&goes_on=False"

    form = client.get(link_to).context["form"]

    assert (form["ending"].value(), form["goes_on"].value()) == ("nothing", False)
    digests = {one.shown_name: one._digest for one in form if one.is_checked}
    client.post("/schedules/new/dpo/", sent(base_model, ending="nothing") | digests)
    assert Schedule.objects.get().plan["ending"] == "nothing"


# --- templates that learn from what people have said ----------------------------------------------


def test_good_and_bad_responses_of_the_chosen_campaign_train_kto(
    begin: Callable[..., Chain],
    rosa: Rater,
    raul: Rater,
    day_shift: Pool,
    guideline: Guideline,
    settings: LazySettings,
) -> None:
    campaign = ranked_campaign(day_shift, guideline, rosa)
    compare(on_split("train")[0], raul, [1, 2])

    chain = begin("kto", ending="nothing", filters=chosen(campaign))

    run = run_of(chain, "kto")
    assert (run.kind, run.snapshot.kind) == ("kto", "unpaired")
    learned = rows(run.snapshot, settings)
    assert [row["label"] for row in learned] == [True, False] * 2
    assert schedules_selectors.n_new(schedule=_never_ran(chain)) == 2


def test_the_preferred_responses_of_the_chosen_campaign_train_the_model(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    settings: LazySettings,
) -> None:
    campaign = ranked_campaign(day_shift, guideline, rosa)
    ranked_campaign(day_shift, guideline, rosa, name="Another")

    chain = begin("preferred", ending="nothing", filters=chosen(campaign))

    run = run_of(chain, "sft_preferred")
    assert run.snapshot.filters["best_voted_in"] == [campaign.pk]
    assert len(rows(run.snapshot, settings)) == 2
    assert schedules_selectors.n_new(schedule=_never_ran(chain)) == 2


def test_without_a_choice_the_responses_preferred_in_any_campaign_are_learned_from(
    begin: Callable[..., Chain], rosa: Rater, day_shift: Pool, guideline: Guideline
) -> None:
    both = [ranked_campaign(day_shift, guideline, rosa, name=name) for name in ("One", "Two")]

    chain = begin("preferred", ending="nothing")

    filters = run_of(chain, "sft_preferred").snapshot.filters
    assert filters["best_voted_in"] == [campaign.pk for campaign in both]


def test_a_model_that_is_only_fine_tuned_is_compared_with_the_one_it_started_from(
    begin: Callable[..., Chain],
    demonstrated: None,
    day_shift: Pool,
    guideline: Guideline,
    base_model: TrainedModel,
) -> None:
    on_split("test", 2)
    chain = begin("fine-tune-gate", pool=day_shift.pk, guideline=guideline.pk, n_responses=2)
    run_ends(chain, "sft")
    answer(chain, "sample", list(_drawn(chain)), n=1)
    run_ends(chain, "sample", responses=1)

    assert run_of(chain, "sample").base_model == TrainedModel.objects.get(run=run_of(chain, "sft"))
    assert run_of(chain, "sample_before").base_model == base_model


def ranked_campaign(
    pool: Pool, guideline: Guideline, rater: Rater, name: str = "Compare"
) -> Campaign:
    campaign = open_comparison_campaign(
        pool=pool, guideline=guideline, n_items=2, n_responses=2, name=name
    )
    for item in campaign.items.select_related("prompt"):
        item.prompt.split = "train"
        item.prompt.save()
    rank(campaign, rater, "12")
    return campaign


def chosen(campaign: Campaign) -> dict[str, object]:
    return {"campaigns": [campaign.pk], "includes_imports": False}


def _never_ran(chain: Chain) -> Schedule:
    schedule = chain.schedule
    schedule.last_ran_at = None
    return schedule


def _drawn(chain: Chain) -> list[int]:
    snapshot = link(chain, "held_out").snapshot
    assert snapshot is not None
    assert snapshot.created_at >= NOW
    return list(snapshot.drawn.values_list("prompt_id", flat=True))
