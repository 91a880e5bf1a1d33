"""Where the files of a dataset are: on the hub, in the hub's cache, or in the cache of `datasets`.

Only workers and commands use the network, never a web request.
"""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import quote

import httpx2
from django.utils.translation import gettext as _

from accounts.refusals import Refusal
from labeling.data.hub import layout
from labeling.data.hub.layout import HubCard, NotFound
from labeling.importers.child import limits, process
from labeling.importers.child.limits import UnableToRead
from labeling.importers.files import arrow

TIMEOUT_S = 30.0
_CHUNK = 1024 * 1024
_MAX_CARD = 1024 * 1024
_MAX_LISTING = 16 * 1024 * 1024
ANSWER_TIMEOUT_S = 120.0
"""For a listing or a card; the timeout above is for each part of it."""
DOWNLOAD_S = 5 * 60 * 60
"""For all files of a dataset: less than a worker may take, so that it ends in a sentence."""
LEAST_RATE, RATE_S = 10_000, 60.0
"""A download is ended if it is slower than this many bytes a second for this many seconds. A
timeout does not notice a server that sends a byte now and then.
"""
_TOLD_S = 1.0
_UNLIKE_A_HUB = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)
_COMMIT = re.compile(r"[0-9a-f]{40}")

Progress = Callable[[int], None]
"""Hears how many more bytes were written; raises to stop."""


class HubAway(Refusal):
    """The hub did not answer; the local cache may have the dataset."""


@dataclass(frozen=True)
class Wanted:
    repository: str
    config: str = ""
    split: str = ""
    revision: str = ""


@dataclass(frozen=True)
class Part:
    """A file with rows. `n_bytes` is 0 if unknown."""

    name: str
    n_bytes: int


class Place(Protocol):
    @property
    def card(self) -> HubCard: ...

    @property
    def parts(self) -> list[Part]:
        """Raises layout.NotFound."""

    def copy(self, part: Part, to: BinaryIO, progress: Progress) -> None: ...


# --- the hub --------------------------------------------------------------------------------------


