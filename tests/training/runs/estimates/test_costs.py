"""How long a run will take, from past runs: by device, preferring runs with as many processes; and
the size of a model from a folder that somebody else has written.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from training.configs.cost.estimates import Cost
from training.models import Run, Snapshot, TrainedModel
from training.processes.launch import Launch
from training.runs.estimates.costs import CONFIG_BYTES, Pace, paces, shape_of

pytestmark = pytest.mark.django_db
COST = Cost(n_steps=10, n_tokens=2_000, n_parameters=1_000)


@pytest.fixture
def past(noor: User, base_model: TrainedModel, make_snapshot: Any) -> Any:
    """A run that took `seconds` for 1,000 tokens of 1,000 parameters."""
    snapshot: Snapshot = make_snapshot()

    def took(
        seconds: float, device: str = "H100", launch: Launch | None = None, **changes: Any
    ) -> Run:
        fields: dict[str, Any] = {
            "name": f"took {seconds} s",
            "kind": "sft",
            "state": Run.State.FINISHED,
            "outcome": Run.Outcome.SUCCEEDED,
            "estimate": {"n_tokens": 1_000, "n_parameters": 1_000},
            "metrics": {"seconds": seconds},
            "versions": {"device": device},
            "launch": launch.as_json() if launch else {},
        }
        return Run.objects.create(
            snapshot=snapshot, base_model=base_model, created_by=noor, **fields | changes
        )

    return took


def estimated(launch: Launch | None = None) -> list[Pace]:
    return paces(kind="sft", cost=COST, launch=launch or Launch())


def test_the_median_of_past_runs_of_the_kind_device_by_device(past: Any) -> None:
    for seconds in (10, 30, 200):
        past(seconds)
    past(400, device="cpu")

    assert estimated() == [Pace("H100", 60, 3), Pace("cpu", 800, 1)]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "reward"},
        {"outcome": Run.Outcome.FAILED},
        {"is_dry": True},
        {"metrics": {}},
        {"versions": {}},
        {"estimate": {"n_tokens": 1_000}},
    ],
)
def test_a_run_that_says_nothing_about_this_one_is_not_asked(
    past: Any, changes: dict[str, Any]
) -> None:
    past(10, **changes)

    assert estimated() == []


def test_runs_as_wide_as_this_one_go_before_all_others(past: Any) -> None:
    past(100)
    past(30, launch=Launch(4))
    past(20, launch=Launch(4, n_machines=2))

    assert estimated() == [Pace("H100", 200, 1)]
    assert estimated(Launch(4)) == [Pace("H100", 60, 1, n_processes=4)]
    assert estimated(Launch(4, n_machines=2)) == [Pace("H100", 40, 1, n_processes=8)]


def test_without_one_the_nearest_in_width_tell_unscaled_how_they_went(past: Any) -> None:
    past(100)
    past(30, launch=Launch(4))

    assert estimated(Launch(8)) == [Pace("H100", 60, 1, n_processes=4, is_as_wide=False)]
    assert estimated(Launch(2, n_machines=2)) == [
        Pace("H100", 60, 1, n_processes=4, is_as_wide=False)
    ]
    assert estimated(Launch(2)) == [Pace("H100", 200, 1, n_processes=1, is_as_wide=False)]


def test_an_unknown_model_has_no_estimate(past: Any) -> None:
    past(10)

    assert paces(kind="sft", cost=Cost(n_steps=10, n_tokens=2_000)) == []


USUAL = {"hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 512, "num_attention_heads": 4}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(USUAL) + " " * CONFIG_BYTES,
        "[" * 100_000,
        "[1]",
        "{",
        "\x00",
        json.dumps(USUAL | {"hidden_size": "64"}),
        json.dumps(USUAL | {"hidden_size": [64]}),
        json.dumps(USUAL | {"num_hidden_layers": -2}),
        json.dumps(USUAL | {"vocab_size": 10**400}),
        json.dumps(USUAL | {"vocab_size": 5e3}),
    ],
    ids=lambda content: str(content[:40]),
)
def test_a_config_that_no_model_has_leaves_the_size_unknown(
    base_model: TrainedModel, tmp_path: Path, content: str
) -> None:
    (tmp_path / "config.json").write_text(content)
    base_model.location = str(tmp_path)

    assert shape_of(model=base_model) is None


@pytest.mark.parametrize(
    "odd", [{"num_attention_heads": "4"}, {"text_config": 3}, {"head_dim": {}}]
)
def test_one_odd_figure_of_a_config_is_left_out(
    base_model: TrainedModel, tmp_path: Path, odd: dict[str, object]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(USUAL | odd))
    base_model.location = str(tmp_path)

    shape = shape_of(model=base_model)

    assert shape is not None
    assert (shape.hidden, shape.n_layers, shape.vocabulary) == (64, 2, 512)


def test_a_huge_config_is_not_read_to_its_end(base_model: TrainedModel, tmp_path: Path) -> None:
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(64 * 1024**3)  # without a block on the disk
    base_model.location = str(tmp_path)

    assert shape_of(model=base_model) is None
