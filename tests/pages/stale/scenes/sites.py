"""Sites on which something has happened whose buttons the usual one does not show."""

from django.utils import timezone

from accounts.models import Webhook
from accounts.webhooks import services as webhooks_services
from labeling.models import Campaign, Gold, Item, OnboardingStep, Pool, Rater, SetAside
from labeling.people.onboarding import services as onboarding_services
from labeling.people.withdrawals import withdrawal
from tests.pages.stale.scenes.cast import admin, researcher
from tests.pages.stale.walk import Scene, Stage, adds_to
from tests.training import cast
from training.management.commands import seed_demo
from training.models import Chain, Link, Node, Run, Schedule, Suite

SCENES: list[Scene] = []
scene = adds_to(SCENES)


@scene
def campaigns_of_every_state() -> Stage:
    writing, comparing, *_others = Campaign.objects.order_by("pk")
    Campaign.objects.filter(pk=writing.pk).update(state="paused")
    Campaign.objects.filter(pk=comparing.pk).update(state="closed", closed_at=timezone.now())
    return Stage(admin(), [f"/campaigns/{writing.pk}/", f"/campaigns/{comparing.pk}/reopen"])


@scene
def golds_and_raters_that_were_stopped() -> Stage:
    gold = Gold.objects.filter(retired_at=None).first()
    assert gold is not None
    Gold.objects.filter(pk=gold.pk).update(retired_at=timezone.now())
    campaign = Campaign.objects.get(name=seed_demo.COMPARING)
    return Stage(admin(), [f"/campaigns/{campaign.pk}/gold/"], is_one_act=True)


@scene
def an_item_to_compare_with_an_answer_set_aside() -> Stage:
    aside = SetAside.objects.select_related("judgment").first()
    assert aside is not None
    shown = aside.judgment
    compared = Item.objects.filter(campaign__kind="comparison", judgments__isnull=False).first()
    assert compared is not None
    return Stage(
        admin(),
        [
            f"/campaigns/{shown.campaign_id}/review/{shown.item_id}/",
            f"/campaigns/{compared.campaign_id}/review/{compared.pk}/",
        ],
        is_one_act=True,
    )


@scene
def webhooks_that_are_off_or_have_two_secrets() -> Stage:
    webhook = Webhook.objects.get()
    webhooks_services.rotate_secret(webhook=webhook, by=admin(), now=timezone.now())
    Webhook.objects.update(disabled_at=timezone.now())
    return Stage(admin(), [f"/webhooks/{webhook.pk}/"])


@scene
def a_paused_pool_with_two_steps() -> Stage:
    pool = OnboardingStep.objects.select_related("pool").filter(retired_at=None)[0].pool
    onboarding_services.add_step(
        pool=pool, kind="consent", title="Consent", text="Yes.", by=None, now=timezone.now()
    )
    Pool.objects.update(paused_at=timezone.now())
    pages = [f"/pools/{pool.pk}/onboarding/", f"/pools/{pool.pk}/"]
    return Stage(admin(), pages, is_one_act=True)


@scene
def somebody_who_has_withdrawn() -> Stage:
    rater = Rater.everyone.order_by("pk")[0]
    withdrawal.withdraw_rater(rater=rater, by=admin(), now=timezone.now())
    return Stage(admin(), [f"/raters/{rater.pk}/withdrawal/"])


@scene
def a_schedule_that_is_paused_and_suites_that_are_retired() -> Stage:
    Schedule.objects.update(paused_at=timezone.now())
    Suite.objects.update(retired_at=timezone.now())
    Node.objects.update(seen_at=timezone.now(), draining_since=timezone.now())
    return Stage(
        researcher(),
        [
            f"/schedules/{Schedule.objects.get().pk}/",
            f"/suites/{Suite.objects.all()[0].pk}/",
            "/nodes/",
        ],
    )


@scene
def a_schedule_without_a_chain_and_nodes_at_work() -> Stage:
    Chain.objects.update(state="done")
    Node.objects.update(seen_at=timezone.now())
    for name in ("One", "Two", "Three"):
        cast.a_run(researcher(), name=name)
    return Stage(researcher(), [f"/schedules/{Schedule.objects.get().pk}/", "/nodes/"])


@scene
def a_chain_that_waits_for_approval() -> Stage:
    chain = Chain.objects.all()[0]
    Chain.objects.update(state="approval")
    first = chain.links.order_by("position")[0]
    Link.objects.filter(pk=first.pk).update(state="approval", run=None)
    return Stage(researcher(), [f"/chains/{chain.pk}/"])


@scene
def a_chain_that_has_failed() -> Stage:
    chain = Chain.objects.all()[0]
    Chain.objects.update(state="failed", error="It failed.")
    first = chain.links.order_by("position")[0]
    Link.objects.filter(pk=first.pk).update(state="failed", run=None)
    return Stage(researcher(), [f"/chains/{chain.pk}/"])


@scene
def runs_that_have_ended() -> Stage:
    run = cast.finished(cast.a_run(researcher(), state="running", n_points=20), "succeeded")
    Run.objects.filter(pk=run.pk).update(finished_at=timezone.now())
    return Stage(researcher(), [f"/runs/{run.pk}/"])


@scene
def a_run_to_stop_at_once_and_one_whose_state_nobody_needs() -> Stage:
    running = cast.a_run(researcher(), state="running", n_points=2)
    failed = cast.finished(cast.a_run(researcher(), state="running", n_points=2), "failed", "NaN")
    Run.objects.filter(pk=failed.pk).update(finished_at=timezone.now(), attempt=1)
    return Stage(researcher(), [f"/runs/{running.pk}/kill", f"/runs/{failed.pk}/give-up"])
