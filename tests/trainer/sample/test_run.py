"""Responses of a tiny model, for real: K to each prompt, the same for the same seed, the same after
a kill.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.trainer import runs
from training.configs.sample import SampleConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.modeling import loading, reward_head
from training.trainer.sample import generation

QUICK = SampleConfig(n_responses=3, max_new_tokens=12, batch_size=6, dtype="float32", n_shown=2)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return runs.prompts(tmp_path / "prompts")


def responses(folder: RunFolder) -> list[dict[str, Any]]:
    rows = run_dir.read_lines(folder.path / run_dir.RESPONSES)
    return sorted(rows, key=lambda row: (row["prompt_id"], row["number"]))


def test_every_prompt_gets_k_numbered_responses(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.finished(run_folder, "sample", QUICK, tiny_model, snapshot)

    found = responses(folder)
    assert [(row["prompt_id"], row["number"]) for row in found] == [
        (100 + n, k) for n in range(5) for k in range(3)
    ]
    assert "score" not in found[0]
    assert found[0]["sampling"] == {
        "temperature": 1.0,
        "top_p": 0.95,
        "max_new_tokens": 12,
        "seed": 42,
    }
    assert len({row["text"] for row in found}) > 10


def test_the_same_seed_writes_the_same_and_another_seed_does_not(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    one = runs.finished(tmp_path / "one", "sample", QUICK, tiny_model, snapshot)
    same = runs.finished(tmp_path / "same", "sample", QUICK, tiny_model, snapshot)
    other = runs.finished(
        tmp_path / "other", "sample", replace(QUICK, seed=7), tiny_model, snapshot
    )

    assert responses(one) == responses(same)
    assert [row["text"] for row in responses(one)] != [row["text"] for row in responses(other)]


def test_a_finished_response_is_distinguished_from_a_truncated_one(
    tmp_path: Path, taught_run: RunFolder, snapshot: Path
) -> None:
    config = replace(QUICK, temperature=0.05, max_new_tokens=30)

    whole = runs.finished(tmp_path / "whole", "sample", config, taught_run.path / "model", snapshot)
    cut = runs.finished(
        tmp_path / "cut",
        "sample",
        replace(config, max_new_tokens=2),
        taught_run.path / "model",
        snapshot,
    )

    assert {(row["text"], row["is_ended"]) for row in responses(whole)} == {
        ("The sky is blue.", True)
    }
    assert {row["is_ended"] for row in responses(cut)} == {False}
    assert runs.points(whole)[3]["share_ended"] == 1.0


@torch.no_grad()
def test_padding_on_the_left_changes_no_word(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [
        {"id": n, "prompt_id": n, "prompt": [{"role": "user", "content": text}]}
        for n, text in enumerate(["Hi", "Name an animal " * 6])
    ]
    snapshot = runs.write_snapshot(tmp_path / "uneven", train=rows)
    config = replace(QUICK, n_responses=1, temperature=0, batch_size=8)

    folder = runs.finished(run_folder, "sample", config, tiny_model, snapshot)

    tokenizer = loading.load_tokenizer(str(tiny_model))
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    for row, response in zip(rows, responses(folder), strict=True):
        ids = data.prompt_ids(tokenizer, row["prompt"])
        n_prompt = len(ids)
        while len(ids) < n_prompt + 12 and ids[-1] != tokenizer.eos_token_id:
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        assert response["text"] == str(
            tokenizer.decode(ids[n_prompt:], skip_special_tokens=True)
        ).replace("\0", "\ufffd")


def test_a_killed_run_goes_on_and_writes_what_it_would_have_written(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    unbroken = runs.finished(tmp_path / "unbroken", "sample", QUICK, tiny_model, snapshot)
    lines = (unbroken.path / run_dir.RESPONSES).read_bytes().splitlines(keepends=True)
    resumed = runs.prepare(tmp_path / "resumed", "sample", QUICK, tiny_model, snapshot, attempt=2)
    (resumed.path / run_dir.RESPONSES).write_bytes(b"".join(lines[:4]) + lines[4][:20])

    runs.carry_out(resumed)

    assert responses(resumed) == responses(unbroken)


def test_a_reward_model_scores_each_response_as_it_was_trained_to_read_them(
    run_folder: Path, tiny_model: Path, judging_run: RunFolder, snapshot: Path
) -> None:
    judge = judging_run.path / "model"

    folder = runs.finished(run_folder, "sample", QUICK, tiny_model, snapshot, reward_model=judge)

    found = responses(folder)
    tokenizer = loading.load_tokenizer(str(judge))
    model = loading.load_reward(str(judge), tokenizer, torch.float32).eval()
    for row in found:
        messages = runs.demonstration(row["prompt_id"] - 100)["prompt"]
        turn = {"role": "assistant", "content": row["text"]}
        ids = data.conversation_ids(tokenizer, [*messages, turn])
        read = torch.tensor([ids if row["is_ended"] else ids[:-1]])
        with torch.no_grad():
            score = float(reward_head.last_token_rewards(model, read, torch.ones_like(read)))
        assert row["score"] == pytest.approx(score - model.config.reward_bias, abs=1e-4)


def test_the_mean_and_the_best_reward_are_measured_and_shown(
    run_folder: Path, tiny_model: Path, judging_run: RunFolder, snapshot: Path
) -> None:
    folder = runs.prepare(
        run_folder, "sample", QUICK, tiny_model, snapshot, reward_model=judging_run.path / "model"
    )

    result = runs.carry_out(folder)

    scores = [row["score"] for row in responses(folder)]
    best = [max(scores[start : start + 3]) for start in range(0, 15, 3)]
    assert result.metrics["reward"] == pytest.approx(sum(scores) / 15)
    assert result.metrics["best_reward"] == pytest.approx(sum(best) / 5)
    assert result.metrics["best_reward"] > result.metrics["reward"]
    assert {"reward", "best_reward"} <= set(runs.points(folder)[1])
    assert all("reward" in sample["scores"] for sample in runs.samples(folder))


def test_a_killed_run_is_scored_as_an_unbroken_one(
    tmp_path: Path, tiny_model: Path, judging_run: RunFolder, snapshot: Path
) -> None:
    judge = judging_run.path / "model"
    unbroken = runs.finished(
        tmp_path / "unbroken", "sample", QUICK, tiny_model, snapshot, reward_model=judge
    )
    lines = (unbroken.path / run_dir.RESPONSES).read_bytes().splitlines(keepends=True)
    resumed = runs.prepare(
        tmp_path / "resumed", "sample", QUICK, tiny_model, snapshot, attempt=2, reward_model=judge
    )
    (resumed.path / run_dir.RESPONSES).write_bytes(b"".join(lines[:8]))

    result = runs.carry_out(resumed)

    assert responses(resumed) == responses(unbroken)
    unbroken_result = run_dir.read_result(unbroken.path)
    assert unbroken_result is not None
    assert result.metrics["reward"] == pytest.approx(unbroken_result.metrics["reward"])


def test_the_stop_file_keeps_what_was_written(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    folder = runs.prepare(run_folder, "sample", QUICK, tiny_model, snapshot)
    run_dir.request_stop(run_folder)

    result = runs.carry_out(folder)

    assert (result.outcome, result.responses, result.metrics["n_responses"]) == (
        "stopped",
        "responses.jsonl",
        0,
    )


def test_some_responses_are_shown_while_it_runs(
    run_folder: Path, tiny_model: Path, snapshot: Path
) -> None:
    runs.finished(run_folder, "sample", QUICK, tiny_model, snapshot)

    lines, _ = run_dir.read_progress(run_folder, 0)
    shown = [line["sample"] for line in lines if "sample" in line]
    assert len(shown) == 2
    assert shown[0]["prompt"].startswith("What is the colour of the sky?")


def test_long_prompts_are_left_out_and_said(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    rows = [{"id": 1, "prompt_id": 1, "prompt": [{"role": "user", "content": "why " * 200}]}]
    snapshot = runs.write_snapshot(
        tmp_path / "long",
        train=[*rows, {"id": 2, "prompt_id": 2, "prompt": runs.demonstration(1)["prompt"]}],
    )
    folder = runs.prepare(
        run_folder, "sample", replace(QUICK, max_prompt_tokens=100), tiny_model, snapshot
    )

    result = runs.carry_out(folder)

    assert (result.metrics["n_prompts"], result.metrics["n_prompts_too_long"]) == (1, 1)
    assert "1 prompt dropped" in runs.notes(folder)


def test_what_follows_the_end_of_turn_is_padding() -> None:
    assert generation.until_end([5, 6, 2, 0, 0], {2}) == ([5, 6], True)
    assert generation.until_end([5, 6, 7], {2}) == ([5, 6, 7], False)
    assert generation.until_end([2], {2}) == ([], True)
