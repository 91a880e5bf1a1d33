"""The worker's side of the playground: answers a question with local models or external servers,
streaming the text.
"""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from training.models import TrainedModel
from training.playground import answers, chat_protocol, model_pool
from training.playground.chat_protocol import Channel, ModelQuestion
from training.processes import completions

HEARTBEAT_S = 5.0
logger = logging.getLogger(__name__)


def answer_question(*, question: str) -> None:
    """Answers with all its models in parallel. A question is answered once, however often the task
    runs.
    """
    with Channel() as channel:
        asked = channel.take(question=question)
        if not asked:
            return
        targets = [_target(part) for part in asked]
    connection.close()
    with ThreadPoolExecutor(len(asked)) as pool:
        list(pool.map(_answer, asked, targets))


def _target(asked: ModelQuestion) -> answers.Target | answers.UnableToAnswer:
    try:
        return answers.find_target(
            TrainedModel.objects.select_related("endpoint").filter(pk=asked.model).first()
        )
    except answers.UnableToAnswer as problem:
        return problem


def _answer(asked: ModelQuestion, target: answers.Target | answers.UnableToAnswer) -> None:
    """Writes one answer. Its last event always says how it ended."""
    started_at = time.monotonic()
    with Channel() as channel:
        try:
            if isinstance(target, answers.UnableToAnswer):
                raise target
            channel.keep_alive(answer=asked.answer)
            last: dict[str, object] = {}
            for kind, data in answers.events(asked, target, channel):
                if kind == "end":
                    last = data
                else:
                    channel.send(answer=asked.answer, kind=kind, **data)
            if target.folder:
                channel.record_warm(model=asked.model)
            channel.send(
                answer=asked.answer,
                kind="end",
                seconds=round(time.monotonic() - started_at, 2),
                **last,
            )
        except (answers.UnableToAnswer, completions.CompletionFailed) as problem:
            channel.send(answer=asked.answer, kind="failed", sentence=str(problem))
        except chat_protocol.RedisUnavailable as problem:
            logger.warning("An answer was given up: Redis is away (%s).", problem)


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
