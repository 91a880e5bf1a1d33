"""What test_sharded_ppo.py runs in two processes: loads the models of a PPO run, and watches the
memory of the first process.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from tests.trainer.ppo import models as ppo_models
from training.configs.ppo import PpoConfig
from training.processes.run_dir import Job, RunFolder
from training.trainer import parallel
from training.trainer.ppo import models

SIZES: dict[str, Any] = {"vocab_size": 20_000, "hidden_size": 512, "intermediate_size": 2048}
SIZES |= {"num_hidden_layers": 4}
MOST_COPIES = 3.5
"""2.97 measured: of four models half each, and one that is whole before it is sharded. 4.03 if all
four are loaded first.
"""


def write(folder: Path) -> None:
    """A policy and a reward model, which are read as float32 and so not left in their files."""
    ppo_models.causal(**SIZES).bfloat16().save_pretrained(folder / "policy")
    ppo_models.classifier(**SIZES).bfloat16().save_pretrained(folder / "reward")


def load(folder: Path) -> None:
    parallel.joined(RunFolder(folder, 1))
    accelerator = Accelerator()
    one = 4 * sum(w.numel() for w in ppo_models.causal(**SIZES).parameters())
    job = Job("ppo", 1, 1, {}, str(folder / "policy"), "", str(folder / "reward"))
    config = PpoConfig(
        method="full", rollout_dtype="float32", max_prompt_tokens=64, max_new_tokens=8
    )
    tokenizer: Any = ppo_models.BareTokenizer()

    with peak() as seen:
        roles = models.roles_of(job, config, tokenizer, torch.float32, accelerator)

    if accelerator.process_index == 0:
        most = (max(seen) - seen[0]) / one
        assert most < MOST_COPIES, most
    assert roles.keep_apart
    parallel.wait()
    parallel.destroy_process_group()


@contextmanager
def peak() -> Iterator[list[int]]:
    """Bytes that this process has allocated, every few milliseconds."""
    seen, is_over = [allocated()], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.002):
            seen.append(allocated())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def allocated() -> int:
    """Without pages of the file that the weights are read from."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.findall(r"RssAnon:\s+(\d+)", status)[0])
