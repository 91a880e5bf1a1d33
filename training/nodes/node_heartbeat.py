"""The heartbeat of a GPU node: a thread in its worker, so that the worker's own loop never waits
for the database.
"""

import logging
import threading

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from training.nodes import services
from training.processes import machine

INTERVAL_S = 10.0
logger = logging.getLogger(__name__)


def start(node: str) -> None:
    """Sends heartbeats for `node` until the process ends."""
    threading.Thread(target=_loop, args=[node], name="node-heartbeat", daemon=True).start()


def _loop(node: str) -> None:
    timer = threading.Event()
    while True:
        send(node)
        timer.wait(INTERVAL_S)


def send(node: str) -> None:
    """Sends one heartbeat. If the database is down, the next one reports the node."""
    try:
        services.record_node_heartbeat(
            name=node, report=machine.report(visible=settings.VISIBLE_GPUS), now=timezone.now()
        )
    except (OperationalError, InterfaceError) as problem:
        logger.warning("The node could not announce itself: the database is away (%s).", problem)
    finally:
        connection.close()
