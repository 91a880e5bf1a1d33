"""Which held-out prompts choose the step to keep, and which are reported."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from training.configs.online.grpo import GrpoConfig
from training.processes.run_dir import RunFolder
from training.trainer.data import Prompt, PromptSets
from training.trainer.modeling.best_weights import BestWeights
from training.trainer.online import held_out
from training.trainer.online.held_out import HeldOut
from training.trainer.online.mix import Answers, Mix
from training.trainer.sample.generation import GeneratedResponse

CONFIG = GrpoConfig(evaluate_every=1, keeps_best=True)


class Answered(HeldOut):
    """Each prompt is answered with as many tokens as `n_tokens` says, which is the reward."""

    n_tokens: Sequence[int] = ()

    def written(self, model: Any, prompts: Sequence[Prompt], seed: int) -> Answers:
        return [GeneratedResponse("a", [1] * n, is_ended=n > 5) for n in self.n_tokens]

    def _kl(self, model: Any, reference: Any, written: Answers) -> float:
        return 0.0


def judge_of(folder: RunFolder, best: BestWeights | None) -> Answered:
    prompts = [Prompt(n, [], []) for n in range(8)]
    texts = PromptSets([], prompts, "validation", 0, 0, 48)
    scores = {"length": lambda _prompts, written: [float(len(one.ids)) for one in written]}
    tokenizer: Any = None
    mix = Mix(tokenizer, scores, {"length": 2.0}, 0.0, is_drawn_apart=True)
    return Answered(texts, mix, CONFIG, folder, None, best)


def measured(judge: Answered, n_tokens: Sequence[int]) -> tuple[dict[str, float], float]:
    model: Any = None
    judge.n_tokens = n_tokens
    return judge.measured(model, nullcontext(model), 1, is_shown=False)


def test_half_of_the_prompts_choose_the_step_and_the_others_are_reported(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, 1)
    judge = judge_of(folder, BestWeights(folder))
    measured(judge, [1, 2] * 4)

    values, gain = measured(judge, [4, 10] * 4)

    assert gain == pytest.approx(2 * (4 - 1))
    assert values == {
        "held_out_reward": 20.0,
        "held_out_reward_length": 10.0,
        "held_out_response_tokens": 10.0,
        "held_out_ended": 1.0,
        "held_out_kl": 0.0,
    }


def test_without_a_choice_all_are_reported(tmp_path: Path) -> None:
    values, _gain = measured(judge_of(RunFolder(tmp_path, 1), None), [4, 10] * 4)

    assert (values["held_out_reward"], values["held_out_ended"]) == (14.0, 0.5)


@pytest.mark.parametrize(("split", "chooses"), [("validation", True), ("test", False), ("", False)])
def test_only_validation_rows_choose_a_step(tmp_path: Path, split: str, chooses: bool) -> None:
    best = held_out.best_of(CONFIG, RunFolder(tmp_path, 1), split)

    assert (best is not None) is chooses
