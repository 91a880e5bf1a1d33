"""GRPO of a tiny model, for real: it learns a rule that was planted, and it mixes, saves, stops,
resumes and refuses as it should.
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.trainer import runs, tiny
from tests.trainer.ppo.reads.host_reads import HostReads
from training.configs import metrics
from training.configs.online.grpo import GrpoConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.modeling import loading, logprobs
from training.trainer.online import grpo, mix, rules
from training.trainer.sample import fixed_cache
from training.trainer.sample.generation import GeneratedResponse

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

QUICK = GrpoConfig(
    method="full",
    learning_rate=1e-2,
    n_epochs=8,
    n_responses=8,
    batch_size=32,
    accumulation=1,
    max_new_tokens=8,
    max_prompt_tokens=48,
    kl_coef=0.0,
    missing_end_penalty=0.0,
    max_grad_norm=10.0,
    dtype="float32",
    checkpoint_every=0,
    pattern_weight=1.0,
    pattern="(?i)e",
)
SHORT = replace(QUICK, n_epochs=1, max_steps=4, batch_size=16, learning_rate=1e-3)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return runs.demonstrations(tmp_path / "snapshot", n_train=32, n_held_out=16)


def trained(path: Path, config: GrpoConfig, model: Path, snapshot: Path, **more: Any) -> RunFolder:
    return runs.finished(path, "grpo", config, model, snapshot, **more)


def metrics_of(folder: RunFolder) -> dict[str, Any]:
    result = run_dir.read_result(folder.path)
    assert result is not None
    return dict(result.metrics)


# --- learning -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_planted_rule_is_learned(run_folder: Path, tiny_model: Path, snapshot: Path) -> None:
    folder = trained(run_folder, QUICK, tiny_model, snapshot)

    metrics = metrics_of(folder)
    assert metrics["reward_pattern_after"] > metrics["reward_pattern_before"] + 0.3
    assert metrics["reward_pattern_after"] > 0.9
    assert metrics["kl_before"] == pytest.approx(0, abs=1e-3)
    assert metrics["kl_after"] > 0.1
    points = runs.points(folder)
    assert points[0]["held_out_reward_pattern"] == metrics["reward_pattern_before"]
    assert {"reward", "reward_pattern", "same_reward", "response_tokens"} <= set(points[8])


def test_each_reward_has_a_curve_and_the_total_is_their_weighted_sum(
    run_folder: Path, tiny_model: Path, snapshot: Path, judging_run: RunFolder
) -> None:
    config = replace(
        SHORT, format_weight=2.0, length_weight=-0.5, max_length=2, model_weight=0.25, max_steps=2
    )

    folder = trained(
        run_folder, config, tiny_model, snapshot, reward_model=judging_run.path / "model"
    )

    metrics, points = metrics_of(folder), runs.points(folder)
    weights = {"pattern": 1.0, "format": 2.0, "length": -0.5, "model": 0.25}
    for prefix, values in (("", points[1]), ("held_out_", points[0])):
        expected = sum(
            weight * values[f"{prefix}reward_{name}"] for name, weight in weights.items()
        )
        assert values[f"{prefix}reward"] == pytest.approx(expected, abs=1e-5)
    after = sum(weight * metrics[f"reward_{name}_after"] for name, weight in weights.items())
    assert metrics["reward_after"] == pytest.approx(after)
    for sample in runs.samples(folder):
        scores: Any = sample["scores"]
        total = sum(weight * scores[f"reward_{name}"] for name, weight in weights.items())
        assert scores["reward"] == pytest.approx(total, abs=0.005)


# --- formulas -------------------------------------------------------------------------------------


def slow_advantages(rewards: Sequence[float], n_each: int, scale: str) -> list[float]:
    """Shao 2024, §4.1.2: (r − mean(group)) / std(group), with the standard deviation of a sample
    and TRL's 1e-4 against division by 0.
    """
    advantages = []
    for start in range(0, len(rewards), n_each):
        group = rewards[start : start + n_each]
        spread_of = group if scale == "group" else rewards
        mean = fmean(spread_of)
        spread = sqrt(sum((r - mean) ** 2 for r in spread_of) / (len(spread_of) - 1))
        divisor = 1.0 if scale == "none" else spread + 1e-4
        advantages += [(reward - fmean(group)) / divisor for reward in group]
    return advantages


def slow_total(scores: dict[str, list[float]], weights: dict[str, float]) -> list[float]:
    n = len(next(iter(scores.values())))
    totals = [0.0] * n
    for at in range(n):
        for name, weight in weights.items():
            totals[at] += weight * scores[name][at]
    return totals


def test_the_total_of_a_worked_example() -> None:
    scores = {"exact": [1.0, 0.0], "length": [0.5, 1.0], "model": [2.0, -4.0]}
    weights = {"exact": 3.0, "length": -1.0, "model": 0.5}

    assert mix.total(scores, weights) == [3.5, -3.0]
    assert mix.total(scores, weights) == slow_total(scores, weights)


def test_advantages_of_a_worked_example() -> None:
    """Two prompts with two responses each. Group 1: (1, 0), mean ½, s = √½; group 2: no spread."""
    expected = [0.5 / (sqrt(0.5) + 1e-4), -0.5 / (sqrt(0.5) + 1e-4), 0.0, 0.0]

    assert slow_advantages([1.0, 0.0, 3.0, 3.0], 2, "group") == pytest.approx(expected)


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_the_trainer_learns_from_the_advantages_of_the_mix(
    run_folder: Path,
    tiny_model: Path,
    snapshot: Path,
    scale: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TRL's own numbers against the obvious ones, from the scores of the same responses."""
    config = replace(
        SHORT, max_steps=1, scale=scale, length_weight=-0.5, max_length=2, missing_end_penalty=0.3
    )
    seen: list[tuple[dict[str, list[float]], list[float]]] = []
    made: Callable[..., Any] = grpo.WatchedGrpo._generate_and_score_completions

    def spied(self: Any, inputs: Any) -> Any:
        output = made(self, inputs)
        scores = {name: list(values) for name, values in self._logs["rewards"].items()}
        seen.append((scores, output["advantages"].tolist()))
        return output

    monkeypatch.setattr(grpo.WatchedGrpo, "_generate_and_score_completions", spied)

    trained(run_folder, config, tiny_model, snapshot)

    scores, advantages = seen[0]
    weights = {"reward_pattern": 1.0, "reward_length": -0.5, "reward_unfinished": -0.3}
    assert scores.keys() == weights.keys()
    assert any(scores["reward_unfinished"])
    expected = slow_advantages(slow_total(scores, weights), config.n_responses, scale)
    assert advantages == pytest.approx(expected, abs=1e-4)
    assert any(abs(advantage) > 0.1 for advantage in advantages)


