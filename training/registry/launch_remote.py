"""The worker's side of publishing: starts a child process that uploads to the hub, and records its
progress.
"""

import json
import queue
import subprocess
import sys
import tempfile
import threading
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from jobs.models import Superseded
from jobs.protocol import Clock
from labeling.data import export_files
from labeling.models import Export
from training.models import Publication, TrainedModel
from training.processes import environment
from training.processes.json_lines import PublishedFolder, PublishJob, PublishLine
from training.registry.archive import cards, export
from training.registry.publish import UnableToPublish
from training.storage import artifacts, model_folder, store

HEARTBEAT_S = 10.0
"""Seconds between heartbeats: a large file reports nothing while it uploads."""


def send(*, publication: Publication, clock: Clock) -> None:
    """Raises UnableToPublish, and Superseded when another worker has it."""
    if not settings.HUB_TOKEN:
        raise UnableToPublish(
            _(
                "HF_TOKEN is not set on the worker that publishes models. An operator sets it in"
                " the worker's environment."
            )
        )
    if publication.model is not None:
        address = _run_child(publication, _model_job(publication.model), clock)
    else:
        address = _publish_export(publication, clock)
    publication.end(Publication.State.DONE, now=clock(), address=address)


def _publish_export(publication: Publication, clock: Clock) -> str:
    assert publication.export is not None  # a constraint says so
    with tempfile.TemporaryDirectory(prefix="publish-") as folder:
        return _run_child(publication, _export_job(publication.export, Path(folder)), clock)


def _export_job(export: Export, folder: Path) -> PublishedFolder:
    """Unpacks the archive into `folder`. Raises UnableToPublish."""
    try:
        with zipfile.ZipFile(export_files.file_of(export=export)) as archive:
            archive.extractall(folder)
            files = archive.namelist()
    except export_files.UnableToExport as problem:
        raise UnableToPublish(problem.sentence) from problem
    return {
        "type": "dataset",
        "folder": str(folder),
        "files": files,
        "texts": {"README.md": export.card},
    }


def _model_job(model: TrainedModel) -> PublishedFolder:
    """Raises UnableToPublish."""
    if cards.is_elsewhere(model=model):
        raise UnableToPublish(
            _("“%(name)s” is an external model and has no weights here.") % {"name": model}
        )
    if not model.location.startswith("/") and not store.is_url(model.location):
        raise UnableToPublish(_("“%(name)s” is already a hub model.") % {"name": model.location})
    if why_not := export.why_withheld(model):
        raise UnableToPublish(why_not)
    try:
        folder = artifacts.fetch_model(model.location)
        files = list(artifacts.model_files(folder))
    except model_folder.UnreadableModel as problem:
        raise UnableToPublish(problem.sentence) from problem
    except artifacts.ModelMissing as problem:
        sentence = _("The model folder %(folder)s is not on the machine that publishes models.")
        raise UnableToPublish(sentence % {"folder": model.location}) from problem
    except (store.StoreUnavailable, store.Damaged) as problem:
        raise UnableToPublish(
            _("The artifact store did not return the model (%(problem)s).") % {"problem": problem}
        ) from problem
    lineage = json.dumps(
        cards.lineage_json(model=model), indent=1, ensure_ascii=False, cls=DjangoJSONEncoder
    )
    return {
        "type": "model",
        "folder": folder,
        "files": files,
        "texts": {"README.md": cards.card_text(model=model), "lineage.json": lineage},
    }


def _run_child(publication: Publication, published: PublishedFolder, clock: Clock) -> str:
    """Returns the URL on the hub. Raises UnableToPublish."""
    job: PublishJob = {
        **published,
        "repository": publication.repository,
        "is_private": publication.is_private,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "training.trainer.modeling.publish"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=settings.BASE_DIR,
        env=environment.without_secrets() | {"HF_TOKEN": settings.HUB_TOKEN},
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(job) + "\n")
        child.stdin.close()
        heard: queue.Queue[PublishLine] = queue.Queue()
        threading.Thread(
            target=_listen, args=[child.stdout, heard], name="listener", daemon=True
        ).start()
        progress: PublishLine = {"total": 0, "sent": 0}
        while True:
            with suppress(queue.Empty):
                line = heard.get(timeout=HEARTBEAT_S)
                if "total" not in line:
                    break
                progress = line
            try:
                publication.beat(
                    now=clock(), bytes_total=progress["total"], bytes_sent=progress["sent"]
                )
            except Superseded:
                child.kill()
                raise
    if "address" in line:
        return str(line["address"])
    raise UnableToPublish(
        line.get("error")
        or _("The process that sends it ended without an error message. See the worker's log.")
    )


def _listen(stream: IO[str], heard: "queue.Queue[PublishLine]") -> None:
    for line in stream:
        heard.put(json.loads(line))
    heard.put({})
