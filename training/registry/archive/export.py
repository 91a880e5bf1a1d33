"""A model as one tar archive: weights (safetensors), tokenizer, card and lineage. It is streamed
and never held in memory.

Tar rather than zip: weights do not compress, and the length is known in advance, so browsers show
progress.
"""

import json
import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.core.serializers.json import DjangoJSONEncoder
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from accounts import audit_log
from accounts.models import User
from accounts.refusals import Refusal
from training.models import TrainedModel
from training.processes import run_dir
from training.registry.archive import cards
from training.storage import artifacts, store

CONTENT_TYPE = "application/x-tar"
MERGED, ADAPTER = "merged", "adapter"
CARD, LINEAGE = "README.md", "lineage.json"
_BEFORE = "README.original.md"
"""The original card of a base model is kept next to ours under this name."""
_BLOCK = tarfile.BLOCKSIZE


class UnableToExport(Refusal):
    """The model cannot be exported here; the text says why."""


@dataclass(frozen=True)
class Entry:
    """A file of the archive."""

    name: str
    n_bytes: int
    read: Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Archive:
    """`name` is the name of the folder inside, and of the file without .tar."""

    name: str
    entries: list[Entry]
    at: float

    @property
    def n_bytes(self) -> int:
        padded = sum(
            len(self._header(entry)) + -(-entry.n_bytes // _BLOCK) * _BLOCK
            for entry in self.entries
        )
        return -(-(padded + 2 * _BLOCK) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE

    def chunks(self) -> Iterator[bytes]:
        """Yields the tar file. Raises store.StoreUnavailable if the store fails midway: the archive
        is then truncated, which tar reports.
        """
        n_sent = 0
        for entry in self.entries:
            header = self._header(entry)
            yield header
            yield from entry.read()
            padding = -entry.n_bytes % _BLOCK
            yield b"\0" * padding
            n_sent += len(header) + entry.n_bytes + padding
        yield b"\0" * (self.n_bytes - n_sent)

    def response(self) -> StreamingHttpResponse:
        """A download response."""
        response = StreamingHttpResponse(self.chunks(), content_type=CONTENT_TYPE)
        response["Content-Length"] = str(self.n_bytes)
        response["Content-Disposition"] = (
            content_disposition_header(as_attachment=True, filename=f"{self.name}.tar") or ""
        )
        response["Content-Encoding"] = (
            "identity"  # weights do not compress, and compression would drop Content-Length
        )
        return response

    def _header(self, entry: Entry) -> bytes:
        about = tarfile.TarInfo(f"{self.name}/{entry.name}")
        about.size, about.mtime, about.mode = entry.n_bytes, self.at, 0o644
        return about.tobuf(tarfile.PAX_FORMAT)


def download(*, model: TrainedModel, weights: str, by: User, now: datetime) -> Archive:
    """The archive for a person, noted in the audit log. Raises UnableToExport and
    store.StoreUnavailable.
    """
    packed = archive(model=model, weights=weights)
    audit_log.record(by, "download", model, after={"weights": weights}, now=now)
    return packed


def archive(*, model: TrainedModel, weights: str = MERGED) -> Archive:
    """Raises UnableToExport and store.StoreUnavailable."""
    files = _files(model)
    has_adapter = any(_is_adapters(name) for name in files)
    if weights == ADAPTER and not has_adapter:
        raise UnableToExport(why_no_adapter(model))
    wanted = (
        _adapters(files)
        if weights == ADAPTER
        else {name: name for name in files if not _is_adapters(name)}
    )
    entries = [
        Entry(CARD, *_text(cards.card_text(model=model))),
        Entry(
            LINEAGE,
            *_text(
                json.dumps(
                    cards.lineage_json(model=model),
                    indent=1,
                    ensure_ascii=False,
                    cls=DjangoJSONEncoder,
                )
            ),
        ),
    ]
    for name, source in sorted(wanted.items()):
        name = _BEFORE if name == CARD else name
        entries.append(
            Entry(name, files[source], partial(artifacts.read_model_file, model.location, source))
        )
    folder = re.sub(r"[^\w.-]+", "-", model.name).strip("-.") or f"model-{model.pk}"
    suffix = "-adapter" if weights == ADAPTER else ""
    return Archive(f"{folder}{suffix}", entries, int(model.created_at.timestamp()))


def why_withheld(model: TrainedModel) -> str:
    """Why no file of it may leave this site; "" if its files may."""
    if artifacts.is_permitted(artifacts.resolve(model.location)):
        return ""
    return _(
        "The files in %(folder)s may not leave this machine. An operator can add the folder to"
        " PREFERABLY_MODEL_ROOTS."
    ) % {"folder": model.location}


def why_no_adapter(model: TrainedModel) -> str:
    if model.run is None or model.run.config.get("method") != "lora":
        return _("“%(name)s” was not trained with LoRA. It has no adapter, only full weights.") % {
            "name": model
        }
    return _(
        "The run that produced “%(name)s” kept no adapter: it is older than this feature. The"
        " weights are merged."
    ) % {"name": model}


def _files(model: TrainedModel) -> dict[str, int]:
    if model.freed_at is not None:
        raise UnableToExport(
            _("The weights of “%(name)s” were deleted to free space.") % {"name": model}
        )
    if cards.is_elsewhere(model=model):
        raise UnableToExport(
            _("“%(name)s” is an external model and has no weights here.") % {"name": model}
        )
    if why_not := why_withheld(model):
        raise UnableToExport(why_not)
    try:
        return artifacts.model_files(model.location)
    except artifacts.ModelMissing as problem:
        if not model.location.startswith("/") and not store.is_url(model.location):
            sentence = _(
                "“%(name)s” is a hub model and is not stored here. Download it from the hub."
            )
            raise UnableToExport(sentence % {"name": model.location}) from problem
        sentence = _(
            "The folder %(folder)s is not on this machine. Run `manage.py export_model` on the"
            " machine that has it."
        )
        raise UnableToExport(sentence % {"folder": model.location}) from problem


def _is_adapters(name: str) -> bool:
    return name.startswith(f"{run_dir.ADAPTER}/")


def _adapters(files: dict[str, int]) -> dict[str, str]:
    """Name in the archive → name in the folder. The adapter's files go to the top, where peft
    expects them, with the tokenizer.
    """
    own = {name.removeprefix(f"{run_dir.ADAPTER}/"): name for name in files if _is_adapters(name)}
    tokenizer = {
        name: name
        for name in files
        if "/" not in name
        and re.match(r"(tokenizer|special_tokens|chat_template|vocab|merges)", name)
    }
    return tokenizer | own


def _text(text: str) -> tuple[int, Callable[[], Iterator[bytes]]]:
    content = text.encode()
    return len(content), lambda: iter([content])
