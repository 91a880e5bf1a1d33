"""A worker's side of trying models: answers a question, by models in child processes or by other
servers, piece by piece.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import httpx2
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from training.models import TrainedModel
from training.playground import chat_protocol, model_pool
from training.playground.chat_protocol import Channel, ModelQuestion
from training.processes import background, completions, environment
from training.processes.completions import Piece, Sampling, Server
from training.registry import endpoints
from training.registry import services as registry_services
from training.storage import artifacts, store

LOOK_EVERY_S = 0.25
ANNOUNCE_EVERY_S = 5.0
STOPPED: dict[str, Any] = {"is_ended": False, "is_stopped": True}
logger = logging.getLogger(__name__)


class UnableToAnswer(Exception):
    """The model cannot be asked here; the text is for the person who tries it."""


@dataclass(frozen=True)
class _Place:
    """Where a model is asked: in a folder, or at a server."""

    folder: str = ""
    server: Server | None = None


def answer_question(*, question: str) -> None:
    """All its answers at the same time. A question is answered once, however often it is asked."""
    with Channel() as channel:
        asked = channel.take(question=question)
        if not asked:
            return
        places = [_place(one) for one in asked]
    connection.close()
    with ThreadPoolExecutor(len(asked)) as pool:
        list(pool.map(_answer, asked, places))


def _place(asked: ModelQuestion) -> _Place | UnableToAnswer:
    try:
        return _found(
            TrainedModel.objects.select_related("endpoint").filter(pk=asked.model).first()
        )
    except UnableToAnswer as problem:
        return problem


def _found(model: TrainedModel | None) -> _Place:
    """Raises UnableToAnswer."""
    if model is None:
        raise UnableToAnswer(_("This model is no longer registered."))
    endpoint = endpoints.endpoint_of(model=model)
    if endpoint is None:
        return _Place(folder=model.location)
    try:
        endpoints.refuse_elsewhere(url=endpoint.url)
    except registry_services.UnableToRegister as problem:
        raise UnableToAnswer(str(problem)) from problem
    key = environment.key_of(endpoint.key_variable)
    if endpoint.key_variable and not key:
        sentence = _(
            "%(name)s is not set on the worker that runs models. An operator sets it in the"
            " worker's environment."
        )
        raise UnableToAnswer(sentence % {"name": endpoint.key_variable})
    return _Place(server=Server(endpoint.url, endpoint.served_name, key))


def _answer(asked: ModelQuestion, place: _Place | UnableToAnswer) -> None:
    """One answer to its end; the last thing said is always how it ended."""
    started_at = time.monotonic()
    with Channel() as channel:
        try:
            if isinstance(place, UnableToAnswer):
                raise place
            channel.go_on(answer=asked.answer)
            pieces = (
                _from_server(asked, place.server, channel)
                if place.server
                else _from_child(asked, place.folder, channel)
            )
            last: dict[str, Any] = {}
            for kind, data in pieces:
                if kind == "end":
                    last = data
                else:
                    channel.say(answer=asked.answer, kind=kind, **data)
            channel.say(
                answer=asked.answer,
                kind="end",
                seconds=round(time.monotonic() - started_at, 2),
                **last,
            )
        except (UnableToAnswer, completions.CompletionFailed) as problem:
            channel.say(answer=asked.answer, kind="failed", sentence=str(problem))
        except chat_protocol.Away as problem:
            logger.warning("An answer was given up: Redis is away (%s).", problem)


Said = Iterator[tuple[str, dict[str, Any]]]


def _from_server(asked: ModelQuestion, server: Server, channel: Channel) -> Said:
    """Reads in a thread, so that a server that is silent for long holds up neither a stop nor the
    clock.
    """
    deadline = time.monotonic() + settings.TRY_LIMIT_S
    heard: queue.Queue[Piece | completions.CompletionFailed] = queue.Queue()
    with completions.client() as client:
        threading.Thread(
            target=_read_on, args=[client, server, asked, heard], name="reader", daemon=True
        ).start()
        while channel.go_on(answer=asked.answer):
            if time.monotonic() > deadline:
                raise UnableToAnswer(
                    _("The answer took longer than %(n)s seconds and was stopped.")
                    % {"n": settings.TRY_LIMIT_S}
                )
            with suppress(queue.Empty):
                piece = heard.get(timeout=LOOK_EVERY_S)
                if isinstance(piece, completions.CompletionFailed):
                    raise piece
                if piece.is_last:
                    yield "end", {"is_ended": piece.is_ended, "is_stopped": False}
                    return
                yield "text", {"text": piece.text}
    yield "end", STOPPED


def _read_on(
    client: httpx2.Client,
    server: Server,
    asked: ModelQuestion,
    heard: "queue.Queue[Piece | completions.CompletionFailed]",
) -> None:
    try:
        for piece in completions.stream(client, server, asked.messages, Sampling(**asked.sampling)):
            heard.put(piece)
    except completions.CompletionFailed as problem:
        heard.put(problem)
    except RuntimeError as problem:  # the client was closed meanwhile: nobody listens any more
        logger.info("An answer was left: %s", problem)


def _from_child(asked: ModelQuestion, location: str, channel: Channel) -> Said:
    """Raises UnableToAnswer. A model that is being loaded has no ears: then a stop ends its
    process.
    """
    deadline = time.monotonic() + settings.TRY_LIMIT_S
    yield "state", {"state": "waiting"}
    with ExitStack() as held:
        fetching = background.start(lambda: _fetched(location), name="fetcher")
        child: model_pool.Child | None = None
        while child is None:
            if not channel.go_on(answer=asked.answer):
                yield "end", STOPPED
                return
            if time.monotonic() > deadline:
                raise UnableToAnswer(_("Other models are in use right now. Ask again in a moment."))
            with suppress(FutureTimeout):
                folder = fetching.result(timeout=LOOK_EVERY_S)
                child = held.enter_context(model_pool.SHELF.lent(folder, wait_s=LOOK_EVERY_S))
        yield "state", {"state": "writing" if child.is_ready else "loading"}
        child.ask({"messages": asked.messages} | asked.sampling)
        yield from _heard(child, asked, channel, deadline)


def _heard(
    child: model_pool.Child, asked: ModelQuestion, channel: Channel, deadline: float
) -> Said:
    is_told = False
    while True:
        heard = child.heard(wait_s=LOOK_EVERY_S)
        is_wanted = channel.go_on(answer=asked.answer) and time.monotonic() < deadline
        if not is_wanted and not is_told:
            is_told = True
            if not child.is_ready:
                child.end()
                yield "end", STOPPED
                return
            child.ask({"stop": True})
        if heard is None:
            continue
        if "ready" in heard:
            yield "state", {"state": "writing"}
        elif "text" in heard:
            yield "text", heard
        elif "end" in heard:
            yield "end", heard["end"]
            return
        else:
            raise UnableToAnswer(heard["error"] or _died())


def _fetched(location: str) -> str:
    try:
        return artifacts.fetch_model(location)
    except artifacts.ModelMissing as problem:
        raise UnableToAnswer(
            _("The model folder %(folder)s is not on the machine that runs models.")
            % {"folder": location}
        ) from problem
    except (store.StoreAway, store.Damaged) as problem:
        raise UnableToAnswer(
            _("The artifact store did not return the model (%(problem)s).") % {"problem": problem}
        ) from problem


def _died() -> str:
    return _(
        "The model's process ended without an error message. It may have run out of memory; see the"
        " worker's log."
    )


# --- being there ----------------------------------------------------------------------------------


def begin(worker: str) -> None:
    """Says that this worker is there until its process ends, and frees models that nobody asks any
    more.
    """
    model_pool.keep_tidy()
    threading.Thread(target=_go_on, args=[worker], name="herald", daemon=True).start()


def leave(worker: str) -> None:
    with Channel() as channel:
        try:
            channel.withdraw(worker=worker)
        except chat_protocol.Away as problem:
            logger.warning(
                "Redis is away (%s): this worker is taken for alive a little longer.", problem
            )


def _go_on(worker: str) -> None:
    pause = threading.Event()
    while True:
        try:
            with Channel() as channel:
                channel.announce(worker=worker)
        except chat_protocol.Away as problem:
            logger.warning("The worker could not announce itself: Redis is away (%s).", problem)
        pause.wait(ANNOUNCE_EVERY_S)
