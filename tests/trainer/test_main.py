"""The command as a supervisor starts it: exit codes, sentences, no network access, and exit with
its parent.
"""

import json
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from tests.trainer import runs, warm
from training.configs import kinds
from training.configs.evaluation.evaluate import EvaluateConfig
from training.configs.sample import SampleConfig
from training.configs.sft import SftConfig
from training.processes import run_dir
from training.processes.run_dir import AnticipatedFailure
from training.trainer import __main__
from training.trainer.__main__ import anticipated

QUICK = SftConfig(n_epochs=1, batch_size=4, accumulation=1, max_tokens=64, checkpoint_every=0)

# An audit hook sees every connection and look-up that Python makes and cannot be taken off again.
# It is stronger than a network namespace, in which an attempt would fail and pass unnoticed, and
# needs no rights.
TRAP = """
import os, sys
def trap(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        with open(os.environ["TRAP_FILE"], "a") as file:
            file.write(f"{event} {arguments!r}\\n")
        raise OSError(f"no network in this test: {event}")
sys.addaudithook(trap)
"""

SLEEPER = """
import time
from training.trainer import __main__ as command
command._die_with_parent(None)
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def trap(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / "sitecustomize.py").write_text(TRAP)
    return {"PYTHONPATH": str(tmp_path / "trap"), "TRAP_FILE": str(tmp_path / "attempts")}


def test_a_child_finishes_without_a_word_to_the_network(
    run_folder: Path, tiny_model: Path, tmp_path: Path, trap: dict[str, str]
) -> None:
    folder = runs.prepare(
        run_folder, "sft", QUICK, tiny_model, runs.demonstrations(tmp_path / "snapshot")
    )

    child = runs.as_child(folder, **trap)

    assert child.returncode == run_dir.EXIT_FINISHED, child.stderr
    assert not (tmp_path / "attempts").exists()
    result = run_dir.read_result(run_folder)
    assert result is not None
    assert result.outcome == "succeeded"
    assert {"torch", "transformers", "trl", "python"} <= set(result.versions)
    assert not list(run_folder.glob(".tmp-*"))


def test_the_trap_of_that_test_catches_a_connection(tmp_path: Path, trap: dict[str, str]) -> None:
    calls_home = "import socket; socket.socket().connect(('198.51.100.1', 80))"

    subprocess.run([sys.executable, "-c", calls_home], env=trap, capture_output=True, check=False)

    assert "socket.connect" in (tmp_path / "attempts").read_text()


def test_an_anticipated_failure_leaves_its_sentence_and_exits_3(
    run_folder: Path, tmp_path: Path
) -> None:
    folder = runs.prepare(
        run_folder, "sft", QUICK, tmp_path / "gone", runs.demonstrations(tmp_path / "snapshot")
    )

    child = warm.as_child(folder.path)

    assert child.returncode == run_dir.EXIT_ANTICIPATED
    result = run_dir.read_result(run_folder)
    assert result is not None
    assert result.outcome == "failed"
    assert (
        result.error
        == f"The model folder {tmp_path / 'gone'} is not on this node. Register the model again, or"
        " put it back."
    )
    assert "Traceback" not in child.stderr


def test_a_config_that_is_not_right_fails_with_every_problem(
    run_folder: Path, tmp_path: Path
) -> None:
    folder = runs.prepare(run_folder, "sft", QUICK, tmp_path, tmp_path)
    job = json.loads((run_folder / run_dir.CONFIG).read_text())
    run_dir.write_json(
        run_folder / run_dir.CONFIG, job | {"config": {"n_epochs": 0, "method": "magic"}}
    )

    child = runs.as_child(folder)

    assert child.returncode == run_dir.EXIT_ANTICIPATED
    result = run_dir.read_result(run_folder)
    assert result is not None
    assert result.error is not None
    assert "Epochs is 0" in result.error
    assert "Method is “magic”" in result.error


def test_a_stale_child_writes_nothing(run_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    folder = runs.prepare(
        run_folder, "sample", SampleConfig(), tiny_model, runs.prompts(tmp_path / "prompts")
    )
    (run_folder / run_dir.ATTEMPT).write_text("2")

    child = runs.as_child(folder)

    assert child.returncode == run_dir.EXIT_STALE
    assert run_dir.read_result(run_folder) is None
    assert not (run_folder / run_dir.PROGRESS).exists()


def test_a_child_whose_supervisor_is_another_process_does_not_start(
    run_folder: Path, tmp_path: Path
) -> None:
    runs.prepare(run_folder, "sft", QUICK, tmp_path, tmp_path)

    child = subprocess.run(
        [sys.executable, "-m", "training.trainer", str(run_folder), "--supervisor", "1"],
        cwd=runs.ROOT,
        capture_output=True,
        check=False,
    )

    assert child.returncode == run_dir.EXIT_STALE
    assert run_dir.read_result(run_folder) is None


def test_a_child_dies_with_its_supervisor() -> None:
    """The grandchild says when it is ready and sleeps; its parent is killed; the pipe closes when
    both are gone.
    """
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=runs.ROOT, stdout=subprocess.PIPE
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == b"ready\n"

    supervisor.send_signal(signal.SIGKILL)

    rest, _ = supervisor.communicate(timeout=60)
    assert rest == b""


def test_running_out_of_memory_gets_a_sentence() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)

    assert anticipated(caught.value).startswith("The node ran out of memory. Lower the batch")
    assert anticipated(MemoryError()) == anticipated(
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    )


@pytest.fixture(scope="module")
def broken_model(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """The tiny model with one weight that is not a number."""
    folder = tmp_path_factory.mktemp("broken") / "model"
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.no_grad():
        model.model.layers[0].mlp.up_proj.weight[0, 0] = float("nan")
    model.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(tiny_model).save_pretrained(folder)
    return folder


def test_a_measure_that_is_no_number_fails_the_run_with_its_name(
    run_folder: Path, broken_model: Path, tmp_path: Path
) -> None:
    folder = runs.prepare(
        run_folder,
        "evaluate",
        EvaluateConfig(max_tokens=64, max_new_tokens=8, dtype="float32"),
        broken_model,
        runs.demonstrations(tmp_path / "snapshot"),
    )

    child = warm.as_child(folder.path)

    result = run_dir.read_result(run_folder)
    assert child.returncode == run_dir.EXIT_ANTICIPATED, child.stderr
    assert result is not None
    assert (result.outcome, result.metrics, result.model) == ("failed", {}, None)
    assert "held_out_loss (since step 1)" in str(result.error)


def test_sampling_from_a_model_that_computes_no_numbers_gets_a_sentence(
    run_folder: Path, broken_model: Path, tmp_path: Path
) -> None:
    folder = runs.prepare(
        run_folder,
        "sample",
        SampleConfig(max_new_tokens=4, dtype="float32"),
        broken_model,
        runs.prompts(tmp_path / "prompts"),
    )

    child = warm.as_child(folder.path)

    result = run_dir.read_result(run_folder)
    assert child.returncode == run_dir.EXIT_ANTICIPATED, child.stderr
    assert result is not None
    assert "can't be sampled from" in str(result.error)


def test_lora_on_a_family_it_cannot_adapt_gets_a_sentence(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    model = shutil.copytree(tiny_model, tmp_path / "model")
    size: dict[str, Any] = {"hidden_size": 32, "state_size": 4, "num_hidden_layers": 1}
    transformers.MambaForCausalLM(transformers.MambaConfig(vocab_size=320, **size)).save_pretrained(
        model
    )
    folder = runs.prepare(
        run_folder, "sft", QUICK, model, runs.demonstrations(tmp_path / "snapshot")
    )

    child = warm.as_child(folder.path)

    result = run_dir.read_result(run_folder)
    assert child.returncode == run_dir.EXIT_ANTICIPATED, child.stderr
    assert result is not None
    assert "Choose full fine-tuning" in str(result.error)


def test_a_disk_that_fills_up_while_saving_gets_a_sentence() -> None:
    with pytest.raises(OSError) as caught, Path("/dev/full").open("w") as full:
        full.write("x")

    assert anticipated(caught.value).startswith("The disk became full")


def test_a_bug_stays_a_bug() -> None:
    assert anticipated(RuntimeError("shape mismatch")) == ""
    assert anticipated(FileNotFoundError("x")) == ""


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_every_kind_has_a_trainer(kind: str) -> None:
    assert find_spec(kinds.trainer_of(kind)) is not None


def test_the_trainer_of_a_name_with_a_hyphen_is_a_module_with_an_underscore(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(kinds.KINDS, "best-of-n", SftConfig)

    assert kinds.trainer_of("best-of-n") == "training.trainer.best_of_n"


def test_a_kind_whose_trainer_this_node_lacks_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(kinds.KINDS, "best-of-n", SftConfig)

    with pytest.raises(AnticipatedFailure) as refused:
        __main__.trainer("best-of-n")

    assert str(refused.value) == (
        "This node cannot carry out best-of-n runs: it has no module training.trainer.best_of_n."
    )
