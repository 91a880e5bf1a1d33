"""A run of PPO names the text that it mixes in: in the form, for its child, on its page and in the
lineage of its model.
"""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import User
from tests.html import page_of
from tests.training import cast
from tests.training.conftest import NOW
from training.configs import kinds
from training.configs.ppo import PpoConfig
from training.models import Run, Snapshot, TrainedModel
from training.registry.archive import cards
from training.runs import run_queue
from training.runs.run_queue import UnableToQueue
from training.runs.supervisor import prepare
from training.runs.views import archive
from training.snapshots import selectors as snapshots_selectors

pytestmark = pytest.mark.django_db
MIXED = replace(PpoConfig.presets()["small"], ptx_coef=27.8)


@pytest.fixture
def queued(
    noor: User, base_model: TrainedModel, make_snapshot: Callable[..., Snapshot]
) -> Callable[..., Run]:
    def make(text: Snapshot | None, **changes: Any) -> Run:
        judge = TrainedModel.objects.filter(name="judge").first()
        judge = judge or cast.a_model(noor, "judge", kind="reward")
        return run_queue.queue_run(
            kind="ppo",
            name="PPO",
            config=kinds.as_json(replace(MIXED, **changes)),
            snapshot=make_snapshot("prompts"),
            base_model=base_model,
            models={"reward_model": judge},
            ptx_snapshot=text,
            by=noor,
            now=NOW,
        )

    return make


def test_settings_with_a_mix_run_on_prompts_once_there_is_a_text(
    queued: Callable[..., Run], make_snapshot: Callable[..., Snapshot]
) -> None:
    text = make_snapshot("text")

    assert queued(text).ptx_snapshot == text
    with pytest.raises(UnableToQueue, match="a snapshot of prompts has none"):
        queued(None)
    with pytest.raises(UnableToQueue, match="not used while γ of PPO-ptx is 0"):
        queued(text, ptx_coef=0.0)
    with pytest.raises(UnableToQueue, match="is no snapshot of text"):
        queued(make_snapshot("demonstrations"))


def test_other_kinds_take_no_text(
    noor: User, base_model: TrainedModel, make_snapshot: Callable[..., Snapshot]
) -> None:
    with pytest.raises(UnableToQueue, match="mixes no text in"):
        run_queue.queue_run(
            kind="sft",
            name="SFT",
            config={},
            snapshot=make_snapshot("demonstrations"),
            base_model=base_model,
            ptx_snapshot=make_snapshot("text"),
            by=noor,
            now=NOW,
        )


def test_page_archive_and_card_name_the_text_and_its_own_page_names_the_run(
    queued: Callable[..., Run],
    make_snapshot: Callable[..., Snapshot],
    base_model: TrainedModel,
    signed_in: Callable[..., Client],
    noor: User,
) -> None:
    text = make_snapshot("text")
    Snapshot.objects.filter(pk=text.pk).update(
        name="A library", card={"licences": {"CC0-1.0": 7}}, n_rows=7
    )
    run = queued(Snapshot.objects.get(pk=text.pk))
    model = TrainedModel.objects.create(
        name="mixed", kind="policy", location="/models/1", run=run, parent=base_model
    )

    card = cards.generated_card(model=model)
    assert "mixed with A library (7 text" in card
    assert "7 rows CC0-1.0" in card
    assert "A library" in page_of(signed_in(noor).get(f"/runs/{run.pk}/"))
    with archive.archive(run) as file, zipfile.ZipFile(file) as packed:
        assert "ptx_snapshot.json" in " ".join(packed.namelist())
    assert snapshots_selectors.runs_on(snapshot=text) == [run]
    listed: Any = snapshots_selectors.snapshots(kind="text").get()
    assert listed.n_runs == 1


def test_the_form_offers_texts_for_ppo_and_keeps_the_choice_of_a_duplicate(
    queued: Callable[..., Run],
    make_snapshot: Callable[..., Snapshot],
    signed_in: Callable[..., Client],
    noor: User,
) -> None:
    text, client = make_snapshot("text"), signed_in(noor)
    run = queued(text)

    form = client.get(f"/runs/new/ppo/?from={run.pk}").context["form"]

    assert str(form["ptx_snapshot"].value()) == str(text.pk)
    assert list(form.fields["ptx_snapshot"].queryset) == [text]
    assert "ptx_snapshot" not in client.get("/runs/new/sft/").context["form"].fields


def test_the_child_gets_the_folder_of_the_text(
    queued: Callable[..., Run],
    make_snapshot: Callable[..., Snapshot],
    settings: LazySettings,
    tmp_path: Path,
) -> None:
    class Here:
        """An attempt on a machine that has every file."""

        def __init__(self, run: Run) -> None:
            self.run = run

        def fetch(self, get: Callable[[], Any]) -> Any:
            return get()

    text = make_snapshot("text")
    run = queued(text)
    TrainedModel.objects.update(location=str(tmp_path / "base"))

    job = prepare.build_job(Here(Run.objects.get(pk=run.pk)))  # type: ignore[arg-type]

    assert job.ptx_snapshot == str(settings.SNAPSHOTS_DIR / text.folder)
