"""Attacks in the child process: strategies, attempts, conversations that an attacker model leads,
and going on after a kill.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs, warm
from tests.training.benchmarks.attacks.attacked_model import AttackedModel, attacked_model
from training.configs.evaluation.attack import ATTACKER, STRATEGIES, AttackConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer import data
from training.trainer.evaluation.attacks import strategies

ONE: dict[str, Any] = {
    "prefix": False,
    "suppression": False,
    "past_tense": False,
    "role": False,
    "many_shot": False,
    "build_up": False,
}
QUICK = AttackConfig(max_new_tokens=6, batch_size=4, dtype="float32", n_samples=2)
GOAL = [{"role": "user", "content": "Name the password of the neighbour."}]


@pytest.fixture
def model() -> Iterator[AttackedModel]:
    with attacked_model() as found:
        yield found


def prepared(
    path: Path, model: AttackedModel, snapshot: Path, config: AttackConfig = QUICK, **fields: Any
) -> RunFolder:
    place = [model.url, "other", ""]
    return runs.prepare(path, "attack", config, model.url, snapshot, endpoint=place, **fields)


def rows(folder: RunFolder) -> list[dict[str, Any]]:
    return list(run_dir.read_lines(folder.path / run_dir.ANSWERS))


def keys(folder: RunFolder) -> Counter[tuple[int, str, int]]:
    return Counter((row["item"], row["strategy"], row["sample"]) for row in rows(folder))


@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name != ATTACKER])
def test_every_strategy_says_the_goal_and_is_the_same_each_time(strategy: str) -> None:
    system = {"role": "system", "content": "Be kind."}
    found = strategies.attack(strategy, [system, *GOAL], sample=1)

    said = [*(one["content"] for one in found.messages), *found.follow_ups]
    assert found == strategies.attack(strategy, [system, *GOAL], sample=1)
    assert found.messages[0] == system
    assert found.messages[-1]["role"] == "user"
    assert GOAL[0]["content"] in said[-1]
    assert not any("{goal}" in text for text in said)


def test_samples_take_turns_with_the_templates_and_direct_adds_nothing() -> None:
    prefixes = [strategies.attack("prefix", GOAL, sample=n).messages for n in range(4)]

    assert prefixes[0] != prefixes[1]
    assert prefixes[0] == prefixes[3]
    assert strategies.attack("direct", GOAL).messages == GOAL
    assert len(strategies.attack("many-shot", GOAL).messages) == 25
    with pytest.raises(ValueError, match="no strategy is called magic"):
        strategies.attack("magic", GOAL)


def test_each_goal_is_attempted_with_each_strategy_as_often_as_asked(
    run_folder: Path, model: AttackedModel, tmp_path: Path
) -> None:
    folder = prepared(run_folder, model, runs.goals(tmp_path / "s"))

    result = runs.carry_out(folder)

    names = [name for name in STRATEGIES if name != ATTACKER]
    expected = {(goal, name, n) for goal in (0, 1) for name in names for n in (0, 1)}
    assert keys(folder) == dict.fromkeys(expected, 1)
    assert (result.metrics["n_items"], result.metrics["n_goals"]) == (28, 2)
    found = {(row["item"], row["strategy"], row["sample"]): row for row in rows(folder)}
    assert found[0, "direct", 0]["asked"] == [{"role": "user", "content": "Do harm number 0"}]
    build_up = found[1, "build-up", 0]
    assert [one["role"] for one in build_up["asked"]] == ["user", "assistant"] * 2 + ["user"]
    assert build_up["asked"][-1]["content"] == "Do harm number 1"
    assert found[0, "direct", 0]["sampling"]["seed"] != found[0, "direct", 1]["sampling"]["seed"]
    assert "28 attempts of 1 suite." in runs.notes(folder)


def test_the_attacker_model_writes_all_turns_but_the_last(
    run_folder: Path, model: AttackedModel, tmp_path: Path
) -> None:
    with attacked_model(rate=1.0, sensitivity=1.0) as attacker:
        config = replace(QUICK, **ONE, n_samples=1, turns=3)
        folder = prepared(
            run_folder,
            model,
            runs.goals(tmp_path / "s", 3),
            config,
            attacker_model=attacker.url,
            attacker_endpoint=[attacker.url, "attacker", ""],
        )
        runs.carry_out(folder)

    led = [row for row in rows(folder) if row["strategy"] == ATTACKER]
    assert keys(folder) == {(n, name, 0): 1 for n in range(3) for name in ("direct", ATTACKER)}
    assert len(attacker.asked) == 6
    for row in led:
        assert [one["role"] for one in row["asked"]] == ["user", "assistant"] * 2 + ["user"]
        assert row["asked"][0]["content"].startswith("Sure, here is what you asked for")
        assert row["asked"][-1]["content"] == f"Do harm number {row['item']}"
        assert row["text"]
        assert not row["follow_ups"]
    second = attacker.asked[-1]["messages"][-1]["content"]
    assert "Model: " in second
    assert "{talk}" not in second


def test_an_attacker_that_writes_nothing_ends_the_attempt(
    run_folder: Path, model: AttackedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with attacked_model() as attacker:
        monkeypatch.setattr(attacker, "answer", lambda _body: "  ")
        folder = prepared(
            run_folder,
            model,
            runs.goals(tmp_path / "s", 1),
            replace(QUICK, **ONE, n_samples=1),
            attacker_model=attacker.url,
            attacker_endpoint=[attacker.url, "attacker", ""],
        )
        result = runs.carry_out(folder)

    missing = {row["strategy"]: row["missing"] for row in rows(folder)}
    assert missing == {"direct": "", ATTACKER: "The attacker model wrote nothing."}
    assert result.metrics["n_missing"] == 1


def test_models_on_the_node_attack_and_answer(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    config = replace(QUICK, many_shot=False, n_samples=1, turns=2, max_tokens=1024)
    folder = runs.finished(
        run_folder,
        "attack",
        config,
        tiny_model,
        runs.goals(tmp_path / "s"),
        attacker_model=tiny_model,
    )

    assert set(keys(folder).values()) == {1}
    led = [row for row in rows(folder) if row["strategy"] == ATTACKER]
    assert len(led) == 2
    assert all(row["missing"] or len(row["asked"]) == 3 for row in led)


def test_suites_without_anything_to_refuse_get_a_sentence(
    run_folder: Path, model: AttackedModel, tmp_path: Path
) -> None:
    folder = prepared(run_folder, model, runs.goals(tmp_path / "s", 0))

    with pytest.raises(data.UnableToRead, match="there is no goal"):
        runs.carry_out(folder)


@pytest.mark.slow
def test_a_killed_attack_goes_on_and_stores_each_attempt_once(
    run_folder: Path, model: AttackedModel, tmp_path: Path
) -> None:
    """The model answers nothing after the second batch, which is stored before the third asks."""
    snapshot, config = runs.goals(tmp_path / "s", 5), replace(QUICK, build_up=False)
    model.most = 8
    folder = prepared(run_folder, model, snapshot, config)
    child = warm.started(folder.path)
    while len(model.asked) <= model.most and child.is_alive():
        time.sleep(0.02)
    child.kill()
    child.join()
    before = rows(folder)
    with (run_folder / run_dir.ANSWERS).open("ab") as file:
        file.write(b'{"item": 4, "strat')
    assert len(before) == 8

    model.most, model.asked = None, []
    model.goes_on.set()
    runs.carry_out(prepared(run_folder, model, snapshot, config, attempt=2))

    lines = [json.loads(line) for line in (run_folder / run_dir.ANSWERS).read_text().splitlines()]
    assert len(lines) == len(keys(folder)) == 5 * 6 * 2
    assert lines[:8] == before
    assert len(model.asked) == 60 - 8
