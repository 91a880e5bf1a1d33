"""Datasets by name: from a hub over HTTP, from the caches of huggingface_hub and of `datasets`,
and a sentence where there is neither.
"""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from accounts.models import User
from labeling.data.hub import jobs
from labeling.data.imports import services as imports_services
from labeling.models import HubDownload, Prompt, Response
from tests.api.conftest import Caller
from tests.api.conftest import calling as calling
from tests.cast import NOON
from tests.labeling.data.dataset_hub import COMMIT, DatasetHub, dataset_hub
from tests.labeling.data.formats.containers import parquet

SignedIn = Callable[[User], Client]

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

CARD = b"---\nlicense: cc-by-4.0\n---\n# Preferences\n"
TRAIN = [
    {"prompt": f"What is {n} and one?", "chosen": f"{n + 1}", "rejected": "7"} for n in range(3)
]
TEST = [{"prompt": "What is ten and one?", "chosen": "11", "rejected": "12"}]


@pytest.fixture(autouse=True)
def _folders(settings: LazySettings, tmp_path: Path) -> None:
    settings.UPLOADS_DIR = tmp_path / "uploads"
    settings.HUB_CACHE = tmp_path / "hub"
    settings.DATASETS_CACHE = tmp_path / "datasets"
    settings.HUB_URL = "http://127.0.0.1:9"  # nobody answers there
    settings.HUB_TOKEN = ""
    settings.HUB_IS_OFFLINE = False


@pytest.fixture
def hub(settings: LazySettings) -> Iterator[DatasetHub]:
    with dataset_hub() as running:
        settings.HUB_URL = running.url
        running.files["team/preferences"] = {
            "README.md": CARD,
            "data/train-00000-of-00002.parquet": parquet(TRAIN[:2]),
            "data/train-00001-of-00002.parquet": parquet(TRAIN[2:]),
            "data/test-00000-of-00001.parquet": parquet(TEST),
        }
        yield running


def downloaded(by: User | None = None, **wanted: Any) -> HubDownload:
    queued = jobs.request_download(**{"repository": "team/preferences"} | wanted, by=by, now=NOON)
    jobs.DOWNLOADS.run(queued.pk, clock=lambda: NOON)
    queued.refresh_from_db()
    return queued


def imported(by: User, **wanted: Any) -> set[str]:
    """The prompts of the import that follows by itself."""
    download = downloaded(by, options={"with_judgments": True}, **wanted)
    assert (download.error, download.state) == ("", "done")
    assert download.import_batch is not None
    imports_services.IMPORTS.run(download.import_batch.pk, clock=lambda: NOON)
    return {prompt.messages[-1]["content"] for prompt in Prompt.objects.all()}


def questions(rows: list[dict[str, str]]) -> set[str]:
    return {row["prompt"] for row in rows}


def test_a_data_set_is_imported_by_its_name_under_the_licence_of_its_card(
    hub: DatasetHub, alice: User
) -> None:
    assert imported(alice) == questions([*TRAIN, *TEST])

    download = HubDownload.objects.get()
    batch = download.import_batch
    assert (batch.licence, batch.source.name) == ("CC-BY-4.0", "team/preferences")
    assert batch.problems == []
    assert (download.is_cached, download.bytes_read) == (False, download.bytes_total)
    assert Response.objects.filter(text="11").exists()


def test_only_a_split_is_imported_if_one_is_named(hub: DatasetHub, alice: User) -> None:
    assert imported(alice, split="test", revision="v1") == questions(TEST)
    assert not any("train" in path for path in hub.asked)
    assert "/api/datasets/team/preferences/revision/v1" in hub.asked


def test_a_private_data_set_needs_the_workers_token(
    hub: DatasetHub, alice: User, settings: LazySettings
) -> None:
    hub.private.add("team/preferences")

    refused = downloaded(alice)
    settings.HUB_TOKEN = "hf_secret"

    assert refused.state == "failed"
    assert "HF_TOKEN may not read it" in refused.error
    assert imported(alice, split="test") == questions(TEST)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"repository": "team/nothing"}, "has no dataset “team/nothing”"),
        ({"revision": "v9"}, "with this revision"),
        ({"split": "dev"}, "no split “dev”. It has: train, test"),
        ({"config": "fr"}, "no configuration “fr”"),
    ],
)
def test_what_the_hub_does_not_have_is_said(
    wanted: dict[str, Any], words: str, hub: DatasetHub
) -> None:
    download = downloaded(**wanted)

    assert (download.state, download.file_name) == ("failed", "")
    assert words in download.error


def test_without_a_network_and_without_a_copy_a_sentence_says_both(settings: LazySettings) -> None:
    away = downloaded()
    settings.HUB_IS_OFFLINE = True
    offline = downloaded()

    assert "did not answer" in away.error
    assert "not in the local cache" in away.error
    assert "HF_HUB_OFFLINE is set" in offline.error


def test_without_a_network_the_cache_of_huggingface_hub_is_read(
    alice: User, settings: LazySettings
) -> None:
    repository = Path(settings.HUB_CACHE) / "datasets--team--preferences"
    snapshot = repository / "snapshots" / COMMIT
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    (snapshot / "data").mkdir(parents=True)
    (snapshot / "README.md").write_bytes(CARD)
    (snapshot / "data" / "train.jsonl").write_text("\n".join(map(json.dumps, TRAIN)))
    (snapshot / "data" / "test.jsonl").write_text("\n".join(map(json.dumps, TEST)))

    assert imported(alice, split="train") == questions(TRAIN)
    download = HubDownload.objects.get()
    assert (download.is_cached, download.licence) == (True, "CC-BY-4.0")


