"""The page that starts training on a campaign: what it fills in, what it refuses, and that two tabs
start one chain.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater
from tests.html import text_of
from tests.pages.stale.two_tabs import Tab
from training.configs import kinds
from training.models import Chain, Node, Run, Schedule, TrainedModel
from training.runs.estimates import costs
from training.schedules import chains as schedules_chains
from training.schedules.plans.chain_plans import Plan

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def both(noor: User) -> User:
    """A researcher who is an admin too."""
    User.objects.filter(pk=noor.pk).update(is_admin=True)
    return User.objects.get(pk=noor.pk)


def sent(client: Client, campaign: Campaign, **changes: Any) -> dict[str, Any]:
    """What a browser sends of the page as it is opened."""
    form = client.get(f"/train/{campaign.pk}/").context["form"]
    values = {one.name: one.value() for one in form if one.value() not in (None, False)}
    return values | changes


def plan_of(chain: Chain) -> Plan:
    return Plan.from_json(chain.plan)


# --- from answers to a chain ----------------------------------------------------------------------


def test_the_page_as_it_opens_starts_a_chain_on_this_campaign_that_ends_with_a_blind_comparison(
    signed_in: SignIn, both: User, comparisons: Campaign, ready: TrainedModel
) -> None:
    client = signed_in(both)

    response = client.post(f"/train/{comparisons.pk}/", sent(client, comparisons))

    chain = Chain.objects.get()
    plan = plan_of(chain)
    assert response.headers["Location"] == f"/chains/{chain.pk}/"
    assert (plan.template, plan.base_model, plan.ending) == ("dpo", ready.pk, "compare")
    assert plan.filters == {"campaigns": [comparisons.pk], "includes_imports": False}
    assert (plan.pool, plan.guideline) == (comparisons.pool_id, comparisons.guideline_id)
    assert plan.configs["dpo"] == kinds.as_json(kinds.PRESETS["dpo"]["small"])
    assert (plan.n_judged, plan.n_taught, plan.overlap) == (4, 0, 3)
    assert (chain.schedule.trigger, chain.schedule.due_at) == ("hand", None)
    assert chain.schedule.name == "Compare · DPO"


def test_repeating_is_one_switch_of_the_same_plan(
    signed_in: SignIn, both: User, comparisons: Campaign
) -> None:
    client = signed_in(both)
    client.post(f"/train/{comparisons.pk}/", sent(client, comparisons))
    client.post(f"/train/{comparisons.pk}/", sent(client, comparisons, repeats="on"))

    once, weekly = Schedule.objects.order_by("pk")
    assert once.plan == weekly.plan
    assert (weekly.trigger, weekly.cron, weekly.skips_nothing_new) == ("clock", "0 3 * * mon", True)
    assert weekly.due_at is not None
    assert weekly.due_at > timezone.now()
    assert (weekly.chains.count(), weekly.name) == (1, "Compare · DPO (2)")


@pytest.mark.parametrize(
    ("what", "steps"),
    [
        ("reward", ["comparisons", "reward"]),
        ("tuned", ["preferred", "sft_preferred"]),
        ("better", ["comparisons", "dpo"]),
    ],
)
def test_each_choice_trains_by_its_own_template(
    signed_in: SignIn, noor: User, comparisons: Campaign, what: str, steps: list[str]
) -> None:
    client = signed_in(noor)

    client.post(f"/train/{comparisons.pk}/", sent(client, comparisons, what=what, ending="nothing"))

    links = Chain.objects.get().links.order_by("position")
    assert list(links.values_list("step", flat=True)) == steps


def test_the_plan_is_the_one_that_the_long_form_makes_of_its_link(
    signed_in: SignIn, both: User, comparisons: Campaign
) -> None:
    client = signed_in(both)
    choices = sent(client, comparisons, what="tuned", length="balanced", repeats="on")
    link = client.post(f"/train/{comparisons.pk}/", choices | {"advanced": "1"}).headers["Location"]
    client.post(f"/train/{comparisons.pk}/", choices)
    assert not Schedule.objects.filter(name="long").exists()

    form = client.get(link).context["form"]
    values = {one.name: one.value() for one in form if one.value() not in (None, False, "")}
    client.post(urlsplit(link).path, values | {"name": "long"})

    short, long = (
        Schedule.objects.get(name__startswith="Compare"),
        Schedule.objects.get(name="long"),
    )
    assert short.plan == long.plan
    assert (short.trigger, short.cron) == (long.trigger, long.cron)
    assert parse_qs(urlsplit(link).query)["config_sft"] == ["preset:balanced"]


def test_a_researcher_who_is_no_admin_asks_the_admins(
    signed_in: SignIn, noor: User, alice: User, comparisons: Campaign
) -> None:
    client = signed_in(noor)
    page = text_of(client, f"/train/{comparisons.pk}/")
    assert "Ask the admins to have it compared" in page
    assert "Raters compare it with the current model, blind" not in page

    refused = client.post(f"/train/{comparisons.pk}/", sent(client, comparisons, ending="compare"))
    assert refused.status_code == 422
    client.post(f"/train/{comparisons.pk}/", sent(client, comparisons))

    assert plan_of(Chain.objects.get()).ending == "request"


# --- what it refuses ------------------------------------------------------------------------------


def refused(client: Client, campaign: Campaign, **changes: Any) -> dict[str, list[str]]:
    response = client.post(f"/train/{campaign.pk}/", sent(client, campaign, **changes))
    assert response.status_code == 422
    assert not Chain.objects.exists()
    return {
        name: list(map(str, errors)) for name, errors in response.context["form"].errors.items()
    }


def test_without_a_node_it_says_so_beside_the_length(
    signed_in: SignIn, both: User, comparisons: Campaign
) -> None:
    Node.objects.update(seen_at=timezone.now() - timedelta(hours=1))

    problems = refused(signed_in(both), comparisons)

    assert problems == {
        "length": ["No GPU worker has sent a heartbeat in the last minute. Start one to run this."]
    }


def test_a_model_whose_files_were_removed_since_is_refused_at_its_field(
    signed_in: SignIn, both: User, comparisons: Campaign, ready: TrainedModel
) -> None:
    client = signed_in(both)
    choices = sent(client, comparisons)
    TrainedModel.objects.filter(pk=ready.pk).update(freed_at=timezone.now())

    response = client.post(f"/train/{comparisons.pk}/", choices)

    errors = response.context["form"].errors
    assert "its weights were deleted" in str(errors["base_model"])
    page = text_of(client, f"/train/{comparisons.pk}/")
    assert "If there is none with weights, register one first." in page


def test_a_comparison_needs_a_pool_a_guideline_and_test_prompts(
    signed_in: SignIn, both: User, comparisons: Campaign
) -> None:
    client = signed_in(both)
    problems = refused(client, comparisons, pool="", guideline="")
    assert "An admin creates one." in problems["pool"][0]
    assert "An admin writes one." in problems["guideline"][0]

    choices = sent(client, comparisons)
    Prompt.objects.filter(split="test").update(split="validation")
    response = client.post(f"/train/{comparisons.pk}/", choices)
    assert "There are no test prompts" in str(response.context["form"].errors["ending"])


def test_what_was_withdrawn_since_is_refused_and_the_choices_stay(
    signed_in: SignIn, both: User, comparisons: Campaign, rosa: Rater
) -> None:
    client = signed_in(both)
    choices = sent(client, comparisons, length="thorough", repeats="on")
    Rater.everyone.filter(pk=rosa.pk).update(withdrawn_at=timezone.now())

    response = client.post(f"/train/{comparisons.pk}/", choices)

    form = response.context["form"]
    assert response.status_code == 422
    assert "no decided pairs" in str(form.errors["what"])
    assert (form["length"].value(), form["repeats"].value()) == ("thorough", True)
    assert not Chain.objects.exists()


def test_a_campaign_that_was_closed_meanwhile_still_trains(
    signed_in: SignIn, both: User, comparisons: Campaign
) -> None:
    client = signed_in(both)
    choices = sent(client, comparisons)
    Campaign.objects.filter(pk=comparisons.pk).update(state="closed")

    client.post(f"/train/{comparisons.pk}/", choices)

    assert Chain.objects.count() == 1


def test_two_tabs_start_one_chain_and_the_second_is_led_to_it(
    signed_in: SignIn, both: User, comparisons: Campaign
) -> None:
    client = signed_in(both)
    path = f"/train/{comparisons.pk}/"
    first, second = (Tab.opened(client, path, "train_on_campaign") for _tab in range(2))

    started, led_to = first.send({}), second.send({})

    chain = Chain.objects.get()
    assert Schedule.objects.count() == 1
    assert started.address.endswith(f"/chains/{chain.pk}/")
    assert led_to.address == started.address
    assert "Training on this campaign was started after you opened the page." in led_to.text
    Tab.opened(client, path, "train_on_campaign").send({})
    assert Chain.objects.count() == 2


# --- who, and the way there -----------------------------------------------------------------------


def test_only_researchers_are_led_there(
    signed_in: SignIn, both: User, alice: User, rosa: Rater, comparisons: Campaign
) -> None:
    for person in (alice, rosa):
        client = signed_in(person)  # type: ignore[arg-type]
        assert client.get("/train/").status_code == 403
        assert client.get(f"/train/{comparisons.pk}/").status_code == 403
    address = f'href="/train/{comparisons.pk}/"'
    assert address not in text_of(signed_in(alice), f"/campaigns/{comparisons.pk}/")

    client = signed_in(both)
    for path in (
        f"/campaigns/{comparisons.pk}/",
        f"/lineage/campaigns/{comparisons.pk}/",
        "/train/",
    ):
        assert address in text_of(client, path)
    assert 'href="/train/"' in text_of(client, "/runs/")


def test_a_campaign_that_is_not_there_is_not_found(signed_in: SignIn, noor: User) -> None:
    assert signed_in(noor).get("/train/99/").status_code == 404


# --- the plan -------------------------------------------------------------------------------------


def test_the_time_is_what_the_runs_form_says_of_the_snapshot_that_the_chain_creates(
    signed_in: SignIn,
    both: User,
    comparisons: Campaign,
    past_run: Callable[..., Run],
) -> None:
    for kind in ("dpo", "sample"):
        past_run(kind)
    client = signed_in(both)
    planned = client.get(f"/train/{comparisons.pk}/").context["planned"]
    client.post(f"/train/{comparisons.pk}/", sent(client, comparisons))
    chain = Chain.objects.get()
    schedules_chains.advance_chain(chain_id=chain.pk, now=timezone.now())

    run = Run.objects.get(link__chain=chain)
    config, _wrong = kinds.parse("dpo", run.config)
    assert config is not None
    known = costs.forecast(
        kind="dpo",
        config=config,
        snapshot=run.snapshot,
        base_model=run.base_model,
        now=timezone.now(),
    )
    by_step = {str(step.words): step for step in planned.steps}
    assert [pace.seconds for pace in by_step["DPO"].paces] == [pace.seconds for pace in known.paces]
    assert by_step["DPO"].memory_gb == known.cost.memory_gb
    assert run.estimate == known.cost.as_json()
    sampling = by_step["responses of the new model"].paces[0].seconds
    assert planned.seconds == {"Xeon": pytest.approx(known.paces[0].seconds + 2 * sampling)}


def test_a_device_that_has_not_done_every_kind_of_run_has_no_time_for_the_whole_plan(
    signed_in: SignIn, both: User, comparisons: Campaign, past_run: Callable[..., Run]
) -> None:
    past_run("dpo")
    past_run("dpo", device="H100")
    past_run("sample", device="H100")

    context = signed_in(both).get(f"/train/{comparisons.pk}/").context

    assert list(context["planned"].seconds) == ["H100"]


def test_only_nodes_with_the_memory_are_named_and_without_one_the_plan_says_what_to_do(
    signed_in: SignIn, both: User, comparisons: Campaign, node: Node
) -> None:
    client, path = signed_in(both), f"/train/{comparisons.pk}/"
    card = {"name": "small", "memory_gb": 0}
    Node.objects.create(name="gpu-0", seen_at=timezone.now(), gpus=[card], memory_gb=64, n_cores=2)

    assert "Online node: gpu-1." in text_of(client, path)
    assert client.get(path).context["planned"].memory_gb > 0.5
    Node.objects.filter(pk=node.pk).update(memory_gb=0)
    assert "GB of memory, and no online node has so much." in text_of(client, path)


def test_the_votes_are_those_that_the_campaign_would_ask_for(
    signed_in: SignIn, both: User, comparisons: Campaign
) -> None:
    planned = signed_in(both).get(f"/train/{comparisons.pk}/").context["planned"]

    votes = [step.votes for step in planned.steps if step.votes]
    assert [estimate.n_most for estimate in votes] == [4 * 3]


def test_other_choices_show_their_plan_without_starting_anything(
    signed_in: SignIn, both: User, comparisons: Campaign, ready: TrainedModel
) -> None:
    query = f"what=reward&length=small&ending=nothing&base_model={ready.pk}"

    response = signed_in(both).get(f"/train/{comparisons.pk}/?{query}")

    assert [str(step.words) for step in response.context["planned"].steps] == [
        "snapshot of comparisons",
        "reward model",
    ]
    assert not Schedule.objects.exists()


def test_demonstrations_are_compared_by_the_raters_and_guideline_of_the_newest_comparison(
    signed_in: SignIn,
    both: User,
    demonstrations: Campaign,
    comparisons: Campaign,
    night_shift: Pool,
    guideline: Guideline,
) -> None:
    Campaign.objects.filter(pk=comparisons.pk).update(pool=night_shift)

    form = signed_in(both).get(f"/train/{demonstrations.pk}/").context["form"]

    assert (form["pool"].value(), form["guideline"].value()) == (night_shift.pk, guideline.pk)


@pytest.fixture
def night_shift(day_shift: Pool) -> Pool:
    return Pool.objects.create(name="Night shift")


def test_a_campaign_on_which_nothing_can_be_trained_says_so_in_words(
    signed_in: SignIn, noor: User, comparison_campaign: Campaign, ready: TrainedModel
) -> None:
    text = text_of(signed_in(noor), f"/train/{comparison_campaign.pk}/")

    assert "Each choice that is not available says why." in text
    assert "This field is required." not in text
