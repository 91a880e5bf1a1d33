"""A chain advances link by link, each once; it is approved, stopped by a failure, resumed, or
stopped for good.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils.formats import date_format

from accounts.models import Notice, User
from labeling.models import Guideline, Pool, Rater
from tests.training.conftest import NOW
from tests.training.runs.processes import processes, until
from tests.training.schedules.chain_steps import again, link, run_ends, run_of
from tests.training.snapshots.test_freezing import compare, demonstrate, on_split
from training.models import Chain, Link, Run, Schedule, TrainedModel
from training.runs import lost_runs
from training.runs import services as runs_services
from training.runs.services import AttemptResult
from training.schedules import chains as schedules_chains
from training.schedules import services as schedules_services
from training.schedules import tasks as schedules_tasks
from training.schedules.chains import UnableToResume
from training.schedules.plans import carry_out, steps
from training.schedules.plans.chain_plans import Plan
from training.schedules.plans.step import RunStep
from training.schedules.services import Terms
from training.storage import artifacts

pytestmark = pytest.mark.django_db


def states(chain: Chain) -> list[str]:
    return list(chain.links.order_by("position").values_list("state", flat=True))


def test_a_chain_cuts_a_snapshot_and_queues_its_run_on_it(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    chain = begin(n_gpus=1, memory_gb=40)

    run = run_of(chain, "sft")
    assert (run.state, run.snapshot) == ("queued", link(chain, "demonstrations").snapshot)
    assert (run.n_gpus, run.memory_gb) == (1, 40)
    assert states(chain) == ["done", "working"]


@pytest.mark.usefixtures("demonstrated")
def test_what_a_chain_makes_is_named_by_the_words_of_its_step(begin: Callable[..., Chain]) -> None:
    chain = begin()

    snapshot = link(chain, "demonstrations").snapshot
    assert snapshot is not None
    assert snapshot.name == "Weekly 1 · snapshot of demonstrations"
    assert run_of(chain, "sft").name == "Weekly 1 · fine-tuning"


def test_advancing_twice_does_each_thing_once(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    chain = begin()

    schedules_tasks.advance_chain(chain_id=chain.pk)
    schedules_tasks.advance_chain(chain_id=chain.pk)

    assert (Run.objects.count(), chain.links.filter(snapshot__isnull=False).count()) == (1, 1)


def test_a_chain_ends_with_its_last_run_and_says_so(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    chain = begin()

    run_ends(chain, "sft")

    assert again(chain).state == "finished"
    assert [notice.kind for notice in Notice.objects.filter(person=noor)] == ["finished"]


def test_nothing_to_learn_from_stops_the_chain_with_the_reason(
    begin: Callable[..., Chain], noor: User
) -> None:
    chain = begin()

    assert chain.state == "failed"
    assert "There are no demonstrations to learn from." in chain.error
    assert Notice.objects.get(person=noor).kind == "nothing"


def test_a_failed_run_stops_the_chain_and_resuming_tries_that_run_again(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    chain = begin()

    run_ends(chain, "sft", "failed", "The loss became NaN.")
    assert (again(chain).state, states(chain)) == ("failed", ["done", "failed"])
    assert "The loss became NaN." in chain.error
    schedules_chains.resume_chain(chain=chain, by=noor, now=NOW)
    assert (again(chain).state, states(chain), Run.objects.get().state) == (
        "going",
        ["done", "working"],
        "queued",
    )
    run_ends(chain, "sft")

    assert again(chain).state == "finished"


def test_a_lost_run_is_told_as_lost(
    begin: Callable[..., Chain], demonstrated: None, noor: User, settings: LazySettings
) -> None:
    chain = begin()
    run = run_of(chain, "sft")

    for attempt in range(1, 4):
        runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
        lost_runs.give_up_attempt(
            run_id=run.pk, attempt=attempt, reason="The worker on gpu-1 disappeared.", now=NOW
        )
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert [notice.kind for notice in Notice.objects.filter(person=noor)] == ["lost"]


def test_resuming_after_judgments_came_cuts_the_snapshot_that_could_not_be_cut(
    begin: Callable[..., Chain], rosa: Rater, noor: User
) -> None:
    chain = begin()
    demonstrate(on_split("train")[0], rosa)

    schedules_chains.resume_chain(chain=chain, by=noor, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert states(chain) == ["done", "working"]


def test_only_a_failed_chain_can_be_resumed(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    with pytest.raises(UnableToResume):
        schedules_chains.resume_chain(chain=begin(), by=noor, now=NOW)


def test_a_step_that_wants_approval_waits_for_a_person_and_tells_them(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    chain = begin(approvals=("sft",))

    assert (chain.state, states(chain)) == ("approval", ["done", "approval"])
    assert not Run.objects.exists()
    assert Notice.objects.get(person=noor).kind == "approval"
    assert schedules_chains.approve_link(chain=chain, by=noor, now=NOW)
    assert not schedules_chains.approve_link(chain=chain, by=noor, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert (link(chain, "sft").approved_by, states(chain)) == (noor, ["done", "working"])


def test_a_chain_that_is_stopped_stops_its_run(
    begin: Callable[..., Chain], demonstrated: None, noor: User
) -> None:
    chain = begin()

    assert schedules_chains.stop_chain(chain=chain, by=noor, now=NOW)

    assert (again(chain).state, Run.objects.get().outcome) == ("stopped", "stopped")


def test_a_snapshot_whose_worker_went_away_is_cut_by_another_after_a_while(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    chain = begin()
    Run.objects.all().update(state="finished", outcome="stopped")
    chain.links.filter(step="sft").update(state="waiting", run=None)
    chain.links.filter(step="demonstrations").update(state="working", snapshot=None, claimed_at=NOW)

    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW + timedelta(minutes=5))
    assert states(chain) == ["working", "waiting"]
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW + timedelta(hours=3))

    assert states(chain) == ["done", "working"]


@pytest.mark.parametrize("template", ["dpo", "rloo"])
def test_a_failed_link_of_a_new_kind_stops_the_chain_says_so_and_is_resumed(
    begin: Callable[..., Chain],
    rosa: Rater,
    day_shift: Pool,
    guideline: Guideline,
    noor: User,
    template: str,
) -> None:
    compare(on_split("train")[0], rosa, [1, 2])
    on_split("test", 1)
    chain = begin(template, pool=day_shift.pk, guideline=guideline.pk)
    if template == "rloo":
        run_ends(chain, "reward")

    run_ends(chain, template, "failed", "The loss became NaN.")
    assert (again(chain).state, link(chain, template).state) == ("failed", "failed")
    assert "The loss became NaN." in chain.error
    schedules_chains.resume_chain(chain=chain, by=noor, now=NOW)
    run_ends(chain, template)

    assert link(chain, template).state == "done"


@pytest.mark.parametrize(("how", "is_same_run"), [({}, True), ({"anew": "1"}, False)])
def test_a_chain_goes_on_with_the_model_that_a_stopped_run_has_saved_or_begins_the_step_anew(
    begin: Callable[..., Chain],
    demonstrated: None,
    signed_in: Callable[..., Client],
    noor: User,
    how: dict[str, str],
    is_same_run: bool,
) -> None:
    chain, client = begin(), signed_in(noor)
    run = run_of(chain, "sft")
    claimed = runs_services.claim_run(run_id=run.pk, node="gpu-1", now=NOW)
    assert claimed is not None
    ending = AttemptResult(Run.Outcome.STOPPED, model="/models/stopped")
    runs_services.finish_run(run_id=run.pk, attempt=claimed.attempt, result=ending, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
    saved = TrainedModel.objects.get(run=run)
    page = client.get(f"/chains/{chain.pk}/").content.decode()
    assert f"saved “{saved}”. Continue with that model" in again(chain).error
    assert (f"Continue with {saved}" in page, "Restart this step" in page) == (True, True)

    client.post(f"/chains/{chain.pk}/resume", how)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)

    assert (run_of(chain, "sft") == run) == is_same_run
    assert again(chain).state == ("finished" if is_same_run else "going")


def test_a_disk_that_is_full_stops_the_chain_with_a_sentence_and_leaves_no_half_a_folder(
    begin: Callable[..., Chain],
    demonstrated: None,
    noor: User,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(artifacts, "store_snapshot", full)
        chain = begin()

    assert (chain.state, states(chain)) == ("failed", ["failed", "waiting"])
    assert "disk for snapshots is full" in chain.error
    assert (Notice.objects.get(person=noor).kind, list(settings.SNAPSHOTS_DIR.iterdir())) == (
        "failed",
        [],
    )
    schedules_chains.resume_chain(chain=chain, by=noor, now=NOW)
    schedules_chains.advance_chain(chain_id=chain.pk, now=NOW)
    assert states(chain) == ["done", "working"]


def test_a_chain_goes_on_from_no_model_that_was_retired(
    begin: Callable[..., Chain], demonstrated: None
) -> None:
    for _time in range(2):
        chain = begin()
        run_ends(chain, "sft")
    older, newest = TrainedModel.objects.filter(run__isnull=False).order_by("pk")
    TrainedModel.objects.filter(pk=newest.pk).update(stage="retired")

    assert begin().base_model == older


def test_a_chain_whose_model_was_retired_stops_with_a_sentence(
    begin: Callable[..., Chain], demonstrated: None, base_model: TrainedModel
) -> None:
    TrainedModel.objects.filter(pk=base_model.pk).update(stage="retired")

    chain = begin()

    assert (chain.state, Run.objects.count()) == ("failed", 0)
    assert "“base” is retired." in chain.error


def test_a_campaign_that_nobody_could_work_on_stops_the_chain_with_a_sentence(
    begin: Callable[..., Chain], demonstrated: None, day_shift: Pool
) -> None:
    on_split("train", 2)
    chain = begin("fine-tune-compare", pool=day_shift.pk, guideline=None)
    run_ends(chain, "sft")
    run_ends(chain, "sample", responses=1)

    assert (again(chain).state, states(chain)[-1]) == ("failed", "failed")
    assert "no pool or no guideline" in chain.error


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_chain_that_is_stopped_while_it_queues_a_run_leaves_none_that_waits(
    begin: Callable[..., Chain], demonstrated: None, noor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = carry_out.queue_run
    stoppers = []

    def late(step: RunStep, chain: Chain, link: Link, now: datetime) -> bool:
        def stop() -> None:
            schedules_chains.stop_chain(chain=Chain.objects.get(pk=chain.pk), by=noor, now=NOW)
            connection.close()

        stoppers.append(threading.Thread(target=stop))
        stoppers[0].start()
        stoppers[0].join(timeout=1)
        return really(step, chain, link, now)

    monkeypatch.setattr(carry_out, "queue_run", late)

    chain = begin()
    stoppers[0].join()

    assert again(chain).state == "stopped"
    assert [run.outcome for run in Run.objects.all()] == ["stopped"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_real_workers_take_a_chain_from_its_first_link_to_its_notice(
    tmp_path: Path, stand_in: None, noor: User, base_model: TrainedModel, demonstrated: None
) -> None:
    plan, terms = (
        Plan("fine-tune", base_model=base_model.pk),
        Terms(trigger="hand", time_zone="UTC"),
    )
    schedule = schedules_services.create_schedule(
        name="Weekly", plan=plan, terms=terms, by=noor, now=NOW
    )
    chain = schedules_services.fire_now(schedule=schedule, by=noor, now=NOW)

    with processes(tmp_path) as site:
        site.start_broker()
        site.start_short_worker()
        site.start_worker("gpu-1", node="gpu-1")
        site.advance(chain.pk)
        until(lambda: again(chain).state != "going", "the end of the chain")

    assert (chain.state, chain.error) == ("finished", "")
    assert run_of(chain, "sft").node == "gpu-1"
    assert Notice.objects.get(person=noor).kind == "finished"


def test_a_campaign_of_a_schedule_with_a_long_name_says_what_it_is_and_since_when(
    begin: Callable[..., Chain],
) -> None:
    chain = begin()
    Schedule.objects.update(name="A line of models " * 8)
    chain = Chain.objects.select_related("schedule").get(pk=chain.pk)

    name = carry_out.campaign_name(chain, steps.RANKING, NOW)

    assert name.startswith("A line of models A line")
    assert name.endswith(f"… 1 · ranking · {date_format(NOW, 'j M Y')}")
    assert len(name) <= 110
