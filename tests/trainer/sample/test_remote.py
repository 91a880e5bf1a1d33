"""Sampling from another server over real HTTP: K seeded responses to each prompt, with refusals,
and resumed after a kill.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from tests.trainer.modeling.test_chat_template import TOOLS
from tests.training.playground.openai_stub import Stub, openai_stub
from training.configs.sample import SampleConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer.sample import remote

QUICK = SampleConfig(n_responses=3, max_new_tokens=12, batch_size=6, n_shown=2)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    monkeypatch.setattr(remote, "FIRST_RETRY_DELAY_S", 0.01)
    monkeypatch.setenv("PREFERABLY_KEY_STUB", "sk-secret")
    with openai_stub() as running:
        yield running


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return runs.prompts(tmp_path / "prompts")


def prepared(
    path: Path, stub: Stub, snapshot: Path, config: SampleConfig = QUICK, attempt: int = 1
) -> RunFolder:
    place = [stub.url, "echo", "PREFERABLY_KEY_STUB"]
    return runs.prepare(path, "sample", config, stub.url, snapshot, attempt=attempt, endpoint=place)


def responses(folder: RunFolder) -> list[dict[str, Any]]:
    return sorted(
        run_dir.read_lines(folder.path / run_dir.RESPONSES),
        key=lambda row: (row["prompt_id"], row["number"]),
    )


def test_every_prompt_gets_k_responses_each_with_a_seed_of_its_own(
    run_folder: Path, stub: Stub, snapshot: Path
) -> None:
    folder = prepared(run_folder, stub, snapshot)
    result = runs.carry_out(folder)

    found = responses(folder)
    assert [(row["prompt_id"], row["number"]) for row in found] == [
        (100 + n, k) for n in range(5) for k in range(3)
    ]
    assert found[0]["text"].startswith("0 sky? the of colour the is What ")
    assert len({row["sampling"]["seed"] for row in found}) == 15
    assert (found[0]["is_ended"], result.metrics["n_responses"], result.outcome) == (
        True,
        15,
        "succeeded",
    )
    assert set(stub.keys) == {"Bearer sk-secret"}
    assert "sk-secret" not in runs.notes(folder)


def test_what_another_server_wrote_is_scored_in_the_reward_models_own_tokens(
    run_folder: Path, stub: Stub, snapshot: Path, judging_run: RunFolder
) -> None:
    place = [stub.url, "echo", "PREFERABLY_KEY_STUB"]
    judge = judging_run.path / "model"
    folder = runs.prepare(
        run_folder, "sample", QUICK, stub.url, snapshot, endpoint=place, reward_model=judge
    )

    result = runs.carry_out(folder)

    scores = [row["score"] for row in responses(folder)]
    assert len(scores) == 15
    assert result.metrics["reward"] == pytest.approx(sum(scores) / 15)


def test_the_same_seed_asks_for_the_same(tmp_path: Path, stub: Stub, snapshot: Path) -> None:
    one, same = (prepared(tmp_path / name, stub, snapshot) for name in ("one", "same"))
    for folder in (one, same):
        runs.carry_out(folder)

    assert responses(one) == responses(same)


def test_a_busy_server_is_asked_again_and_one_that_stays_away_ends_the_run_with_its_words(
    tmp_path: Path, stub: Stub, snapshot: Path
) -> None:
    stub.refusals = [503, 429]
    runs.carry_out(prepared(tmp_path / "busy", stub, snapshot))

    stub.refusals = [500] * 1000
    with pytest.raises(remote.UnableToSample, match="answered 500: no, Bearer …"):
        runs.carry_out(prepared(tmp_path / "away", stub, snapshot))


def test_a_second_attempt_asks_only_for_what_is_missing(
    run_folder: Path, stub: Stub, snapshot: Path
) -> None:
    runs.carry_out(prepared(run_folder, stub, snapshot))
    before = responses(RunFolder(run_folder, 1))
    torn = before[:-1]
    (run_folder / run_dir.RESPONSES).unlink()
    RunFolder(run_folder, 1).append_lines(run_dir.RESPONSES, torn)
    stub.asked.clear()

    folder = prepared(run_folder, stub, snapshot, attempt=2)
    runs.carry_out(folder)

    assert len(stub.asked) == 3
    assert responses(folder) == before


def test_an_answer_without_text_is_no_response_and_is_counted(
    run_folder: Path, stub: Stub, snapshot: Path, judging_run: RunFolder
) -> None:
    """As from a server that keeps reasoning apart. Raters and reward models never see it."""
    seeds = iter(range(1000))
    stub.is_silent = lambda body: (
        body["messages"][-1]["content"].endswith(" 1") or next(seeds) % 4 == 3
    )
    place = [stub.url, "echo", "PREFERABLY_KEY_STUB"]
    judge = judging_run.path / "model"
    folder = runs.prepare(
        run_folder, "sample", QUICK, stub.url, snapshot, endpoint=place, reward_model=judge
    )

    result = runs.carry_out(folder)

    found = responses(folder)
    assert all(row["text"].strip() for row in found)
    assert (len(found), result.metrics["n_responses"]) == (9, 9)
    assert (result.outcome, result.metrics["n_empty"]) == ("succeeded", 6)
    assert "6 responses dropped: without text." in runs.notes(folder)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_what_a_server_keeps_apart_is_stored_apart(
    run_folder: Path, stub: Stub, snapshot: Path, name: str
) -> None:
    stub.parts = {name: "Hm."}

    folder = prepared(run_folder, stub, snapshot, replace(QUICK, max_thinking_tokens=30))
    runs.carry_out(folder)

    assert {row["reasoning_content"] for row in responses(folder)} == {"Hm."}
    assert {body["max_tokens"] for body in stub.asked} == {42}


def test_thinking_in_the_text_of_a_server_is_split_off(
    run_folder: Path, stub: Stub, snapshot: Path
) -> None:
    stub.parts = {"content": "Hm.\n</think>\n\nBlue."}

    folder = prepared(run_folder, stub, snapshot)
    runs.carry_out(folder)

    assert {(row["reasoning_content"], row["text"]) for row in responses(folder)} == {
        ("Hm.", "Blue.")
    }


def test_calls_are_asked_for_and_read_as_the_api_has_them(
    run_folder: Path, stub: Stub, snapshot: Path
) -> None:
    """Its arguments are JSON in a string, and an answer may be a call alone."""
    call = {"id": "x", "type": "function", "function": {"name": "sky", "arguments": {"n": 1}}}
    turn = {"role": "assistant", "content": "", "tool_calls": [call], "reasoning_content": "Hm."}
    sent = call | {"function": {"name": "sky", "arguments": '{"n": 1}'}}
    rows = [row | {"tools": TOOLS} for row in run_dir.read_lines(snapshot / "train.jsonl")]
    rows[0]["prompt"] = [rows[0]["prompt"][0], turn, {"role": "tool", "content": "blue"}]
    offering = runs.write_snapshot(run_folder.parent / "offering", train=rows)
    stub.parts = {"content": None, "tool_calls": [sent]}

    folder = prepared(run_folder, stub, offering)
    result = runs.carry_out(folder)

    assert {json.dumps(row["tool_calls"]) for row in responses(folder)} == {json.dumps([call])}
    assert result.metrics["n_empty"] == 0
    assert stub.asked[0]["tools"] == TOOLS
    asked = next(body["messages"] for body in stub.asked if len(body["messages"]) == 3)
    assert asked[1] == {"role": "assistant", "content": "", "tool_calls": [sent]}


def test_a_server_that_sends_no_text_at_all_leaves_no_responses(
    run_folder: Path, stub: Stub, snapshot: Path
) -> None:
    stub.is_silent = lambda _body: True

    folder = prepared(run_folder, stub, snapshot)
    result = runs.carry_out(folder)

    assert responses(folder) == []
    assert (result.metrics["n_responses"], result.metrics["n_empty"]) == (0, 15)


def test_a_missing_key_and_a_redirect_are_refused(
    tmp_path: Path, stub: Stub, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.refusals, stub.location = [302] * 1000, "http://169.254.169.254/latest"
    with pytest.raises(remote.UnableToSample, match="answered 302"):
        runs.carry_out(prepared(tmp_path / "redirect", stub, snapshot))

    monkeypatch.delenv("PREFERABLY_KEY_STUB")
    with pytest.raises(remote.UnableToSample, match="PREFERABLY_KEY_STUB is not set"):
        runs.carry_out(prepared(tmp_path / "keyless", stub, snapshot))


def test_prompts_too_long_by_the_rule_of_thumb_are_left_out_and_counted(
    tmp_path: Path, stub: Stub
) -> None:
    rows = [
        {"id": 1, "prompt_id": 1, "prompt": [{"role": "user", "content": "x" * 200}]},
        {"id": 2, "prompt_id": 2, "prompt": [{"role": "user", "content": "Hi"}]},
    ]
    snapshot = runs.write_snapshot(tmp_path / "snapshot", train=rows)

    folder = prepared(tmp_path / "run", stub, snapshot, replace(QUICK, max_prompt_tokens=20))
    result = runs.carry_out(folder)

    assert (result.metrics["n_prompts"], result.metrics["n_prompts_too_long"]) == (1, 1)
