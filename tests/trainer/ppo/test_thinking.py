"""PPO of a model that thinks: the reward is of its answer, and the policy gradient of all it
wrote.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.trainer import runs, tiny
from training.configs.ppo import PpoConfig
from training.processes import run_dir
from training.trainer import data
from training.trainer.ppo.episodes import Reading, Rollout

MESSAGES = [{"role": "user", "content": "Sky?"}]


@pytest.fixture
def reading() -> Reading:
    tokenizer = tiny.build_tokenizer(tiny.THINKING_TEMPLATE)
    ids = data.prompt_ids(tokenizer, MESSAGES)
    return Reading(tokenizer, {tuple(ids): data.Prompt(1, MESSAGES, ids)})


def judge(**config: bool) -> Any:
    return SimpleNamespace(config=SimpleNamespace(**config))


def wrote(reading: Reading, text: str) -> Rollout:
    (prompt,) = reading.prompts
    ids: list[int] = reading.tokenizer(text, add_special_tokens=False)["input_ids"]
    return Rollout(list(prompt), [*ids, int(reading.tokenizer.eos_token_id or 0)], is_ended=True)


def test_a_reward_model_reads_the_answer_as_in_its_training(reading: Reading) -> None:
    rollout = wrote(reading, "Hm.\n</think>\n\nBlue.")

    (judged,) = reading.judged(judge(), [rollout])

    prompt = rollout.prompt_ids
    assert judged.response_ids == data.response_ids(reading.tokenizer, MESSAGES, prompt, "Blue.")
    assert "Hm." not in reading.tokenizer.decode(judged.response_ids)


def test_one_that_was_trained_on_thinking_reads_it(reading: Reading) -> None:
    rollout = wrote(reading, "Hm.\n</think>\n\nBlue.")

    assert reading.judged(judge(reads_thinking=True), [rollout]) == [rollout]


def test_unclosed_thinking_has_an_empty_answer(reading: Reading) -> None:
    (judged,) = reading.judged(judge(), [wrote(reading, "Hm, I")])

    assert "Hm" not in reading.tokenizer.decode(judged.response_ids)


@pytest.mark.slow
def test_a_run_tells_how_long_it_thinks_and_rewards_the_rest(
    run_folder: Path, judging_run: run_dir.RunFolder, tmp_path: Path
) -> None:
    base = tiny.build_tiny_model(tmp_path / "thinker", template=tiny.THINKING_TEMPLATE)
    snapshot = runs.demonstrations(tmp_path / "prompts", n_train=1, n_held_out=0)
    config = PpoConfig(
        method="full",
        n_episodes=8,
        batch_size=8,
        n_minibatches=1,
        max_new_tokens=12,
        max_prompt_tokens=120,
        dtype="float32",
        evaluate_every=0,
    )

    folder = runs.finished(
        run_folder, "ppo", config, base, snapshot, reward_model=judging_run.path / "model"
    )

    points = runs.points(folder)[1]
    assert points["thinking_tokens"] == pytest.approx(12, abs=3)
    assert points["response_tokens"] == pytest.approx(0, abs=1)
    assert points["kl"] == pytest.approx(0, abs=1e-3)
    # Of one prompt, with the same answer after different thinking; an end of turn is read too.
    shown = [(row["scores"]["is_ended"], row["scores"]["reward"]) for row in runs.samples(folder)]
    assert len({sample["response"] for sample in runs.samples(folder)}) > 1
    assert len(set(shown)) == len({is_ended for is_ended, _reward in shown})
