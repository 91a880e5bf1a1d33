"""A node, and a model of which only the config.json is there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import User
from training.models import Node, TrainedModel
from training.registry import services as registry_services


def a_node(n_cards: int, card_gb: float, host_gb: float, name: str = "gpu-1") -> Node:
    card = {"name": "H100", "memory_gb": card_gb, "used_gb": 0, "load": 0, "temperature_c": 30}
    return Node.objects.create(
        name=name, seen_at=timezone.now(), memory_gb=host_gb, gpus=[card] * n_cards
    )


def a_model_of(
    config: Mapping[str, Any], folder: Path, by: User, name: str = "Qwen", kind: str = "policy"
) -> TrainedModel:
    (folder / name).mkdir()
    (folder / name / "config.json").write_text(json.dumps(config))
    return registry_services.register_model(
        name=name,
        kind=kind,
        location=str(folder / name),
        licence="",
        by=by,
        now=timezone.now(),
    )
