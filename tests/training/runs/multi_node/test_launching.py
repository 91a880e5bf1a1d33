"""A run in several processes: what can be requested, accelerate's config, and two real processes on
CPU.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.training import cast
from tests.training.runs.multi_node.conftest import assert_one_curve_and_one_model
from tests.training.runs.processes import (
    REAL_TRAINER,
    descendants,
    is_alive,
    kill,
    processes,
    run_folder,
    until,
)
from tests.training.runs.supervisor.test_kills import child_pid, has_reached, is_finished, now_of
from training.configs import kinds, ppo
from training.configs.online.rloo import RlooConfig
from training.models import Run, RunPoint, TrainedModel
from training.processes import launch as processes_launch
from training.processes.launch import Launch, NoSuchStrategy, Rendezvous, UnableToLaunch
from training.runs import services as runs_services
from training.runs.supervisor import exit_messages, supervise

TWO = Launch(n_processes=2)


# --- what can be asked for ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "launch", "n_gpus", "sentence"),
    [
        ("sample", Launch(2, "fsdp"), 2, "FSDP shards models in training"),
        ("sft", Launch(4), 2, "as many GPUs as processes"),
        ("sft", Launch(2), 3, "as many GPUs as processes"),
        ("ppo", Launch(2, n_machines=2), 3, "as many GPUs as processes"),
        ("sft", Launch(2, "zero3"), 2, "DeepSpeed is no longer offered"),
        ("sft", Launch(2, "magic"), 2, "no strategy called"),
        ("ppo", Launch(3), 3, "do not divide"),
    ],
)
def test_what_could_not_work_is_refused_with_a_sentence(
    kind: str, launch: Launch, n_gpus: int, sentence: str
) -> None:
    config = kinds.PRESETS[kind]["small"]
    found = processes_launch.problems(launch, kind=kind, config=config, n_gpus=n_gpus)

    assert any(sentence in problem for problem in found), found


@pytest.mark.parametrize("kind", ["ppo", "rloo", "sample"])
def test_a_kind_that_writes_responses_may_have_gpus_for_a_server_too(kind: str) -> None:
    config = kinds.PRESETS[kind]["small"]

    assert processes_launch.problems(TWO, kind=kind, config=config, n_gpus=3) == []


def test_rloo_divides_the_responses_of_a_step_among_the_processes() -> None:
    config = RlooConfig(batch_size=2, accumulation=2, n_responses=4)

    found = processes_launch.problems(Launch(3), kind="rloo", config=config, n_gpus=0)

    assert "do not divide evenly among the processes" in found[0]
    assert processes_launch.problems(TWO, kind="rloo", config=config, n_gpus=0) == []


@pytest.mark.parametrize(("batch_size", "is_cut"), [(8, True), (12, False), (4, False)])
def test_minibatches_are_cut_from_each_processs_share(batch_size: int, is_cut: bool) -> None:
    config = ppo.PpoConfig(batch_size=batch_size, n_minibatches=4)

    found = processes_launch.problems(TWO, kind="ppo", config=config, n_gpus=0)

    assert config.problems() == []
    assert ("do not divide evenly into the minibatches" not in " ".join(found)) == is_cut


@pytest.mark.parametrize(
    ("kind", "shares_out"),
    [
        *((kind, True) for kind in ("pretrain", "sft", "reward", "dpo", "rloo", "ppo")),
        *((kind, False) for kind in ("sample", "evaluate")),
    ],
)
def test_two_processes_may_share_each_kind_that_can(kind: str, shares_out: bool) -> None:
    config = kinds.PRESETS[kind]["balanced"]

    assert processes_launch.problems(TWO, kind=kind, config=config, n_gpus=0) == []
    assert (
        processes_launch.problems(Launch(2, "fsdp"), kind=kind, config=config, n_gpus=2) == []
    ) == shares_out


def test_the_config_of_accelerate_is_made_from_what_was_asked_for() -> None:
    here = Rendezvous(port=29511)
    ddp = processes_launch.config_of(TWO, n_gpus=0, rendezvous=here)
    fsdp = processes_launch.config_of(Launch(4, "fsdp", offloads=True), n_gpus=4, rendezvous=here)

    assert (ddp["distributed_type"], ddp["num_processes"], ddp["use_cpu"]) == ("MULTI_GPU", 2, True)
    assert (
        fsdp["distributed_type"],
        fsdp["use_cpu"],
        fsdp["fsdp_config"]["fsdp_offload_params"],
    ) == ("FSDP", False, True)
    with pytest.raises(NoSuchStrategy, match="DeepSpeed is no longer offered"):
        processes_launch.config_of(Launch(4, "zero3"), n_gpus=4, rendezvous=here)


def test_the_launcher_starts_the_nodes_own_module() -> None:
    command = processes_launch.command(
        ["python3", "-m", "training.trainer"], config="/c.json", folder="/runs/7"
    )

    assert (
        " ".join(command)
        == "python3 -m accelerate.commands.launch --config_file /c.json --module training.trainer"
        " /runs/7"
    )
    with pytest.raises(UnableToLaunch):
        processes_launch.command(["train.sh"], config="/c.json", folder="/runs/7")


def test_the_signal_that_ended_one_process_is_the_end_of_the_run() -> None:
    said = (
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError\n  exitcode  : -9 (pid:"
        " 4711)\n"
    )

    assert processes_launch.exit_code(1, said) == -9
    assert processes_launch.exit_code(1, "Traceback …") == 1
    words = exit_messages.ChildExit(
        exit_code=processes_launch.exit_code(1, said), result=None, log=said
    )
    assert exit_messages.interpret(words).next == exit_messages.NextState.RETRY


@pytest.mark.django_db
def test_the_form_offers_what_was_tested_and_passes_on_what_was_chosen(
    signed_in: Callable[..., Client], noor: User
) -> None:
    cast.a_model(noor)
    snapshot = cast.a_snapshot(noor)
    client = signed_in(noor)
    page = client.get("/runs/new/sft/").content.decode()
    values = kinds.as_json(kinds.PRESETS["sft"]["small"])
    sent = {
        name: "" if value is None else value for name, value in values.items() if value is not False
    }
    about = {"name": "Two", "snapshot": snapshot.pk, "base_model": TrainedModel.objects.get().pk}

    client.post("/runs/new/sft/", sent | about | {"n_processes": 2, "strategy": "ddp"})

    assert "FSDP: weights, gradients and optimizer sharded" in page
    assert "DeepSpeed" not in page
    assert Run.objects.get().launch == {
        "n_processes": 2,
        "strategy": "ddp",
        "offloads": False,
        "n_machines": 1,
    }


# --- two processes --------------------------------------------------------------------------------

slow = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def assert_shared(run: Run) -> None:
    """One curve and one model of two processes."""
    assert_one_curve_and_one_model(run)
    model = TrainedModel.objects.get(run=run)
    assert (Path(model.location) / "model.safetensors").stat().st_size > 0
    config = json.loads((run_folder(run.pk) / processes_launch.CONFIG).read_text())
    assert config["num_processes"] == 2


class TestTwoRealProcesses:
    pytestmark = slow

    def test_an_old_run_with_deepspeed_fails_with_a_sentence(
        self, queue_real: Callable[..., Run]
    ) -> None:
        run = queue_real("sft", TWO)
        Run.objects.filter(pk=run.pk).update(launch=Launch(2, "zero2").as_json())

        supervise.supervise(run_id=run.pk, node="node")

        run.refresh_from_db()
        assert run.outcome == Run.Outcome.FAILED
        assert "DeepSpeed is no longer offered" in run.error

    def test_a_sharded_run_ends_with_one_curve_and_one_model(
        self, queue_real: Callable[..., Run], warm_trainer: list[str]
    ) -> None:
        run = queue_real("sft", Launch(2, "fsdp"))

        supervise.supervise(run_id=run.pk, node="node")

        run.refresh_from_db()
        model = TrainedModel.objects.get(run=run)
        assert (run.outcome, run.error) == ("succeeded", ""), run.log_tail
        assert (Path(model.location) / "model.safetensors").stat().st_size > 0

    @pytest.mark.parametrize("kind", ["reward", "ppo"])
    def test_a_run_shared_by_two_processes_ends_with_one_curve_and_one_model(
        self, queue_real: Callable[..., Run], kind: str, warm_trainer: list[str]
    ) -> None:
        """SFT as well, in the next test."""
        run = queue_real(kind, TWO)

        supervise.supervise(run_id=run.pk, node="node")

        run.refresh_from_db()
        assert_shared(run)

    def test_when_one_of_two_is_killed_both_end_and_the_run_resumes_from_a_checkpoint(
        self, queue_real: Callable[..., Run], tmp_path: Path
    ) -> None:
        run = queue_real("sft", TWO, max_steps=40, n_epochs=20, checkpoint_every=2)
        with processes(tmp_path) as site:
            site.trainer = REAL_TRAINER
            first = site.start_supervisor(run.pk, "first")
            until(has_reached(run, 3), "step 3")
            launcher = child_pid(run)
            both = descendants(launcher)
            kill(both[-1])
            until(lambda: not any(is_alive(pid) for pid in (launcher, *both)), "the end of both")
            first.wait(timeout=60)
            assert now_of(run).state == Run.State.QUEUED
            site.start_supervisor(run.pk, "second")
            until(is_finished(run), "the end of the second attempt")

        assert (run.outcome, run.attempt, run.step) == ("succeeded", 2, 40)
        assert RunPoint.objects.filter(run=run, attempt=2).order_by("step").first().step > 2
        assert_shared(run)

    def test_a_killed_supervisor_takes_launcher_and_processes_along(
        self, queue_real: Callable[..., Run], tmp_path: Path
    ) -> None:
        run = queue_real("sft", TWO, max_steps=400, n_epochs=100)
        with processes(tmp_path) as site:
            site.trainer = REAL_TRAINER
            first = site.start_supervisor(run.pk, "first")
            until(has_reached(run, 2), "step 2")
            launcher = child_pid(run)
            all_of_it = [launcher, *descendants(launcher)]
            assert len(all_of_it) >= 3

            kill(first.pid)

            until(lambda: not any(is_alive(pid) for pid in all_of_it), "the end of all")

    def test_a_stop_saves_at_the_same_step_in_both(
        self, queue_real: Callable[..., Run], noor: User, tmp_path: Path, warm_trainer: list[str]
    ) -> None:
        run = queue_real("sft", TWO, max_steps=400, n_epochs=100)
        with processes(tmp_path) as site:
            site.trainer = " ".join(warm_trainer)
            site.start_supervisor(run.pk, "first")
            until(has_reached(run, 2), "step 2")

            runs_services.request_stop(run=run, by=noor, now=timezone.now())
            until(is_finished(run), "the end")

        assert (run.outcome, run.kept_step) == ("stopped", run.step)
        assert (
            run_folder(run.pk) / "checkpoints" / f"step-{run.step}" / "rng_state_1.pth"
        ).exists()
