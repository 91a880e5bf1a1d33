"""Models come from outside: their files are parsed in a child, and end in a sentence."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from tests.cast import NOON
from tests.labeling.importers.hostile.memory import reset_peak_mb, status_mb
from tests.training.storage.hostile_models import BAD, LARGE, WEIGHTS, of, write
from training.models import TrainedModel
from training.registry import services
from training.storage import artifacts, model_folder

SignedIn = Callable[[User], Client]
MOST_MB = 64
"""Memory that a folder may take in the process that asks, which parses none of it."""


def register(folder: Path, by: User) -> TrainedModel:
    return services.register_model(
        name="stranger", kind="policy", location=str(folder), licence="MIT", by=by, now=NOON
    )


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("name", BAD)
def test_a_hostile_model_is_refused_in_a_sentence(name: str, tmp_path: Path, noor: User) -> None:
    folder = write(tmp_path, BAD[name]())
    before_mb = reset_peak_mb()

    with pytest.raises(services.UnableToRegister) as refusal:
        register(folder, noor)

    assert re.search(r"model|tokenizer|config", refusal.value.sentence)
    assert status_mb("VmHWM") - before_mb < MOST_MB
    assert not TrainedModel.objects.exists()


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("name", LARGE)
def test_what_may_be_a_model_is_registered(name: str, tmp_path: Path, noor: User) -> None:
    folder = write(tmp_path, LARGE[name]())
    before_mb = reset_peak_mb()

    register(folder, noor)

    assert status_mb("VmHWM") - before_mb < MOST_MB


@pytest.mark.parametrize("name", ["weights that are a pickle", "an index that climbs out"])
def test_a_worker_loads_no_hostile_model(name: str, tmp_path: Path) -> None:
    with pytest.raises(model_folder.UnreadableModel, match=r"model\.safetensors"):
        artifacts.fetch_model(str(write(tmp_path, BAD[name]())))


def test_every_kind_of_number_and_an_empty_tensor_are_known(tmp_path: Path) -> None:
    kinds = {"F4": 12, "F6_E2M3": 18, "F8_E4M3": 24, "BF16": 48, "F64": 192, "NEW": 7, "BOOL": 0}
    tensors, end = {}, 0
    for kind, n_bytes in kinds.items():
        sizes = [0, 5] if not n_bytes else [4, 6]
        tensors[kind] = {
            "dtype": kind,
            "shape": sizes,
            "data_offsets": [end, end + n_bytes],
        }
        end += n_bytes

    model_folder.check(write(tmp_path, {"model.safetensors": of(tensors, end)}))


def test_the_shards_of_an_index_may_be_several(tmp_path: Path) -> None:
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    shards = {f"model-{n}.safetensors": of(WEIGHTS) for n in (1, 2)}

    model_folder.check(
        write(tmp_path, {"model.safetensors.index.json": json.dumps(index).encode(), **shards})
    )


@pytest.mark.django_db
def test_the_page_says_what_is_wrong(tmp_path: Path, noor: User, signed_in: SignedIn) -> None:
    folder = write(tmp_path, BAD["weights that are a pickle"]())

    answer = signed_in(noor).post(
        "/models/new/",
        {"name": "a", "kind": "policy", "location": str(folder), "licence": "MIT"},
    )

    assert "model.safetensors is a pickle" in answer.content.decode()
