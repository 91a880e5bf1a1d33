"""Sharded runs in bfloat16, with two processes on CPU (gloo): weights travel in bfloat16, gradients
are added up in float32, and the run ends where an unsharded one does.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.trainer import runs
from tests.trainer.parallel import mixed_shards
from tests.trainer.parallel.launched import launched, together
from tests.trainer.parallel.test_sharded import CASES, TWO, loaded
from training.configs.offline.kto import KtoConfig
from training.configs.weights import Training
from training.processes.launch import Launch
from training.processes.run_dir import RunFolder

pytestmark = pytest.mark.slow

DDP = Launch(n_processes=2)
KTO = KtoConfig(
    learning_rate=1e-3,
    max_steps=4,
    batch_size=4,
    accumulation=2,
    max_tokens=64,
    checkpoint_every=0,
    evaluate_every=2,
)
ALL: dict[str, tuple[Training, Callable[[Path], Path]]] = CASES | {"kto": (KTO, runs.verdicts)}
UNTAUGHT = {"dpo": math.log(2), "kto": 0.5}
"""The loss where no response is preferred yet: policy and reference are equal to the last bit."""


@pytest.mark.parametrize("work", [mixed_shards.computes, mixed_shards.keeps])
def test_weights_are_gathered_in_the_precision_that_their_model_has_in_the_run(
    work: Callable[[Path], None], tmp_path: Path
) -> None:
    done = together(work, RunFolder(tmp_path, 1), TWO)

    assert done.returncode == 0, done.stderr[-4000:]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_sharded_run_in_bfloat16_ends_where_an_unsharded_one_does(
    kind: str, method: str, tmp_path: Path, tiny_model: Path
) -> None:
    config, snapshot_of = ALL[kind]
    config = replace(config, method=method, lora_rank=4, dtype="bfloat16")
    snapshot = snapshot_of(tmp_path / "snapshot")
    whole, shared = (
        runs.prepare(tmp_path / name, kind, config, tiny_model, snapshot)
        for name in ("whole", "shared")
    )
    assert launched(whole, DDP).returncode == 0

    done = launched(shared, TWO)

    assert done.returncode == 0, done.stderr[-4000:]
    curves = [
        [
            values[name]
            for values in runs.points(folder).values()
            for name in ("loss", "held_out_loss")
            if name in values
        ]
        for folder in (whole, shared)
    ]
    if kind in UNTAUGHT:
        assert runs.points(shared)[1]["loss"] == pytest.approx(UNTAUGHT[kind], abs=1e-6)
    # LoRA's base is in bfloat16 either way; only the last loss is measured before the merge in one
    # and after it in the other. Unsharded full weights are in float32, and their products alone in
    # bfloat16.
    assert curves[1] == pytest.approx(curves[0], abs=1e-4 if method == "lora" else 4e-3)
    if method == "lora":
        for name, weights in loaded(whole).items():
            assert torch.equal(weights, loaded(shared)[name]), name
