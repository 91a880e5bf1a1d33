"""Answers of one model to one question, as they are written: from a local folder in a warm child
process, or from an external server.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
from django.conf import settings
from django.utils.translation import gettext as _

from training.models import TrainedModel
from training.playground import model_pool
from training.playground.chat_protocol import ModelQuestion
from training.processes import background, completions, environment
from training.processes.completions import Piece, Sampling, Server
from training.registry import endpoints
from training.registry import services as registry_services
from training.storage import artifacts, model_folder, store

POLL_S = 0.25
STOPPED: dict[str, object] = {"is_ended": False, "is_stopped": True}
logger = logging.getLogger(__name__)


class UnableToAnswer(Exception):
    """The model cannot answer; the text is for the person who asked."""


class Audience(Protocol):
    """Who waits for an answer."""

    def keep_alive(self, *, answer: str) -> bool:
        """Says that the answer is being written. False when it should stop. Called several times a
        second.
        """


@dataclass(frozen=True)
class Target:
    """Where a model answers: from a local folder, or at a server."""

    folder: str = ""
    server: Server | None = None


def find_target(model: TrainedModel | None) -> Target:
    """Raises UnableToAnswer."""
    if model is None:
        raise UnableToAnswer(_("This model is no longer registered."))
    endpoint = endpoints.endpoint_of(model=model)
    if endpoint is None:
        return Target(folder=model.location)
    try:
        endpoints.check_use(endpoint=endpoint)
    except registry_services.UnableToRegister as problem:
        raise UnableToAnswer(str(problem)) from problem
    key = environment.key_of(endpoint.key_variable)
    if endpoint.key_variable and not key:
        sentence = _(
            "%(name)s is not set on the worker that runs models. An operator sets it in the"
            " worker's environment."
        )
        raise UnableToAnswer(sentence % {"name": endpoint.key_variable})
    return Target(server=Server(endpoint.url, endpoint.served_name, key))


Events = Iterator[tuple[str, dict[str, Any]]]


def events(asked: ModelQuestion, target: Target, audience: Audience) -> Events:
    """("state", …), ("thinking", {"thinking"}) and ("text", {"text"}) as they come, then ("end",
    {"is_ended", "is_stopped"}). Raises UnableToAnswer and completions.CompletionFailed.
    """
    if target.server:
        return _from_server(asked, target.server, audience)
    return _from_child(asked, target.folder, audience)


def _from_server(asked: ModelQuestion, server: Server, audience: Audience) -> Events:
    """Reads in a thread, so that a silent server delays neither a stop nor the time limit."""
    deadline = time.monotonic() + settings.TRY_LIMIT_S
    heard: queue.Queue[Piece | completions.CompletionFailed] = queue.Queue()
    with completions.client() as client:
        threading.Thread(
            target=_stream_to_queue, args=[client, server, asked, heard], name="reader", daemon=True
        ).start()
        while audience.keep_alive(answer=asked.answer):
            if time.monotonic() > deadline:
                raise UnableToAnswer(
                    _("The answer took longer than %(n)s seconds and was stopped.")
                    % {"n": settings.TRY_LIMIT_S}
                )
            with suppress(queue.Empty):
                piece = heard.get(timeout=POLL_S)
                if isinstance(piece, completions.CompletionFailed):
                    raise piece
                if piece.is_last:
                    yield "end", {"is_ended": piece.is_ended, "is_stopped": False}
                    return
                if piece.thinking:
                    yield "thinking", {"thinking": piece.thinking}
                if piece.text:
                    yield "text", {"text": piece.text}
    yield "end", STOPPED


def _stream_to_queue(
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
    except RuntimeError as problem:  # the client was closed: nobody reads this any more
        logger.info("An answer was left: %s", problem)


def _from_child(asked: ModelQuestion, location: str, audience: Audience) -> Events:
    """Raises UnableToAnswer. A model that is still loading cannot react to a stop, so its process
    is killed.
    """
    deadline = time.monotonic() + settings.TRY_LIMIT_S
    yield "state", {"state": "waiting"}
    with ExitStack() as held:
        fetching = background.start(lambda: _fetch_model(location), name="fetcher")
        child: model_pool.Child | None = None
        while child is None:
            if not audience.keep_alive(answer=asked.answer):
                yield "end", STOPPED
                return
            if time.monotonic() > deadline:
                raise UnableToAnswer(_("Other models are in use right now. Ask again in a moment."))
            with suppress(FutureTimeout):
                folder = fetching.result(timeout=POLL_S)
                child = held.enter_context(model_pool.POOL.borrow(folder, wait_s=POLL_S))
        yield "state", {"state": "writing" if child.is_ready else "loading"}
        child.ask({"messages": asked.messages} | asked.sampling)
        yield from _events_from_child(child, asked, audience, deadline)


def _events_from_child(
    child: model_pool.Child, asked: ModelQuestion, audience: Audience, deadline: float
) -> Events:
    is_stop_sent = False
    while True:
        heard = child.next_line(wait_s=POLL_S)
        is_wanted = audience.keep_alive(answer=asked.answer) and time.monotonic() < deadline
        if not is_wanted and not is_stop_sent:
            is_stop_sent = True
            if not child.is_ready:
                child.kill()
                yield "end", STOPPED
                return
            child.ask({"stop": True})
        if heard is None:
            continue
        if "ready" in heard:
            yield "state", {"state": "writing"}
        elif "thinking" in heard:
            yield "thinking", heard
        elif "text" in heard:
            yield "text", heard
        elif "end" in heard:
            yield "end", heard["end"]
            return
        else:
            raise UnableToAnswer(heard["error"] or _died())


def _fetch_model(location: str) -> str:
    try:
        return artifacts.fetch_model(location)
    except model_folder.UnreadableModel as problem:
        raise UnableToAnswer(problem.sentence) from problem
    except artifacts.ModelMissing as problem:
        raise UnableToAnswer(
            _("The model folder %(folder)s is not on the machine that runs models.")
            % {"folder": location}
        ) from problem
    except (store.StoreUnavailable, store.Damaged) as problem:
        raise UnableToAnswer(
            _("The artifact store did not return the model (%(problem)s).") % {"problem": problem}
        ) from problem


def _died() -> str:
    return _(
        "The model's process ended without an error message. It may have run out of memory; see the"
        " worker's log."
    )