def test_a_gpu_is_not_read_for_every_token_that_is_written(
    run_folder: Path, tiny_model: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(SHORT, max_steps=1, max_new_tokens=32)
    made: Callable[..., Any] = grpo.WatchedGrpo._generate_single_turn
    n_reads: list[int] = []

    def spied(self: Any, *args: Any, **kwargs: Any) -> Any:
        with HostReads() as reads:
            written = made(self, *args, **kwargs)
        n_reads.append(reads.total)
        return written

    monkeypatch.setattr(grpo.WatchedGrpo, "_generate_single_turn", spied)
    every = trained(run_folder / "every", config, tiny_model, snapshot)
    monkeypatch.setattr(fixed_cache, "_READ_FREELY", frozenset())
    rare = trained(run_folder / "rare", config, tiny_model, snapshot)

    assert n_reads[0] - n_reads[1] > 32  # what is left is TRL cutting each response
    one, other = (load_file(f.path / "model" / "model.safetensors") for f in (every, rare))
    assert all(torch.allclose(one[name], other[name], atol=1e-5) for name in one)


def test_kl_is_the_difference_of_log_probabilities(tiny_model: Path) -> None:
    """Against a loop over tokens, at a temperature."""
    tokenizer = loading.load_tokenizer(str(tiny_model))
    model = loading.load_policy(str(tiny_model), tokenizer, torch.float32)
    sequences = [([5, 6, 7], [8, 9]), ([3], [4, 5, 6, 7])]

    sums = logprobs.of_responses(model, sequences, torch.float32, temperature=0.7)

    for (prompt, response), found in zip(sequences, sums, strict=True):
        expected = 0.0
        for at, token in enumerate(response):
            ids = torch.tensor([prompt + response[:at]])
            logits = model(ids.to(model.device)).logits[0, -1] / 0.7
            expected += torch.log_softmax(logits.detach(), dim=-1)[token].item()
        assert found == pytest.approx(expected, abs=1e-4)


# --- rules ----------------------------------------------------------------------------------------


def scored(text: str, reference: str = "", **settings: Any) -> float:
    config = GrpoConfig(**settings)
    (rule,) = rules.of_config(config).values()
    prompt = data.Prompt(1, [], [], reference)
    return rule(prompt, GeneratedResponse(text, list(range(len(text.split()))), is_ended=True))


@pytest.mark.parametrize(
    ("text", "reference", "settings", "expected"),
    [
        ("Paris.", "paris", {"exact_weight": 1}, 1),
        ("It is Paris.", "Paris", {"exact_weight": 1}, 0),
        ("It is Paris.", "Paris", {"contains_weight": 1}, 1),
        ("Parisian", "Paris", {"contains_weight": 1}, 0),
        ("so 1,250.5 in all", "= 1250.50", {"number_weight": 1}, 1),
        ("about 7", "6.5", {"number_weight": 1}, 0),
        ("about 7", "6.5", {"number_weight": 1, "number_tolerance": 0.5}, 1),
        ("call 555-1234", "", {"pattern_weight": 1, "pattern": r"\d{3}-\d{4}"}, 1),
        ("He said “yes.”", "", {"format_weight": 1}, 1),
        ("He said", "", {"format_weight": 1}, 0),
        ('{"a": [1]}', "", {"format_weight": 1, "format": "json"}, 1),
        ('Here: {"a": 1}', "", {"format_weight": 1, "format": "json"}, 0),
        ("[" * 100_000, "", {"format_weight": 1, "format": "json"}, 0),
        ("- one\n- two", "", {"format_weight": 1, "format": "list"}, 1),
        ("1. one\nand two", "", {"format_weight": 1, "format": "list"}, 0),
        ("a b c d", "", {"length_weight": 1, "max_length": 4}, 1),
        ("a b c d e f", "", {"length_weight": 1, "max_length": 4}, 0.5),
        ("a b c d e f g h", "", {"length_weight": 1, "max_length": 4}, 0),
        ("Sure. Mix flour and water, then knead it well.", "", {"refusal_weight": 1}, 1),
        ("I'm sorry, but I can't help with that.", "", {"refusal_weight": 1}, 0),
    ],
)
def test_rules(text: str, reference: str, settings: dict[str, Any], expected: float) -> None:
    assert scored(text, reference, **settings) == expected


@pytest.mark.parametrize("name", ["exact", "contains", "number", "pattern", "format", "length"])
def test_an_empty_response_earns_nothing(name: str) -> None:
    settings: dict[str, Any] = {f"{name}_weight": 1, "pattern": "x*"}

    assert scored("  ", "7", **settings) == 0


def test_a_pattern_that_would_never_end_in_other_engines_is_matched_at_once() -> None:
    assert scored("a" * 50_000 + "!", pattern_weight=1, pattern="^(a+)+$") == 0


# --- a run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_passes", [1, 2])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    run_folder: Path, tiny_model: Path, snapshot: Path, method: str, n_passes: int
) -> None:
    config = replace(
        SHORT, method=method, lora_rank=4, checkpoint_every=2, n_passes=n_passes, kl_coef=0.05
    )
    whole = trained(run_folder, config, tiny_model, snapshot)
    cut = RunFolder(shutil.copytree(run_folder, run_folder.parent / "cut"), 2)
    for checkpoint in (cut.path / "checkpoints").iterdir():
        if run_dir.checkpoint_step(checkpoint) > 2:
            shutil.rmtree(checkpoint)
    shutil.rmtree(cut.path / "model")

    runs.prepare(cut.path, "grpo", config, tiny_model, snapshot, attempt=2)
    runs.carry_out(cut)

    one, other = (load_file(f.path / "model" / "model.safetensors") for f in (whole, cut))
    assert all(torch.equal(one[name], other[name]) for name in one)
    apart = ("seconds", "peak_memory_gb", *metrics.TIMES, metrics.WAITING)
    assert {name: value for name, value in metrics_of(cut).items() if name not in apart} == {
        name: value for name, value in metrics_of(whole).items() if name not in apart
    }
    late = runs.points(cut)
    assert sorted(late) == [3, 4]
    for step, values in late.items():
        before = runs.points(whole)[step]
        timed = {"seconds", "tokens_per_s"}
        assert {n: v for n, v in values.items() if n not in timed} == {
            n: v for n, v in before.items() if n not in timed
        }