def test_without_a_network_the_cache_of_datasets_is_read(
    alice: User, settings: LazySettings, tmp_path: Path
) -> None:
    """Filled by `datasets` itself, from a folder of the same name."""
    folder = tmp_path / "Preferences2Go"
    folder.mkdir()
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, TRAIN)))
    (folder / "test.jsonl").write_text("\n".join(map(json.dumps, TEST)))
    datasets.load_dataset(str(folder), cache_dir=str(settings.DATASETS_CACHE))
    [filled] = [path for path in Path(settings.DATASETS_CACHE).iterdir() if path.is_dir()]
    filled.rename(filled.with_name(f"team___{filled.name}"))

    wanted = {"repository": "team/Preferences2Go", "options": {"licence": "MIT"}}
    whole = downloaded(alice, **wanted)
    missing = downloaded(alice, **wanted | {"split": "dev"})

    assert (whole.error, whole.is_cached) == ("", True)
    imports_services.IMPORTS.run(whole.import_batch.pk, clock=lambda: NOON)
    found = {prompt.messages[-1]["content"] for prompt in Prompt.objects.all()}
    assert found == questions([*TRAIN, *TEST])
    assert "no split “dev”. It has: test, train" in missing.error


def test_without_a_licence_nothing_is_imported(
    hub: DatasetHub, alice: User, settings: LazySettings
) -> None:
    hub.files["team/preferences"]["README.md"] = b"# No front matter"

    download = downloaded(alice, options={"with_judgments": True})

    assert (download.state, download.import_batch) == ("failed", None)
    assert "licence" in download.error
    assert list((Path(settings.UPLOADS_DIR) / "imports").iterdir()) == []


def test_columns_that_may_judge_stop_it_until_somebody_says_what_they_mean(
    hub: DatasetHub, alice: User
) -> None:
    rows = [{"prompt": "Name a river.", "response": "Elbe", "urteil": "gut"}]
    hub.files["team/judged"] = {
        "README.md": CARD,
        "data/train-00000-of-00001.parquet": parquet(rows),
    }

    options: dict[str, Any] = {"with_judgments": True}
    refused = downloaded(alice, repository="team/judged", options=options)
    options["stores_responses"] = True
    download = downloaded(alice, repository="team/judged", options=options)

    assert (refused.state, refused.import_batch) == ("failed", None)
    assert "Say what the columns named here mean" in refused.error
    assert "urteil" in refused.error
    assert download.import_batch is not None


@pytest.mark.parametrize("name", ["../etc", "a/b/c", "https://x.org/a", "", "a b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(jobs.UnableToDownload, match="owner/name"):
        jobs.request_download(repository=name, by=None, now=NOON)


def test_the_network_is_not_asked_by_a_web_request(
    hub: DatasetHub, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)

    answer = client.post("/prompts/imports/hub/new/", {"repository": "team/preferences"})
    page = client.get(answer["Location"])

    assert (answer.status_code, page.status_code) == (302, 200)
    assert hub.asked == []
    assert "Waiting for a worker" in page.content.decode()


def test_a_person_sees_the_licence_and_the_first_rows_before_anything_is_stored(
    hub: DatasetHub, alice: User, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    address = client.post("/prompts/imports/hub/new/", {"repository": "team/preferences"})[
        "Location"
    ]
    jobs.DOWNLOADS.run(HubDownload.objects.get().pk, clock=lambda: NOON)

    page = client.get(address)
    form = page.context["form"].initial
    preview = client.post("/prompts/imports/new/", form | {"preview": "1", "with_judgments": "on"})
    started = client.post("/prompts/imports/new/", form | {"with_judgments": "on"})

    assert (form["licence"], form["source_name"]) == ("CC-BY-4.0", "team/preferences")
    assert "What is 0 and one?" in preview.content.decode()
    assert not Prompt.objects.exists()
    assert started.status_code == 302


def test_a_data_set_is_imported_by_api(hub: DatasetHub, alice: User, calling: Caller) -> None:
    client = calling(alice)
    body = {"repository": "team/preferences", "split": "test", "source": "theirs"}

    made = client.post("/api/v1/hub-imports", body, content_type="application/json")
    jobs.DOWNLOADS.run(made.json()["id"], clock=lambda: NOON)
    found = client.get(f"/api/v1/hub-imports/{made.json()['id']}").json()

    assert (made.status_code, made.json()["state"], found["state"]) == (201, "queued", "done")
    assert found["licence"] == "CC-BY-4.0"
    batch = HubDownload.objects.get().import_batch
    assert (found["import_batch"], batch.source.name) == (batch.pk, "theirs")


def test_a_data_set_is_imported_from_the_command_line(hub: DatasetHub) -> None:
    out = io.StringIO()

    call_command("import_from_hub", "team/preferences", "--with-judgments", stdout=out)

    assert "4 prompts" in out.getvalue()
    with pytest.raises(CommandError, match="no dataset"):
        call_command("import_from_hub", "team/nothing")
