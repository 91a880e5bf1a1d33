"""Accuracy on held-out pairs by how far they are from what the model learned from."""

from pathlib import Path

import numpy as np
import pytest

from tests.trainer import runs
from tests.trainer.reward.test_run import QUICK
from training.trainer.reward import breakdown
from training.trainer.reward.rankings import RankingRow


def row(
    prompt: str,
    lengths: tuple[int, int] = (2, 2),
    sources: tuple[str | None, str | None] = ("a",) * 2,
) -> RankingRow:
    """A prompt and one pair: the first response is the better one."""
    return {
        "prompt_ids": [1],
        "response_ids": [[1] * length for length in lengths],
        "winner": [0],
        "loser": [1],
        "weight": [1.0],
        "margin": [0.0],
        "about": [{}],
        "prompt": prompt,
        "sources": list(sources),
    }


TRAINED = [row(f"old {n}", (n, n), ("a", "b")) for n in range(1, 11)]


def strangeness(
    rows: list[RankingRow], margins: list[float] | None = None
) -> tuple[dict[str, tuple[int, float]], dict[str, str]]:
    learned = breakdown.learned_from(TRAINED)
    shown, left_out = breakdown.by_strangeness(margins or [1.0] * len(rows), rows, learned)
    return (
        {entry["group"]: (entry["n"], entry["accuracy"]) for entry in shown},
        {entry["group"]: entry["why"] for entry in left_out},
    )


def test_pairs_are_counted_under_every_kind_of_strangeness_that_they_have() -> None:
    seen = [row("old 1") for _n in range(30)]
    new = [row(f"new {n}", (2, 10), ("a", "b" if n < 30 else "c")) for n in range(60)]

    shown, left_out = strangeness([*seen, *new], [1.0] * 60 + [-1.0] * 30)

    assert shown == {
        "seen_prompt": (30, 1.0),
        "new_prompt": (60, 0.5),
        "new_model": (30, 0.0),
        "longer": (60, 0.5),
    }

    assert left_out == {}


def test_an_answer_is_long_beyond_nine_tenths_of_those_learned_from() -> None:
    learned = breakdown.learned_from(TRAINED)

    assert learned.long == pytest.approx(np.quantile([n for n in range(1, 11) for _ in "ab"], 0.9))
    assert learned.sources == {"a", "b"}
    assert learned.prompts == {f"old {n}" for n in range(1, 11)}


def test_what_the_snapshot_lacks_is_left_out_with_a_reason() -> None:
    shown, left_out = strangeness([row(f"new {n}") for n in range(29)])

    assert shown == {}
    assert left_out == {
        "seen_prompt": "none",
        "new_prompt": "too_few",
        "new_model": "none",
        "longer": "none",
    }


@pytest.mark.parametrize("sources", [("a", None), (None, "c")])
def test_without_the_source_of_every_response_none_counts_as_of_a_new_model(
    sources: tuple[str | None, str | None],
) -> None:
    rows = [row(f"new {n}", sources=("a", "c")) for n in range(40)]

    _shown, left_out = strangeness([*rows, row("last", sources=sources)])

    assert left_out["new_model"] == "no_source"
    learned = breakdown.learned_from([*TRAINED, row("more", sources=sources)])
    _shown_too, left_out_too = breakdown.by_strangeness([1.0] * 40, rows, learned)
    assert {"group": "new_model", "why": "no_source", "n": 0} in left_out_too


def test_pairs_of_four_prompts_are_too_few_however_many() -> None:
    rows = [row(f"new {n}") for n in range(4)]
    for one in rows:
        one["winner"], one["loser"] = [0] * 50, [1] * 50

    _shown, left_out = strangeness(rows, [1.0] * 200)

    assert left_out["new_prompt"] == "too_few"


@pytest.mark.slow
def test_the_interval_of_a_kind_covers() -> None:
    rng = np.random.default_rng(1)
    learned = breakdown.learned_from(TRAINED)
    covered = []
    for _draw in range(200):
        rows, margins = [], []
        for n in range(40):
            one = row(f"new {n}")
            one["winner"], one["loser"] = [0] * 4, [1] * 4
            rows.append(one)
            right = rng.beta(3, 2)  # pairs of one prompt share how hard it is; .6 on average
            margins += np.where(rng.random(4) < right, 1.0, -1.0).tolist()
        shown, _left_out = breakdown.by_strangeness(margins, rows, learned)
        low, high = shown[0]["low"], shown[0]["high"]
        assert low is not None
        assert high is not None
        covered.append(low <= 0.6 <= high)

    assert np.mean(covered) >= 0.93


def of_models(number: int, model: str, more: str = "") -> dict[str, object]:
    line = runs.ranking(number, {f"An egg {number}{more}": 1, f"A dog {number}": 2})
    for response in line["responses"]:
        response["source"] = model
    return line


@pytest.mark.slow
def test_a_run_reports_accuracy_by_strangeness_and_how_sure_it_may_be(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.write_snapshot(
        tmp_path / "snapshot",
        train=[of_models(number, "small") for number in range(40)],
        validation=[
            *(of_models(number, "small") for number in range(40)),
            *(of_models(number, "large", " and more") for number in range(40, 100)),
        ],
    )
    folder = runs.prepare(run_folder, "reward", QUICK, tiny_model, snapshot)

    metrics = runs.carry_out(folder).metrics

    shown = [(entry["group"], entry["n"]) for entry in metrics["accuracy_by"]["strangeness"]]
    assert shown == [("seen_prompt", 40), ("new_prompt", 60), ("new_model", 60), ("longer", 60)]
    assert metrics["strangeness_left_out"] == []
    assert metrics["certainty"]["least_sure"]["n"] == metrics["certainty"]["most_sure"]["n"] == 10
    assert metrics["calibration_error"] == metrics["certainty"]["ece_after"]
    assert metrics["temperature"] > 0


@pytest.mark.slow
def test_a_snapshot_without_sources_says_so(
    run_folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    snapshot = runs.rankings(tmp_path / "snapshot", n_held_out=40)
    folder = runs.prepare(run_folder, "reward", QUICK, tiny_model, snapshot)

    metrics = runs.carry_out(folder).metrics

    assert [entry["group"] for entry in metrics["accuracy_by"]["strangeness"]] == ["new_prompt"]
    assert [(entry["group"], entry["why"]) for entry in metrics["strangeness_left_out"]][:2] == [
        ("seen_prompt", "none"),
        ("new_model", "no_source"),
    ]
