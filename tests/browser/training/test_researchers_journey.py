"""A researcher's journey: start a run in the form, watch, stop, resume and compare it; try and
export its model.
"""

import re
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.trainer.tiny import build_tiny_model
from tests.training.conftest import NOW
from tests.training.playground.test_trying import is_there
from tests.training.runs.processes import REAL_TRAINER, Processes, processes, until
from tests.training.runs.supervisor.test_kills_real import demonstrations
from training.models import Node, Run, Snapshot
from training.playground.chat_protocol import Channel
from training.processes import run_dir
from training.registry import services as registry_services
from training.snapshots import freeze

SLOW_MS = 240_000
"""What a real worker may take on a machine that does ten things."""


@pytest.fixture
def site(tmp_path: Path, settings: LazySettings, transactional_db: None) -> Iterator[Processes]:
    """A GPU worker with its own broker, and one for trying models; they use the site's folders."""
    for room in ("runs", "snapshots", "models"):
        setattr(settings, f"{room.upper()}_DIR", tmp_path / room)
        (tmp_path / room).mkdir()
    settings.ARTIFACT_STORE = str(tmp_path / "artifacts")
    with processes(tmp_path) as running:
        running.trainer = REAL_TRAINER
        running.start_broker()
        running.start_worker("gpu", node="gpu")
        running.start_models_worker(settings.REDIS_URL)
        until(
            lambda: Node.objects.filter(name="gpu").exists() and is_there(),
            "both workers announce themselves",
        )
        yield running
    with Channel() as channel:
        for name in channel.workers():
            channel.remove_worker(worker=name)


@pytest.fixture
def snapshot(noor: User, site: Processes, settings: LazySettings) -> Snapshot:
    folder = settings.SNAPSHOTS_DIR / "november"
    folder.mkdir()
    for split, n in zip(run_dir.SPLITS, (32, 4, 4), strict=True):
        (folder / f"{split}.jsonl").write_text(demonstrations(n))
    fingerprint = freeze.fingerprint(folder)
    card = {"kind": "demonstrations", "rows": 32, "prompts": 32, "splits": {"train": 32}}
    return Snapshot.objects.create(
        name="November",
        kind="demonstrations",
        folder="november",
        n_rows=32,
        fingerprint=fingerprint,
        card=card,
        created_by=noor,
    )


def test_from_the_form_to_a_model_taken_home(
    open_page: Callable[..., Page], site: Processes, snapshot: Snapshot, noor: User, tmp_path: Path
) -> None:
    folder = build_tiny_model(tmp_path / "tiny")
    registry_services.register_model(
        name="tiny", kind="policy", location=str(folder), licence="MIT", by=noor, now=NOW
    )
    page = open_page("/runs/", noor)

    fill(page)
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_role("heading", name="First try")).to_be_visible()
    first = Run.objects.get()
    site.ring(first.pk)
    expect(page.get_by_text("Running on gpu")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_text(re.compile(r"step [1-9]\d* of 4,?000"))).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Stop and save").click()
    expect(page.get_by_text("Stopped and saved", exact=False).first).to_be_visible(timeout=SLOW_MS)
    first.refresh_from_db()
    assert first.outcome == "stopped"
    assert 0 < first.step < 4000

    page.reload()
    page.get_by_text("Extend this run").click()
    page.get_by_label("Steps").fill(str(first.step + 3))
    page.get_by_role("button", name="Continue").click()
    second = Run.objects.latest("pk")
    assert second.made_from_id == first.pk
    site.ring(second.pk)
    expect(page.get_by_text("Succeeded", exact=False).first).to_be_visible(timeout=SLOW_MS)
    second.refresh_from_db()
    assert (second.outcome, second.step) == ("succeeded", first.step + 3)

    page.get_by_role("link", name="Compare…").click()
    page.get_by_label("Add another run").fill("First")
    page.locator("#offered").get_by_role("link", name="First try", exact=True).click()
    expect(page.get_by_role("columnheader", name="First try").first).to_be_visible()
    assert page.locator(".run-charts svg").count() > 0

    page.goto(f"/models/{second.trained_model.pk}/")
    page.get_by_role("link", name="Try it").click()
    page.get_by_label("Max response length").fill("8")
    page.get_by_label("Message").fill("What is 2 plus 2?")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-pane]").first.locator(".turn-facts")).to_contain_text(
        "tokens", timeout=SLOW_MS
    )

    page.goto(f"/models/{second.trained_model.pk}/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download", exact=True).first.click()
    with tarfile.open(download.value.path()) as archive:
        names = {Path(name).name for name in archive.getnames()}
    assert {"model.safetensors", "tokenizer.json", "lineage.json", "README.md"} <= names


def fill(page: Page) -> None:
    """The form of a run that would take minutes, from the list of runs."""
    page.goto("/runs/new/sft/")
    page.get_by_role("button", name="small").click()
    page.get_by_label("Name").fill("First try")
    page.locator("summary", has_text="Advanced").click()
    values: dict[str, Any] = {
        "max_tokens": 128,
        "batch_size": 4,
        "accumulation": 1,
        "max_steps": 4000,
        "checkpoint_every": 2,
    }
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(str(value))
