"""A worker's side of publishing: starts the child process that talks to the hub, and writes down
how far it is.
"""

import json
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.translation import gettext as _

from training.models import Publication
from training.processes import environment
from training.registry import cards, publish
from training.storage import artifacts, store

BEAT_EVERY_S = 10.0
"""A large file takes long, and says nothing meanwhile."""


class _Unable(Exception):
    """The text is for the person who publishes."""


def send(*, publication_id: int) -> None:
    """Once, however often it is rung for."""
    publication = publish.claim_publication(publication_id=publication_id, now=timezone.now())
    if publication is None:
        return
    try:
        address = _sent(publication)
    except _Unable as problem:
        publish.end_publication(publication=publication, error=str(problem), now=timezone.now())
    else:
        publish.end_publication(publication=publication, address=address, now=timezone.now())


def _sent(publication: Publication) -> str:
    """Its address. Raises _Unable."""
    model = publication.model
    if not settings.HUB_TOKEN:
        raise _Unable(
            _(
                "HF_TOKEN is not set on the worker that publishes models. An operator sets it in"
                " the worker's environment."
            )
        )
    if cards.is_elsewhere(model=model):
        raise _Unable(
            _("“%(name)s” is an external model and has no weights here.") % {"name": model}
        )
    if not model.location.startswith("/") and not store.is_url(model.location):
        raise _Unable(_("“%(name)s” is already a hub model.") % {"name": model.location})
    try:
        folder = artifacts.fetch_model(model.location)
    except artifacts.ModelMissing as problem:
        sentence = _("The model folder %(folder)s is not on the machine that publishes models.")
        raise _Unable(sentence % {"folder": model.location}) from problem
    except (store.StoreAway, store.Damaged) as problem:
        raise _Unable(
            _("The artifact store did not return the model (%(problem)s).") % {"problem": problem}
        ) from problem
    lineage = json.dumps(
        cards.lineage_json(model=model), indent=1, ensure_ascii=False, cls=DjangoJSONEncoder
    )
    job = {
        "folder": folder,
        "repository": publication.repository,
        "is_private": publication.is_private,
        "texts": {"README.md": cards.card_text(model=model), "lineage.json": lineage},
    }
    return _followed(publication, job)


def _followed(publication: Publication, job: dict[str, Any]) -> str:
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
        heard: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(
            target=_listen, args=[child.stdout, heard], name="listener", daemon=True
        ).start()
        far = {"total": 0, "sent": 0}
        while True:
            with suppress(queue.Empty):
                line = heard.get(timeout=BEAT_EVERY_S)
                if "total" not in line:
                    break
                far = line
            if not publish.beat_publication(
                publication=publication,
                bytes_total=far["total"],
                bytes_sent=far["sent"],
                now=timezone.now(),
            ):
                child.kill()
    if "address" in line:
        return str(line["address"])
    raise _Unable(
        line.get("error")
        or _("The process that sends it ended without an error message. See the worker's log.")
    )


def _listen(stream: IO[str], heard: "queue.Queue[dict[str, Any]]") -> None:
    for line in stream:
        heard.put(json.loads(line))
    heard.put({})
