"""Revisions by a tiny model, for real: by drawn principles, the same for the same seed, the same
after a kill, and left out where they are none.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.trainer import runs
from training.configs.sample.revise import ReviseConfig
from training.processes import run_dir
from training.processes.run_dir import RunFolder
from training.trainer.sample import generation, revise
from training.trainer.sample.generation import GeneratedResponse

QUICK = ReviseConfig(
    max_new_tokens=12,
    batch_size=2,
    dtype="float32",
    critique_prompt="Wrong? {principle}",
    revision_prompt="{critique} So again: {principle}",
)
CONSTITUTION = runs.CONSTITUTION


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return runs.prompts(tmp_path / "prompts")


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A tiny model never ends its answers; here all count as ended. Collects what it was asked."""
    asked: list[str] = []
    written = generation.responses

    def ended(model: Any, tokenizer: Any, prompts: Any, *rest: Any, **named: Any) -> Any:
        asked.extend(str(prompt.messages) for prompt in prompts)
        return [
            replace(response, is_ended=True)
            for response in written(model, tokenizer, prompts, *rest, **named)
        ]

    monkeypatch.setattr(generation, "responses", ended)
    return asked


def finished(path: Path, model: Path, snapshot: Path, config: ReviseConfig = QUICK) -> RunFolder:
    return runs.finished(path, "revise", config, model, snapshot, constitution=CONSTITUTION)


def rows(folder: RunFolder) -> list[dict[str, Any]]:
    return list(run_dir.read_lines(folder.path / run_dir.RESPONSES))


def test_each_round_asks_for_a_critique_by_a_principle_and_then_for_a_revision_by_the_critique(
    tmp_path: Path, tiny_model: Path, snapshot: Path, ends: list[str]
) -> None:
    folder = finished(tmp_path / "run", tiny_model, snapshot)

    assert len(ends) == 5 * (1 + 2 * QUICK.n_rounds)
    texts = {principle["name"]: principle["text"] for principle in CONSTITUTION["principles"]}
    for row in rows(folder):
        lineage = row["sampling"]
        if not lineage["round"]:
            continue
        text, critique = texts[lineage["principle"]], lineage["critique"]
        assert any(f"Wrong? {text}" in asked for asked in ends)
        assert any(repr(f"{critique} So again: {text}")[1:-1] in asked for asked in ends)
        assert lineage["guideline"] == "Answering v3"
        assert lineage["guideline_version"] == 7


def test_rounds_draw_each_principle_before_one_comes_again() -> None:
    drawn = [
        [revise.draw(CONSTITUTION["principles"], 42, prompt, n)["name"] for n in (1, 2, 3, 4)]
        for prompt in range(40)
    ]

    assert all(len(set(names[:2])) == 2 and names[:2] == names[2:] for names in drawn)
    assert {names[0] for names in drawn} == {"honest", "kind"}


def test_a_killed_run_goes_on_with_the_same_revisions(
    tmp_path: Path, tiny_model: Path, snapshot: Path, ends: list[str]
) -> None:
    whole = finished(tmp_path / "whole", tiny_model, snapshot)
    folder = finished(tmp_path / "run", tiny_model, snapshot)
    path = folder.path / run_dir.RESPONSES
    torn = rows(folder)[:4]  # the first prompt is whole, and the second is not
    path.write_text("")
    folder.replace_lines(run_dir.RESPONSES, torn)
    (folder.path / run_dir.RESULT).unlink(missing_ok=True)

    result = runs.carry_out(folder)

    by_prompt = lambda row: (row["prompt_id"], row["number"])  # noqa: E731
    assert sorted(rows(folder), key=by_prompt) == sorted(rows(whole), key=by_prompt)
    assert result.metrics["n_responses"] == len(rows(whole))


def test_each_batch_and_stage_writes_with_a_seed_of_its_own(
    tmp_path: Path, tiny_model: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []
    written = generation.responses

    def noted(*rest: Any, seed: int, **named: Any) -> Any:
        seeds.append(seed)
        return written(*rest, seed=seed, **named)

    monkeypatch.setattr(generation, "responses", noted)

    finished(tmp_path / "run", tiny_model, snapshot)

    assert len(seeds) == len(set(seeds)) == 3 * (1 + 2 * QUICK.n_rounds)


def test_another_seed_draws_and_writes_otherwise(
    tmp_path: Path, tiny_model: Path, snapshot: Path, ends: list[str]
) -> None:
    one = finished(tmp_path / "one", tiny_model, snapshot)
    other = finished(tmp_path / "other", tiny_model, snapshot, replace(QUICK, seed=7))

    assert [row["text"] for row in rows(one)] != [row["text"] for row in rows(other)]


def test_what_is_no_revision_is_left_out_and_counted(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    def response(text: str, *, is_ended: bool = True) -> GeneratedResponse:
        return GeneratedResponse(text, [1], is_ended)

    before = response("The sky is blue.")
    assert revise.why_left_out(before, response("The sky  is blue.\n")) == "n_same"
    assert revise.why_left_out(before, response(" ")) == "n_empty"
    assert revise.why_left_out(before, response("The sky is", is_ended=False)) == "n_cut"
    assert revise.why_left_out(before, response("The sky is grey.")) == ""
    # The tiny model never ends: every revision is cut off, and only the first answers are kept.
    result = runs.carry_out(
        runs.prepare(
            tmp_path / "cut",
            "revise",
            replace(QUICK, max_new_tokens=2),
            tiny_model,
            snapshot,
            constitution=CONSTITUTION,
        )
    )
    left_out = sum(result.metrics[name] for name in ("n_same", "n_empty", "n_cut"))
    assert result.metrics["n_responses"] - 5 + left_out == 5 * QUICK.n_rounds
    assert result.metrics["n_cut"] > 0


def test_a_critique_that_names_a_place_to_fill_in_is_not_filled_in() -> None:
    asked = revise.filled("{critique} – {principle}", "Be kind.", "I saw {principle}.")

    assert asked == "I saw {principle}. – Be kind."


def test_a_run_without_principles_says_what_to_choose(
    tmp_path: Path, tiny_model: Path, snapshot: Path
) -> None:
    with pytest.raises(revise.NoPrinciples, match="Choose a guideline"):
        runs.finished(tmp_path / "run", "revise", QUICK, tiny_model, snapshot)
