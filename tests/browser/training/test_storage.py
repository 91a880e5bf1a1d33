"""Storage in Chromium: from the table to the dry run to what was deleted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.training import cast
from training.models import Run, TrainedModel
from training.processes import run_dir

Opener = Callable[..., Page]


@pytest.fixture
def stored(noor: User, settings: LazySettings, tmp_path: Path) -> TrainedModel:
    """Three models of one lineage, a megabyte each: the second is neither the best nor the last."""
    for name in ("runs", "snapshots", "models"):
        setattr(settings, f"{name.upper()}_DIR", tmp_path / name)
        (tmp_path / name).mkdir()
    settings.ARTIFACT_STORE = str(tmp_path / "artifacts")
    for loss in (1.0, 1.5, 1.2):
        run = cast.finished(
            cast.a_run(noor, state="running", n_points=3, name=f"Loss {loss}"), "succeeded"
        )
        checkpoint = tmp_path / "runs" / str(run.pk) / run_dir.CHECKPOINTS / "step-3"
        checkpoint.mkdir(parents=True)
        (checkpoint / "weights").write_bytes(bytes(1024**2))
        folder = tmp_path / "artifacts" / "models" / f"run-{run.pk}-1"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(bytes(3 * 1024**2))
        metrics = {"held_out_loss_after": loss}
        Run.objects.filter(pk=run.pk).update(kept_step=3, metrics=metrics)
        TrainedModel.objects.filter(run=run).update(location=str(folder), metrics=metrics)
    return TrainedModel.objects.get(run__name="Loss 1.5")


def test_space_is_freed_after_a_dry_run_and_the_pages_pass_axe(
    open_page: Opener, noor: User, stored: TrainedModel, look_over: Callable[..., None]
) -> None:
    page = open_page("/storage/", noor)
    look_over(page, "storage")

    page.click("#dry")
    look_over(page, "storage-free")
    page.click("#free")

    expect(page.get_by_text("2 runs and models")).to_be_visible()
    assert not Path(stored.location).exists()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(page.url)
    look_over(page, "storage-phone")


def test_the_checkpoints_of_a_failed_run_are_given_up_after_a_word(
    open_page: Opener, noor: User, stored: TrainedModel, look_over: Callable[..., None]
) -> None:
    assert stored.run is not None
    run = stored.run
    stored.delete()
    Run.objects.filter(pk=run.pk).update(
        outcome="lost", error="Its node is gone for good.", kept_step=None
    )
    page = open_page("/storage/", noor)

    page.get_by_role("link", name="Delete the checkpoints of Loss 1.5").click()
    expect(page.get_by_text("repeats 3 steps")).to_be_visible()
    look_over(page, "give-up")
    page.set_viewport_size({"width": 360, "height": 780})
    look_over(page, "give-up-phone")
    page.click("#give-up")

    expect(page.get_by_text("A retry starts at the first step")).to_be_visible()
    look_over(page, "given-up-phone")
    page.set_viewport_size({"width": 1440, "height": 900})
    look_over(page, "given-up")
    run.refresh_from_db()
    assert run.freed_at is not None
