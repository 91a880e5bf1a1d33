"""A campaign with answers, a model, a node, and test prompts to compare models on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater
from tests.cast import open_comparison_campaign, open_demonstration_campaign
from tests.training.schedules.steps.test_best_of_n import rank
from tests.training.snapshots.test_freezing import demonstrate, on_split
from training.models import Node, Run, Snapshot, TrainedModel

SHAPE = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "vocab_size": 1000,
    "num_attention_heads": 4,
    "intermediate_size": 128,
}


def on_training_prompts(campaign: Campaign, split: str = "train") -> Campaign:
    Prompt.objects.filter(items__campaign=campaign).update(split=split)
    return campaign


@pytest.fixture
def node(db: None) -> Node:
    return Node.objects.create(
        name="gpu-1", seen_at=timezone.now(), gpus=[], n_cores=2, memory_gb=16
    )


@pytest.fixture
def ready(node: Node, base_model: TrainedModel, tmp_path: Path) -> TrainedModel:
    """All that training needs besides answers."""
    (tmp_path / "base" / "config.json").write_text(json.dumps(SHAPE))
    on_split("test", 4)
    return base_model


@pytest.fixture
def comparisons(
    day_shift: Pool, guideline: Guideline, rosa: Rater, ready: TrainedModel
) -> Campaign:
    campaign = open_comparison_campaign(
        pool=day_shift, guideline=guideline, n_items=3, n_responses=2
    )
    rank(on_training_prompts(campaign), rosa, "12")
    return campaign


@pytest.fixture
def demonstrations(
    day_shift: Pool, guideline: Guideline, rosa: Rater, ready: TrainedModel
) -> Campaign:
    campaign = open_demonstration_campaign(pool=day_shift, guideline=guideline)
    for item in on_training_prompts(campaign).items.select_related("prompt"):
        demonstrate(item.prompt, rosa, campaign=campaign)
    return campaign


@pytest.fixture
def past_run(
    noor: User, ready: TrainedModel, make_snapshot: Callable[..., Snapshot]
) -> Callable[..., Run]:
    """A run that has succeeded, at a millionth of a second per token and parameter."""

    def make(kind: str, device: str = "Xeon") -> Run:
        return Run.objects.create(
            name=kind,
            kind=kind,
            snapshot=make_snapshot("prompts" if kind == "sample" else "comparisons"),
            base_model=ready,
            state="finished",
            outcome="succeeded",
            estimate={"n_tokens": 1000, "n_parameters": 1000},
            metrics={"seconds": 1.0},
            versions={"device": device},
            created_by=noor,
        )

    return make
