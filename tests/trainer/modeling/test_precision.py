"""A run computes in the precision that its processor is fast at, and says which."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.trainer import runs
from training.configs.sample import SampleConfig
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


def test_measuring_leaves_the_number_of_threads() -> None:
    before = torch.get_num_threads()

    assert precision.bfloat16_speedup() > 0

    assert torch.get_num_threads() == before