@dataclass
class _Pace:
    """How fast the files of a dataset come."""

    began_at: float
    since: float = 0.0
    n_bytes: int = 0

    def begin(self) -> None:
        self.since, self.n_bytes = time.monotonic(), 0

    def add(self, n_bytes: int) -> None:
        """Raises HubAway if they come too slowly."""
        now = time.monotonic()
        self.n_bytes += n_bytes
        if now - self.began_at > DOWNLOAD_S:
            sentence = _(
                "The download takes more than %(n)d hours. Choose a split or a configuration, or"
                " download the files yourself and upload them here."
            )
            raise HubAway(sentence % {"n": DOWNLOAD_S // 3600})
        if now - self.since >= RATE_S:
            if self.n_bytes < LEAST_RATE * RATE_S:
                sentence = _(
                    "The hub sends fewer than %(n)d KB a second. Try again later, or download the"
                    " files yourself and upload them here."
                )
                raise HubAway(sentence % {"n": LEAST_RATE // 1000})
            self.begin()


@dataclass(frozen=True)
class OnHub:
    client: httpx2.Client
    wanted: Wanted
    commit: str
    sizes: dict[str, int]
    card: HubCard
    pace: _Pace

    @property
    def parts(self) -> list[Part]:
        files = layout.data_files(
            self.sizes, self.card, config=self.wanted.config, split=self.wanted.split
        )
        return [Part(name, self.sizes[name]) for name in files]

    def copy(self, part: Part, to: BinaryIO, progress: Progress) -> None:
        try:
            with self.client.stream("GET", _address(self.wanted, self.commit, part.name)) as answer:
                _check(answer, self.wanted)
                for chunk in self._chunks(answer):
                    to.write(chunk)
                    progress(len(chunk))
        except httpx2.HTTPError as problem:
            raise _away(problem) from problem

    def _chunks(self, answer: httpx2.Response) -> Iterator[bytes]:
        """About a megabyte or a second at a time: a part of a fixed size would wait for its last
        byte.
        """
        self.pace.begin()
        parts, n_bytes, told_at = [], 0, time.monotonic()
        for part in answer.iter_bytes():
            self.pace.add(len(part))
            parts.append(part)
            n_bytes += len(part)
            if n_bytes >= _CHUNK or time.monotonic() - told_at > _TOLD_S:
                yield b"".join(parts)
                parts, n_bytes, told_at = [], 0, time.monotonic()
        yield b"".join(parts)


@contextmanager
def on_hub(wanted: Wanted, *, hub: str, token: str) -> Iterator[OnHub]:
    """Raises HubAway, and NotFound if the hub knows no such dataset or revision."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx2.Client(
        base_url=hub, headers=headers, timeout=TIMEOUT_S, follow_redirects=True
    ) as client:
        revision = quote(wanted.revision or "main", safe="")
        try:
            address = f"/api/datasets/{wanted.repository}/revision/{revision}"
            about = json.loads(_content(client, wanted, address, most=_MAX_LISTING, blobs="true"))
            files = {
                str(sibling["rfilename"]): int(sibling.get("size") or 0)
                for sibling in about["siblings"]
            }
            commit = str(about.get("sha") or wanted.revision or "main")
            card = _card(client, wanted, commit) if layout.CARD in files else ""
        except (httpx2.HTTPError, *_UNLIKE_A_HUB) as problem:
            raise _away(problem) from problem
        yield OnHub(client, wanted, commit, files, card_of(card), _Pace(time.monotonic()))


def card_of(text: str) -> HubCard:
    """What a card says; a child parses it. Raises NotFound."""
    try:
        read = process.value(layout.card_or_refusal, limits.of_page(), text=text[:_MAX_CARD])
    except UnableToRead as refusal:
        raise NotFound(refusal.sentence) from refusal
    if read.refusal:
        raise NotFound(read.refusal)
    return read.card


def _card(client: httpx2.Client, wanted: Wanted, commit: str) -> str:
    content = _content(client, wanted, _address(wanted, commit, layout.CARD), most=_MAX_CARD)
    return content.decode(errors="replace")


def _content(
    client: httpx2.Client, wanted: Wanted, address: str, *, most: int, **params: str
) -> bytes:
    """At most so many bytes of an answer: what a hub sends may have no end. Raises HubAway and
    NotFound.
    """
    content, started_at = b"", time.monotonic()
    with client.stream("GET", address, params=params) as answer:
        _check(answer, wanted)
        # Of whatever size: a part of a fixed size would wait for its last byte.
        for part in answer.iter_bytes():
            content += part
            if len(content) > most:
                return content[:most]
            if time.monotonic() - started_at > ANSWER_TIMEOUT_S:
                raise HubAway(_("The hub's answer does not end."))
    return content


def _address(wanted: Wanted, commit: str, name: str) -> str:
    return f"/datasets/{wanted.repository}/resolve/{quote(commit, safe='')}/{quote(name)}"


def _check(answer: httpx2.Response, wanted: Wanted) -> None:
    """Raises NotFound if the hub has nothing for us, HubAway if it fails."""
    if answer.status_code in (401, 403, 404):
        sentence = _(
            "The hub has no dataset “%(name)s” with this revision, or the worker's HF_TOKEN may"
            " not read it."
        )
        raise NotFound(sentence % {"name": wanted.repository})
    if answer.status_code != 200:
        raise HubAway(_("The hub answered with status %(n)d.") % {"n": answer.status_code})


def _away(problem: Exception) -> HubAway:
    return HubAway(_("The hub did not answer (%(why)s).") % {"why": type(problem).__name__})


# --- caches ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InHubCache:
    """A folder that huggingface_hub has downloaded: named as in the repository."""

    folder: Path
    wanted: Wanted
    card: HubCard

    @property
    def parts(self) -> list[Part]:
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        sizes = {path.relative_to(self.folder).as_posix(): path.stat().st_size for path in paths}
        files = layout.data_files(
            sizes, self.card, config=self.wanted.config, split=self.wanted.split
        )
        return [Part(name, sizes[name]) for name in files]

    def copy(self, part: Part, to: BinaryIO, progress: Progress) -> None:
        with (self.folder / part.name).open("rb") as file:
            shutil.copyfileobj(file, to, _CHUNK)
        progress(part.n_bytes)


def in_hub_cache(wanted: Wanted, *, cache: Path) -> InHubCache | None:
    """None if this revision was never downloaded."""
    repository = cache / f"datasets--{wanted.repository.replace('/', '--')}"
    commit = wanted.revision
    if not _COMMIT.fullmatch(commit):
        reference = repository / "refs" / (wanted.revision or "main")
        if ".." in reference.parts or not reference.is_file():
            return None
        commit = reference.read_text().strip()
    folder = repository / "snapshots" / commit
    if not _COMMIT.fullmatch(commit) or not folder.is_dir():
        return None
    card = folder / layout.CARD
    text = card.read_text(errors="replace")[:_MAX_CARD] if card.is_file() else ""
    return InHubCache(folder, wanted, card_of(text))


@dataclass(frozen=True)
class InDatasetsCache:
    """A folder of Arrow files that `datasets` has prepared, one configuration."""

    folder: Path
    split: str
    card: HubCard

    @property
    def parts(self) -> list[Part]:
        sizes = {path.name: path.stat().st_size for path in sorted(self.folder.glob("*.arrow"))}
        if self.split:
            splits = {name: _split_of(name) for name in sizes}
            chosen = [name for name, split in splits.items() if split == self.split]
            if not chosen:
                sentence = _("The dataset has no split “%(name)s”. It has: %(names)s.")
                names = ", ".join(sorted(set(splits.values())))
                raise NotFound(sentence % {"name": self.split, "names": names})
            return [Part(name, sizes[name]) for name in chosen]
        return [Part(name, size) for name, size in sizes.items()]

    def copy(self, part: Part, to: BinaryIO, progress: Progress) -> None:
        """As Parquet, which the importers read. It is written beside, because Parquet cannot be
        written into an archive.
        """
        path = self.folder / part.name
        with tempfile.NamedTemporaryFile() as beside:
            try:
                process.long_value(
                    arrow.write_parquet,
                    limits.of_worker(path),
                    partial(progress, 0),
                    path=path,
                    to=Path(beside.name),
                )
            except UnableToRead as refusal:
                raise NotFound(refusal.sentence) from refusal
            beside.seek(0)
            shutil.copyfileobj(beside, to, _CHUNK)
        progress(part.n_bytes)


def in_datasets_cache(wanted: Wanted, *, cache: Path) -> InDatasetsCache | None:
    """The newest version of a configuration. None without one, or for a named revision: the cache
    does not say which it has.
    """
    if wanted.revision:
        return None
    *owner, name = wanted.repository.split("/")
    root = cache / "___".join([*owner, _snake_case(name)])
    folders = [path.parent for path in root.glob("*/*/*/dataset_info.json")]
    configs = {folder.relative_to(root).parts[0] for folder in folders}
    config = wanted.config or ("default" if "default" in configs else "")
    if not config and len(configs) > 1:
        sentence = _("The dataset has several configurations. Choose one of: %(names)s.")
        raise NotFound(sentence % {"names": ", ".join(sorted(configs))})
    fitting = [
        match for match in folders if not config or match.relative_to(root).parts[0] == config
    ]
    if not fitting:
        return None
    newest = max(fitting, key=lambda folder: folder.stat().st_mtime)
    about = json.loads((newest / "dataset_info.json").read_text())
    card = f"---\n{json.dumps({'license': about.get('license') or None})}\n---\n"
    return InDatasetsCache(newest, wanted.split, card_of(card))


def _split_of(name: str) -> str:
    """`squad-train.arrow` and `squad-train-00000-of-00002.arrow` are of train."""
    return re.sub(r"(-\d{5}-of-\d{5})?\.arrow$", "", name).rsplit("-", 1)[-1]


def _snake_case(name: str) -> str:
    """As `datasets` names its folders."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).lower()
