"""Spot checks: at some steps the model so far writes responses for raters, and its weights are set
aside. The site asks raters whether it is better than the kept one, and the run ends with the kept
weights.

Each model writes two responses to a prompt: one for when it is compared with the kept model, and
one for when it is the kept model itself. With the same responses for both, a model that was kept
because its responses were lucky would stay lucky.
"""

import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import safetensors.torch
from torch import Tensor, nn

from training.configs.knobs import SpotCheckKnobs
from training.processes import run_dir, run_lines
from training.processes.run_dir import RunFolder
from training.trainer import parallel
from training.trainer.data import Prompt
from training.trainer.modeling import sharding
from training.trainer.sample.generation import GeneratedResponse

POLL_S = 1.0
_SAYS_EVERY_S = 60.0  # a run that writes nothing for long counts as stalled
_WEIGHTS = "weights.safetensors"

Written = Sequence[GeneratedResponse]
"""One for each prompt."""


@dataclass
class SpotChecks:
    """Every process calls each method: they are collective. `weights` are the trained ones by
    name; `write` gives one response to each prompt, drawn with a seed.
    """

    config: SpotCheckKnobs
    folder: RunFolder
    run_id: int
    n_steps: int
    prompts: Sequence[Prompt]
    model: nn.Module
    weights: Mapping[str, Tensor]
    write: Callable[[Sequence[Prompt], int], Written]
    steps: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        asked = [prompt for prompt in self.prompts if prompt.site_id is not None]
        self.prompts = asked[: self.config.spot_pairs]
        self.steps = frozenset(self.config.spot_steps(self.n_steps))
        if self.config.n_spot_checks:
            self.folder.append_note(self._note(len(asked)))

    def begin(self, step: int) -> None:
        """The model before its first step is the first one that is kept."""
        if not self.steps or not self.prompts:
            return
        checkpoint = run_dir.newest_checkpoint(self.folder.path)
        if checkpoint is not None and not self.folder.rank:
            _restore(checkpoint, self._base, self.run_id)
        if self.folder.from_first(not self._own_steps()):
            self._check(step)

    def after(self, step: int) -> None:
        """Call it after each step."""
        if step not in self.steps or not self.prompts:
            return
        if self.folder.from_first(not self._path(step).exists()):
            self._check(step)
        if self.config.spot_waits == "each" and step < self.n_steps:
            self._wait(step)

    def keep(self, checkpoint: Path) -> None:
        """Adds what was set aside to a checkpoint: another node may resume from it."""
        if not self.folder.rank:
            for step in self._own_steps():
                _link(self._path(step), checkpoint / run_lines.SPOT / f"{self.run_id}-step-{step}")

    def restore_kept(self, *, may_wait: bool) -> int | None:
        """Gives the model the weights that raters keep, and returns their step. None if they have
        decided nothing: then the model stays as it is. `may_wait`: wait for those who still answer.
        """
        own = parallel.gathered({0: self._own_steps()} if not self.folder.rank else {})[0]
        if not self.steps or not own:
            return None
        if may_wait:
            self._wait(max(own))
        verdict = run_lines.read_kept(self.folder.path) if not self.folder.rank else None
        kept = parallel.gathered({0: verdict} if not self.folder.rank else {})[0]
        if kept is None or kept.decided <= min(own) or kept.step not in own:
            self.folder.append_note(
                "Raters decided no spot check before the run ended, so the step was chosen as in a"
                " run without them."
            )
            return None
        path = self._path(kept.step) / _WEIGHTS
        stored = safetensors.torch.load_file(path) if not self.folder.rank else {}
        sharding.reshard(self.model)
        for name, weight in self.weights.items():
            sharding.fill(weight, stored.get(name))
        n_open = sum(step > kept.decided for step in own)
        ending = f" {run_dir.counted(n_open, 'spot check')} had no verdict yet." if n_open else ""
        self.folder.append_note(f"Raters kept step {kept.step}: that model was saved.{ending}")
        return kept.step

    def _check(self, step: int) -> None:
        """Sets the weights aside, then asks: whoever is asked about can be kept."""
        sharding.reshard(self.model)
        named = list(self.weights)
        collected = dict(zip(named, sharding.collected(self.weights.values()), strict=False))
        if not self.folder.rank:
            size = sum(weight.numel() * weight.element_size() for weight in collected.values())
            run_dir.ensure_free_space(self.folder.path, size, "the weights of a spot check")
            self._base.mkdir(exist_ok=True)
        with self.folder.published(self._path(step)) as aside:
            safetensors.torch.save_file(collected, aside / _WEIGHTS)
        rows = [
            {
                "prompt_id": prompt.site_id,
                "text": answer.text,
                "number": number,
                "is_ended": answer.is_ended,
                "sampling": {"step": step},
                **answer.parts(),
            }
            for number in (0, 1)
            for prompt, answer in zip(
                self.prompts, self.write(self.prompts, 2 * step + number), strict=True
            )
        ]
        line = {"attempt": self.folder.attempt, "step": step, "check": rows}
        self.folder.append_lines(run_dir.PROGRESS, [line])

    def _wait(self, step: int) -> None:
        """Until raters have decided about `step`, the time is up or somebody stops the run."""
        began = said = time.monotonic()
        while not self.folder.from_first(self._is_over(step, began)):
            if not self.folder.rank and time.monotonic() - said >= _SAYS_EVERY_S:
                said = time.monotonic()
                sys.stderr.write(f"Waiting for raters: the spot check of step {step}.\n")
            time.sleep(POLL_S)

    def _is_over(self, step: int, began: float) -> bool:
        kept = run_lines.read_kept(self.folder.path)
        is_decided = kept is not None and kept.decided >= step
        is_late = time.monotonic() - began >= self.config.spot_wait_h * 3600
        return is_decided or is_late or run_dir.is_stop_requested(self.folder.path)

    @property
    def _base(self) -> Path:
        return self.folder.path / run_lines.SPOT

    def _path(self, step: int) -> Path:
        return self._base / f"step-{step}"

    def _own_steps(self) -> list[int]:
        return sorted(run_dir.checkpoint_step(path) for path in self._base.glob("step-*"))

    def _note(self, n_asked: int) -> str:
        n_votes = len(self.prompts) * len(self.steps)
        if not n_asked:
            return (
                "No spot checks: no held-out prompt of this snapshot is known to the site. Choose a"
                " snapshot with validation or test prompts."
            )
        note = (
            f"Spot checks after steps {', '.join(map(str, sorted(self.steps)))}:"
            f" {run_dir.counted(n_votes, 'answer')} by raters in all."
        )
        if n_asked < self.config.spot_pairs:
            pairs = run_dir.counted(n_asked, "pair")
            note += f" Each compares {pairs}, because there are no more held-out prompts."
        return note


def _link(source: Path, target: Path) -> None:
    """Without a copy, where the disk allows it: the weights never change."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        try:
            (target / file.name).hardlink_to(file)
        except OSError:
            shutil.copyfile(file, target / file.name)


def _restore(checkpoint: Path, base: Path, run_id: int) -> None:
    """Of this run only: an extension begins with the checkpoint of another one."""
    for stored in (checkpoint / run_lines.SPOT).glob(f"{run_id}-step-*"):
        target = base / stored.name.removeprefix(f"{run_id}-")
        if not target.exists():
            _link(stored, target)
