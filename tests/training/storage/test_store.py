"""Folders to and from a store: complete or not at all, verified, resumed and retried. On disk, and
on a real S3 server.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import services as servers

from training.storage import store

# One test process starts the server.
pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture(params=["disk", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A URL of the store's for this test alone."""
    if request.param == "disk":
        return f"file://{tmp_path}/store"
    return f"{request.getfixturevalue('s3')}/{tmp_path.name}"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "inner").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "empty").write_bytes(b"")
    (folder / "inner" / "weights").write_bytes(os.urandom(300_000))
    return folder


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FIRST_RETRY_DELAY_S", 0.001)


def on_disk(url: str) -> Path:
    return Path(url.removeprefix("file://"))


@pytest.mark.parametrize("name", ["../escaped.txt", "inner/../../escaped.txt", "/escaped.txt"])
def test_a_manifest_cannot_lead_out_of_the_folder(tmp_path: Path, weights: Path, name: str) -> None:
    name = f"{tmp_path}{name}" if name.startswith("/") else name
    url = f"file://{tmp_path}/store/model"
    store.put(weights, url)
    stored = tmp_path / "store" / "model"
    manifest = json.loads((stored / store.MANIFEST).read_text())
    manifest["files"][name] = manifest["files"]["config.json"]
    (stored / store.MANIFEST).write_text(json.dumps(manifest))
    for place in (stored.parent / "escaped.txt", tmp_path / "escaped.txt"):
        place.write_text("{}")

    with pytest.raises(store.Damaged):
        store.fetch(url, tmp_path / "node" / "model")

    assert not (tmp_path / "node").exists()


def test_what_was_put_is_fetched_byte_for_byte(place: str, weights: Path, tmp_path: Path) -> None:
    store.put(weights, f"{place}/model")

    store.fetch(f"{place}/model", tmp_path / "fetched")

    assert store.describe(tmp_path / "fetched") == store.describe(weights)


def test_a_folder_that_is_not_there_is_named(place: str, tmp_path: Path) -> None:
    with pytest.raises(store.Missing, match="nothing"):
        store.fetch(f"{place}/nothing", tmp_path / "fetched")


def test_an_upload_that_broke_off_is_no_folder_yet(
    place: str, weights: Path, tmp_path: Path
) -> None:
    store.put(weights, f"{place}/model")
    files, path = fsspec.core.url_to_fs(f"{place}/model")
    files.rm_file(f"{path}/{store.MANIFEST}")

    with pytest.raises(store.Missing):
        store.fetch(f"{place}/model", tmp_path / "fetched")
    assert [one.is_whole for one in store.list_folders(place)] == [False]


def test_what_an_upload_has_sent_is_not_sent_again(
    place: str, weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store.put(weights, f"{place}/model")
    files, path = fsspec.core.url_to_fs(f"{place}/model")
    files.rm_file(f"{path}/{store.MANIFEST}")
    files.rm_file(f"{path}/config.json")
    sent: list[str] = []
    send = store._put_file

    def watched(files: Any, local: Path, remote: str) -> None:
        sent.append(local.name)
        send(files, local, remote)

    monkeypatch.setattr(store, "_put_file", watched)

    store.put(weights, f"{place}/model")

    assert sent == ["config.json"]
    store.fetch(f"{place}/model", tmp_path / "fetched")


def test_another_folder_under_the_same_name_takes_the_place_of_the_first(
    place: str, weights: Path, tmp_path: Path
) -> None:
    store.put(weights, f"{place}/model")
    (weights / "config.json").write_text("[]")  # as long as before
    (weights / "empty").unlink()

    store.put(weights, f"{place}/model")

    store.fetch(f"{place}/model", tmp_path / "fetched")
    assert store.describe(tmp_path / "fetched") == store.describe(weights)


def test_a_download_goes_on_where_it_broke_off(
    place: str, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BLOCK_BYTES", 100_000)
    store.put(weights, f"{place}/model")
    aside = tmp_path / f"{store.PART}fetched" / "inner"
    aside.mkdir(parents=True)
    (aside / "weights").write_bytes((weights / "inner" / "weights").read_bytes()[:150_000])

    store.fetch(f"{place}/model", tmp_path / "fetched")

    assert store.describe(tmp_path / "fetched") == store.describe(weights)


def test_a_partial_download_of_something_else_is_fetched_again(
    place: str, weights: Path, tmp_path: Path
) -> None:
    store.put(weights, f"{place}/model")
    aside = tmp_path / f"{store.PART}fetched" / "inner"
    aside.mkdir(parents=True)
    (aside / "weights").write_bytes(b"x" * 400_000)

    store.fetch(f"{place}/model", tmp_path / "fetched")

    assert store.describe(tmp_path / "fetched") == store.describe(weights)


def test_a_damaged_model_in_the_store_is_reported_and_not_loaded(
    weights: Path, tmp_path: Path
) -> None:
    place = f"file://{tmp_path}/store/model"
    store.put(weights, place)
    kept = on_disk(place) / "inner" / "weights"
    kept.write_bytes(b"\x00" * kept.stat().st_size)

    with pytest.raises(store.Damaged, match="weights"):
        store.fetch(place, tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()


def test_a_discarded_folder_is_gone(place: str, weights: Path) -> None:
    store.put(weights, f"{place}/model")

    store.discard(f"{place}/model")
    store.discard(f"{place}/model")

    assert store.list_folders(place) == []


def test_the_contents_of_the_store_are_listed_with_their_sizes(place: str, weights: Path) -> None:
    store.put(weights, f"{place}/one")
    store.put(weights, f"{place}/two")

    found = store.list_folders(place)

    assert [(one.url, one.is_whole) for one in found] == [
        (f"{place}/one", True),
        (f"{place}/two", True),
    ]
    assert all(one.n_bytes > 300_000 for one in found)


def test_an_unreachable_store_is_not_taken_for_an_empty_one(
    weights: Path, tmp_path: Path, impatient: None
) -> None:
    (tmp_path / "store").write_text("in the way")

    with pytest.raises(store.StoreUnavailable):
        store.put(weights, f"file://{tmp_path}/store/model")


def test_an_s3_server_that_went_away_is_waited_for_a_little(
    s3: str, weights: Path, impatient: None
) -> None:
    """The port is one where nobody listens."""
    gone = fsspec.filesystem(
        "s3",
        endpoint_url=f"http://127.0.0.1:{servers.free_port()}",
        config_kwargs={"retries": {"max_attempts": 0}},  # boto's own; the site's are tested
        skip_instance_cache=True,
    )

    with pytest.raises(store.StoreUnavailable):
        store.retry(lambda: gone.find("preferably"))


def test_what_passes_by_itself_is_tried_again(impatient: None) -> None:
    answers: Iterator[OSError | str] = iter([OSError("busy"), OSError("busy"), "there"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    assert store.retry(ask) == "there"


def test_two_processes_that_fetch_at_once_leave_one_whole_folder(
    weights: Path, tmp_path: Path
) -> None:
    place = f"file://{tmp_path}/store/model"
    store.put(weights, place)
    words = (
        f"from pathlib import Path; from training.storage import store;"
        f" store.fetch({place!r}, Path({str(tmp_path / 'fetched')!r}))"
    )

    both = [subprocess.Popen([sys.executable, "-c", words]) for _ in range(2)]

    assert [one.wait(timeout=60) for one in both] == [0, 0]
    assert store.describe(tmp_path / "fetched") == store.describe(weights)
    shutil.rmtree(tmp_path / "fetched")
