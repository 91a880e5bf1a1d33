"""Models to and from the artifact store."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from training.storage import artifacts


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "model"
    (folder / "inner").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "inner" / "weights").write_bytes(b"\x00" * 1000)
    return folder


@pytest.mark.parametrize("is_url", [False, True])
def test_a_kept_model_is_fetched_whole(
    weights: Path, settings: LazySettings, tmp_path: Path, is_url: bool
) -> None:
    settings.ARTIFACT_STORE = f"file://{tmp_path}/store" if is_url else str(tmp_path / "store")

    location = artifacts.store_model(weights, name="run-1-1")
    fetched = Path(artifacts.fetch_model(location))

    assert (fetched / "inner" / "weights").read_bytes() == b"\x00" * 1000
    assert not weights.exists()


def test_keeping_again_under_the_same_name_replaces(
    weights: Path, settings: LazySettings, tmp_path: Path
) -> None:
    first = artifacts.store_model(weights, name="run-1-1")
    weights.mkdir()
    (weights / "config.json").write_text('{"new": true}')

    second = artifacts.store_model(weights, name="run-1-1")

    assert first == second
    assert (Path(second) / "config.json").read_text() == '{"new": true}'


def test_a_hub_name_is_left_to_the_trainer() -> None:
    assert artifacts.fetch_model("owner/model") == "owner/model"


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(artifacts.ModelMissing, match="/nowhere/model"):
        artifacts.fetch_model("/nowhere/model")