def test_the_stop_file_ends_it_after_the_last_pass_on_the_same_responses(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    config = replace(SHORT, n_passes=2)
    folder = runs.prepare(run_folder, "grpo", config, tiny_model, snapshot)
    run_dir.request_stop(run_folder)

    result = runs.carry_out(folder)

    assert (result.outcome, result.n_steps, result.model) == ("stopped", 2, "model")


def test_the_step_whose_reward_rose_most_surely_is_kept(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    """The learning rate is far too high, so what it learns at first is lost again."""
    config = replace(QUICK, learning_rate=5e-2, max_steps=12, evaluate_every=1)

    folder = trained(run_folder, config, tiny_model, snapshot)

    metrics = metrics_of(folder)
    kept, points = metrics["kept_step"], runs.points(folder)
    assert metrics["n_held_out_prompts"] == 8
    gain = metrics["reward_after"] - metrics["reward_before"]
    assert metrics["reward_gain"] == pytest.approx(gain)
    assert metrics["reward_gain_low"] <= gain <= metrics["reward_gain_high"]
    assert "8 of the held-out prompts choose the step to keep" in runs.notes(folder)
    assert 0 < kept <= 12
    if kept < 12:
        assert metrics["reward_after"] == pytest.approx(points[kept]["held_out_reward"], abs=1e-6)
    assert not (run_folder / "best").exists()


@pytest.mark.parametrize("loss", ["grpo", "dr_grpo", "bnpo", "cispo", "sapo", "luspo", "vespo"])
def test_every_loss_trains(run_folder: Path, tiny_model: Path, snapshot: Path, loss: str) -> None:
    importance = "sequence" if loss == "luspo" else "token"
    config = replace(SHORT, loss=loss, importance=importance, max_steps=2, epsilon_high=0.28)

    folder = trained(run_folder, config, tiny_model, snapshot)

    assert runs.points(folder)[2]["grad_norm"] > 0


def test_gspo_and_gdpo_train(run_folder: Path, tiny_model: Path, snapshot: Path) -> None:
    config = replace(
        SHORT, importance="sequence", mixing="normalize_then_sum", length_weight=0.5, max_length=3,
        max_steps=2, n_passes=2,
    )  # fmt: skip

    folder = trained(run_folder, config, tiny_model, snapshot)

    assert runs.points(folder)[2]["grad_norm"] > 0


@pytest.mark.parametrize("method", ["lora", "full"])
def test_kl_is_measured_to_the_reference_model(
    run_folder: Path, tiny_model: Path, snapshot: Path, method: str
) -> None:
    config = replace(SHORT, method=method, lora_rank=4, max_steps=1)
    kl = {}
    for name, seed in (("same", 0), ("other", 5)):
        reference = tiny.build_tiny_model(run_folder.parent / name, seed=seed)
        folder = trained(
            run_folder.parent / f"run-{name}", config, tiny_model, snapshot,
            reference_model=reference,
        )  # fmt: skip
        kl[name] = metrics_of(folder)["kl_before"]

    assert kl["same"] == pytest.approx(0, abs=1e-4)
    assert kl["other"] > 0.01


def test_every_setting_reaches_trl(
    run_folder: Path, tiny_model: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(
        SHORT, max_steps=2, loss="cispo", importance="sequence", n_passes=2, epsilon=0.1,
        epsilon_high=5.0, scale="batch", mixing="normalize_then_sum", masks_unfinished=True,
        kl_coef=0.01, temperature=0.9, vllm_importance_sampling_correction=False,
        vllm_importance_sampling_clip_max=2.0,
    )  # fmt: skip
    made: list[grpo.WatchedGrpo] = []
    build = grpo.trainer_of

    def spied(*parts: Any) -> grpo.WatchedGrpo:
        made.append(build(*parts))
        return made[0]

    monkeypatch.setattr(grpo, "trainer_of", spied)

    trained(run_folder, config, tiny_model, snapshot)

    arguments: Any = made[0].args
    assert {
        "loss_type": "cispo",
        "importance_sampling_level": "sequence",
        "num_iterations": 2,
        "epsilon": 0.1,
        "epsilon_high": 5.0,
        "scale_rewards": "batch",
        "multi_objective_aggregation": "normalize_then_sum",
        "mask_truncated_completions": True,
        "num_generations": 8,
        "max_completion_length": 8,
        "beta": 0.01,
        "temperature": 0.9,
        "vllm_importance_sampling_correction": False,
        "vllm_importance_sampling_mode": "sequence_truncate",
        "vllm_importance_sampling_clip_max": 2.0,
        "reward_weights": [1.0],
    }.items() <= vars(arguments).items()


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [0, 20])
def test_a_row_without_a_reference_answer_is_named(
    run_folder: Path, tiny_model: Path, tmp_path: Path, missing: int
) -> None:
    config = replace(SHORT, exact_weight=1.0)
    rows = [runs.demonstration(n, " " if n == missing else "Blue.") for n in range(24)]
    snapshot = runs.write_snapshot(tmp_path / "rows", train=rows[:16], validation=rows[16:])
    folder = runs.prepare(run_folder, "grpo", config, tiny_model, snapshot)

    with pytest.raises(data.UnableToRead, match=f"The row {missing} has no reference answer"):
        runs.carry_out(folder)


def test_a_reference_answer_without_a_number_is_named(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(
        run_folder, "grpo", replace(SHORT, number_weight=1.0), tiny_model, snapshot
    )

    with pytest.raises(data.UnableToRead, match="row 0 has no number: “The sky is blue"):
        runs.carry_out(folder)


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "(a{1000}){1000}"])
def test_a_pattern_that_cannot_be_used_says_so(
    run_folder: Path, tiny_model: Path, snapshot: Path, pattern: str
) -> None:
    config = replace(SHORT, pattern=pattern)
    folder = runs.prepare(run_folder, "grpo", config, tiny_model, snapshot)

    with pytest.raises(data.UnableToRead, match="not a regular expression that RE2 accepts"):
        runs.carry_out(folder)


def test_a_run_with_nothing_to_reward_says_so(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(
        run_folder, "grpo", replace(SHORT, pattern_weight=0.0), tiny_model, snapshot
    )

    with pytest.raises(data.UnableToRead, match="There is nothing to reward"):
        runs.carry_out(folder)


def test_each_response_is_compared_with_the_reference_of_its_own_prompt(
    run_folder: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [runs.demonstration(number, answer=f"{number}") for number in range(24)]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows[:16], validation=rows[16:])
    config = replace(SHORT, pattern_weight=0.0, number_weight=1.0, max_steps=1)
    seen: list[data.Prompt] = []
    read = mix.Mix.last_batch

    def spied(self: mix.Mix, *batch: Any) -> Any:
        prompts, answers = read(self, *batch)
        seen.extend(prompts)
        return prompts, answers

    monkeypatch.setattr(mix.Mix, "last_batch", spied)

    trained(run_folder, config, tiny_model, snapshot)

    assert len(seen) == 16
    assert all(prompt.messages[-1]["content"].endswith(f" {prompt.reference}") for prompt in seen)
