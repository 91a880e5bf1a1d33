"""The worker's side of the playground: answers a question with local models or external servers,
streaming the text.
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

POLL_S = 0.25
HEARTBEAT_S = 5.0
STOPPED: dict[str, Any] = {"is_ended": False, "is_stopped": True}
logger = logging.getLogger(__name__)


class UnableToAnswer(Exception):
    """The model cannot answer; the text is for the person who asked."""


@dataclass(frozen=True)
class _Target:
    """Where a model answers: from a local folder, or at a server."""

    folder: str = ""
    server: Server | None = None


def answer_question(*, question: str) -> None:
    """Answers with all its models in parallel. A question is answered once, however often the task
    runs.
    """
    with Channel() as channel:
        asked = channel.take(question=question)
        if not asked:
            return
        targets = [_target(one) for one in asked]
    connection.close()
    with ThreadPoolExecutor(len(asked)) as pool:
        list(pool.map(_answer, asked, targets))


def _target(asked: ModelQuestion) -> _Target | UnableToAnswer:
    try:
        return _find_target(
            TrainedModel.objects.select_related("endpoint").filter(pk=asked.model).first()
        )
    except UnableToAnswer as problem:
        return problem


def _find_target(model: TrainedModel | None) -> _Target:
    """Raises UnableToAnswer."""
    if model is None:
        raise UnableToAnswer(_("This model is no longer registered."))
    endpoint = endpoints.endpoint_of(model=model)
    if endpoint is None:
        return _Target(folder=model.location)
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
    return _Target(server=Server(endpoint.url, endpoint.served_name, key))


def _answer(asked: ModelQuestion, target: _Target | UnableToAnswer) -> None:
    """Writes one answer. Its last event always says how it ended."""
    started_at = time.monotonic()
    with Channel() as channel:
        try:
            if isinstance(target, UnableToAnswer):
                raise target
            channel.keep_alive(answer=asked.answer)
            pieces = (
                _from_server(asked, target.server, channel)
                if target.server
                else _from_child(asked, target.folder, channel)
            )
            last: dict[str, Any] = {}
            for kind, data in pieces:
                if kind == "end":
                    last = data
                else:
                    channel.send(answer=asked.answer, kind=kind, **data)
            channel.send(
                answer=asked.answer,
                kind="end",
                seconds=round(time.monotonic() - started_at, 2),
                **last,
            )
        except (UnableToAnswer, completions.CompletionFailed) as problem:
            channel.send(answer=asked.answer, kind="failed", sentence=str(problem))
        except chat_protocol.RedisUnavailable as problem:
            logger.warning("An answer was given up: Redis is away (%s).", problem)


Events = Iterator[tuple[str, dict[str, Any]]]


def _from_server(asked: ModelQuestion, server: Server, channel: Channel) -> Events:
    """Reads in a thread, so that a silent server delays neither a stop nor the time limit."""
    deadline = time.monotonic() + settings.TRY_LIMIT_S
    heard: queue.Queue[Piece | completions.CompletionFailed] = queue.Queue()
    with completions.client() as client:
        threading.Thread(
            target=_stream_to_queue, args=[client, server, asked, heard], name="reader", daemon=True
        ).start()
        while channel.keep_alive(answer=asked.answer):
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


def _from_child(asked: ModelQuestion, location: str, channel: Channel) -> Events:
    """Raises UnableToAnswer. A model that is still loading cannot react to a stop, so its process
    is killed.
    """
    deadline = time.monotonic() + settings.TRY_LIMIT_S
    yield "state", {"state": "waiting"}
    with ExitStack() as held:
        fetching = background.start(lambda: _fetch_model(location), name="fetcher")
        child: model_pool.Child | None = None
        while child is None:
            if not channel.keep_alive(answer=asked.answer):
                yield "end", STOPPED
                return
            if time.monotonic() > deadline:
                raise UnableToAnswer(_("Other models are in use right now. Ask again in a moment."))
            with suppress(FutureTimeout):
                folder = fetching.result(timeout=POLL_S)
                child = held.enter_context(model_pool.POOL.borrow(folder, wait_s=POLL_S))
        yield "state", {"state": "writing" if child.is_ready else "loading"}
        child.ask({"messages": asked.messages} | asked.sampling)
        yield from _events_from_child(child, asked, channel, deadline)


def _events_from_child(
    child: model_pool.Child, asked: ModelQuestion, channel: Channel, deadline: float
) -> Events:
    is_stop_sent = False
    while True:
        heard = child.next_line(wait_s=POLL_S)
        is_wanted = channel.keep_alive(answer=asked.answer) and time.monotonic() < deadline
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


# --- being there ----------------------------------------------------------------------------------


def start_worker(worker: str) -> None:
    """Sends heartbeats until the process ends, and removes unused models from memory."""
    model_pool.start_cleanup()
    threading.Thread(
        target=_send_heartbeats, args=[worker], name="worker-heartbeat", daemon=True
    ).start()


def stop_worker(worker: str) -> None:
    with Channel() as channel:
        try:
            channel.remove_worker(worker=worker)
        except chat_protocol.RedisUnavailable as problem:
            logger.warning(
                "Redis is away (%s): this worker is taken for alive a little longer.", problem
            )


def _send_heartbeats(worker: str) -> None:
    timer = threading.Event()
    while True:
        try:
            with Channel() as channel:
                channel.record_worker(worker=worker)
        except chat_protocol.RedisUnavailable as problem:
            logger.warning("The worker could not announce itself: Redis is away (%s).", problem)
        timer.wait(HEARTBEAT_S)
