"""A run computes in the precision that its processor is fast at, and says which."""

import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.trainer import runs
from training.configs.evaluation.benchmark import BenchmarkConfig
from training.configs.ppo import PpoConfig
from training.configs.sample import SampleConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer.modeling import precision

WITHOUT_UNITS = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}
"""oneDNN then uses no bfloat16 units. It still takes bfloat16, and converts it."""
PRINTED = """
import json
from training.configs.sample import SampleConfig
from training.trainer.modeling import precision
found = [
    [str(precision.dtype(name)), precision.sentence(SampleConfig(dtype=name))]
    for name in ("auto", "bfloat16", "float32")
]
print(json.dumps(found))
"""
on_x86 = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="oneDNN's variable is for x86 only"
)


@on_x86
def test_slow_bfloat16_is_computed_only_if_it_was_chosen() -> None:
    child = subprocess.run(
        [sys.executable, "-c", PRINTED],
        cwd=runs.ROOT,
        env=os.environ | WITHOUT_UNITS,
        stdout=subprocess.PIPE,
        check=True,
    )

    assert json.loads(child.stdout) == [
        [
            "torch.float32",
            "Precision: float32, because this processor has no fast bfloat16 units.",
        ],
        [
            "torch.bfloat16",
            "Precision: bfloat16, as set, although this processor has no fast bfloat16 units.",
        ],
        ["torch.float32", "Precision: float32, as set."],
    ]


@on_x86
def test_the_run_says_its_precision_and_why(tiny_model: Path, tmp_path: Path) -> None:
    config = SampleConfig(max_new_tokens=2, n_responses=1)
    folder = runs.prepare(
        tmp_path / "run", "sample", config, tiny_model, runs.prompts(tmp_path / "prompts", n=1)
    )

    child = runs.as_child(folder, **WITHOUT_UNITS)

    assert child.returncode == 0, child.stderr
    said = "Precision: float32, because this processor has no fast bfloat16 units."
    assert said in runs.notes(folder)


@on_x86
@pytest.mark.slow
def test_a_resumed_run_computes_in_the_precision_that_was_measured_first(
    tiny_model: Path, tmp_path: Path
) -> None:
    """On a machine that would measure float32."""
    snapshot = runs.suites(tmp_path / "suites")
    config = BenchmarkConfig(max_new_tokens=4)
    kept = runs.prepare(
        tmp_path / "kept", "benchmark", config, tiny_model, snapshot, auto_dtype="bfloat16"
    )
    chosen = runs.prepare(
        tmp_path / "chosen", "benchmark", replace(config, dtype="bfloat16"), tiny_model, snapshot
    )
    measured = runs.prepare(tmp_path / "measured", "benchmark", config, tiny_model, snapshot)

    for folder in (kept, chosen, measured):
        child = runs.as_child(folder, **WITHOUT_UNITS)
        assert child.returncode == 0, child.stderr

    assert "Precision: bfloat16, as when the run began." in runs.notes(kept)
    assert _answers(kept) == _answers(chosen)
    assert _answers(kept) != _answers(measured)
    (line,) = [line for line in run_dir.read_progress(measured.path, 0)[0] if "auto_dtype" in line]
    assert line["auto_dtype"] == "float32"


def _answers(folder: RunFolder) -> list[object]:
    return list(run_dir.read_lines(folder.path / run_dir.ANSWERS))


def test_every_setting_of_precision_that_is_open_gets_the_one_that_was_kept() -> None:
    config = PpoConfig(dtype="auto", rollout_dtype="auto")

    settled = precision.settled(config, "bfloat16")

    assert (settled.dtype, settled.rollout_dtype) == ("bfloat16", "bfloat16")
    chosen = replace(config, dtype="float32")
    assert precision.settled(chosen, "bfloat16").dtype == "float32"
    assert precision.auto_dtype(SampleConfig(dtype="float32"), kept="bfloat16") == ""


def test_all_processes_of_a_run_compute_in_what_the_first_one_measured() -> None:
    for is_fast, name in ((True, "bfloat16"), (False, "float32")):
        from_first = {True: is_fast, False: is_fast}.__getitem__
        assert precision.auto_dtype(SampleConfig(), kept="", from_first=from_first) == name


def test_measuring_leaves_the_number_of_threads() -> None:
    before = torch.get_num_threads()

    assert precision.bfloat16_speedup() > 0

    assert torch.get_num_threads() == before
