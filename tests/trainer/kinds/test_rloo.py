"""RLOO of a tiny model, for real: reward rises on unseen prompts, and it saves, stops and refuses
as it should.
"""

from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from transformers import AutoModelForSequenceClassification

from tests.trainer import runs, tiny
from training.configs.online.rloo import RlooConfig
from training.processes import run_dir, run_lines
from training.trainer import data
from training.trainer.modeling import loading
from training.trainer.reward import scoring
from training.trainer.sample import generation

# transformers renamed the flag that trl 1.16 still sets itself; gone with the next trl.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*gradient_checkpointing. is deprecated:FutureWarning"
)

QUICK = RlooConfig(
    method="full",
    learning_rate=1e-2,
    n_epochs=8,
    batch_size=16,
    accumulation=1,
    max_new_tokens=8,
    max_prompt_tokens=48,
    kl_coef=0.0,
    missing_end_penalty=0.0,
    max_grad_norm=10.0,
    dtype="float32",
    checkpoint_every=0,
)


@pytest.fixture(scope="session")
def likes_a_token(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A reward model that gives what its last token's embedding has in its first place: some last
    tokens earn more.
    """
    path = tmp_path_factory.mktemp("models") / "likes"
    tokenizer = loading.load_tokenizer(str(tiny_model))
    model = AutoModelForSequenceClassification.from_pretrained(tiny_model, num_labels=1)
    with torch.no_grad():
        model.score.weight.zero_()
        model.score.weight[0, 0] = 1.0
    model.config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return runs.demonstrations(tmp_path / "snapshot", n_train=32, n_held_out=16)


def test_reward_rises_on_held_out_prompts(
    run_folder: Path, tiny_model: Path, likes_a_token: Path, snapshot: Path
) -> None:
    folder = runs.finished(
        run_folder, "rloo", QUICK, tiny_model, snapshot, reward_model=likes_a_token
    )

    result = run_dir.read_result(run_folder)
    assert result is not None
    assert result.n_steps == 64
    assert result.metrics["reward_after"] > result.metrics["reward_before"] + 0.5
    points = runs.points(folder)
    assert sorted(points) == list(range(65))
    assert {"reward", "response_tokens", "ended", "learning_rate"} <= set(points[64])
    assert points[0]["held_out_reward"] == result.metrics["reward_before"]
    assert len(runs.samples(folder)) == 8 + 4 + 8


def test_with_lora_the_model_is_merged_and_kl_is_reported(
    run_folder: Path, tiny_model: Path, likes_a_token: Path, snapshot: Path
) -> None:
    config = replace(QUICK, method="lora", kl_coef=0.05, max_steps=2, lora_rank=4)

    folder = runs.finished(
        run_folder, "rloo", config, tiny_model, snapshot, reward_model=likes_a_token
    )

    assert "kl" in runs.points(folder)[2]
    assert run_dir.is_complete(run_folder / "model")
    assert not list(run_folder.glob("model/adapter_*"))


@pytest.mark.parametrize("method", ["lora", "full"])
def test_kl_is_measured_to_the_reference_model(
    run_folder: Path, tiny_model: Path, likes_a_token: Path, snapshot: Path, method: str
) -> None:
    config = replace(QUICK, method=method, kl_coef=0.05, max_steps=2, lora_rank=4)
    first = {}
    for name, seed in (("same", 0), ("other", 5)):
        reference = tiny.build_tiny_model(run_folder.parent / name, seed=seed)
        folder = runs.finished(
            run_folder.parent / f"run-{name}",
            "rloo",
            config,
            tiny_model,
            snapshot,
            reward_model=likes_a_token,
            reference_model=reference,
        )
        first[name] = runs.points(folder)[1]["kl"]
        result = run_dir.read_result(folder.path)
        assert result is not None
        assert "kl_after" in result.metrics

    assert first["same"] == pytest.approx(0, abs=1e-4)
    assert first["other"] > 0.01


def test_a_run_of_too_few_prompts_says_so(
    run_folder: Path, tiny_model: Path, likes_a_token: Path, tmp_path: Path
) -> None:
    few = runs.demonstrations(tmp_path / "few", n_train=3, n_held_out=1)
    folder = runs.prepare(run_folder, "rloo", QUICK, tiny_model, few, reward_model=likes_a_token)

    with pytest.raises(data.UnableToRead, match="A step takes 4 prompts, but only 3"):
        runs.carry_out(folder)


def test_a_run_without_a_reward_model_says_so(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    with pytest.raises(loading.UnableToLoad, match="RLOO needs a reward model"):
        runs.carry_out(runs.prepare(run_folder, "rloo", QUICK, tiny_model, snapshot))


def test_the_stop_file_ends_it_at_the_next_step(
    run_folder: Path, tiny_model: Path, likes_a_token: Path, snapshot: Path
) -> None:
    folder = runs.prepare(
        run_folder, "rloo", QUICK, tiny_model, snapshot, reward_model=likes_a_token
    )
    run_dir.request_stop(run_folder)

    result = runs.carry_out(folder)

    assert (result.outcome, result.n_steps, result.model) == ("stopped", 1, "model")


def test_rewards_do_not_depend_on_padding(tiny_model: Path, likes_a_token: Path) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model))
    judge = loading.load_reward(str(likes_a_token), tokenizer, torch.float32)
    sequences = [[5, 6, 7], [8, 9, 10, 11, 12, 13], [14]]

    together = scoring.rewards_of_sequences(judge, tokenizer.pad_token_id, sequences, batch_size=3)

    alone = [
        scoring.rewards_of_sequences(judge, tokenizer.pad_token_id, [one], batch_size=1)[0]
        for one in sequences
    ]
    assert together == pytest.approx(alone, abs=1e-5)


def test_answers_are_the_same_again_and_leave_chance_alone(tiny_model: Path) -> None:
    tokenizer = loading.load_tokenizer(str(tiny_model), padding_side="left")
    model = loading.load_policy(str(tiny_model), tokenizer, torch.float32)
    found = [
        data.Prompt(n, [], data.prompt_ids(tokenizer, runs.demonstration(n)["prompt"]))
        for n in range(5)
    ]
    settings = generation.config_for(model, tokenizer, max_new_tokens=6, temperature=1.0, top_p=1.0)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)

    once = generation.responses(model, tokenizer, found, settings, batch_size=2, seed=1)
    drawn = torch.rand(1)

    assert once == generation.responses(model, tokenizer, found, settings, batch_size=2, seed=1)
    assert drawn == expected


@pytest.mark.parametrize("method", ["lora", "full"])
def test_the_step_that_raters_keep_is_the_one_saved(
    run_folder: Path, tiny_model: Path, likes_a_token: Path, tmp_path: Path, method: str
) -> None:
    rows = [runs.demonstration(number) | {"prompt_id": 100 + number} for number in range(24)]
    snapshot = runs.write_snapshot(tmp_path / "known", train=rows[:16], validation=rows[16:])
    config = replace(QUICK, method=method, max_steps=4, n_spot_checks=2, spot_wait_h=0.0)
    config = replace(config, lora_rank=4, checkpoint_every=2)
    saved = []

    for attempt, kept in enumerate((2, 4), start=1):
        path = run_folder / str(kept)
        folder = runs.prepare(
            path, "rloo", config, tiny_model, snapshot, attempt=attempt, reward_model=likes_a_token
        )
        runs.write_kept(path, run_lines.Kept(kept, 4))
        result = runs.carry_out(folder)
        lines, _end = run_dir.read_progress(path, 0)
        written = {line["step"]: line["check"] for line in lines if "check" in line}

        assert sorted(written) == [0, 2, 4]
        assert {row["prompt_id"] for row in written[2]} == set(range(116, 124))
        assert result.metrics["kept_step"] == kept
        assert (path / "checkpoints/step-2/spot/1-step-0/weights.safetensors").exists()
        saved.append(safetensors.torch.load_file(path / "model/model.safetensors"))

    assert any(not torch.equal(saved[0][name], weight) for name, weight in saved[1].items())
    if method == "full":
        kept_weights = safetensors.torch.load_file(run_folder / "2/spot/step-2/weights.safetensors")
        assert all(
            torch.equal(weight, kept_weights[name])
            for name, weight in saved[0].items()
            if name in kept_weights
        )
