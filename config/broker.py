"""Sends tasks to the workers without making a person wait while the broker is down.

Database rows are the queue, so a lost message does no harm: Celery beat sends it again.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.exceptions import ChannelError, OperationalError

from config.celery import app
from config.monitoring import context

logger = logging.getLogger(__name__)

ANSWER_S = 1.0
"""How long to wait for each answer of a broker that is frozen or behind a dead network."""
AWAY_S = 5.0
"""How long a process does not ask a broker that has not answered: a page may have many messages."""
_away_until: dict[str, float] = {}
"""Brokers that did not answer, by URL, for all threads of this process"""


SENT_AGAIN = "The beat sends it again."


def send(
    task: str, *, queue: str | None = None, otherwise: str = SENT_AGAIN, **ids: object
) -> bool:
    """Sends a task by its full name; call it after commit. False when the broker is down;
    `otherwise` then says in the log what happens next. Only jobs.messages calls it.
    """
    try:
        with _connected(app.connection_for_write()) as connection:
            app.send_task(
                task,
                kwargs=ids,
                queue=queue,
                retry=False,
                connection=connection,
                headers=context.current().headers(),
            )
    except OperationalError as problem:
        # Not everything that is sent belongs into a log: letters contain secret links.
        shown = {name: value for name, value in ids.items() if isinstance(value, int)}
        logger.warning(
            "%s of %s was not sent: the broker is away (%s). %s", task, shown, problem, otherwise
        )
        return False
    return True


def n_waiting(queue: str) -> int:
    """Messages that no worker has taken; also 0 when the broker is down."""
    return n_messages(queue) or 0


def n_messages(queue: str) -> int | None:
    """Messages that no worker has taken; None when the broker is down."""
    try:
        with _connected(app.connection_for_read()) as connection:
            return int(
                connection.default_channel.queue_declare(queue=queue, passive=True).message_count
            )
    except ChannelError:
        return 0  # nobody has used the queue yet
    except OperationalError:
        return None


@contextmanager
def _connected(connection: Any) -> Iterator[Any]:
    """Tries once, and waits for no answer longer than ANSWER_S. By default kombu retries for six
    seconds and waits forever, as workers should: they have nothing else to do.
    """
    url = connection.as_uri()
    if time.monotonic() < _away_until.get(url, 0.0):
        raise OperationalError("It did not answer a moment ago.")
    connection.transport_options |= {"socket_timeout": ANSWER_S}
    try:
        with connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            yield connection
    except OperationalError:
        _away_until[url] = time.monotonic() + AWAY_S
        raise
